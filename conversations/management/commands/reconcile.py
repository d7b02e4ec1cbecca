"""`manage.py reconcile`: reads the networks back over a window, and reports and repairs what is missing."""

from __future__ import annotations

import argparse
import json
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from channels_ingest.models import Channel, Reconcile
from conversations.reconcile import recheck_due, reconcile


class Command(BaseCommand):
    help = "Read the networks back over a window; store what is missing. Prints a line of JSON for each channel."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--hours", type=float, default=26.0, help="how far to read back")
        parser.add_argument("--channel", type=int, help="the number of one channel; without it all active ones")
        parser.add_argument("--deletions", action="store_true", help="also look stored posts up again now")

    def handle(self, *, hours: float, channel: int | None, deletions: bool, **options: Any) -> None:
        channels = Channel.objects.filter(state=Channel.State.ACTIVE).select_related("app")
        found = list(channels.filter(pk=channel) if channel is not None else channels)
        if channel is not None and not found:
            raise CommandError(f"There is no active channel {channel}.")
        since = timezone.now() - timedelta(hours=hours)
        for one in found:
            self.stdout.write(json.dumps(_told(one, reconcile(one, since=since))))
        if deletions:
            self.stdout.write(json.dumps({"gone": recheck_due(timezone.now(), batches=10_000)}))


def _told(channel: Channel, row: Reconcile | None) -> dict[str, Any]:
    if row is None:
        return {"channel": channel.pk, "error": "another run is at it"}
    return {
        "channel": channel.pk,
        "read": row.read,
        "missing": row.missing,
        "repaired": row.repaired,
        "missing_ids": row.missing_ids,
        "error": row.error,
    }
