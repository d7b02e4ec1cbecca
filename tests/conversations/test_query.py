"""What agents type into the search box, taken apart."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from conversations.exposure import STEPS, step_of
from conversations.highlight import passage
from conversations.query import KEYS, MOST_TERMS, Filter, Query, Word, parse
from conversations.search_help import EXAMPLES

NOW = datetime(2026, 11, 22, 15, 30, tzinfo=ZoneInfo("Europe/Berlin"))


def taken(text: str) -> Query:
    return parse(text, now=NOW)


def test_the_last_word_may_still_be_being_typed() -> None:
    assert taken("tent stak").words == (Word("tent"), Word("stak", prefix=True))


def test_a_phrase_stays_together() -> None:
    assert taken('"without stakes" tent').words == (Word("without stakes", phrase=True), Word("tent", prefix=True))


def test_twenty_words_and_filters_count_and_it_is_said_where_there_are_more() -> None:
    tags = " ".join(f"tag:t{number}" for number in range(MOST_TERMS))
    query, more = taken(tags), taken(f"{tags} tent")
    assert (len(query.filters), query.problems, more.words) == (MOST_TERMS, (), ())
    assert "first 20" in more.problems[0]


def test_a_minus_turns_a_word_around() -> None:
    assert taken("-refund tent").words[0] == Word("refund", without=True)


def test_the_parts_of_an_address_stand_side_by_side() -> None:
    assert taken("maya@example.com").words == (Word("maya example com", phrase=True),)


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("from:@maya", "from", "@maya"),
        ('from:"Maya Keller"', "from", "Maya Keller"),
        ("IS:Waiting", "is", "waiting"),
        ("tag:Refund", "tag", "refund"),
        ("before:2026-11-20", "before", datetime(2026, 11, 19, 23, 0, tzinfo=UTC)),
        ("after:today", "after", datetime(2026, 11, 21, 23, 0, tzinfo=UTC)),
        ("after:2h", "after", datetime(2026, 11, 22, 12, 30, tzinfo=UTC)),
        ("waiting:>4h", "waiting", timedelta(hours=4)),
        ("age:2w", "age", timedelta(weeks=2)),
        ("reach:10k", "reach", 10_000),
        ("in:twitter", "in", "twitter"),
        ("assignee:me", "assignee", "me"),
        ("audience:one_to_many", "audience", "one-to-many"),
        ("due:1d", "due", timedelta(days=1)),
        ("priority:high", "urgency", "high"),
        ("is:hanging", "is", "hanging"),
    ],
)
def test_filters_are_read(text: str, key: str, value: object) -> None:
    assert taken(text) == Query(filters=(Filter(key, value),))  # type: ignore[arg-type]


def test_the_help_has_an_example_of_every_filter_and_each_is_understood() -> None:
    examples = [taken(example) for example, _words in EXAMPLES]
    named = {example.split(":")[0] for example, _words in EXAMPLES if ":" in example}
    assert (named, [query.problems for query in examples if query.problems]) == (set(KEYS), [])


def test_a_minus_turns_a_filter_around() -> None:
    assert taken("-tag:refund").filters == (Filter("tag", "refund", without=True),)


@pytest.mark.parametrize(
    "text",
    [
        "is:nice",
        "before:soon",
        "reach:many",
        "waiting:long",
        "tag:",
        'from:""',
        "audience:everybody",
        "due:soon",
        "before:0001-01-01",
    ],
)
def test_what_is_not_understood_is_said_and_the_rest_counts(text: str) -> None:
    query = taken(f"{text} tent")
    assert (len(query.problems), query.words) == (1, (Word("tent", prefix=True),))


@pytest.mark.parametrize(("text", "problems"), [("-refund is:open", 1), ("-refund tent", 0), ("is:open", 0)])
def test_words_that_are_only_unwanted_find_nothing_and_that_is_said(text: str, problems: int) -> None:
    assert len(taken(text).problems) == problems


@pytest.mark.parametrize("text", ["!!!", "\x00", '"', '""', "- -", ":", "&|!", "(", "'*"])
def test_signs_alone_ask_for_nothing(text: str) -> None:
    assert not taken(text)


def test_an_unknown_key_is_text() -> None:
    assert taken("re:refund").words == (Word("re refund", phrase=True),)


def test_a_key_with_a_slip_is_named_and_looked_for_as_text() -> None:
    query = taken("form:maya tent")
    assert ("from:" in query.problems[0], query.words[0]) == (True, Word("form maya", phrase=True))


def test_a_passage_stands_around_its_first_hit() -> None:
    text = "word " * 40 + "the Stakes were missing " + "word " * 40
    pieces = passage(text, [Word("stake")])
    assert [piece for piece, hit in pieces if hit] == ["Stakes"]
    assert pieces[0] == ("…", False)


def test_accents_do_not_hide_a_hit() -> None:
    assert ("Café", True) in passage("Das Café ist zu", [Word("cafe")])


def test_a_passage_begins_before_its_match_where_no_space_does() -> None:
    assert passage("shipping/returns/exchange-order was late", [Word("order")])[1:3] == [
        ("ng/returns/exchange-", False),
        ("order", True),
    ]


def test_a_phrase_marks_its_words() -> None:
    assert [piece for piece, hit in passage("came without stakes", [Word("without stakes", phrase=True)]) if hit] == [
        "without",
        "stakes",
    ]


@pytest.mark.parametrize(
    ("followers", "step"), [(None, 0), (0, 0), (1, 0), (2, 0), (3, 1), (9, 1), (10, 2), (10**9, 14)]
)
def test_reach_is_counted_in_steps(followers: int | None, step: int) -> None:
    assert step_of(followers) == step < len(STEPS)
