from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from channels_ingest import speaking
from channels_ingest.connect import keep_pushes
from channels_ingest.models import App, Channel
from channels_ingest.networks.base import NetworkError, Trouble

pytestmark = pytest.mark.django_db


class Pushing:
    """A network that is asked for pushes."""

    def __init__(self, trouble: Trouble | None = None) -> None:
        self.trouble = trouble
        self.asked: list[str] = []

    def subscribe(self, callback_url: str) -> None:
        self.asked.append(callback_url)
        if self.trouble is not None:
            raise NetworkError("no", self.trouble)


@pytest.fixture
def pushed(channel: Channel) -> Channel:
    channel.app = App.objects.create(network=channel.network, key="k")
    channel.push_since = timezone.now() - timedelta(days=1)
    channel.save()
    return channel


def test_a_network_is_asked_now_and_then_whether_it_still_pushes(
    pushed: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, now = Pushing(), timezone.now()
    monkeypatch.setattr(speaking, "speak_for", lambda channel: network)
    asked = [keep_pushes(now), keep_pushes(now + timedelta(minutes=5)), keep_pushes(now + timedelta(minutes=16))]
    assert asked == [1, 0, 1]
    assert len(network.asked) == 2


@pytest.mark.parametrize(("trouble", "kept"), [(Trouble.TEMPORARY, True), (Trouble.PERMANENT, False)])
def test_pushes_that_are_refused_for_good_are_shown_as_gone(
    pushed: Channel, monkeypatch: pytest.MonkeyPatch, trouble: Trouble, kept: bool
) -> None:
    monkeypatch.setattr(speaking, "speak_for", lambda channel: Pushing(trouble))
    keep_pushes(timezone.now())
    pushed.refresh_from_db()
    assert (pushed.push_since is not None) is kept
