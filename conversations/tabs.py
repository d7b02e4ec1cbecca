"""The views with their bounded counts, as tabs above the list."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from django.utils import timezone

from accounts.models import User
from conversations.choosing import in_view, looked_at, of_brands
from conversations.counting import Question, count_in_time, up_to
from conversations.models import SavedView, Thread
from conversations.query import parse
from conversations.question import Asker
from conversations.wanted import VIEWS, Wanted

PINNED = ("mine", "unassigned", "mentions")  # beside each other; the last gives its place to the view that is open
MOST_SAVED = 30
COUNT_LIMIT = 100  # "99+": a badge never counts further
COUNTED = ("mine", "unassigned", "mentions", "all", "waiting", "promises", "hanging", "snoozed")


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
    saved = SavedView.objects.visible_to(user)[:MOST_SAVED]
    built_in = [Tab(key, str(label), None, False) for key, label in VIEWS.items()]
    return built_in + [Tab(f"saved-{one.pk}", one.name, None, False, saved=one) for one in saved]


def tabs_of(user: User, wanted: Wanted, brands: Collection[int]) -> list[Tab]:
    """The views with their bounded counts, the saved ones last. A fixed number of queries, unless time runs out."""
    saved = list(SavedView.objects.visible_to(user).select_related("owner")[:MOST_SAVED])
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
    return [replace(tab, pinned=tab.key in pinned) for tab in every]


def _counts(asker: Asker, saved: Collection[SavedView]) -> dict[str, int]:
    """The counts by the keys of the tabs; a saved view that takes too long has none."""
    real: dict[Any, Any] = dict(zip(_stand_ins(len(asker.brands)), asker.brands, strict=True)) | {
        _ANYBODY: asker.user.pk
    }

    def put_in(question: Question) -> Question:
        sql, values = question
        return sql, [real.get(value, value) for value in values]

    built_in = {key: put_in(question) for key, question in _views_counted(len(asker.brands)).items()}
    asked = {f"saved-{one.pk}": put_in(_question(asker, one.text)) for one in saved}
    return count_in_time(built_in, asked)


def _question(asker: Asker, text: str) -> Question:
    """Which threads a saved view holds; made once where nothing in it depends on the moment, or is a name."""
    if all(
        one.key in _SAME_FOR_ALL and one.value != "overdue" for one in parse(text, now=timezone.localtime()).filters
    ):
        return _question_kept(text, len(asker.brands))
    return up_to(looked_at(asker, Wanted(view="any", text=text)), COUNT_LIMIT)


_SAME_FOR_ALL = ("is", "lang", "mood", "urgency", "reach", "audience")


@lru_cache(maxsize=1_000)
def _question_kept(text: str, brands: int) -> Question:
    anybody = Asker(User(pk=_ANYBODY), _stand_ins(brands))
    return _lasting(up_to(looked_at(anybody, Wanted(view="any", text=text)), COUNT_LIMIT))


def _lasting(question: Question) -> Question:
    """Raises TypeError for a question whose values would not stay right."""
    if any(isinstance(value, datetime) for value in question[1]):
        raise TypeError("A view that depends on the moment cannot be kept.")
    return question


# What stands for a user and for brands in SQL that is made once. No row has such an id.
_ANYBODY = -1_000_000


def _stand_ins(brands: int) -> range:
    return range(_ANYBODY - brands, _ANYBODY)


@lru_cache(maxsize=64)
def _views_counted(brands: int) -> dict[str, Question]:
    """The SQL and its values for each counted view over so many brands: making it took longer than running it.

    Raises TypeError for a view whose values would not stay right.
    """
    anybody = User(pk=_ANYBODY)
    views = {key: in_view(Thread.objects.all(), key, anybody) for key in COUNTED}
    return {key: _lasting(up_to(of_brands(_stand_ins(brands), threads), COUNT_LIMIT)) for key, threads in views.items()}
