"""Blanks what the ingest ledger still holds of items whose content may no longer be kept."""

from __future__ import annotations

import json
from collections.abc import Collection

from django.db.models import TextField
from django.db.models.functions import Cast

from channels_ingest.models import SetAside, WebhookEvent


def forget_items(network: str, external_ids: Collection[str]) -> int:
    """Empties the stored webhook bodies that told of these items; returns how many. A body that is not processed yet
    stays: its items meet their tombstones."""
    events = WebhookEvent.objects.filter(app__network=network, external_ids__overlap=list(external_ids)).exclude(
        state=WebhookEvent.State.RECEIVED
    )
    SetAside.objects.filter(event__in=events).update(raw=None)
    _forget_set_aside(network, external_ids)
    return events.update(body=b"")


def _forget_set_aside(network: str, external_ids: Collection[str]) -> None:
    """Items of a pull that could not be stored name these ids somewhere in what the network sent."""
    kept = SetAside.objects.filter(channel__network=network, raw__isnull=False).annotate(words=Cast("raw", TextField()))
    for pk, words in kept.values_list("pk", "words"):
        if any(json.dumps(external_id) in words for external_id in external_ids):
            SetAside.objects.filter(pk=pk).update(raw=None)
