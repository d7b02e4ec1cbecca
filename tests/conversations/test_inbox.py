"""The list of threads: views, counts, search, pages, and what it costs."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from channels_ingest.models import Channel
from channels_ingest.networks.base import Author, Removal
from conversations import actions, counting, inbox
from conversations.choosing import asked_for, first_of_each_post
from conversations.lines import Row, rows
from conversations.models import Delivery, Interaction, Thread
from conversations.question import Asker
from conversations.record import record
from conversations.search import index_texts
from conversations.tabs import tabs_of
from conversations.wanted import VIEWS, Wanted
from tests.cast import JONAS, MAYA, SOFIA, make_channel, said, whispered
from tests.conftest import BrowserOf

pytestmark = pytest.mark.django_db


def thread_of(author: Author) -> Thread:
    return Thread.objects.get(identity__external_id=author.external_id)


def names(user: User, **query: str) -> list[str]:
    """Who is in the list that the query asks for."""
    wanted = Wanted.read(query)
    return [row.name for row in inbox.page(user, wanted, inbox.brand_ids(user)).rows]


def crowd(channel: Channel, count: int) -> None:
    people = [Author(str(5000 + number), handle=f"p{number}", name=f"Person {number}") for number in range(count)]
    record(channel, [said(f"c{one.external_id}", one, minutes=place) for place, one in enumerate(people)])


# -- views ------------------------------------------------------------------------------------------------------------


def test_the_newest_activity_stands_first(channel: Channel, agent: User) -> None:
    record(channel, [said("1", MAYA), said("2", JONAS, minutes=5), said("3", SOFIA, minutes=2)])
    assert names(agent, view="all") == ["Jonas Okafor", "Sofia Rossi", "Maya Keller"]


def test_mine_are_those_assigned_to_me(channel: Channel, agent: User, colleague: User) -> None:
    record(channel, [said("1", MAYA), said("2", JONAS), said("3", SOFIA)])
    actions.assign(thread_of(MAYA), to=agent, by=agent)
    actions.assign(thread_of(JONAS), to=colleague, by=agent)
    assert (names(agent, view="mine"), names(agent, view="unassigned")) == (["Maya Keller"], ["Sofia Rossi"])


def test_snoozed_and_closed_have_views_of_their_own(channel: Channel, agent: User) -> None:
    record(channel, [said("1", MAYA), said("2", JONAS), said("3", SOFIA)])
    actions.snooze(thread_of(MAYA), until=timezone.now() + timedelta(hours=1), by=agent)
    actions.close(thread_of(JONAS), by=agent)
    assert [names(agent, view=view) for view in ("all", "snoozed", "closed")] == [
        ["Sofia Rossi"],
        ["Maya Keller"],
        ["Jonas Okafor"],
    ]


def test_an_agent_of_another_brand_sees_nothing(channel: Channel, stranger: User) -> None:
    record(channel, [said("1", MAYA)])
    assert names(stranger, view="all") == []


def test_an_admin_sees_every_brand(channel: Channel, admin: User) -> None:
    record(channel, [said("1", MAYA)])
    assert names(admin, view="all") == ["Maya Keller"]


def test_private_threads_can_be_asked_for(channel: Channel, agent: User) -> None:
    record(channel, [said("1", MAYA), whispered("2", JONAS)])
    assert names(agent, view="all", visibility="private") == ["Jonas Okafor"]


def test_counts_stop_at_ninety_nine(channel: Channel, agent: User) -> None:
    crowd(channel, 120)
    tabs = {tab.key: tab.shown for tab in tabs_of(agent, Wanted(), inbox.brand_ids(agent))}
    shown = {key: tabs[key] for key in ("mine", "unassigned", "all", "snoozed", "closed")}
    assert shown == {"mine": "0", "unassigned": "99+", "all": "99+", "snoozed": "0", "closed": ""}


def test_nonsense_in_the_address_shows_the_usual_list(channel: Channel, agent: User, browser_of: BrowserOf) -> None:
    query = {"view": "\x00", "network": "nowhere", "visibility": "x", "before": "9" * 17 + "-1", "q": "\x00"}
    assert browser_of(agent).get("/", query).status_code == 200


# -- rows -------------------------------------------------------------------------------------------------------------


def row_of(user: User, author: Author) -> Row:
    (row,) = rows([thread_of(author).pk], user)
    return row


def test_a_row_says_what_was_said_last_and_by_whom(channel: Channel, agent: User) -> None:
    first = said("1", MAYA)
    record(channel, [first, said("2", _us(channel), "On its way!", parent=first, minutes=1)])
    row = row_of(agent, MAYA)
    assert (row.speaker, row.snippet, row.badge) == ("We", "On its way!", "X")


def test_a_row_is_unread_until_the_thread_was_opened(channel: Channel, agent: User, browser_of: BrowserOf) -> None:
    record(channel, [said("1", MAYA)])
    before = row_of(agent, MAYA).unread
    browser_of(agent).get(f"/threads/{thread_of(MAYA).pk}/")
    assert (before, row_of(agent, MAYA).unread) == (True, False)


def test_a_deleted_post_leaves_no_words_in_its_row(channel: Channel, agent: User) -> None:
    record(channel, [said("1", MAYA, "regretted")])
    record(channel, [Removal("1")])
    assert "regretted" not in row_of(agent, MAYA).snippet


def test_a_reply_that_failed_is_told_in_the_row(channel: Channel, agent: User) -> None:
    record(channel, [said("1", MAYA)])
    thread = thread_of(MAYA)
    ours = Interaction.objects.create(
        channel=channel, kind="reply", direction="out", visibility="public", thread=thread, posted_at=timezone.now()
    )
    Delivery.objects.create(interaction=ours, channel=channel, thread=thread, action="reply", state="failed")
    assert row_of(agent, MAYA).trouble == "failed"


def _us(channel: Channel) -> Author:
    return Author(channel.external_id, handle=channel.handle)


# -- search -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["maya", "@MAYA", "keller", "mayak", "Maja Keller", "stakes", "stak", '"without stakes"']
)
def test_search_finds_people_and_words(channel: Channel, agent: User, text: str) -> None:
    record(channel, [said("1", MAYA), said("2", JONAS, "Is it waterproof?")])
    index_texts()
    assert names(agent, q=text) == ["Maya Keller"]


@pytest.mark.parametrize("text", ["!!!", "' | 1=1 --", '"', "a & !b | (", "\\", "%", "_", ":*"])
def test_search_takes_any_text(channel: Channel, agent: User, text: str) -> None:
    record(channel, [said("1", MAYA)])
    index_texts()
    assert names(agent, q=text) == []


def test_what_was_chosen_beside_the_box_narrows_a_search_too(channel: Channel, agent: User) -> None:
    facebook = make_channel(channel.brand, account=Author("9002", handle="page"), network="facebook")
    record(channel, [said("1", MAYA, "My tent"), whispered("2", JONAS, text="A tent")])
    record(facebook, [said("3", SOFIA, "This tent")])
    index_texts()
    chosen = ({"network": "facebook"}, {"visibility": "private"}, {"network": "facebook", "visibility": "private"})
    assert [names(agent, q="tent", **one) for one in chosen] == [["Sofia Rossi"], ["Jonas Okafor"], []]
    assert [names(agent, q="is:open", **one) for one in chosen] == [["Sofia Rossi"], ["Jonas Okafor"], []]


def test_each_form_of_the_list_keeps_what_the_others_chose(
    channel: Channel, agent: User, browser_of: BrowserOf
) -> None:
    asked = {"view": "all", "q": "is:open", "network": "twitter", "order": "exposure", "influence": "40", "group": "1"}
    page = browser_of(agent).get("/", asked).content.decode()
    forms = {part.split('"')[0]: part.split("</form>")[0] for part in page.split('<form class="')[1:]}
    kept = {name: set(re.findall(r'type="hidden" name="(\w+)"', form)) for name, form in forms.items()}
    assert (kept["menu form"], kept["search"], kept["ordering"]) == (
        {"view", "q", "order", "influence", "group"},
        {"view", "network"},
        {"view", "q", "network"},
    )


def test_search_reaches_closed_threads(channel: Channel, agent: User) -> None:
    record(channel, [said("1", MAYA)])
    actions.close(thread_of(MAYA), by=agent)
    assert names(agent, q="maya", view="mine") == ["Maya Keller"]


def test_search_stays_within_my_brands(channel: Channel, stranger: User) -> None:
    record(channel, [said("1", MAYA)])
    index_texts()
    assert names(stranger, q="stakes") == names(stranger, q="maya") == []


# -- pages ------------------------------------------------------------------------------------------------------------


def test_pages_follow_each_other_without_gap_or_overlap(channel: Channel, agent: User) -> None:
    crowd(channel, inbox.PAGE_SIZE * 2 + 7)
    brands, seen, before = inbox.brand_ids(agent), list[int](), ""
    for _turn in range(3):
        page = inbox.page(agent, Wanted(view="all", before=before), brands)
        seen += [row.thread.pk for row in page.rows]
        before = page.older
    everything = Thread.objects.order_by("-last_activity_at", "-pk").values_list("pk", flat=True)
    assert (seen, before) == (list(everything), "")


def test_threads_of_the_same_moment_are_not_lost_between_pages(channel: Channel, agent: User) -> None:
    people = [Author(str(number), handle=f"p{number}") for number in range(inbox.PAGE_SIZE + 5)]
    record(channel, [said(f"c{one.external_id}", one) for one in people])
    first = inbox.page(agent, Wanted(view="all"), inbox.brand_ids(agent))
    second = inbox.page(agent, Wanted(view="all", before=first.older), inbox.brand_ids(agent))
    assert len({row.thread.pk for row in (*first.rows, *second.rows)}) == inbox.PAGE_SIZE + 5


def test_the_older_rows_come_as_a_fragment(channel: Channel, agent: User, browser_of: BrowserOf) -> None:
    crowd(channel, inbox.PAGE_SIZE + 1)
    before = inbox.page(agent, Wanted(view="all"), inbox.brand_ids(agent)).older
    headers = {"HX-Request": "true", "HX-Target": "older"}
    answer = browser_of(agent).get("/", {"view": "all", "before": before}, headers=headers)
    assert (b"Person 0" in answer.content, b"<html" in answer.content) == (True, False)


def test_a_browser_asks_which_of_the_changed_threads_are_still_in_its_list(
    channel: Channel, agent: User, browser_of: BrowserOf
) -> None:
    record(channel, [said("1", MAYA), said("2", JONAS)])
    actions.close(thread_of(JONAS), by=agent)
    ids = f"{thread_of(MAYA).pk},{thread_of(JONAS).pk},0,x,{10**30}"
    answer = browser_of(agent).get("/rows/", {"view": "all", "ids": ids}).content.decode()
    assert ("Maya Keller" in answer, "Jonas Okafor" in answer) == (True, False)


# -- cost -------------------------------------------------------------------------------------------------------------


def queries(browser: Client, address: str) -> int:
    browser.get(address)  # whatever is read once is read now
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert browser.get(address).status_code == 200
    return len(captured)


@pytest.mark.parametrize(
    ("address", "most"),
    [
        ("/?view=all", 7),
        ("/?view=waiting", 7),
        ("/?view=all&order=exposure", 10),
        ("/?view=all&group=1", 8),
        ("/?q=is:waiting", 7),
        ("/?q=person", 11),
        ("/?q=stakes", 10),
    ],
)
def test_fifty_rows_cost_as_many_queries_as_five(
    channel: Channel, agent: User, browser_of: BrowserOf, address: str, most: int
) -> None:
    browser = browser_of(agent)
    crowd(channel, 5)
    few = queries(browser, address)
    crowd(channel, 50)
    assert queries(browser, address) == few <= most


def plan(sql: str, params: tuple[Any, ...]) -> str:
    with connection.cursor() as cursor:
        # a small table would be read whole and sorted whatever its indexes
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off")
        cursor.execute(f"EXPLAIN {sql}", params)
        return "\n".join(line for (line,) in cursor.fetchall())


# (what one person has promised, or is called to, is little: it is found by the person and then sorted)
@pytest.mark.parametrize("view", [view for view in VIEWS if view not in ("promises", "mentions")])
def test_every_view_walks_an_index_in_its_order(channel: Channel, agent: User, view: str) -> None:
    crowd(channel, 3)
    wanted = Wanted(view=view)
    asked = asked_for(Asker(agent, inbox.brand_ids(agent)), wanted).values_list("pk")[: inbox.PAGE_SIZE]
    shown = plan(*asked.query.sql_with_params())
    assert "on conversations_thread" in shown
    assert "Seq Scan on conversations_thread" not in shown
    assert "Sort Key: conversations_thread" not in shown


@pytest.mark.parametrize("text", ["lang:fr", "urgency:high"])
def test_what_may_be_rare_walks_an_index_of_its_own(channel: Channel, agent: User, text: str) -> None:
    asked = asked_for(Asker(agent, inbox.brand_ids(agent)), Wanted(text=text)).values_list("pk")
    shown = plan(*asked[: inbox.PAGE_SIZE].query.sql_with_params())
    assert ("thread_of_language" in shown or "thread_urgent" in shown, "Sort Key" in shown) == (True, False)


def test_all_in_a_view_are_looked_for_among_so_many_threads_and_no_more(
    channel: Channel, agent: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "SELECTED_WINDOW", 2)
    crowd(channel, 9)
    told = list[tuple[int, bool]]()
    for windows in (2, 9):
        monkeypatch.setattr(inbox, "MOST_SELECTED", windows)
        ids, whole = inbox.selection(agent, Wanted(text="audience:one-to-many"), inbox.brand_ids(agent), 100)
        told.append((len(ids), whole))
    assert told == [(4, False), (9, True)]


@pytest.mark.parametrize("how", ["one-to-many", "one-to-one-to-many"])
def test_who_hears_a_thread_is_asked_thread_by_thread(channel: Channel, agent: User, how: str) -> None:
    crowd(channel, 9)
    asked = asked_for(Asker(agent, inbox.brand_ids(agent)), Wanted(text=f"audience:{how}"))
    shown = plan(*asked.values_list("pk")[: inbox.PAGE_SIZE].query.sql_with_params())
    assert ("SubPlan" in shown, "Anti Join" in shown, "Semi Join" in shown) == (True, False, False)


@pytest.mark.parametrize("text", ["reach:900k", "audience:one-to-many", "lang:fr"])
def test_the_first_of_each_post_is_asked_thread_by_thread(channel: Channel, agent: User, text: str) -> None:
    asker, wanted = Asker(agent, inbox.brand_ids(agent)), Wanted(text=text, grouped=True)
    first = first_of_each_post(asked_for(asker, wanted), wanted, asker)
    shown = plan(*first.values_list("pk")[: inbox.PAGE_SIZE].query.sql_with_params())
    assert ("SubPlan" in shown, "Anti Join" in shown) == (True, False)


# How many rows and pages there are is noted in place, and would outlive the test in a row that is not its own.
ANALYZE = """
    UPDATE pg_class SET reltuples = 0 WHERE oid = 'conversations_thread'::regclass
        OR oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = 'conversations_thread'::regclass);
    ANALYZE conversations_thread
"""


@pytest.mark.parametrize("text", ["", "audience:one-to-many"])
def test_the_others_of_all_posts_are_counted_at_once_by_the_index_of_posts(
    channel: Channel, agent: User, text: str
) -> None:
    crowd(channel, 90)
    with connection.cursor() as cursor:
        cursor.execute(ANALYZE)
    with CaptureQueriesContext(connection) as captured:
        inbox.page(agent, Wanted(view="all", text=text, grouped=True), inbox.brand_ids(agent))
    (counted,) = (one["sql"] for one in captured if "unnest" in one["sql"] and "COUNT" in one["sql"])
    assert re.findall(r"Scan using (thread_\w+)", plan(counted, ())) == ["thread_of_root"]


SLOW = {"slow": ("SELECT pg_sleep(20)", ()), "quick": ("SELECT 1", ())}


def counted_with_a_slow_one() -> tuple[dict[str, int], str]:
    """The counts, and how long a statement may take afterwards."""
    counts = counting.count_in_time(SLOW)
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        return counts, cursor.fetchone()[0]


def test_a_view_that_takes_too_long_has_no_count_and_the_others_have() -> None:
    assert counted_with_a_slow_one() == ({"quick": 1}, "30s")


@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize(("text", "count"), [("audience:one-to-many", 9), ("audience:one-to-one-to-many", 0)])
def test_where_no_index_answers_a_list_is_walked_in_windows(
    channel: Channel, agent: User, monkeypatch: pytest.MonkeyPatch, text: str, count: int, *, grouped: bool
) -> None:
    monkeypatch.setattr(inbox, "WINDOW", 2)
    monkeypatch.setattr(inbox, "MOST_WINDOWS", 2)
    crowd(channel, 9)
    seen, before, looks = list[str](), "", 0
    while before or not looks:
        page = inbox.page(agent, Wanted(text=text, before=before, grouped=grouped), inbox.brand_ids(agent))
        seen, before, looks = [*seen, *(row.name for row in page.rows)], page.older, looks + 1
    assert (len(seen), len(set(seen)), looks) == (count, count, 3)


def test_an_inbox_without_channels_says_what_comes_first(admin: User, agent: User, browser_of: BrowserOf) -> None:
    for_admin, for_agent = (browser_of(user).get("/").content.decode() for user in (admin, agent))
    assert ("Nothing is connected yet" in for_admin, "/channels/new/" in for_admin.split("no-rows")[1]) == (True, True)
    assert ("Nothing is connected yet" in for_agent, "An admin connects the first one" in for_agent) == (True, True)
