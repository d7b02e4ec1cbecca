from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone

from channels_ingest import health, pull, speaking
from channels_ingest.health import Diagnosis
from channels_ingest.models import Channel, StreamCursor
from channels_ingest.networks.base import Action, Page, Situation, Trouble, Visibility
from conversations.models import Interaction
from tests.cast import NOON, said
from tests.fakes import FakeNetwork, trouble

pytestmark = pytest.mark.django_db


SITUATION = Situation("1", Visibility.PUBLIC, "1001", False, NOON, NOON)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeNetwork:
    network = FakeNetwork()
    monkeypatch.setattr(speaking, "speak_for", lambda channel: network)
    monkeypatch.setattr(Channel, "adapter", FakeNetwork)
    return network


def test_every_page_is_stored_with_its_cursor(channel: Channel, fake: FakeNetwork) -> None:
    fake.pages = [Page((said("1"),), {"below": "1"}), Page((said("2"),), {"since": "2"})]
    assert pull.pull_channel(channel.pk).stored == 2
    cursor = StreamCursor.objects.get()
    assert cursor.cursor == {"since": "2"}
    assert cursor.due_at > timezone.now()


def test_an_error_between_pages_keeps_what_was_stored(channel: Channel, fake: FakeNetwork) -> None:
    fake.pages = [Page((said("1"),), {"below": "1"}), trouble(words="503 from the network")]
    pull.pull_channel(channel.pk)
    assert Interaction.objects.count() == 1
    assert StreamCursor.objects.get().cursor == {"below": "1"}
    channel.refresh_from_db()
    assert channel.last_error == "503 from the network"
    assert health.health(channel, timezone.now()).diagnosis == Diagnosis.SLOW


def test_a_stream_rests_longer_each_time_it_fails(channel: Channel, fake: FakeNetwork) -> None:
    fake.pages = [trouble()]
    waits = []
    for _ in range(4):
        pull.pull_now(channel)
        pull.pull_channel(channel.pk)
        waits.append(StreamCursor.objects.get().due_at - timezone.now())
    assert waits == sorted(waits)
    assert waits[-1] > waits[0] * 4


def test_an_outage_that_is_over_is_noticed_within_half_a_minute(channel: Channel, fake: FakeNetwork) -> None:
    fake.pages = [trouble()]
    pull.pull_channel(channel.pk)
    StreamCursor.objects.update(failures=50, due_at=timezone.now())
    pull.pull_channel(channel.pk)
    assert StreamCursor.objects.get().due_at - timezone.now() <= timedelta(seconds=30)


def test_the_networks_own_wait_is_kept(channel: Channel, fake: FakeNetwork) -> None:
    fake.pages = [trouble(retry_after=timedelta(minutes=14))]
    pull.pull_channel(channel.pk)
    assert StreamCursor.objects.get().due_at > timezone.now() + timedelta(minutes=13)
    assert Channel.objects.get().limited_until is None


def test_a_dead_token_breaks_the_channel_and_a_success_mends_it(channel: Channel, fake: FakeNetwork) -> None:
    fake.pages = [trouble(Trouble.BROKEN, "token revoked", advice="Connect again")]
    pull.pull_channel(channel.pk)
    channel.refresh_from_db()
    assert (channel.state, channel.advice) == (Channel.State.BROKEN, "Connect again")
    assert pull.due_channels(timezone.now()) == []
    fake.pages = [Page((said("1"),), {})]
    pull.pull_now(channel)
    pull.pull_channel(channel.pk)
    channel.refresh_from_db()
    assert channel.state == Channel.State.ACTIVE
    assert channel.last_error == ""


def test_a_paused_channel_is_not_pulled(channel: Channel, fake: FakeNetwork) -> None:
    Channel.objects.update(state=Channel.State.PAUSED)
    fake.pages = [Page((said("1"),), {})]
    assert pull.pull_channel(channel.pk, everything=True).stored == 0
    assert pull.due_channels(timezone.now()) == []


@pytest.mark.django_db(transaction=True)
def test_a_second_run_of_the_same_channel_does_nothing(channel: Channel, fake: FakeNetwork) -> None:
    other = connections.create_connection("default")
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s, %s)", [pull.PULL_LOCK, channel.pk])
        fake.pages = [Page((said("1"),), {})]
        assert pull.pull_channel(channel.pk).stored == 0
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [pull.PULL_LOCK, channel.pk])
    finally:
        other.close()
    assert pull.pull_channel(channel.pk).stored == 1


def test_a_channel_of_a_retired_network_still_opens_and_does_nothing(channel: Channel) -> None:
    Channel.objects.update(network="googleplus")
    channel.refresh_from_db()
    assert str(channel) == "googleplus @trailhead"
    assert not speaking.speak_for(channel).verdict(Action.REPLY, SITUATION).allowed
    assert pull.pull_channel(channel.pk, everything=True).stored == 0
