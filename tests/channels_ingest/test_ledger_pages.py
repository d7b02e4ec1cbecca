"""What admins see of outages and of the ingest ledger, and what they can do there."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEntry, User
from channels_ingest import notices, speaking
from channels_ingest.health import failed, worked
from channels_ingest.ingest import hand_over
from channels_ingest.models import App, Channel, Notice, PulledPage, Reconcile, SetAside, WebhookEvent
from channels_ingest.networks.base import Dropped, NetworkError, Trouble
from conversations import reconcile
from conversations.models import Interaction
from tests.cast import MAYA, said
from tests.conftest import BrowserOf
from tests.fakes import FakeNetwork

pytestmark = pytest.mark.django_db

LISTS = ("channel-events", "channel-pages", "channel-set-aside", "channel-reconciles", "outages")
DEAD = NetworkError("Your token is dead.", Trouble.BROKEN, code="401", advice="Connect the account again.")


@pytest.fixture
def app(channel: Channel) -> App:
    made = App.objects.create(network="twitter", key="app-1")
    channel.app = made
    channel.save()
    return made


def event(app: App, number: int, **fields: Any) -> WebhookEvent:
    return WebhookEvent.objects.create(app=app, digest=str(number), body=b"{}", **fields)


def outage(channel: Channel) -> None:
    failed(channel, DEAD)
    notices.look(timezone.now())


# -- outages ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", ["inbox", "contacts", "channels", "profile"])
def test_an_outage_stands_on_every_page_of_an_admin(
    channel: Channel, admin: User, browser_of: BrowserOf, page: str
) -> None:
    outage(channel)
    shown = browser_of(admin).get(reverse(page)).content.decode()
    assert "Your token is dead." in shown
    assert reverse("outages") in shown


def test_an_agent_is_not_bothered_by_it(channel: Channel, agent: User, browser_of: BrowserOf) -> None:
    outage(channel)
    assert "Your token is dead." not in browser_of(agent).get(reverse("inbox")).content.decode()


def test_the_banner_goes_when_the_outage_is_over(channel: Channel, admin: User, browser_of: BrowserOf) -> None:
    outage(channel)
    client = browser_of(admin)
    assert "Your token is dead." in client.get(reverse("outage-banner")).content.decode()
    worked(channel)
    notices.look(timezone.now())
    assert "Your token is dead." not in client.get(reverse("outage-banner")).content.decode()


def test_the_page_of_outages_says_what_to_do_and_what_is_over(
    channel: Channel, admin: User, browser_of: BrowserOf
) -> None:
    outage(channel)
    ended = timezone.now() - timedelta(days=2)
    Notice.objects.create(channel=channel, kind="silent", words="Nothing came in.", began_at=ended, ended_at=ended)
    page = browser_of(admin).get(reverse("outages")).content.decode()
    assert "Connect the account again." in page
    assert reverse("channel-keys", args=[channel.pk]) in page
    assert "Nothing came in." in page


# -- events -----------------------------------------------------------------------------------------------------------


def test_events_are_filtered_by_what_became_of_them(
    channel: Channel, app: App, admin: User, browser_of: BrowserOf
) -> None:
    event(app, 1, state="stored", stored=1)
    event(app, 2, state="set_aside", error="This is not JSON.")
    event(app, 3, state="stored", dropped=["It speaks to an account that is not connected here."])
    client, url = browser_of(admin), reverse("channel-events", args=[channel.pk])
    poison = client.get(url, {"only": "poison"}).content.decode()
    assert "This is not JSON." in poison
    assert "not connected here" not in poison
    left_out = client.get(url, {"only": "left-out"}).content.decode()
    assert "not connected here" in left_out
    assert "This is not JSON." not in left_out


def test_the_chosen_events_are_read_again_and_no_others(
    channel: Channel, app: App, admin: User, browser_of: BrowserOf
) -> None:
    first, second = event(app, 1, state="set_aside"), event(app, 2, state="set_aside")
    browser_of(admin).post(reverse("event-replay", args=[channel.pk]), {"event": [first.pk]})
    states = dict(WebhookEvent.objects.values_list("pk", "state"))
    assert states == {first.pk: "received", second.pk: "set_aside"}
    assert AuditEntry.objects.filter(verb="replayed", by=admin).count() == 1


def test_all_events_of_a_filter_are_read_again(channel: Channel, app: App, admin: User, browser_of: BrowserOf) -> None:
    for number in range(3):
        event(app, number, state="set_aside")
    event(app, 9, state="stored")
    browser_of(admin).post(reverse("event-replay", args=[channel.pk]), {"only": "poison", "all": "1"})
    assert WebhookEvent.objects.filter(state="received").count() == 3


def test_without_a_choice_nothing_is_read_again(channel: Channel, app: App, admin: User, browser_of: BrowserOf) -> None:
    event(app, 1, state="set_aside")
    browser_of(admin).post(reverse("event-replay", args=[channel.pk]), {})
    assert not WebhookEvent.objects.filter(state="received").exists()


# -- pages and items --------------------------------------------------------------------------------------------------


def test_poison_is_told_from_what_was_left_out(channel: Channel, admin: User, browser_of: BrowserOf) -> None:
    poison, repost = said("7", MAYA, "a NUL \0 inside"), Dropped("A repost.", {"id": "8"})
    hand_over(channel, [poison], stream="mentions", dropped=[repost])
    assert dict(SetAside.objects.values_list("raw__id", "kind")) == {"7": "poison", "8": "left_out"}
    client, url = browser_of(admin), reverse("channel-set-aside", args=[channel.pk])
    assert "A repost." not in client.get(url).content.decode()
    assert "A repost." in client.get(url, {"only": "left-out"}).content.decode()


def test_an_item_that_could_not_be_stored_is_asked_for_again(
    channel: Channel, admin: User, browser_of: BrowserOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand_over(channel, [said("7", MAYA, "a NUL \0 inside")], stream="mentions")
    fake = FakeNetwork()
    monkeypatch.setattr(fake, "lookup", lambda ids: (said("7", MAYA, "without it now"),), raising=False)
    monkeypatch.setattr(speaking, "speak_for", lambda channel: fake)
    item = SetAside.objects.get()
    browser_of(admin).post(reverse("set-aside-try", args=[channel.pk, item.pk]))
    assert Interaction.objects.get(external_id="7").text == "without it now"
    item.refresh_from_db()
    assert item.settled_at is not None


def test_pulled_pages_are_filtered(channel: Channel, admin: User, browser_of: BrowserOf) -> None:
    line = {"channel": channel, "received": 5, "stored": 5, "known": 0}
    PulledPage.objects.create(stream="mentions", dropped=0, **line)
    PulledPage.objects.create(stream="posts", dropped=2, **line)
    client, url = browser_of(admin), reverse("channel-pages", args=[channel.pk])
    count = '<td data-label="Stream">'
    assert client.get(url).content.decode().count(count) == 2
    assert client.get(url, {"stream": "posts"}).content.decode().count(count) == 1
    assert client.get(url, {"only": "left-out"}).content.decode().count(count) == 1


@pytest.fixture
def full(channel: Channel, app: App) -> Channel:
    """A channel with more lines in each list than one page holds."""
    now = timezone.now()
    for number in range(60):
        event(app, number, state="stored")
        PulledPage.objects.create(channel=channel, stream="mentions", received=1, stored=1, known=0, dropped=0)
        SetAside.objects.create(channel=channel, kind="poison", reason="No.", digest=str(number))
        Reconcile.objects.create(channel=channel, cause="nightly", since=now, finished_at=now)
        Notice.objects.create(channel=channel, kind="silent", words="Quiet.", ended_at=now)
    return channel


@pytest.mark.parametrize("page", LISTS)
def test_a_long_list_is_paged_and_costs_few_queries(
    full: Channel, admin: User, browser_of: BrowserOf, django_assert_max_num_queries: Any, page: str
) -> None:
    client = browser_of(admin)
    with django_assert_max_num_queries(6):
        answer = client.get(reverse(page, args=[] if page == "outages" else [full.pk]))
    assert "after=" in answer.content.decode()


# -- reading back -----------------------------------------------------------------------------------------------------


def test_reading_back_is_asked_for_once_and_done_by_the_sweep(
    channel: Channel, admin: User, browser_of: BrowserOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, url = browser_of(admin), reverse("channel-reconcile", args=[channel.pk])
    client.post(url, {"window": "168"})
    client.post(url, {"window": "26"})
    row = Reconcile.objects.get()
    assert timedelta(days=6) < timezone.now() - row.since < timedelta(days=8)
    assert "waiting or running" in client.get(reverse("channel-reconciles", args=[channel.pk])).content.decode()
    monkeypatch.setattr(speaking, "speak_for", lambda channel: FakeNetwork())
    monkeypatch.setattr(Channel, "adapter", FakeNetwork)
    assert reconcile.reconcile_due(timezone.now()) == 1
    row.refresh_from_db()
    assert row.finished_at is not None
    assert AuditEntry.objects.filter(verb="reconciled", by=admin).count() == 1
