"""The views with their bounded counts, as tabs above the list."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Any
from urllib.parse import urlencode

from django.db.models.fields.json import KT

from accounts.models import User
from conversations import bell, prepared
from conversations.choosing import in_view, looked_at, of_brands
from conversations.counting import count_in_time, to_prepare, up_to
from conversations.models import SavedView, Thread
from conversations.question import Asker
from conversations.statements import ANYBODY, Question, statement_of
from conversations.wanted import VIEWS, Wanted

PINNED = ("mine", "unassigned", "mentions")  # beside each other; the last gives its place to the view that is open
MOST_SAVED = 30
COUNT_LIMIT = 100  # "99+": a badge never counts further
COUNTED = ("mine", "unassigned", "mentions", "all", "waiting", "promises", "hanging", "snoozed")
UNREAD = "unread notifications"


@dataclass(frozen=True, slots=True)
class Tab:
    key: str
    label: str
    count: int | None  # None: not counted
    current: bool
    saved: SavedView | None = None
    pinned: bool = False  # stands in the row of tabs; the others stand below "More"

    @property
    def query(self) -> str:
        return self.saved.query if self.saved else urlencode({"view": self.key})

    @property
    def shown(self) -> str:
        """The count as a badge shows it."""
        if self.count is None:
            return ""
        return f"{COUNT_LIMIT - 1}+" if self.count >= COUNT_LIMIT else str(self.count)


def views_of(user: User) -> list[Tab]:
    """The views by name alone, the saved ones last."""
    saved = _saved_seen(user)
    built_in = [Tab(key, str(label), None, False) for key, label in VIEWS.items()]
    return built_in + [Tab(f"saved-{one.pk}", one.name, None, False, saved=one) for one in saved]


def tabs_of(user: User, wanted: Wanted, brands: Collection[int]) -> list[Tab]:
    """The views with their bounded counts, the saved ones last. A fixed number of queries, unless time runs out."""
    return tabs_and_unread(user, wanted, brands)[0]


def tabs_and_unread(user: User, wanted: Wanted, brands: Collection[int]) -> tuple[list[Tab], int]:
    """The tabs, and what the bell counts, for which one statement is asked."""
    saved = _saved_seen(user)
    counts = _counts(Asker(user, brands), saved)
    built_in = [
        Tab(key, str(label), counts[key] if key in COUNTED else None, key == wanted.place)
        for key, label in VIEWS.items()
    ]
    every = built_in + [
        Tab(f"saved-{one.pk}", one.name, counts.get(f"saved-{one.pk}"), wanted.saved == one.pk, saved=one)
        for one in saved
    ]
    here = [tab.key for tab in every if tab.current and tab.key not in PINNED[:-1]]
    pinned = {*PINNED[:-1], *here} if here else set(PINNED)
    return [replace(tab, pinned=tab.key in pinned) for tab in every], counts[UNREAD]


def _saved_seen(user: User) -> list[SavedView]:
    """The first saved views that the user sees, as far as a tab tells of them."""
    found = prepared.rows(_saved_seen_by_anybody(), [user.pk])
    return [SavedView(pk=pk, name=name, order=order, asks={"q": text or ""}) for pk, name, order, text in found]


@cache
def _saved_seen_by_anybody() -> str:
    seen = SavedView.objects.visible_to(User(pk=ANYBODY))
    return statement_of(seen.values_list("pk", "name", "order", KT("asks__q"))[:MOST_SAVED], [ANYBODY])


def _counts(asker: Asker, saved: Collection[SavedView]) -> dict[str, int]:
    """The counts by the keys of the tabs; a saved view that takes too long has none."""
    (counted,) = prepared.rows(_views_counted(len(asker.brands)), [asker.user.pk, *asker.brands])
    asked = {f"saved-{one.pk}": _question(asker, one.text) for one in saved}
    return dict(zip((*COUNTED, UNREAD), counted, strict=True)) | count_in_time(asked)


def _question(asker: Asker, text: str) -> Question:
    """Which threads a saved view holds."""
    wanted = Wanted(view="any", text=text)
    kept = _question_kept(wanted, len(asker.brands))
    if kept is None:
        return up_to(looked_at(asker, wanted), COUNT_LIMIT)
    real = dict(zip(_stand_ins(len(asker.brands)), [asker.user.pk, *asker.brands], strict=True))
    sql, values = kept
    return sql, [_real(value, real, asker.now) for value in values]


def _real(value: Any, real: Mapping[Any, int], now: datetime) -> Any:
    """What a value of a kept question is now: a moment in it was counted from another present."""
    return now + (value - _ANY_MOMENT) if isinstance(value, datetime) else real.get(value, value)


@lru_cache(maxsize=1_000)
def _question_kept(wanted: Wanted, brands: int) -> Question | None:
    """Made once for everybody with so many brands; None where the text names somebody, something or a day."""
    if not all(one.key in _SAME_FOR_ALL for one in wanted.asked.filters):
        return None
    return up_to(looked_at(_anybody(brands), wanted), COUNT_LIMIT)


_SAME_FOR_ALL = ("is", "lang", "mood", "urgency", "reach", "audience", "age", "waiting", "due")


# What stands for the present in SQL that is made once.
_ANY_MOMENT = datetime(4000, 1, 1, tzinfo=UTC)


def _stand_ins(brands: int) -> list[int]:
    """For the user, then for each of their brands. No row has such an id."""
    return [ANYBODY - number for number in range(brands + 1)]


def _anybody(brands: int) -> Asker:
    user, *some = _stand_ins(brands)
    return Asker(User(pk=user), some, _ANY_MOMENT)


@lru_cache(maxsize=64)
def _views_counted(brands: int) -> str:
    """The statement that counts each view, and what the bell does, for a user (`$1`) who sees so many brands (`$2` and
    on)."""
    anybody = _anybody(brands)
    seen = of_brands(anybody.brands, Thread.objects.all())
    asked = {key: up_to(in_view(seen, key, anybody.user), COUNT_LIMIT) for key in COUNTED}
    asked[UNREAD] = up_to(bell.unread(anybody.user, seen), bell.MOST_COUNTED)
    return to_prepare(asked, _stand_ins(brands))
