"""Search: words, stems, phrases, filters and people; pages; and the two ways in which words are found."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from channels_ingest.models import Channel
from channels_ingest.networks.base import Author
from conversations import actions, find, inbox, macros, mixed, texts
from conversations.lexemes import Sought
from conversations.models import Interaction, Thread
from conversations.record import record
from conversations.search import index_texts
from conversations.wanted import Wanted
from tests.cast import JONAS, MAYA, NOON, SOFIA, TRAILHEAD, said, whispered
from tests.conftest import BrowserOf

pytestmark = pytest.mark.django_db


def thread_of(author: Author) -> Thread:
    return Thread.objects.get(identity__external_id=author.external_id)


def found(user: User, text: str) -> list[str]:
    page = inbox.page(user, Wanted.read({"q": text}), inbox.brand_ids(user))
    return [row.name.split()[0] for row in page.rows]


@pytest.fixture
def three(channel: Channel) -> None:
    """Maya (public, reach 18,200), then Jonas, then Sofia in private."""
    record(
        channel,
        [
            said("1", MAYA, "My tent came without stakes."),
            said("2", JONAS, "Is the tent waterproof?", minutes=1, language="en"),
            whispered("3", SOFIA, text="Der Reißverschluss ist kaputt, café", minutes=2, language="de"),
        ],
    )
    index_texts()


@pytest.mark.parametrize(
    ("text", "people"),
    [
        ("tent", ["Jonas", "Maya"]),
        ("tent -waterproof", ["Maya"]),
        ('"without stakes"', ["Maya"]),
        ('"stakes without"', []),
        ("tents", ["Jonas", "Maya"]),
        ("cafe", ["Sofia"]),
        ("is:private", ["Sofia"]),
        ("-is:private", ["Jonas", "Maya"]),
        ("is:public tent", ["Jonas", "Maya"]),
        ("is:private tent", []),
        ("is:unread", ["Sofia", "Jonas", "Maya"]),
        ("is:waiting", ["Sofia", "Jonas", "Maya"]),
        ("is:closed", []),
        ("is:overdue", []),
        ("from:maya", ["Maya"]),
        ("from:@jokafor", ["Jonas"]),
        ("from:mayak from:jokafor", ["Jonas", "Maya"]),
        ("reach:2k", ["Sofia", "Maya"]),
        ("in:twitter", ["Sofia", "Jonas", "Maya"]),
        ("in:facebook", []),
        ("in:@trailhead tent", ["Jonas", "Maya"]),
        ("brand:trailhead", ["Sofia", "Jonas", "Maya"]),
        ("assignee:nobody", ["Sofia", "Jonas", "Maya"]),
        ("assignee:me", []),
        ("before:2026-11-20", []),
        ("after:2026-11-20 is:private", ["Sofia"]),
        ("mood:negative", []),
        ("urgency:high", []),
        ("lang:de", []),
        ("team:night", []),
        ("waiting:1m", ["Sofia", "Jonas", "Maya"]),
        ("age:1d", []),
    ],
)
def test_words_and_filters_find_what_they_say(three: None, agent: User, text: str, people: list[str]) -> None:
    assert found(agent, text) == people


@pytest.fixture
def twice(channel: Channel) -> None:
    """Maya says one thing on the first day and another on the third."""
    record(channel, [said("1", MAYA, "zeppelin"), said("2", MAYA, "balloon", minutes=2 * DAY, root="1")])
    index_texts()


DAY = 24 * 60
FIRST, SECOND, FOURTH = ((NOON + timedelta(days=days)).date().isoformat() for days in (0, 1, 3))


@pytest.fixture(params=[5_000, -1], ids=["thread by thread", "among all"])
def few(request: pytest.FixtureRequest, each_way: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether what filters leave is looked into thread by thread."""
    monkeypatch.setattr(find, "FEW", request.param)


@pytest.mark.parametrize(
    ("text", "times"),
    [
        (f"zeppelin before:{SECOND}", 1),
        (f"zeppelin -after:{SECOND}", 1),
        (f"zeppelin after:{FIRST}", 1),
        (f"zeppelin after:{SECOND}", 0),
        (f"zeppelin before:{FIRST}", 0),
        (f"balloon before:{SECOND}", 0),
        (f"balloon after:{SECOND} before:{FOURTH}", 1),
        (f"maya zeppelin before:{SECOND}", 1),
        (f"maya balloon before:{SECOND}", 0),
        (f"balloon is:public -before:{SECOND}", 1),
        (f"balloon is:public before:{SECOND}", 0),
    ],
)
@pytest.mark.usefixtures("each_way", "twice", "few")
def test_days_beside_words_are_those_when_the_words_were_said(agent: User, text: str, times: int) -> None:
    assert found(agent, text) == ["Maya"] * times


def test_a_later_match_outside_of_the_days_takes_no_thread_off_a_later_page(
    channel: Channel, agent: User, each_way: None
) -> None:
    crowd(channel, 120)
    record(
        channel,
        [
            said(f"e{number}", Author(str(5000 + number)), "tent", minutes=3 * DAY, root=f"c{5000 + number}")
            for number in range(120)
        ],
    )
    index_texts()
    pages = everything(agent, f"tent before:{SECOND}")
    assert (len(pages), len(set(pages))) == (120, 120)


@pytest.fixture
def refunds(three: None, channel: Channel) -> None:
    """Maya asked for a refund, we spoke of one to Jonas, and another Maya has her zip broken."""
    other = Author("1009", handle="zipmaya", name="Maya Lindt")
    record(
        channel,
        [
            said("r1", MAYA, "When is my refund here?", parent=said("1", MAYA), minutes=5),
            said("r2", TRAILHEAD, "The refund left today.", parent=said("2", JONAS), minutes=6),
            said("r3", other, "My zip is broken. @mayak says the same.", minutes=7),
        ],
    )
    index_texts()


@pytest.mark.parametrize(
    ("text", "people"),
    [
        ("maya refund", ["Maya"]),
        ("refund maya", ["Maya"]),
        ("maya keller refunds", ["Maya"]),
        ("refund maya keller", ["Maya"]),
        ("mayak refund", ["Maya"]),
        ("jonas refund", ["Jonas"]),
        ("jona refund", []),  # a name that is still being typed stands last
        ("refund jona", ["Jonas"]),
        ("maya refund is:private", []),
        ('maya "refund here"', ["Maya"]),
        ("maya zip", ["Maya"]),
        ("maya refund -here", []),
        ("-maya refund", ["Jonas", "Maya"]),
        ('"maya refund"', []),
        ("sofia refund", []),
        ("refund from:jokafor", ["Jonas"]),
    ],
)
def test_a_name_beside_words_finds_what_this_person_is_told_of(
    refunds: None, agent: User, text: str, people: list[str]
) -> None:
    assert found(agent, text) == people


def test_a_name_beside_a_word_shows_the_word(refunds: None, agent: User) -> None:
    (row,) = inbox.page(agent, Wanted(text="maya refund"), inbox.brand_ids(agent)).rows
    assert ("refund", True) in row.passage


def test_a_line_names_who_said_the_words_that_were_found(three: None, channel: Channel, agent: User) -> None:
    record(channel, [said("4", TRAILHEAD, "A set is on its way.", minutes=3, parent=said("1"))])
    index_texts()
    lines = [inbox.page(agent, Wanted(text=text), [channel.brand_id]).rows for text in ("stakes", "way")]
    assert [(line.name, line.speaker) for (line,) in lines] == [("Maya Keller", ""), ("Maya Keller", "We")]


def test_a_stranger_finds_nothing_by_a_name_and_a_word(refunds: None, stranger: User) -> None:
    assert found(stranger, "maya refund") == []


def test_pages_of_people_and_words_have_no_gap_and_no_thread_twice(channel: Channel, agent: User) -> None:
    crowd(channel, 120)
    pages = everything(agent, "person tent")
    assert (len(pages), len(set(pages))) == (mixed.MOST_PEOPLE, mixed.MOST_PEOPLE)


def test_tags_and_assignees_are_found(three: None, agent: User) -> None:
    macros.tag_thread(thread_of(MAYA), names=["Refund"], by=agent)
    actions.assign(thread_of(JONAS), to=agent, by=agent)
    assert [found(agent, text) for text in ("tag:refund", "-tag:refund", "assignee:me", "assignee:ana")] == [
        ["Maya"],
        ["Sofia", "Jonas"],
        ["Jonas"],
        ["Jonas"],
    ]


def test_what_i_have_read_is_not_unread(three: None, agent: User) -> None:
    actions.mark_seen(thread_of(MAYA), by=agent)
    assert found(agent, "is:unread") == ["Sofia", "Jonas"]


def test_a_snippet_shows_the_match_and_not_the_latest_word(three: None, agent: User, channel: Channel) -> None:
    record(channel, [said("4", TRAILHEAD, "On its way.", parent=said("1", MAYA), minutes=9)])
    (row,) = inbox.page(agent, Wanted(text="stakes"), inbox.brand_ids(agent)).rows
    assert ("stakes", True) in row.passage


def test_a_strangers_text_stays_text_in_its_snippet(channel: Channel, agent: User, browser_of: BrowserOf) -> None:
    record(channel, [said("1", MAYA, "<script>alert(1)</script> stakes")])
    index_texts()
    page = browser_of(agent).get("/", {"q": "stakes"}).content.decode()
    assert ("<script>alert" in page, "<mark>stakes</mark>" in page) == (False, True)


def test_a_filter_that_is_not_understood_is_explained(three: None, agent: User, browser_of: BrowserOf) -> None:
    page = browser_of(agent).get("/", {"q": "is:nice"}).content.decode()
    assert "does not know “nice”" in page


def test_a_stranger_finds_nothing_by_any_way(three: None, stranger: User) -> None:
    assert [found(stranger, text) for text in ("tent", "maya", "is:waiting", "from:maya", "in:@trailhead")] == [[]] * 5


def crowd(channel: Channel, count: int) -> None:
    people = [Author(str(5000 + number), handle=f"p{number}", name=f"Person {number}") for number in range(count)]
    record(channel, [said(f"c{one.external_id}", one, "a tent again", minutes=at) for at, one in enumerate(people)])
    record(
        channel,
        [
            said(f"d{one.external_id}", one, "the tent", minutes=500 + at, root=f"c{one.external_id}")
            for at, one in enumerate(people)
        ],
    )
    index_texts()


def everything(user: User, text: str) -> list[int]:
    seen: list[int] = []
    before = ""
    for _turn in range(20):
        page = inbox.page(user, Wanted(text=text, before=before), inbox.brand_ids(user))
        seen += [row.thread.pk for row in page.rows]
        before = page.older
        if not before:
            return seen
    raise AssertionError("the pages have no end")


@pytest.fixture(
    params=[(0, 0.02), (10**9, 0.02), (0, 2)], ids=["by walking back", "by the inverted index", "day by day"]
)
def each_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Words are found by each of the three ways: what counts as rare, and as often, is set so."""
    rare, often = request.param
    for name, value in {"RARE": rare, "OFTEN": often, "SHORT_WALK": 40, "FIRST_WINDOW": 40}.items():
        monkeypatch.setattr(texts, name, value)
    monkeypatch.setattr(find, "FEW", -1)


@pytest.mark.parametrize("text", ["tent", "person", "tent is:waiting"])
def test_pages_of_matches_have_no_gap_and_no_thread_twice(
    each_way: None, channel: Channel, agent: User, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setattr(texts, "MOST_MATCHES", 60)
    crowd(channel, 120)
    pages = everything(agent, text)
    assert (len(pages), len(set(pages))) == (120, 120)


DAYS_BACK = (0, 1, 2, 9, 10, 80, 81, 400, 700)


@pytest.mark.parametrize("most_begun", [10**9, 0], ids=["many looks", "one look"])
def test_more_and_more_days_are_looked_into_until_all_are_found(
    channel: Channel, agent: User, monkeypatch: pytest.MonkeyPatch, most_begun: int
) -> None:
    for name, value in {"RARE": 0, "OFTEN": 2, "SHORT_WALK": 1, "FIRST_WINDOW": 1, "MOST_BEGUN": most_begun}.items():
        monkeypatch.setattr(texts, name, value)
    people = {back: Author(str(8000 + back), handle=f"d{back}", name=f"Person {back}") for back in DAYS_BACK}
    record(channel, [said(f"d{back}", one, minutes=-back * 24 * 60) for back, one in people.items()])
    index_texts()
    page = inbox.page(agent, Wanted(text="stakes"), inbox.brand_ids(agent))
    assert ([row.name for row in page.rows], page.older) == ([f"Person {back}" for back in DAYS_BACK], "")


def test_the_days_of_a_page_are_looked_up_at_once(
    channel: Channel, agent: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"RARE": 0, "OFTEN": 2, "SHORT_WALK": 1, "FIRST_WINDOW": 1}.items():
        monkeypatch.setattr(texts, name, value)
    people = [Author(str(8000 + number), handle=f"d{number}", name=f"Person {number}") for number in range(60)]
    record(channel, [said(one.external_id, one, minutes=-at * 2 * 60) for at, one in enumerate(people)])
    index_texts()
    with CaptureQueriesContext(connection) as captured:
        page = inbox.page(agent, Wanted(text="stakes"), inbox.brand_ids(agent))
    looks = [one for one in captured if "::date[]" in one["sql"]]
    assert ([row.name for row in page.rows], len(looks)) == ([f"Person {number}" for number in range(50)], 1)


def test_a_thread_full_of_matches_hides_no_other(
    channel: Channel, agent: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"RARE": 0, "MATCHES_A_THREAD": 1, "SHORT_WALK": 150, "LONGEST_WALK": 150}.items():
        monkeypatch.setattr(texts, name, value)
    crowd(channel, 3)
    record(channel, [said(f"m{number}", MAYA, "my tent", minutes=600 + number, root="m") for number in range(120)])
    index_texts()
    page = inbox.page(agent, Wanted(text="tent"), inbox.brand_ids(agent))
    assert ([row.name for row in page.rows], page.older) == (["Maya Keller", "Person 2", "Person 1", "Person 0"], "")


@pytest.mark.parametrize("midnight", [-12 * 60, -12 * 60 - 1 / 60, 12 * 60])
def test_a_text_of_midnight_is_found_once(
    channel: Channel, agent: User, monkeypatch: pytest.MonkeyPatch, midnight: float
) -> None:
    for name, value in {"RARE": 0, "OFTEN": 2, "SHORT_WALK": 1, "FIRST_WINDOW": 1}.items():
        monkeypatch.setattr(texts, name, value)
    record(channel, [said("1", MAYA), said("2", JONAS, minutes=midnight), said("3", SOFIA, minutes=midnight)])
    index_texts()
    assert sorted(found(agent, "stakes")) == ["Jonas", "Maya", "Sofia"]


@pytest.fixture
def short_walks(channel: Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is rare, no walk is longer than six texts of twenty-one and looks into one day more; Maya's text is the
    oldest of all."""
    short = {"RARE": 0, "FIRST_WINDOW": 2, "LAST_WINDOW": 4, "SHORT_WALK": 2, "LONGEST_WALK": 6, "MOST_DAYS": 1}
    for name, value in short.items():
        monkeypatch.setattr(texts, name, value)
    record(channel, [said("old", MAYA, "zeppelin post", minutes=-60 * 24 * 3)])
    crowd(channel, 10)


def test_a_walk_that_grows_too_long_says_where_to_search_on(short_walks: None, agent: User) -> None:
    page = inbox.page(agent, Wanted(text="zeppelin"), inbox.brand_ids(agent))
    assert (page.rows, bool(page.older)) == ([], True)
    assert everything(agent, "zeppelin") == [thread_of(MAYA).pk]


def test_what_filters_leave_is_looked_into_however_old(short_walks: None, agent: User) -> None:
    page = inbox.page(agent, Wanted(text="zeppelin from:maya"), inbox.brand_ids(agent))
    assert ([row.name for row in page.rows], page.older) == (["Maya Keller"], "")


def test_threads_that_say_too_much_are_not_looked_into_one_by_one(
    short_walks: None, agent: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(find, "LONGEST_WALK", 0)
    page = inbox.page(agent, Wanted(text="zeppelin from:maya"), inbox.brand_ids(agent))
    assert (page.rows, bool(page.older)) == ([], True)


def test_an_unfinished_search_offers_to_go_on(short_walks: None, agent: User, browser_of: BrowserOf) -> None:
    page = browser_of(agent).get("/", {"q": "zeppelin"}).content.decode()
    assert "Search on in older texts" in page


def test_all_in_a_search_are_all_however_long_the_walk(short_walks: None, agent: User) -> None:
    selected = inbox.selection(agent, Wanted(text="zeppelin"), inbox.brand_ids(agent), 10)
    assert selected == ([thread_of(MAYA).pk], True)


def test_people_come_at_their_place_in_an_unfinished_search(short_walks: None, agent: User) -> None:
    seen = everything(agent, "person")
    assert seen == list(
        Thread.objects.exclude(pk=thread_of(MAYA).pk).order_by("-last_activity_at").values_list("pk", flat=True)
    )


def test_neither_common_nor_rare_words_read_a_big_table_whole(
    each_way: None, channel: Channel, agent: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(texts, "SHORT_WALK", 2)
    crowd(channel, 3)
    with connection.cursor() as cursor, CaptureQueriesContext(connection) as captured:
        # a small table would be read whole whatever its indexes
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
        found(agent, "tent again")
        found(agent, "person tent")
    big = ("conversations_searchentry", "conversations_interaction", "contacts_identity", "contacts_contact")
    asked = [one["sql"] for one in captured if one["sql"].lstrip().startswith(("SELECT", "WITH"))]
    with connection.cursor() as cursor:
        plans = []
        for sql in asked:
            cursor.execute("EXPLAIN " + sql)
            plans.append("\n".join(line for (line,) in cursor.fetchall()))
    assert any("conversations_searchentry" in plan for plan in plans)
    assert not [plan for plan in plans for table in big if f"Seq Scan on {table}" in plan]


def test_a_search_costs_a_fixed_number_of_queries(channel: Channel, agent: User) -> None:
    counts = []
    for size in (5, 40):
        crowd(channel, size)
        with CaptureQueriesContext(connection) as captured:
            found(agent, "tent")
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 9


def test_a_common_word_names_no_misspelt_person(channel: Channel, agent: User, monkeypatch: pytest.MonkeyPatch) -> None:
    record(channel, [said("1", MAYA, "hello")])
    index_texts()
    assert found(agent, "mayaak") == ["Maya"]
    monkeypatch.setattr(find, "MAYBE_RARE", -1)
    assert found(agent, "mayaak") == []


def test_two_letters_name_nobody_misspelt(three: None, agent: User) -> None:
    with CaptureQueriesContext(connection) as captured:
        found(agent, "xq")
    assert not [one for one in captured if " % " in one["sql"] and "contacts_identity" in one["sql"]]


@pytest.mark.parametrize(
    ("lexemes", "asked"), [("('ten')", []), ("('it''s':* | 'it') & ('ten':*)", ["'it''s':* | 'ten':*"])]
)
def test_only_what_may_go_on_is_counted_as_begun(lexemes: str, asked: list[str]) -> None:
    with CaptureQueriesContext(connection) as captured:
        assert Sought(lexemes).begun >= 0
    assert [re.findall(r"@@ '(.*)'::tsquery", one["sql"])[0].replace("''", "'") for one in captured] == asked


def test_words_that_many_begin_with_are_walked_to_even_where_they_come_seldom(
    channel: Channel, agent: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"RARE": 0, "OFTEN": 2, "SHORT_WALK": 4, "FIRST_WINDOW": 4}.items():
        monkeypatch.setattr(texts, name, value)
    crowd(channel, 20)
    looks = []
    for worth in (10**9, 1e-9):
        monkeypatch.setattr(texts, "WORTH_A_LOOK", worth)
        with CaptureQueriesContext(connection) as captured:
            found(agent, "ten")
        looks.append(len([one for one in captured if "::date[]" in one["sql"]]))
    assert (looks[0] > 0, looks[1]) == (True, 0)


def test_a_removed_text_is_found_no_more(three: None, agent: User) -> None:
    Interaction.objects.filter(external_id="1").update(removed_at=timezone.now() - timedelta(days=1))
    page = inbox.page(agent, Wanted(text="stakes"), inbox.brand_ids(agent))
    assert [row.passage for row in page.rows] == [[]]
