"""Background work of the channels. Every task may run twice or not at all: the next sweep finds what is due."""

from __future__ import annotations

import time

from celery import shared_task
from django.utils import timezone

from channels_ingest import connect, notices, pull, renewal, retention, wake, webhooks


@shared_task
def pull_due() -> None:
    for channel_id in pull.due_channels(timezone.now()):
        wake.up("channels_ingest.tasks.pull_channel", channel_id)


@shared_task
def pull_channel(channel_id: int) -> None:
    pull.pull_channel(channel_id)


A_WHILE = 2.0  # seconds for which a worker goes through a heap of webhooks before it looks at what else is due


@shared_task
def process_events() -> None:
    began = time.monotonic()
    webhooks.process_due(seconds=A_WHILE)
    if time.monotonic() - began >= A_WHILE:
        wake.up("channels_ingest.tasks.process_events")


@shared_task
def ask_for_pushes() -> None:
    connect.ask_for_missing_pushes()
    connect.keep_pushes(timezone.now())


@shared_task
def renew_due() -> None:
    renewal.renew_due()


@shared_task
def look_after_channels() -> None:
    notices.look(timezone.now())
    renewal.check_ends(timezone.now())


@shared_task
def forget_old() -> None:
    retention.forget_old(timezone.now())
