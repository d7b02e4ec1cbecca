"""Lists and choices that grow: each page holds a part, and the rest is found by searching."""

from __future__ import annotations

import re
import uuid

import pytest
from pytest_django import DjangoAssertNumQueries

from accounts.models import Brand, Team, User
from channels_ingest.models import Channel
from contacts.models import Tag
from conversations.models import Macro, SavedView, Thread
from conversations.record import record
from tests.cast import MAYA, said
from tests.conftest import BrowserOf

pytestmark = pytest.mark.django_db
MANY = 60  # more than a list shows at once
HTMX = {"HX-Request": "true"}


@pytest.fixture
def thread(channel: Channel) -> Thread:
    record(channel, [said("1", MAYA, "No stakes!")])
    return Thread.objects.get()


@pytest.fixture
def crowd(brand: Brand) -> None:
    """More colleagues and teams than a menu shows."""
    people = User.objects.bulk_create([User(email=f"p{n}@example.com", name=f"Person {n:03}") for n in range(MANY)])
    brand.members.add(*people)
    Team.objects.bulk_create([Team(brand=brand, name=f"Team {n:03}") for n in range(MANY)])


def test_the_menu_of_a_thread_shows_some_colleagues_and_finds_the_others(
    thread: Thread, agent: User, crowd: None, browser_of: BrowserOf
) -> None:
    client = browser_of(agent)
    page = client.get(f"/threads/{thread.pk}/").content.decode()
    found = client.get(f"/threads/{thread.pk}/whom/", {"find": "n 059"}, headers=HTMX).content.decode()
    assert (page.count(">Person "), "assign-find" in page, "Person 059" in page) == (49, True, False)
    assert (found.count("<button"), "Person 059" in found) == (1, True)


def test_without_scripts_a_page_finds_whom_to_assign_a_thread_to(
    thread: Thread, agent: User, crowd: None, browser_of: BrowserOf
) -> None:
    client = browser_of(agent)
    page = client.get(f"/threads/{thread.pk}/whom/", {"find": "n 059", "view": "all"}).content.decode()
    form = page.split("<main")[1].split('method="post"')[1].split("</form>")[0]
    (value,) = re.findall(r'name="to" value="(\d+)"', form)
    answer = client.post(f"/threads/{thread.pk}/assignment/?view=all", {"to": value})
    thread.refresh_from_db()
    assert (answer.url, str(thread.assignee)) == (f"/threads/{thread.pk}/?view=all", "Person 059")  # type: ignore[attr-defined]


def test_without_scripts_the_owner_of_a_promise_is_found_and_what_was_typed_stays(
    thread: Thread, agent: User, crowd: None, browser_of: BrowserOf
) -> None:
    text, key = "Sorry Maya, we will send it by Friday.", str(uuid.uuid4())
    typed = {"lane": "reply", "text": text, "key": key, "promise_words": text[12:-1], "find": "n 059"}
    page = browser_of(agent).post(f"/threads/{thread.pk}/owners/?view=all", typed).content.decode()
    field = page.split('name="promise_owner"')[1].split("</select>")[0]
    assert re.findall(r">([^<]+)</option>", field) == ["Ana", "Person 059"]
    assert (text in page, key in page, "/owners/?view=all#promise-owner" in page) == (True, True, True)


def test_an_owner_that_nobody_is_called_is_said(
    thread: Thread, agent: User, crowd: None, browser_of: BrowserOf
) -> None:
    text = "Sorry Maya, we will send it by Friday."
    typed = {"lane": "reply", "text": text, "promise_words": text[12:-1], "find": "zz<b>"}
    page = browser_of(agent).post(f"/threads/{thread.pk}/owners/", typed).content.decode()
    assert ("No colleague of this name" in page, 'value="zz&lt;b&gt;"' in page) == (True, True)


def test_a_stranger_finds_no_owner(thread: Thread, stranger: User, browser_of: BrowserOf) -> None:
    assert browser_of(stranger).post(f"/threads/{thread.pk}/owners/", {"find": "a"}).status_code == 404


def test_the_search_of_the_menu_is_a_form_that_keeps_the_list(
    thread: Thread, agent: User, crowd: None, browser_of: BrowserOf
) -> None:
    page = browser_of(agent).get(f"/threads/{thread.pk}/", {"view": "all", "q": "is:open"}).content.decode()
    form = page.split('id="assign-search"')[1].split("</form>")[0]
    assert (page.count('form="assign-search"'), 'name="q" value="is:open"' in form) == (2, True)


def test_nobody_of_a_name_is_said(thread: Thread, agent: User, crowd: None, browser_of: BrowserOf) -> None:
    page = browser_of(agent).get(f"/threads/{thread.pk}/whom/", {"find": "zz<b>"}).content.decode()
    assert ("No colleague and no team of this name" in page, "zz&lt;b&gt;" in page) == (True, True)


def test_without_scripts_many_threads_are_assigned_to_anybody(
    thread: Thread, agent: User, crowd: None, browser_of: BrowserOf
) -> None:
    client, ids = browser_of(agent), {"ids": [str(thread.pk), "x"]}
    page = client.post("/bulk/?view=all", {"verb": "whom", "find": "n 059", **ids}).content.decode()
    (form,) = re.findall(r'<form class="row wrap".*?</form>', page, re.DOTALL)
    told = dict(re.findall(r'name="(\w+)" value="([\w-]+)"', form))
    client.post("/bulk/?view=all", told)
    thread.refresh_from_db()
    assert (told["verb"], str(thread.assignee)) == ("assign", "Person 059")


def test_a_small_team_is_not_asked_to_search(
    thread: Thread, agent: User, colleague: User, browser_of: BrowserOf
) -> None:
    page = browser_of(agent).get(f"/threads/{thread.pk}/").content.decode()
    assert ("assign-find" in page, ">Ben<" in page) == (False, True)


def test_a_stranger_searches_nobody(thread: Thread, stranger: User, browser_of: BrowserOf) -> None:
    assert browser_of(stranger).get(f"/threads/{thread.pk}/whom/", {"find": "a"}).status_code == 404


def test_steps_on_many_threads_find_any_colleague(agent: User, crowd: None, browser_of: BrowserOf) -> None:
    client = browser_of(agent)
    field, found = (client.get("/bulk/whom/", asked).content.decode() for asked in ({}, {"find": "person 059"}))
    assert (field.count("<option"), "bulk-find" in field) == (2 + 49 + 50, True)
    assert [part.split("<")[0] for part in found.split('">')[2:]] == ["Person 059"]


def test_the_names_for_a_note_are_told_in_part_and_searched(
    thread: Thread, agent: User, crowd: None, browser_of: BrowserOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("conversations.mentions.MOST_NAMES", 10)
    client = browser_of(agent)
    first = client.get(f"/threads/{thread.pk}/names/").json()
    found = client.get(f"/threads/{thread.pk}/names/", {"q": "059"}).json()
    assert (len(first["names"]), first["more"]) == (10, True)
    assert [(one["name"], one["team"]) for one in found["names"]] == [("Person 059", False), ("Team 059", True)]


def test_a_view_is_asked_of_any_colleague_or_team_by_searching(agent: User, crowd: None, browser_of: BrowserOf) -> None:
    client = browser_of(agent)
    form = {"name": "Theirs", "team": "Team 059", "assignee": "p59@example.com", "order": "newest"}
    page = client.get("/views/new/").content.decode()
    answer = client.post("/views/new/", form)
    told = [client.get(f"/known/{kind}/", {"q": "059"}).content.decode() for kind in ("colleagues", "team-names")]
    assert ('list="id_team_known"' in page, page.count("<option") < MANY, answer.status_code) == (True, True, 302)
    assert SavedView.objects.get().text == 'assignee:p59@example.com team:"Team 059"'
    assert ("p59@example.com" in told[0], "Team 059" in told[1]) == (True, True)


def test_tags_are_proposed_by_their_letters(agent: User, browser_of: BrowserOf) -> None:
    Tag.objects.bulk_create([Tag(name=f"tag {n:03}") for n in range(MANY)])
    client = browser_of(agent)
    first, found = (client.get("/tags/", asked).content.decode() for asked in ({}, {"q": "059"}))
    assert (first.count("<option"), found.count("<option"), "tag 059" in found) == (20, 1, True)


def test_the_macros_are_paged_and_searched_with_the_same_queries(
    agent: User, brand: Brand, browser_of: BrowserOf, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    Macro.objects.all().delete()
    Macro.objects.bulk_create([Macro(name=f"Macro {n:03}", text="Hello", brand=brand) for n in range(MANY)])
    client = browser_of(agent)
    with django_assert_num_queries(4):  # session, user, macros with their brands, the bell
        page = client.get("/macros/")
    older = client.get("/macros/", {"after": page.context["page"].after}).content.decode()
    found = client.get("/macros/", {"q": "059"}).content.decode()
    assert (len(page.context["rows"]), older.count("Macro 0"), found.count("Macro 0")) == (50, 10, 1)


def test_views_beyond_the_tabs_are_listed_and_found(agent: User, colleague: User, browser_of: BrowserOf) -> None:
    SavedView.objects.bulk_create(
        [SavedView(owner=colleague, name=f"View {n:03}", shared=True, asks={"q": "is:open"}) for n in range(MANY)]
    )
    client = browser_of(agent)
    page, found = (client.get("/views/new/", asked).content.decode() for asked in ({}, {"find": "059"}))
    assert (page.split('id="views"')[1].count("View 0"), 'rel="next"' in page) == (50, True)
    assert (found.split('id="views"')[1].count("View 0"), "Delete" in found) == (1, False)
