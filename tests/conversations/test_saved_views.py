"""Views that people save, for themselves and for others."""

from __future__ import annotations

from datetime import timedelta
from unittest.mock import Mock

import pytest
from django.utils import timezone

from accounts.models import Brand, Team, User
from channels_ingest.models import Channel
from conversations import inbox, query, saved_views
from conversations.models import SavedView, Thread
from conversations.record import record
from conversations.search import index_texts
from conversations.tabs import _question_kept, tabs_of
from conversations.wanted import Wanted
from tests.cast import JONAS, MAYA, SOFIA, said, whispered
from tests.conftest import BrowserOf

pytestmark = pytest.mark.django_db
LOUD = {"name": "Loud", "state": "open", "visibility": "public", "reach": "10k", "order": "newest"}


def tabs(user: User) -> dict[str, str]:
    return {tab.label: tab.shown for tab in tabs_of(user, Wanted(), inbox.brand_ids(user)) if tab.saved}


def test_a_sentence_becomes_a_question_with_a_live_count(channel: Channel, agent: User, browser_of: BrowserOf) -> None:
    record(channel, [said("1", MAYA), said("2", JONAS), whispered("3", MAYA)])
    answer = browser_of(agent).post("/views/new/", LOUD)
    view = SavedView.objects.get()
    assert (answer.status_code, view.text, tabs(agent)) == (302, "is:open is:public reach:10k", {"Loud": "1"})


@pytest.mark.parametrize(("asked", "count"), [("age:2d", "1"), ("waiting:3h", "1"), ("-age:2d is:open", "1")])
def test_a_count_goes_by_the_moment_it_is_asked_for(channel: Channel, agent: User, asked: str, count: str) -> None:
    record(channel, [said("1", MAYA), said("2", JONAS)])
    long_ago = timezone.now() - timedelta(hours=49)
    Thread.objects.filter(identity__external_id=MAYA.external_id).update(created_at=long_ago, waiting_since=long_ago)
    Thread.objects.exclude(created_at=long_ago).update(created_at=timezone.now(), waiting_since=timezone.now())
    SavedView.objects.create(owner=agent, name="Kept", asks={"q": asked})
    assert [tabs(agent), tabs(agent)] == [{"Kept": count}] * 2


@pytest.mark.parametrize(("text", "times"), [("is:open age:2d", 1), ("is:open brand:trailhead", 2)])
def test_the_text_of_a_view_is_read_once_for_each_count_and_for_all_where_it_names_nobody(
    agent: User, monkeypatch: pytest.MonkeyPatch, text: str, times: int
) -> None:
    _question_kept.cache_clear()
    SavedView.objects.create(owner=agent, name="Read", asks={"q": text})
    read = Mock(return_value="open")
    monkeypatch.setitem(query._READ, "is", read)
    for _page in range(2):
        tabs(agent)
    assert read.call_count == times


def test_words_of_a_view_are_counted_where_one_text_says_them_all(
    channel: Channel, agent: User, browser_of: BrowserOf
) -> None:
    record(channel, [said("1", MAYA, "Where is my refund?"), said("2", JONAS, "No stakes")])
    record(channel, [said("3", SOFIA, "Refunds!")])
    index_texts()
    for name, text in (("Said", "refund"), ("Not this", "-where refund"), ("Nothing", "zzz")):
        browser_of(agent).post("/views/new/", {"name": name, "text": text, "order": "newest"})
    assert tabs(agent) == {"Nothing": "0", "Not this": "1", "Said": "2"}


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        ({"state": "open"}, "2 threads now."),
        ({"state": "open", "reach": "10k", "name": ""}, "1 thread now."),
        ({"reach": "many"}, ""),
        ({}, ""),
    ],
)
def test_the_sentence_says_how_many_threads_it_holds_while_it_is_written(
    channel: Channel, agent: User, browser_of: BrowserOf, sentence: dict[str, str], words: str
) -> None:
    record(channel, [said("1", MAYA), said("2", JONAS)])
    told = browser_of(agent).get("/views/count/", {"order": "newest", **sentence}).content.decode()
    assert told.replace("&nbsp;", "").strip() == words


def test_a_hundred_and_more_are_not_counted_further(
    channel: Channel, agent: User, browser_of: BrowserOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saved_views, "COUNT_LIMIT", 2)
    record(channel, [said("1", MAYA), said("2", JONAS), said("3", SOFIA)])
    told = browser_of(agent).get("/views/count/", {"order": "newest", "state": "open"}).content.decode()
    assert told.strip() == "2 threads or more now."


@pytest.mark.parametrize(
    ("shown", "begun"),
    [
        ("", {"state": "open", "assignee": None, "order": "newest"}),
        ("view=mine&network=twitter", {"assignee": "me", "network": "twitter", "visibility": ""}),
        ("view=snoozed&order=oldest", {"state": "snoozed", "order": "oldest"}),
        ("view=waiting", {"state": "waiting", "order": "waiting"}),
        ("view=mine&q=is:closed&order=oldest", {"state": "", "assignee": None, "text": "is:closed", "order": "oldest"}),
        ("q=tent&order=exposure", {"text": "tent", "order": "newest"}),
        ("q=" + "x" * 290, {"text": "x" * 290}),
    ],
)
def test_a_view_begins_as_the_list_that_is_shown(
    agent: User, browser_of: BrowserOf, shown: str, begun: dict[str, str | None]
) -> None:
    form = browser_of(agent).get(f"/views/new/?{shown}").context["form"]
    assert {name: form.initial.get(name) for name in begun} == begun


def test_the_list_of_a_saved_view_holds_what_it_asks_for(channel: Channel, agent: User, browser_of: BrowserOf) -> None:
    record(channel, [said("1", MAYA), said("2", JONAS)])
    page = browser_of(agent).post("/views/new/", LOUD, follow=True).content.decode()
    rows = page.split('id="rows"')[1].split("</ul>")[0]
    assert ("Maya Keller" in rows, "Jonas Okafor" in rows) == (True, False)


def test_a_shared_view_is_seen_by_colleagues_within_their_brands(
    channel: Channel, agent: User, colleague: User, stranger: User, browser_of: BrowserOf
) -> None:
    record(channel, [said("1", MAYA)])
    browser_of(agent).post("/views/new/", LOUD | {"shared": "on"})
    assert (tabs(colleague), tabs(stranger)) == ({"Loud": "1"}, {"Loud": "0"})


def test_a_private_view_is_seen_by_nobody_else(agent: User, colleague: User, browser_of: BrowserOf) -> None:
    browser_of(agent).post("/views/new/", LOUD)
    assert tabs(colleague) == {}


@pytest.mark.parametrize(
    "changed",
    [{"reach": "many"}, {"waiting": "x"}, {"name": ""}, {"state": "nice"}, {"order": "x"},
     {"state": "", "visibility": "", "reach": ""}, {"text": "tent", "order": "exposure"}],
)  # fmt: skip
def test_what_cannot_be_asked_is_said(agent: User, browser_of: BrowserOf, changed: dict[str, str]) -> None:
    assert browser_of(agent).post("/views/new/", LOUD | changed).status_code == 422
    assert not SavedView.objects.exists()


def test_a_name_is_taken_once(agent: User, browser_of: BrowserOf) -> None:
    browser = browser_of(agent)
    assert [browser.post("/views/new/", LOUD).status_code for _turn in range(2)] == [302, 422]


def test_only_its_owner_drops_a_view(agent: User, colleague: User, browser_of: BrowserOf) -> None:
    browser_of(agent).post("/views/new/", LOUD | {"shared": "on"})
    address = f"/views/{SavedView.objects.get().pk}/delete/"
    assert (browser_of(colleague).post(address).status_code, SavedView.objects.count()) == (404, 1)
    browser_of(agent).post(address)
    assert not SavedView.objects.exists()


def test_threads_under_one_post_are_one_row_that_opens(channel: Channel, agent: User, browser_of: BrowserOf) -> None:
    post = said("1", MAYA)
    record(channel, [post, said("2", JONAS, parent=post, minutes=1), said("9", JONAS, root="9", minutes=2)])
    browser = browser_of(agent)
    grouped = inbox.page(agent, Wanted(view="all", grouped=True), inbox.brand_ids(agent)).rows
    under = browser.get("/", {"view": "all", "group": "1", "under": str(grouped[1].thread.pk)}).content.decode()
    assert ([(row.name, row.others) for row in grouped], "Maya Keller" in under) == (
        [("Jonas Okafor", 0), ("Jonas Okafor", 1)],
        True,
    )


@pytest.mark.parametrize(
    ("view", "beside"),
    [("mine", ["mine", "unassigned", "mentions"]), ("closed", ["mine", "unassigned", "closed"])],
)
def test_the_open_view_stands_beside_the_usual_ones_and_the_rest_below_more(
    channel: Channel, agent: User, view: str, beside: list[str]
) -> None:
    shown = tabs_of(agent, Wanted(view=view), inbox.brand_ids(agent))
    assert [tab.key for tab in shown if tab.pinned] == beside


def test_every_part_of_the_sentence_is_asked(
    channel: Channel, agent: User, colleague: User, brand: Brand, browser_of: BrowserOf
) -> None:
    Team.objects.create(brand=brand, name="Field repairs")
    parts = {
        "name": "All of it", "order": "due", "state": "hanging", "visibility": "public", "audience": "one-to-many",
        "network": "twitter", "channel": "trailhead", "brand": "trailhead", "assignee": colleague.email,
        "team": "Field repairs", "tag": "refund", "lang": "de", "mood": "negative", "urgency": "high",
        "waiting": "4h", "due": "1d", "reach": "10k", "age": "2w",
    }  # fmt: skip
    answer = browser_of(agent).post("/views/new/", parts)
    asked = SavedView.objects.get().text
    assert (answer.status_code, asked) == (
        302,
        "is:hanging is:public in:twitter brand:trailhead "
        f'assignee:{colleague.email} team:"Field repairs" tag:refund lang:de mood:negative urgency:high '
        "audience:one-to-many waiting:4h due:1d reach:10k age:2w channel:trailhead",
    )
    wanted = Wanted.read({"q": asked, "order": "due"})
    assert (len(wanted.asked.filters), wanted.asked.problems) == (16, ())
    assert inbox.page(agent, wanted, inbox.brand_ids(agent)).rows == []


def test_a_view_of_ones_own_is_changed_in_the_same_sentence(agent: User, browser_of: BrowserOf) -> None:
    browser = browser_of(agent)
    browser.post("/views/new/", LOUD)
    address = f"/views/new/?edit={SavedView.objects.get().pk}"
    shown = browser.get(address).content.decode()
    browser.post(address, LOUD | {"name": "Louder", "reach": "1m", "shared": "on"})
    view = SavedView.objects.get()
    assert ('value="10k"' in shown, view.name, view.text, view.shared) == (
        True, "Louder", "is:open is:public reach:1m", True,
    )  # fmt: skip


def test_nobody_changes_a_colleagues_view(agent: User, colleague: User, browser_of: BrowserOf) -> None:
    browser_of(agent).post("/views/new/", LOUD | {"shared": "on"})
    address = f"/views/new/?edit={SavedView.objects.get().pk}"
    assert browser_of(colleague).post(address, LOUD | {"name": "Mine now"}).status_code == 404


def test_the_choices_are_those_of_the_brands_one_sees(channel: Channel, stranger: User, browser_of: BrowserOf) -> None:
    page = browser_of(stranger).get("/views/new/").content.decode()
    assert ("trailhead" in page.lower(), "nordlicht" in page.lower()) == (False, True)
