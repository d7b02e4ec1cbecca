"""What the ingest ledger keeps, and for how long: long enough to explain and replay, not for ever."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from channels_ingest.models import Notice, PulledPage, Reconcile, SetAside, WebhookEvent

BATCH = 5000


def forget_old(now: datetime) -> int:
    """Deletes ledger lines older than KEEP_LEDGER_DAYS, in small batches; returns how many. What waits or was set
    aside and nobody looked at stays."""
    limit = now - timedelta(days=settings.KEEP_LEDGER_DAYS)
    old: tuple[QuerySet[Any], ...] = (
        SetAside.objects.filter(settled_at__lt=limit),
        WebhookEvent.objects.filter(state=WebhookEvent.State.STORED, processed_at__lt=limit).exclude(
            set_aside__settled_at=None, set_aside__isnull=False
        ),
        PulledPage.objects.filter(at__lt=limit),
        Reconcile.objects.filter(began_at__lt=limit),
        Notice.objects.filter(ended_at__lt=limit),
    )
    return sum(_delete(rows) for rows in old)


def _delete(rows: QuerySet[Any]) -> int:
    gone = 0
    while keys := list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH]):
        gone += rows.model.objects.filter(pk__in=keys).delete()[0]
    return gone
