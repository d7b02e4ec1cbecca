"""The view of what colleagues called one to, and threads that belong to a team."""

from __future__ import annotations

import pytest

from accounts.models import Brand, Team, User
from channels_ingest.models import Channel
from conversations import actions, bulk, inbox, notify, regroup
from conversations.actions import NotPossible
from conversations.models import Notification, Thread
from conversations.record import record
from conversations.tabs import tabs_of
from conversations.wanted import Wanted
from tests.cast import JONAS, MAYA, said
from tests.conftest import BrowserOf

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def thread(channel: Channel) -> Thread:
    record(channel, [said("1", MAYA)])
    return Thread.objects.get()


@pytest.fixture
def repairs(brand: Brand, colleague: User) -> Team:
    team = Team.objects.create(brand=brand, name="Repairs")
    team.members.add(colleague)
    return team


def listed(user: User, view: str) -> int:
    return len(inbox.page(user, Wanted.read({"view": view}), inbox.brand_ids(user)).rows)


def badge(user: User, view: str) -> str:
    return next(tab.shown for tab in tabs_of(user, Wanted(), inbox.brand_ids(user)) if tab.key == view)


@pytest.mark.parametrize("words", ["@Ben, can you?", "@Repairs please look"])
def test_a_note_that_calls_me_or_my_team_brings_the_thread_to_me(
    thread: Thread, agent: User, colleague: User, repairs: Team, words: str
) -> None:
    actions.write_note(thread, by=agent, text=words)
    assert (listed(colleague, "mentions"), badge(colleague, "mentions"), listed(agent, "mentions")) == (1, "1", 0)


def test_also_whoever_wants_no_notice_finds_it_there(thread: Thread, agent: User, colleague: User) -> None:
    colleague.muted = ["mention"]
    colleague.save()
    actions.write_note(thread, by=agent, text="@Ben?")
    assert listed(colleague, "mentions") == 1


def test_my_word_on_the_thread_settles_it(thread: Thread, agent: User, colleague: User) -> None:
    actions.write_note(thread, by=agent, text="@Ben?")
    actions.write_note(thread, by=colleague, text="Done.")
    assert listed(colleague, "mentions") == 0


def test_reading_alone_does_not_settle_it_but_putting_aside_does(
    thread: Thread, agent: User, colleague: User, browser_of: BrowserOf
) -> None:
    actions.write_note(thread, by=agent, text="@Ben?")
    browser = browser_of(colleague)
    page = browser.get(f"/threads/{thread.pk}/").content.decode()
    after_reading = listed(colleague, "mentions")
    browser.post(f"/threads/{thread.pk}/mentions/", headers=HTMX)
    assert ("Ana called you" in page, after_reading, listed(colleague, "mentions")) == (True, 1, 0)


def test_a_closed_thread_calls_nobody(thread: Thread, agent: User, colleague: User) -> None:
    actions.write_note(thread, by=agent, text="@Ben?")
    actions.close(thread, by=agent)
    assert listed(colleague, "mentions") == 0


def test_a_note_on_a_closed_thread_calls_all_the_same(thread: Thread, agent: User, colleague: User) -> None:
    actions.close(thread, by=agent)
    actions.write_note(thread, by=agent, text="@Ben, was that right?")
    assert (listed(colleague, "mentions"), badge(colleague, "mentions")) == (1, "1")


def test_what_is_put_away_calls_nobody(thread: Thread, agent: User, colleague: User) -> None:
    actions.write_note(thread, by=agent, text="@Ben?")
    Thread.objects.update(state=Thread.State.SPAM)
    assert listed(colleague, "mentions") == 0


def test_a_mention_goes_where_its_note_goes(channel: Channel, agent: User, colleague: User) -> None:
    record(channel, [said("1", MAYA), said("9", MAYA, root="9", minutes=3)])
    first, second = Thread.objects.order_by("pk")
    actions.write_note(second, by=agent, text="@Ben?")
    regroup.join(second, into=first, by=agent)
    wanted = inbox.page(colleague, Wanted.read({"view": "mentions"}), inbox.brand_ids(colleague))
    assert [row.thread.pk for row in wanted.rows] == [first.pk]


def test_the_bell_leads_to_where_a_note_went(channel: Channel, agent: User, colleague: User) -> None:
    record(channel, [said("1", MAYA), said("9", MAYA, root="9", minutes=3)])
    first, second = Thread.objects.order_by("pk")
    actions.write_note(second, by=agent, text="@Ben?")
    regroup.join(second, into=first, by=agent)
    told = Notification.objects.get()
    assert notify.address(told).startswith(f"/threads/{first.pk}/#i")
    actions.mark_seen(first, by=colleague)
    assert not Notification.objects.filter(read_at=None).exists()


def test_a_team_gets_a_thread_and_gives_it_back_with_the_undo(
    thread: Thread, agent: User, colleague: User, repairs: Team, browser_of: BrowserOf
) -> None:
    browser = browser_of(agent)
    browser.post(f"/threads/{thread.pk}/assignment/", {"to": f"team-{repairs.pk}"})
    with_team = (listed(agent, "unassigned"), listed(colleague, "unassigned"), Thread.objects.get().team)
    browser.post("/undo/", headers=HTMX)
    assert (with_team, Thread.objects.get().team) == ((0, 1, repairs), None)


def test_the_filter_by_team_finds_what_it_has_and_what_its_people_have(
    channel: Channel, agent: User, colleague: User, repairs: Team
) -> None:
    record(channel, [said("1", MAYA), said("2", JONAS)])
    first, second = Thread.objects.order_by("pk")
    actions.assign(first, to=repairs, by=agent)
    actions.assign(second, to=colleague, by=agent)
    wanted = Wanted.read({"view": "all", "q": "team:repairs"})
    assert len(inbox.page(agent, wanted, inbox.brand_ids(agent)).rows) == 2


def test_many_threads_go_to_a_team_at_once(thread: Thread, agent: User, repairs: Team, browser_of: BrowserOf) -> None:
    browser_of(agent).post("/bulk/", {"verb": "assign", "to": f"team-{repairs.pk}", "ids": thread.pk}, headers=HTMX)
    assert Thread.objects.get().team == repairs


def test_a_team_of_another_brand_gets_nothing(
    thread: Thread, agent: User, other_brand: Brand, browser_of: BrowserOf
) -> None:
    other = Team.objects.create(brand=other_brand, name="Others")
    with pytest.raises(NotPossible):
        actions.assign(thread, to=other, by=agent)
    job = bulk.begin({"verb": "assign", "team": other.pk}, ids=[thread.pk], by=agent)
    assert (job.refused, Thread.objects.get().team) == (1, None)


@pytest.mark.parametrize("to", ["team-x", "team-999999", "x", "5-5", "9" * 30, "-"])
def test_nonsense_assigns_to_nobody(thread: Thread, agent: User, browser_of: BrowserOf, to: str) -> None:
    actions.assign(thread, to=agent, by=agent)
    browser_of(agent).post(f"/threads/{thread.pk}/assignment/", {"to": to}, headers=HTMX)
    assert Thread.objects.get().assignee == agent
