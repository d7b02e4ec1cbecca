"""Notifications in browsers nobody looks at: who gets them, once, and how they end."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from channels_ingest import webpush
from channels_ingest.models import Channel
from channels_ingest.webpush import NotSent, Subscription
from conversations import actions, push
from conversations.models import Notification, PushSubscription, Thread
from conversations.record import record
from tests.cast import MAYA, said
from tests.channels_ingest.test_webpush import BROWSER
from tests.conftest import BrowserOf

pytestmark = pytest.mark.django_db

GIVEN = {"endpoint": BROWSER.endpoint, "p256dh": BROWSER.p256dh, "auth": BROWSER.auth}


@pytest.fixture
def ben(colleague: User, browser_of: BrowserOf) -> Client:
    """A colleague whose browser shows notifications."""
    browser = browser_of(colleague)
    assert browser.post("/profile/push/", GIVEN).status_code == 204
    return browser


@pytest.fixture
def pushed(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    """What push servers were given."""
    taken: list[dict[str, str]] = []
    monkeypatch.setattr(webpush, "send", lambda to, message: taken.append(message))
    return taken


@pytest.fixture
def note(channel: Channel, agent: User, ben: Client) -> Thread:
    """A note that calls the colleague."""
    record(channel, [said("1", MAYA, "My number is secret")])
    thread = Thread.objects.get()
    actions.write_note(thread, by=agent, text="@Ben, and a secret")
    return thread


def test_a_mention_is_pushed_once_and_says_nothing_of_what_was_said(note: Thread, pushed: list[dict[str, str]]) -> None:
    assert [push.push_due(timezone.now()) for _time in range(2)] == [1, 0]
    (message,) = pushed
    assert message["body"] == "Ana mentions you in a note about Maya Keller."
    assert message["url"].startswith(f"/threads/{note.pk}/")
    assert "secret" not in str(message)


def test_what_was_read_is_not_pushed(note: Thread, colleague: User, pushed: list[dict[str, str]]) -> None:
    actions.mark_seen(note, by=colleague)
    assert push.push_due(timezone.now()) == 0


def test_a_kind_that_is_switched_off_is_not_pushed(
    channel: Channel, agent: User, colleague: User, ben: Client, pushed: list[dict[str, str]]
) -> None:
    User.objects.filter(pk=colleague.pk).update(muted=["mention"])
    record(channel, [said("1", MAYA)])
    actions.write_note(Thread.objects.get(), by=agent, text="@Ben")
    assert push.push_due(timezone.now()) == 0


def test_signing_out_ends_it(note: Thread, ben: Client, pushed: list[dict[str, str]]) -> None:
    ben.post("/sign-out/")
    assert push.push_due(timezone.now()) == 0
    assert not PushSubscription.objects.exists()


def test_it_is_switched_off(note: Thread, ben: Client, pushed: list[dict[str, str]]) -> None:
    ben.post("/profile/push/removal/", {"endpoint": BROWSER.endpoint})
    assert push.push_due(timezone.now()) == 0


def test_a_browser_of_a_colleague_is_not_switched_off(ben: Client, agent: User, browser_of: BrowserOf) -> None:
    browser_of(agent).post("/profile/push/removal/", {"endpoint": BROWSER.endpoint})
    assert PushSubscription.objects.count() == 1


def test_a_subscription_that_is_gone_is_forgotten_and_a_failing_one_given_up(
    note: Thread, agent: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(to: Subscription, message: dict[str, str]) -> None:
        raise NotSent("answered 410", gone=gone)

    monkeypatch.setattr(webpush, "send", refuse)
    gone = False
    push.push_due(timezone.now())
    assert PushSubscription.objects.get().failures == 1
    gone = True
    Notification.objects.update(pushed_at=None)
    push.push_due(timezone.now())
    assert not PushSubscription.objects.exists()


def test_what_is_no_subscription_is_refused(agent: User, browser_of: BrowserOf) -> None:
    assert browser_of(agent).post("/profile/push/", GIVEN | {"endpoint": "http://10.0.0.1/"}).status_code == 422
