"""How X's lists are walked: to the end, resumable, with a cursor that never stands for more than was handed over.

Lists come newest first. A walk goes from the newest item down to where the last finished walk began, less an overlap in
which late items are found. Its cursor is

    {"since": newest id of the last finished walk, "at": when that one finished}
    + {"top", "until", "seen"} while a walk is under way: its newest id, its oldest so far, how many items it saw.

An interrupted walk goes on below `until`, and then a fresh one looks for what came meanwhile. Ids are used to page, not
tokens: a token dies, and items that come or go while one pages shift what it points to. Where a page is empty or not in
the order of ids, the token is followed all the same.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from channels_ingest.networks.base import Dropped, Item, NetworkError, Page, Trouble
from channels_ingest.networks.parts import values
from channels_ingest.networks.parts.values import Obj
from channels_ingest.networks.parts.x_posts import FIRST_SNOWFLAKE, snowflake_time

OVERLAP = timedelta(minutes=15)
OVERLAP_IDS = 200  # for ids that hold no time
NEAR_LIMIT = 20
DISORDER = ""  # as `until`: ids do not fall, so tokens are followed, and an interrupted walk starts again at the top

Ask = Callable[[dict[str, str]], Obj]
Read = Callable[[Obj], tuple[list[Item], list[Dropped]]]
State = dict[str, Any]


def with_overlap(newest: object) -> int:
    """The id from which to read again, given the newest that was read; 0 reads everything."""
    digits = values.digits(newest)
    if not digits:
        return 0
    number = int(digits)
    back = int(OVERLAP.total_seconds() * 1000) << 22 if number >= FIRST_SNOWFLAKE else OVERLAP_IDS
    return max(0, number - back)


def by_ids(
    ask: Ask, read: Read, cursor: Mapping[str, Any], *, reach: int | None = None, oldest: timedelta | None = None
) -> Iterator[Page]:
    """Pages of a list that knows `since_id` and `until_id`.

    `reach` is how many of the newest items the network keeps reachable, `oldest` how far back in time it looks: where
    that was not enough to get back to the last walk, the gap is reported as `Dropped`.
    """
    state = dict(cursor)
    interrupted = "top" in state
    for page in _descent(ask, read, state, reach, oldest):
        state = dict(page.cursor)
        yield page
    if interrupted:
        yield from _descent(ask, read, state, reach, oldest)


def _descent(ask: Ask, read: Read, state: State, reach: int | None, oldest: timedelta | None) -> Iterator[Page]:
    token, until, asked = "", str(state.get("until", "")), set[str]()
    while True:
        answer = ask(_where(state, until, token, oldest))
        ids, upcoming = _ids(answer), _next_token(answer)
        in_order = _in_order(ids, state)
        state = _seen(state, ids, in_order)
        items, dropped = read(answer)
        if not upcoming:
            gap = _gap(state, reach, oldest)
            yield Page(tuple(items), _finished(state), (*dropped, *gap))
            return
        yield Page(tuple(items), state, tuple(dropped))
        token, until = ("", state["until"]) if in_order else (upcoming, until)
        if token in asked:
            raise NetworkError("X repeats the same page.", Trouble.TEMPORARY, code="paging")
        asked.update({token} - {""})


def _where(state: State, until: str, token: str, oldest: timedelta | None) -> dict[str, str]:
    where = {}
    since = with_overlap(state.get("since"))
    if since and not _too_old(since, oldest):
        where["since_id"] = str(since)
    if token:
        where["token"] = token
    if until:
        where["until_id"] = until
    return where


def _too_old(since: int, oldest: timedelta | None) -> bool:
    made_at = snowflake_time(str(since))
    return bool(oldest and made_at and made_at < datetime.now(UTC) - oldest)


def _ids(answer: Obj) -> list[int]:
    return [int(digits) for one in values.objects(answer.get("data")) if (digits := values.digits(one.get("id")))]


def _next_token(answer: Obj) -> str:
    return values.identifier(values.mapping(answer.get("meta")).get("next_token"))


def _in_order(ids: list[int], state: State) -> bool:
    falling = all(one > two for one, two in itertools.pairwise(ids))
    above = state.get("until")
    return bool(ids) and falling and above != DISORDER and (above is None or ids[0] < int(above))


def _seen(state: State, ids: list[int], in_order: bool) -> State:
    state = {**state, "seen": state.get("seen", 0) + len(ids)}
    if ids:
        state["top"] = str(max(*ids, int(state.get("top", 0))))
    if in_order:
        state["until"] = str(ids[-1])
    elif ids:
        state["until"] = DISORDER
    return state


def _gap(state: State, reach: int | None, oldest: timedelta | None) -> list[Dropped]:
    """Whether the walk ended because the network reaches no further, short of where the last one began."""
    since, bottom = state.get("since"), state.get("until")
    if since is None or (bottom and int(bottom) <= int(since)):
        return []
    cut_off = reach is not None and reach - NEAR_LIMIT <= state["seen"] <= reach
    at = values.moment(state.get("at"))
    too_late = bool(oldest and at and at < datetime.now(UTC) - oldest)
    if not cut_off and not too_late:
        return []
    return [
        Dropped("gap: the network does not reach back to where the last pull ended", {"after": since, "before": bottom})
    ]


def _finished(state: State) -> State:
    newest = max((state.get("top", ""), state.get("since", "")), key=lambda one: int(one or 0))
    return ({"since": newest} if newest else {}) | {"at": datetime.now(UTC).isoformat()}


def by_tokens(ask: Ask, read: Read, cursor: Mapping[str, Any], *, oldest: timedelta) -> Iterator[Page]:
    """Pages of a list that knows no ids to page by (direct messages): the token is kept, and when it has died the walk
    starts again at the top, down to where the last finished one began."""
    state = dict(cursor)
    interrupted = "token" in state
    for page in _token_descent(ask, read, state, oldest):
        state = dict(page.cursor)
        yield page
    if interrupted:
        yield from _token_descent(ask, read, state, oldest)


def _token_descent(ask: Ask, read: Read, state: State, oldest: timedelta) -> Iterator[Page]:
    asked = set[str]()
    since = with_overlap(state.get("since"))
    while True:
        answer, state = _ask_or_restart(ask, state, first=not asked)
        ids, upcoming = _ids(answer), _next_token(answer)
        state = {**_seen(state, ids, in_order=False), "token": upcoming}
        items, dropped = read(answer)
        if not upcoming or (ids and since and min(ids) <= since):
            gap = [] if ids and since and min(ids) <= since else _gap(state, None, oldest)
            yield Page(tuple(items), _finished(state), (*dropped, *gap))
            return
        yield Page(tuple(items), state, tuple(dropped))
        if upcoming in asked:
            raise NetworkError("X repeats the same page.", Trouble.TEMPORARY, code="paging")
        asked.add(upcoming)


def _ask_or_restart(ask: Ask, state: State, *, first: bool) -> tuple[Obj, State]:
    token = state.get("token", "")
    try:
        return ask({"token": token} if token else {}), state
    except NetworkError as problem:
        if not (first and token and problem.trouble == Trouble.PERMANENT):
            raise
    state = {key: value for key, value in state.items() if key != "token"}
    return ask({}), state
