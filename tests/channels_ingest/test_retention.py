from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from channels_ingest.forget import forget_items
from channels_ingest.models import App, Channel, PulledPage, SetAside, WebhookEvent
from channels_ingest.retention import forget_old

pytestmark = pytest.mark.django_db

LONG_AGO = timezone.now() - timedelta(days=90)


def event(digest: str, state: str, at: datetime = LONG_AGO) -> WebhookEvent:
    app, _ = App.objects.get_or_create(network="twitter", key="k")
    return WebhookEvent.objects.create(app=app, digest=digest, body=b"{}", state=state, processed_at=at)


def test_old_webhook_bodies_and_pages_are_forgotten_and_young_ones_kept(channel: Channel) -> None:
    event("old", WebhookEvent.State.STORED)
    event("young", WebhookEvent.State.STORED, timezone.now())
    PulledPage.objects.create(channel=channel, stream="s", at=LONG_AGO, received=1, stored=1, known=0, dropped=0)
    assert forget_old(timezone.now()) == 2
    assert [one.digest for one in WebhookEvent.objects.all()] == ["young"]


def test_what_nobody_has_looked_at_stays(channel: Channel) -> None:
    event("aside", WebhookEvent.State.SET_ASIDE)
    kept = event("dropped", WebhookEvent.State.STORED)
    SetAside.objects.create(channel=channel, event=kept, reason="no author", digest="d", at=LONG_AGO)
    assert forget_old(timezone.now()) == 0


def test_a_set_aside_item_of_a_pull_is_emptied_with_the_post_it_tells_of(channel: Channel) -> None:
    SetAside.objects.create(channel=channel, reason="r", digest="1", raw={"id": "77", "text": "secret"})
    SetAside.objects.create(channel=channel, reason="r", digest="2", raw={"id": "770", "text": "other"})
    forget_items("twitter", ["77"])
    assert [one.raw is None for one in SetAside.objects.order_by("digest")] == [True, False]
