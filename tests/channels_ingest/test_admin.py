"""The channels admin: who gets in, connecting, repairing, resting, and the ingest ledger."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from accounts.models import AuditEntry, Brand, User
from channels_ingest.models import App, Channel, PulledPage, SetAside, StreamCursor, WebhookEvent
from channels_ingest.networks.base import Account, Author, NetworkError, Trouble
from channels_ingest.networks.twitter import Twitter
from channels_ingest.vault import Sealed
from contacts.models import Identity
from tests.cast import TRAILHEAD, make_channel
from tests.conftest import BrowserOf

pytestmark = pytest.mark.django_db

KEYS = {"consumer_key": "app-1", "consumer_secret": "hush-app", "access_token": "hush-token"}
CHANNEL_PAGES = ("channel", "channel-keys", "channel-pages", "channel-set-aside", "channel-events")


class Gate:
    """What the network answers when it is asked whose the keys are, and with what keys it was asked."""

    def __init__(self) -> None:
        self.answer: Author | NetworkError = TRAILHEAD
        self.asked: list[dict[str, str]] = []

    def identify(self, account: Account) -> Author:
        self.asked.append(dict(account.credentials))
        if isinstance(self.answer, NetworkError):
            raise self.answer
        return self.answer


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    made = Gate()
    monkeypatch.setattr(Twitter, "identify", lambda network: made.identify(network.account))
    return made


def connect(client: Client, to: Brand, **changed: str) -> Any:
    return client.post(reverse("connect-network", args=["twitter"]), {"brand": to.pk, **KEYS, **changed})


# -- who gets in ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", CHANNEL_PAGES)
def test_an_admin_opens_every_page_of_a_channel(
    channel: Channel, admin: User, browser_of: BrowserOf, page: str
) -> None:
    assert browser_of(admin).get(reverse(page, args=[channel.pk])).status_code == 200


@pytest.mark.parametrize("page", CHANNEL_PAGES)
def test_a_manager_is_kept_out(channel: Channel, manager: User, browser_of: BrowserOf, page: str) -> None:
    assert browser_of(manager).get(reverse(page, args=[channel.pk])).status_code == 403


@pytest.mark.parametrize("page", CHANNEL_PAGES)
def test_a_channel_that_does_not_exist_is_not_found(admin: User, browser_of: BrowserOf, page: str) -> None:
    assert browser_of(admin).get(reverse(page, args=[4711])).status_code == 404


def test_the_list_says_how_each_channel_fares(channel: Channel, admin: User, browser_of: BrowserOf) -> None:
    Channel.objects.filter(pk=channel.pk).update(
        state=Channel.State.BROKEN, last_error="The token was revoked.", advice="Enter new keys."
    )
    page = browser_of(admin).get(reverse("channels")).content.decode()
    assert "The token was revoked." in page
    assert "Enter new keys." in page


def test_forty_channels_cost_as_many_queries_as_one(
    channel: Channel, brand: Brand, admin: User, browser_of: BrowserOf, django_assert_max_num_queries: Any
) -> None:
    for number in range(40):
        make_channel(brand, account=Author(f"8{number}", handle=f"shop{number}"))
    client = browser_of(admin)
    with django_assert_max_num_queries(5):
        client.get(reverse("channels"))


# -- connecting -------------------------------------------------------------------------------------------------------


def test_keys_that_the_network_accepts_make_a_channel(
    brand: Brand, admin: User, browser_of: BrowserOf, gate: Gate
) -> None:
    connect(browser_of(admin), brand)
    channel = Channel.objects.get(network="twitter", external_id=TRAILHEAD.external_id)
    assert (channel.state, channel.handle, channel.brand) == (Channel.State.ACTIVE, "trailhead", brand)
    assert gate.asked == [KEYS]
    assert AuditEntry.objects.filter(verb="connected", by=admin, object_id=channel.pk).count() == 1


def test_keys_of_the_app_are_kept_with_the_app_and_the_others_with_the_channel(
    brand: Brand, admin: User, browser_of: BrowserOf, gate: Gate
) -> None:
    connect(browser_of(admin), brand)
    channel = Channel.objects.select_related("app").get()
    assert channel.app is not None
    assert channel.app.secrets["consumer_secret"] == "hush-app"
    assert dict(channel.credentials) == {"access_token": "hush-token"}
    assert channel.account.credentials["consumer_secret"] == "hush-app"


def test_keys_the_network_refuses_are_not_saved_and_its_words_are_shown(
    brand: Brand, admin: User, browser_of: BrowserOf, gate: Gate
) -> None:
    gate.answer = NetworkError("Invalid or expired token.", Trouble.BROKEN, advice="Make a new one.")
    page = connect(browser_of(admin), brand).content.decode()
    assert "Invalid or expired token." in page
    assert "Make a new one." in page
    assert not Channel.objects.exists()


def test_no_page_ever_shows_a_key_again(brand: Brand, admin: User, browser_of: BrowserOf, gate: Gate) -> None:
    client = browser_of(admin)
    gate.answer = NetworkError("No.", Trouble.BROKEN)
    refused = connect(client, brand).content.decode()
    gate.answer = TRAILHEAD
    connect(client, brand)
    channel = Channel.objects.get()
    pages = [refused, *(client.get(reverse(page, args=[channel.pk])).content.decode() for page in CHANNEL_PAGES)]
    assert not any("hush" in page for page in pages)


def test_keys_are_encrypted_in_the_database(brand: Brand, admin: User, browser_of: BrowserOf, gate: Gate) -> None:
    from django.db import connection

    connect(browser_of(admin), brand)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.credentials || a.secrets FROM channels_ingest_channel c JOIN channels_ingest_app a ON true"
        )
        (stored,) = cursor.fetchone()
    assert "hush" not in stored


@pytest.mark.parametrize(
    "wrong",
    [
        {"access_token": ""},
        {"access_token": "two words"},
        {"access_token": "a\0b"},
        {"access_token": "x" * 4001},
        {"brand": "4711"},
        {"brand": ""},
    ],
)
def test_bad_input_never_reaches_the_network(
    brand: Brand, admin: User, browser_of: BrowserOf, gate: Gate, wrong: dict[str, str]
) -> None:
    answer = connect(browser_of(admin), brand, **wrong)
    assert answer.context["form"].errors
    assert gate.asked == []


def test_an_account_of_another_brand_is_not_taken_over(
    channel: Channel, other_brand: Brand, admin: User, browser_of: BrowserOf, gate: Gate
) -> None:
    answer = connect(browser_of(admin), other_brand)
    assert "Trailhead Outdoors" in str(answer.context["form"].non_field_errors())
    assert Channel.objects.get().brand == channel.brand


def test_imported_history_becomes_the_connected_channel(
    brand: Brand, admin: User, browser_of: BrowserOf, gate: Gate
) -> None:
    account = Author("imported-1", handle="TrailHead")
    history = make_channel(brand, account=account, state=Channel.State.HISTORY)
    connect(browser_of(admin), brand)
    channel = Channel.objects.get()
    assert (channel.pk, channel.state, channel.external_id) == (history.pk, "active", TRAILHEAD.external_id)


def test_without_a_public_https_address_it_pulls_and_says_so(
    brand: Brand, admin: User, browser_of: BrowserOf, gate: Gate, settings: Settings
) -> None:
    settings.PUBLIC_URL = "http://127.0.0.1:8000"
    client = browser_of(admin)
    page = client.get(connect(client, brand).headers["Location"]).content.decode()
    assert "does not push yet" in page
    assert Channel.objects.get().push_since is None


def test_a_network_that_is_not_there_is_not_found(admin: User, browser_of: BrowserOf) -> None:
    assert browser_of(admin).get(reverse("connect-network", args=["nowhere"])).status_code == 404


def test_one_chooses_among_all_networks(admin: User, browser_of: BrowserOf) -> None:
    page = browser_of(admin).get(reverse("channel-new")).content.decode()
    assert reverse("connect-network", args=["twitter"]) in page
    assert reverse("connect-network", args=["facebook"]) in page


def test_every_network_explains_where_its_keys_come_from(admin: User, browser_of: BrowserOf) -> None:
    for key, words in (("twitter", "console.x.com"), ("facebook", "developers.facebook.com")):
        assert words in browser_of(admin).get(reverse("connect-network", args=[key])).content.decode()


# -- repairing --------------------------------------------------------------------------------------------------------


@pytest.fixture
def app(db: None) -> App:
    secrets = Sealed(consumer_key="app-1", consumer_secret="s")
    return App.objects.create(network="twitter", key="app-1", secrets=secrets)


@pytest.fixture
def broken(brand: Brand, app: App) -> Channel:
    return make_channel(
        brand,
        app=app,
        state=Channel.State.BROKEN,
        broken_since=timezone.now() - timedelta(hours=3),
        last_error="The token was revoked.",
    )


def test_new_keys_make_a_broken_channel_whole_and_have_the_hole_filled(
    broken: Channel, admin: User, browser_of: BrowserOf, gate: Gate
) -> None:
    due_later = timezone.now() + timedelta(hours=1)
    StreamCursor.objects.create(channel=broken, stream="mentions", due_at=due_later, cursor={"since": "5"})
    browser_of(admin).post(reverse("channel-keys", args=[broken.pk]), {"access_token": "fresh"})
    channel = Channel.objects.get(pk=broken.pk)
    cursor = StreamCursor.objects.get(channel=channel)
    assert (channel.state, channel.last_error, channel.outage_from) == ("active", "", broken.broken_since)
    assert cursor.due_at <= timezone.now()
    assert cursor.cursor == {"since": "5"}


def test_keys_of_the_app_that_are_left_empty_stay(
    broken: Channel, admin: User, browser_of: BrowserOf, gate: Gate
) -> None:
    browser_of(admin).post(reverse("channel-keys", args=[broken.pk]), {"access_token": "fresh"})
    channel = Channel.objects.select_related("app").get(pk=broken.pk)
    assert channel.account.credentials == {"consumer_key": "app-1", "consumer_secret": "s", "access_token": "fresh"}


def test_keys_of_another_account_are_refused(broken: Channel, admin: User, browser_of: BrowserOf, gate: Gate) -> None:
    gate.answer = Author("777", handle="somebody_else")
    answer = browser_of(admin).post(reverse("channel-keys", args=[broken.pk]), {"access_token": "fresh"})
    assert "somebody_else" in str(answer.context["form"].non_field_errors())
    assert Channel.objects.get(pk=broken.pk).state == Channel.State.BROKEN


def test_a_channel_rests_and_goes_on(channel: Channel, admin: User, browser_of: BrowserOf) -> None:
    client = browser_of(admin)
    client.post(reverse("channel-pause", args=[channel.pk]))
    assert Channel.objects.get().state == Channel.State.PAUSED
    client.post(reverse("channel-resume", args=[channel.pk]))
    assert Channel.objects.get().state == Channel.State.ACTIVE
    verbs = AuditEntry.objects.filter(kind="channel").order_by("pk").values_list("verb", flat=True)
    assert list(verbs) == ["paused", "resumed"]


def test_history_is_neither_paused_nor_resumed(brand: Brand, admin: User, browser_of: BrowserOf) -> None:
    channel = make_channel(brand, state=Channel.State.HISTORY)
    for deed in ("channel-pause", "channel-resume"):
        browser_of(admin).post(reverse(deed, args=[channel.pk]))
    assert Channel.objects.get().state == Channel.State.HISTORY
    assert not AuditEntry.objects.exists()


def test_pull_now_makes_every_stream_due(channel: Channel, admin: User, browser_of: BrowserOf) -> None:
    later = timezone.now() + timedelta(hours=1)
    StreamCursor.objects.create(channel=channel, stream="mentions", due_at=later)
    browser_of(admin).post(reverse("channel-pull", args=[channel.pk]))
    assert StreamCursor.objects.get().due_at <= timezone.now()


@pytest.mark.parametrize("deed", ["channel-pause", "channel-resume", "channel-pull", "channel-pushes"])
def test_deeds_need_a_post(channel: Channel, admin: User, browser_of: BrowserOf, deed: str) -> None:
    before = Channel.objects.values().get()
    answer = browser_of(admin).get(reverse(deed, args=[channel.pk]))
    assert answer.headers["Location"] == reverse("channel", args=[channel.pk])
    assert Channel.objects.values().get() == before


# -- the ingest ledger ------------------------------------------------------------------------------------------------


def test_the_ledger_shows_pages_events_and_what_was_set_aside(
    app: App, broken: Channel, admin: User, browser_of: BrowserOf
) -> None:
    PulledPage.objects.create(channel=broken, stream="mentions", received=4711, stored=1, known=1, dropped=1)
    WebhookEvent.objects.create(app=app, digest="d", body=b"{}", dropped=["an event of an unknown kind"])
    SetAside.objects.create(channel=broken, kind="poison", reason="It has no author.", digest="d")
    client = browser_of(admin)
    told = {name: client.get(reverse(name, args=[broken.pk])).content.decode() for name in CHANNEL_PAGES}
    assert "4711" in told["channel-pages"]
    assert "an event of an unknown kind" in told["channel-events"]
    assert "It has no author." in told["channel-set-aside"]


def test_events_of_other_apps_are_not_shown(broken: Channel, admin: User, browser_of: BrowserOf) -> None:
    other = App.objects.create(network="twitter", key="app-2")
    event = WebhookEvent.objects.create(app=other, digest="d", body=b"{}")
    client = browser_of(admin)
    assert list(client.get(reverse("channel-events", args=[broken.pk])).context["page"].rows) == []
    client.post(reverse("event-replay", args=[broken.pk]), {"event": event.pk})
    assert not AuditEntry.objects.filter(verb="replayed").exists()


def test_a_channel_without_an_app_has_no_events(channel: Channel, admin: User, browser_of: BrowserOf) -> None:
    App.objects.create(network="twitter", key="app-2")
    assert list(browser_of(admin).get(reverse("channel-events", args=[channel.pk])).context["page"].rows) == []


def test_an_event_is_read_again(app: App, broken: Channel, admin: User, browser_of: BrowserOf) -> None:
    state = WebhookEvent.State.SET_ASIDE
    event = WebhookEvent.objects.create(app=app, digest="d", body=b"{}", state=state, tries=3, error="x")
    browser_of(admin).post(reverse("event-replay", args=[broken.pk]), {"event": event.pk})
    event.refresh_from_db()
    assert (event.state, event.tries, event.error) == (WebhookEvent.State.RECEIVED, 0, "")


def test_what_was_set_aside_is_settled_once(channel: Channel, admin: User, browser_of: BrowserOf) -> None:
    item = SetAside.objects.create(channel=channel, reason="x", digest="d")
    for _ in range(2):
        browser_of(admin).post(reverse("set-aside-settle", args=[channel.pk, item.pk]))
    assert AuditEntry.objects.filter(verb="settled").count() == 1


def test_reasons_are_shown_as_text(channel: Channel, admin: User, browser_of: BrowserOf) -> None:
    SetAside.objects.create(channel=channel, reason="<script>alert(1)</script>", digest="d")
    assert (
        "<script>alert" not in browser_of(admin).get(reverse("channel-set-aside", args=[channel.pk])).content.decode()
    )


def test_connecting_makes_nobody_of_our_own_a_contact(
    brand: Brand, admin: User, browser_of: BrowserOf, gate: Gate
) -> None:
    connect(browser_of(admin), brand)
    assert not Identity.objects.filter(ours=False).exists()


@pytest.mark.parametrize("path", ["/channels/new/", "/channels/new/twitter/"])
def test_whoever_has_no_brand_yet_is_led_to_the_first_one(admin: User, browser_of: BrowserOf, path: str) -> None:
    page = browser_of(admin).get(path).content.decode().split("<main")[1]
    assert ("First a brand" in page, reverse("brand-new") in page, "<form" in page) == (True, True, False)
