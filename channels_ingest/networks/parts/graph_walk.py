"""How Graph's edges are walked: to the end, resumable, with a cursor that never stands for more than was handed over.

Graph knows neither `since_id` nor a promise about order, so a walk goes from the newest item down, page by page, until
a whole page lies before the last finished walk began (by Graph's own clock), less an overlap. What a walk needs to go
on after an interruption stands under "walk"; a page cursor that has died starts it again at the top.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from channels_ingest.networks.base import Dropped, Item, NetworkError, Page, Trouble
from channels_ingest.networks.parts import values
from channels_ingest.networks.parts.values import Obj, Unusable

OVERLAP = timedelta(minutes=15)
DEEP_EVERY = timedelta(hours=24)
BOUNDS = ("since", "floor", "deep")  # what a finished nested walk leaves in its cursor
END = "end"  # as the page cursor inside a place: nothing is left to read there

Ask = Callable[[str], Obj]  # the page after this cursor
Make = Callable[[Obj], Item]
State = dict[str, Any]


def page_of(answer: Obj) -> tuple[list[Any], str]:
    """The rows of a page and the cursor of the next one, "" at the end. `paging.next` itself holds the token, so it is
    only looked at, never kept."""
    paging = values.mapping(answer.get("paging"))
    if not paging.get("next"):
        return values.listing(answer.get("data")), ""
    after = values.identifier(values.mapping(paging.get("cursors")).get("after"))
    return values.listing(answer.get("data")), after or _after_in(paging)


def _after_in(paging: Mapping[str, Any]) -> str:
    found = re.search(r"[?&]after=([\w%=.-]{1,500})", values.url(paging.get("next")))
    return found[1] if found else ""


def made(rows: Iterable[Any], make: Make) -> tuple[list[Item], list[Dropped]]:
    """The items of a page, and what cannot be one: a bad one does not stop the rest."""
    items: list[Item] = []
    dropped: list[Dropped] = []
    for row in rows:
        try:
            items.append(make(values.mapping(row)))
        except Unusable as problem:
            dropped.append(Dropped(str(problem), values.storable(row)))
    return items, dropped


def pages(ask: Ask, after: str = "") -> Iterator[tuple[list[Any], str]]:
    """Every page of an edge from `after` on, each with the cursor of the next one ("" at the end). A cursor that has
    died meanwhile starts again at the top. Raises NetworkError."""
    rows, upcoming = page_of(_first(ask, after))
    asked = {after}
    while True:
        yield rows, upcoming
        if not upcoming:
            return
        if upcoming in asked:
            raise NetworkError("Facebook repeats the same page.", Trouble.TEMPORARY, code="paging")
        asked.add(upcoming)
        rows, upcoming = page_of(ask(upcoming))


def _first(ask: Ask, after: str) -> Obj:
    try:
        return ask(after)
    except NetworkError as problem:
        if not after or problem.trouble != Trouble.PERMANENT:
            raise
    return ask("")


def bound(stamp: object) -> datetime | None:
    """From when on to read again, given when the last finished walk began; None reads everything."""
    at = values.moment(stamp)
    return at - OVERLAP if at else None


def all_before(rows: Iterable[Any], limit: datetime | None, name: str = "created_time") -> bool:
    """Whether everything on a page is older than the limit (and something is on it)."""
    times = [values.moment(values.mapping(row).get(name)) for row in rows]
    return bool(limit and times) and all(at is not None and limit is not None and at < limit for at in times)


def newest_first(ask: Ask, make: Make, now: Callable[[], datetime], cursor: Mapping[str, Any]) -> Iterator[Page]:
    """The pages of an edge that lists its newest items first."""
    walk = dict(values.mapping(cursor.get("walk")))
    since = cursor.get("since")
    limit = bound(since)
    for rows, after in pages(ask, str(walk.get("after", ""))):
        start = walk.setdefault("start", now().isoformat())
        items, dropped = made(rows, make)
        if not after or all_before(rows, limit):
            yield Page(tuple(items), {"since": start}, tuple(dropped))
            return
        walk["after"] = after
        yield Page(tuple(items), _known(since) | {"walk": dict(walk)}, tuple(dropped))


def _known(since: object) -> State:
    return {"since": since} if since else {}


@dataclass(slots=True)
class Nested:
    """A walk over a list of places (posts, conversations) and what was said in each.

    `places(edge, after)` asks for a page of the list, `said(place, after)` for a page of what was said there, newest
    first; `make(row, place)` makes the item. `updated` is the member that says when something was last said in a place;
    one without it is always read. `fresh` is how old a place may be in an ordinary walk: once a day a deep walk looks
    at all of them. Without it the list is taken to put the places first in which something was said last.
    """

    edges: tuple[str, ...]
    places: Callable[[str, str], Obj]
    said: Callable[[str, str], Obj]
    make: Callable[[Obj, Obj], Item]
    now: Callable[[], datetime]
    updated: str = "updated_time"
    fresh: timedelta | None = None
    state: State = field(default_factory=dict)
    walk: State = field(default_factory=dict)

    def pages(self, cursor: Mapping[str, Any]) -> Iterator[Page]:
        self.state = {name: cursor[name] for name in BOUNDS if cursor.get(name)}
        self.walk = dict(values.mapping(cursor.get("walk")))
        begun = self.walk.get("edge")
        for edge in self.edges[self.edges.index(begun) if begun in self.edges else 0 :]:
            self.walk["edge"] = edge
            yield from self._edge(edge)
            for name in ("after", "place", "inside"):
                self.walk.pop(name, None)
        yield Page((), self._finished())

    def _edge(self, edge: str) -> Iterator[Page]:
        for rows, after in pages(lambda at: self.places(edge, at), str(self.walk.get("after", ""))):
            self.walk.setdefault("start", self.now().isoformat())
            self.walk.setdefault("wide", self._is_deep())
            for place in self._to_read(rows):
                yield from self._place(place)
            self.walk.pop("place", None)
            self.walk["after"] = after
            yield Page((), self._cursor())
            if self._is_enough(rows):
                return

    def _is_deep(self) -> bool:
        deep = values.moment(self.state.get("deep"))
        return self.fresh is None or deep is None or self.now() - deep > DEEP_EVERY

    def _is_enough(self, rows: list[Any]) -> bool:
        if self.fresh is None:
            return all_before(rows, bound(self.state.get("since")), self.updated)
        return not self.walk["wide"] and all_before(rows, self.now() - self.fresh)

    def _to_read(self, rows: list[Any]) -> list[Obj]:
        """The places of a page in which something was said since, from where an interrupted walk stood."""
        found = [row for row in values.objects(rows) if values.identifier(row.get("id")) and self._is_news(row)]
        ids = [row["id"] for row in found]
        standing = self.walk.get("place")
        if standing not in ids:
            return found
        return found[ids.index(standing) + (self.walk.get("inside") == END) :]

    def _is_news(self, row: Obj) -> bool:
        at, limit = values.moment(row.get(self.updated)), self._list_limit(row)
        return at is None or limit is None or at >= limit

    def _list_limit(self, row: Obj) -> datetime | None:
        return bound(self.state.get("deep" if self._is_old(row) else "since"))

    def _is_old(self, row: Obj) -> bool:
        """Whether only the deep walks look at this place."""
        at = values.moment(row.get("created_time"))
        return bool(self.fresh and at and at < self.now() - self.fresh)

    def _said_limit(self, row: Obj) -> datetime | None:
        """How far back to read in a place. Where the list reorders itself, a place may have been missed by the last
        walk, because it moved up while that one went down: so down to where the walk before that began."""
        if self.fresh is None:
            return bound(self.state.get("floor"))
        return self._list_limit(row)

    def _place(self, place: Obj) -> Iterator[Page]:
        place_id, limit = str(place["id"]), self._said_limit(place)
        inside = str(self.walk.get("inside", "")) if self.walk.get("place") == place_id else ""
        self.walk["place"] = place_id
        try:
            for rows, after in pages(lambda at: self.said(place_id, at), inside):
                items, dropped = made(rows, lambda row: self.make(row, place))
                self.walk["inside"] = END if all_before(rows, limit) else after or END
                yield Page(tuple(items), self._cursor(), tuple(dropped))
                if self.walk["inside"] == END:
                    break
        except NetworkError as problem:
            if problem.trouble != Trouble.PERMANENT:
                raise
            # Deleted meanwhile, or not for us: the other places are read all the same.
            yield Page((), self._cursor(), (Dropped(f"cannot be read: {problem.message}", {"id": place_id}),))
        self.walk.pop("inside", None)

    def _cursor(self) -> State:
        return {**self.state, "walk": dict(self.walk)}

    def _finished(self) -> State:
        start = self.walk.get("start") or datetime.now(UTC).isoformat()
        deep = start if self.walk.get("wide") else self.state.get("deep")
        floor = self.state.get("since")
        return {"since": start, "deep": deep} | ({"floor": floor} if floor else {})
