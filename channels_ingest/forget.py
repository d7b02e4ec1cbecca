"""Blanks what the ingest ledger still holds of items whose content may no longer be kept."""

from __future__ import annotations

from collections.abc import Collection

from channels_ingest.models import SetAside, WebhookEvent


def forget_items(network: str, external_ids: Collection[str]) -> int:
    """Empties the stored webhook bodies that told of these items; returns how many. A body that is not processed yet
    stays: its items meet their tombstones."""
    events = WebhookEvent.objects.filter(app__network=network, external_ids__overlap=list(external_ids)).exclude(
        state=WebhookEvent.State.RECEIVED
    )
    SetAside.objects.filter(event__in=events).update(raw=None)
    return events.update(body=b"")
