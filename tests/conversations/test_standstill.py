from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from channels_ingest.models import App, Channel, StreamCursor, WebhookEvent
from contacts.models import Identity
from conversations.models import Blocking

pytestmark = pytest.mark.django_db


def alive(client: Client) -> bool:
    return client.get("/health/live/").status_code == 200


def test_idle_is_alive(client: Client, channel: Channel) -> None:
    StreamCursor.objects.create(channel=channel, stream="mentions", due_at=timezone.now())
    assert alive(client)


def test_a_webhook_that_nobody_takes_up_is_a_standstill(client: Client, db: None) -> None:
    app = App.objects.create(network="twitter", key="k")
    late = timezone.now() - timedelta(minutes=2)
    WebhookEvent.objects.create(app=app, digest="d", body=b"{}", due_at=late)
    assert not alive(client)


def test_a_pull_that_is_long_due_is_a_standstill_unless_its_channel_rests(client: Client, channel: Channel) -> None:
    StreamCursor.objects.create(channel=channel, stream="mentions", due_at=timezone.now() - timedelta(minutes=5))
    assert not alive(client)
    Channel.objects.update(state=Channel.State.PAUSED)
    assert alive(client)


def test_a_blocking_that_nobody_asks_for_is_a_standstill_unless_somebody_is_at_it(
    client: Client, channel: Channel
) -> None:
    maya, now = Identity.objects.create(network="twitter", external_id="1"), timezone.now()
    late = now - timedelta(minutes=2)
    Blocking.objects.create(channel=channel, identity=maya, wanted=True, state=Blocking.State.WAITING, not_before=late)
    assert not alive(client)
    Blocking.objects.update(lease_until=now + timedelta(minutes=1))
    assert alive(client)


def test_readiness_asks_the_database_alone(client: Client, db: None) -> None:
    assert client.get("/health/ready/").status_code == 200
