"""X's lists are walked without a gap, whatever happens while one pages."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from channels_ingest.networks.base import Dropped, Item, NetworkError, Page, Removal, Trouble
from channels_ingest.networks.parts import x_walk
from channels_ingest.networks.parts.x_posts import SNOWFLAKE_EPOCH_MS

PAGE = 5


def snowflake(at: datetime, number: int = 0) -> int:
    return (int(at.timestamp() * 1000) - SNOWFLAKE_EPOCH_MS << 22) + number


class Timeline:
    """A list as X keeps it: newest first, paged by ids or by tokens (the position after an id)."""

    def __init__(self) -> None:
        self.ids: list[int] = []
        self.reach: int | None = None
        self.by_token: list[str] = []

    def ask(self, where: dict[str, str]) -> dict[str, Any]:
        since, until = int(where.get("since_id", 0)), int(where.get("until_id", 2**63))
        until = min(until, int(where.get("token", until)))
        self.by_token += ["token"] if "token" in where else []
        reachable = sorted(self.ids, reverse=True)[: self.reach]
        found = [one for one in reachable if since < one < until]
        page = found[:PAGE]
        meta = {"next_token": str(page[-1])} if len(found) > PAGE else {}
        return {"data": [{"id": str(one)} for one in page], "meta": meta}


def read(answer: Any) -> tuple[list[Item], list[Dropped]]:
    return [Removal(one["id"]) for one in answer["data"]], []


def ids_of(pages: list[Page]) -> set[int]:
    return {int(item.external_id) for page in pages for item in page.items if isinstance(item, Removal)}


@pytest.fixture
def timeline() -> Timeline:
    return Timeline()


def test_everything_reachable_is_handed_over_once_on_the_first_walk(timeline: Timeline) -> None:
    timeline.ids = list(range(1000, 1023))
    pages = list(x_walk.by_ids(timeline.ask, read, {}))
    assert sum(len(page.items) for page in pages) == len(timeline.ids)
    assert ids_of(pages) == set(timeline.ids)


def test_the_cursor_of_a_finished_walk_stands_for_the_newest_item(timeline: Timeline) -> None:
    timeline.ids = list(range(1000, 1023))
    assert list(x_walk.by_ids(timeline.ask, read, {}))[-1].cursor["since"] == "1022"


def test_an_empty_list_keeps_the_cursor(timeline: Timeline) -> None:
    (page,) = x_walk.by_ids(timeline.ask, read, {"since": "1022"})
    assert page.cursor["since"] == "1022"


def test_a_late_item_below_the_cursor_is_found_in_the_overlap(timeline: Timeline) -> None:
    now = datetime.now(UTC)
    timeline.ids = [snowflake(now)]
    cursor = list(x_walk.by_ids(timeline.ask, read, {}))[-1].cursor
    late = snowflake(now - timedelta(minutes=10))
    timeline.ids.append(late)
    assert late in ids_of(list(x_walk.by_ids(timeline.ask, read, cursor)))


def test_an_interrupted_walk_goes_on_below_and_then_looks_for_what_came_meanwhile(timeline: Timeline) -> None:
    timeline.ids = list(range(1000, 1023))
    first = next(x_walk.by_ids(timeline.ask, read, {}))
    timeline.ids += [1023, 1024]
    rest = list(x_walk.by_ids(timeline.ask, read, first.cursor))
    assert ids_of([first, *rest]) == set(timeline.ids)


def test_an_interruption_does_not_move_the_cursor_past_what_was_not_handed_over(timeline: Timeline) -> None:
    timeline.ids = list(range(1000, 1023))
    first = next(x_walk.by_ids(timeline.ask, read, {"since": "900"}))
    assert first.cursor["since"] == "900"


def test_a_page_without_items_but_with_more_behind_is_followed() -> None:
    answers: Iterator[Any] = iter([{"meta": {"next_token": "t1"}}, {"data": [{"id": "7"}], "meta": {}}])
    pages = list(x_walk.by_ids(lambda _where: next(answers), read_any, {}))
    assert ids_of(pages) == {7}


def read_any(answer: Any) -> tuple[list[Item], list[Dropped]]:
    return [Removal(one["id"]) for one in answer.get("data", [])], []


def test_a_list_that_is_not_in_the_order_of_ids_is_walked_by_its_tokens() -> None:
    asked: list[dict[str, str]] = []
    answers = iter(
        [{"data": [{"id": "9"}, {"id": "3"}, {"id": "7"}], "meta": {"next_token": "t1"}}, {"data": [{"id": "5"}]}]
    )

    def ask(where: dict[str, str]) -> Any:
        asked.append(where)
        return next(answers)

    assert ids_of(list(x_walk.by_ids(ask, read_any, {}))) == {9, 3, 7, 5}
    assert asked[1] == {"token": "t1"}


def test_a_network_that_repeats_a_page_is_not_asked_for_ever() -> None:
    with pytest.raises(NetworkError) as raised:
        list(x_walk.by_ids(lambda _where: {"data": [], "meta": {"next_token": "t1"}}, read, {}))
    assert raised.value.trouble == Trouble.TEMPORARY


def test_a_gap_behind_the_reach_of_the_network_is_reported(timeline: Timeline) -> None:
    timeline.ids, timeline.reach = list(range(1000, 3000)), 800
    last = list(x_walk.by_ids(timeline.ask, read, {"since": "1000"}, reach=800))[-1]
    assert [one.reason.split(":")[0] for one in last.dropped] == ["gap"]


def test_a_walk_that_reaches_the_last_one_reports_no_gap(timeline: Timeline) -> None:
    timeline.ids, timeline.reach = list(range(1000, 1800)), 800
    assert not list(x_walk.by_ids(timeline.ask, read, {"since": "1000"}, reach=800))[-1].dropped


def test_a_first_walk_reports_no_gap(timeline: Timeline) -> None:
    timeline.ids, timeline.reach = list(range(1000, 3000)), 800
    assert not list(x_walk.by_ids(timeline.ask, read, {}, reach=800))[-1].dropped


@pytest.mark.parametrize("seed", range(60))
def test_nothing_is_lost_when_items_come_and_walks_break_at_random(seed: int) -> None:
    dice, timeline, seen = random.Random(seed), Timeline(), set[int]()
    cursor: dict[str, Any] = {}
    now = datetime.now(UTC) - timedelta(days=1)
    for _round in range(25):
        now += timedelta(seconds=dice.randrange(1, 3000))
        timeline.ids += [snowflake(now - timedelta(minutes=dice.randrange(10)), n) for n in range(dice.randrange(12))]
        breaks_after = dice.choice([1, 2, 99])
        for number, page in enumerate(x_walk.by_ids(timeline.ask, read, cursor), start=1):
            seen |= ids_of([page])
            cursor = dict(page.cursor)
            if dice.random() < 0.3:
                timeline.ids.append(snowflake(now, 100 + dice.randrange(10**6)))
            if number == breaks_after:
                break
    seen |= ids_of(list(x_walk.by_ids(timeline.ask, read, cursor)))
    assert set(timeline.ids) <= seen


def test_a_dead_paging_token_of_an_interrupted_walk_starts_it_again_at_the_top() -> None:
    def ask(where: dict[str, str]) -> Any:
        if where.get("token") == "dead":
            raise NetworkError("invalid token", Trouble.PERMANENT)
        return {"data": [{"id": "8"}, {"id": "7"}], "meta": {}}

    cursor = {"token": "dead", "top": "8", "seen": 1}
    assert ids_of(list(x_walk.by_tokens(ask, read, cursor, oldest=timedelta(days=30)))) == {7, 8}


def test_messages_are_walked_down_to_the_last_finished_walk(timeline: Timeline) -> None:
    now = datetime.now(UTC)
    timeline.ids = [snowflake(now - timedelta(hours=number)) for number in range(60)]
    since = str(timeline.ids[2])
    pages = list(x_walk.by_tokens(timeline.ask, read, {"since": since}, oldest=timedelta(days=30)))
    assert len(pages) == 1
    assert set(timeline.ids[:3]) <= ids_of(pages)
