"""What a search finds, and its place in the order newest first."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from conversations.query import Filter

BEGINNING = datetime(9999, 1, 1, tzinfo=UTC)  # of a search, which goes back through time
END = datetime(1, 1, 2, tzinfo=UTC)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CURSOR = re.compile(r"(\d{1,17})\.([01])\.(\d{1,18})\Z", re.ASCII)
Match = tuple[datetime, int, int]  # when, interaction, thread


@dataclass(frozen=True, slots=True)
class Hit:
    """A thread that was found: when its newest match was said, and that interaction (None: found by its people)."""

    at: datetime
    thread: int
    interaction: int | None

    @property
    def order(self) -> tuple[datetime, int, int]:
        return self.at, self.interaction is None, self.interaction or self.thread

    @property
    def cursor(self) -> str:
        at, kind, pk = self.order
        return f"{(at - _EPOCH) // timedelta(microseconds=1)}.{int(kind)}.{pk}"


@dataclass(frozen=True, slots=True)
class After:
    """The place after a hit, in the order newest first."""

    at: datetime
    kind: int
    pk: int

    @classmethod
    def read(cls, cursor: str) -> After:
        """The place a cursor names; the very beginning for anything else."""
        match = _CURSOR.match(cursor)
        if match is not None:
            try:
                return cls(_EPOCH + timedelta(microseconds=int(match[1])), int(match[2]), int(match[3]))
            except OverflowError:
                pass
        return cls(BEGINNING, 0, 0)

    def passes(self, hit: Hit) -> bool:
        return hit.order < (self.at, bool(self.kind), self.pk)


@dataclass(frozen=True, slots=True)
class Span:
    """When the words that are found may have been said: from `since` on, before `until`."""

    since: datetime = END
    until: datetime = BEGINNING

    KEYS = ("before", "after")

    @classmethod
    def of(cls, filters: Sequence[Filter]) -> Span:
        """As the filters narrow it."""
        told = [(one.value, (one.key == "before") != one.without) for one in filters if one.key in cls.KEYS]
        moments = [(value, is_end) for value, is_end in told if isinstance(value, datetime)]
        return cls(
            max((value for value, is_end in moments if not is_end), default=END),
            min((value for value, is_end in moments if is_end), default=BEGINNING),
        )
