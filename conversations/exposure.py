"""Exposure: how much it matters, in public, that somebody still waits.

exposure = reach x hours unanswered x negativity. Reach is the number of followers, counted in steps of half a decade
(1, 3, 10, 30, ...) and no higher than the brand's cap; negativity is 2 for a negative mood, 1 for any other. Influence
(0 to 1) is the power to which reach and negativity are taken: 0 leaves the hours alone, which is the order of age.

The score changes with every minute, so it is asked for at one moment, which travels in the cursor. Within one step of
reach and one mood the longest wait is the highest score: a page is the merge of a few dozen short walks along one
index, whatever the number of threads.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Case, DateTimeField, ExpressionWrapper, F, FloatField, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Extract, Greatest, Least, Power

STEPS = (1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000, 10_000_000)
MOODS = ("", "unknown", "unsure", "negative", "neutral", "positive")  # every value that Thread.mood takes
NEGATIVE = "negative"
TWICE = 2.0
HOUR = 3600.0
TOP = 1e14  # no score is higher

_CURSOR = re.compile(r"(\d{1,17})~(\d{1,15}(?:\.\d{1,20})?(?:e-\d{1,3})?)~(\d{1,18})\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Factors:
    """What a score is made of, to be shown. Hours are not whole."""

    reach: int
    hours: float
    negativity: float
    influence: float

    @property
    def score(self) -> float:
        return self.hours * weight(self.reach, self.negativity, self.influence)

    @property
    def rounded(self) -> int:
        return round(self.score)


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the order of exposure as it was at a moment (UTC): after this score, and after this id within it."""

    at: datetime
    score: float = TOP
    after: int = 0

    @classmethod
    def read(cls, cursor: str, now: datetime) -> Place:
        """The place a cursor names; the top of the list as it is now for anything else."""
        match = _CURSOR.match(cursor)
        if match is None:
            return cls(now)
        try:
            at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(match[1]))
        except OverflowError:
            return cls(now)
        return cls(min(at, now), float(match[2]), int(match[3]))

    def __str__(self) -> str:
        micros = (self.at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
        return f"{micros}~{self.score!r}~{self.after}"


def step_of(followers: int | None) -> int:
    """The step of reach that a number of followers stands on."""
    return max(bisect_right(STEPS, followers or 0) - 1, 0)


def reach_of(step: int, cap: int) -> int:
    """The number of people a step counts as, under the brand's cap."""
    return max(min(STEPS[min(step, len(STEPS) - 1)], cap), 1)


def negativity_of(mood: str) -> float:
    return TWICE if mood == NEGATIVE else 1.0


def weight(reach: int, negativity: float, influence: float) -> float:
    return float((reach * negativity) ** influence)


def factors(*, step: int, cap: int, mood: str, waiting_since: datetime, at: datetime, influence: float) -> Factors:
    """What makes the score of one thread at a moment."""
    hours = max((at - waiting_since).total_seconds() / HOUR, 0.0)
    return Factors(reach_of(step, cap), hours, negativity_of(mood), influence)


def score_at(at: datetime, influence: float) -> Combinable:
    """The score of a waiting thread as an expression, where threads are compared with each other."""
    known = [When(reach_step=step, then=Value(reach)) for step, reach in enumerate(STEPS)]
    reach = Greatest(Least(Case(*known, default=Value(STEPS[-1])), F("brand__reach_cap")), Value(1))
    negativity = Case(When(mood=NEGATIVE, then=Value(2)), default=Value(1))
    hours = Extract(Value(at, output_field=DateTimeField()) - F("waiting_since"), "epoch") / Value(HOUR)
    whole = Cast(hours, FloatField()) * Power(Cast(reach * negativity, FloatField()), Value(influence))
    return ExpressionWrapper(whole, FloatField())


_PAGE = """
    SELECT found.id, found.score
    FROM unnest(%(brands)s::bigint[], %(steps)s::int[], %(moods)s::text[], %(weights)s::float8[])
        AS walk(brand_id, step, mood, weight)
    CROSS JOIN LATERAL (
        SELECT thread.id, scored.score
        FROM conversations_thread thread
        CROSS JOIN LATERAL (
            SELECT extract(epoch FROM %(at)s - thread.waiting_since)::float8 / 3600 * walk.weight AS score
        ) scored
        WHERE thread.brand_id = walk.brand_id AND thread.reach_step = walk.step AND thread.mood = walk.mood
            AND thread.state = 'open' AND thread.waiting_since IS NOT NULL
            AND thread.waiting_since >= %(at)s
                - make_interval(secs => LEAST(%(score)s / walk.weight, %(longest)s) * 3600 + 1)
            AND thread.waiting_since <= %(at)s
            AND (scored.score, -thread.id) < (%(score)s, -%(after)s)
            AND NOT thread.root_external_id = ANY(%(without)s)
            AND (%(user)s IS NULL OR thread.assignee_id = %(user)s)
        ORDER BY thread.waiting_since, thread.id
        LIMIT %(limit)s
    ) found
    ORDER BY found.score DESC, found.id
    LIMIT %(limit)s
"""
_LONGEST = 24.0 * 365 * 100  # hours: nobody waits longer, and an interval holds no more of them safely


def page(
    caps: Mapping[int, int],
    influence: float,
    place: Place,
    *,
    limit: int,
    only: int | None = None,
    without: Collection[str] = (),
) -> list[tuple[int, float]]:
    """Ids and scores of the waiting threads of these brands ({brand id: cap}) after a place, the highest first.

    `only`: those assigned to this user. `without`: not those under these public posts.
    """
    walks = [
        (brand, step, mood, weight(reach_of(step, cap), negativity_of(mood), influence))
        for brand, cap in caps.items()
        for step in range(len(STEPS))
        for mood in MOODS
    ]
    if not walks:
        return []
    brands, steps, moods, weights = (list(column) for column in zip(*walks, strict=True))
    asked: dict[str, Any] = {
        "brands": brands, "steps": steps, "moods": moods, "weights": weights, "at": place.at, "limit": limit,
        "score": place.score, "longest": _LONGEST, "after": place.after, "user": only,
        "without": list(without),
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_PAGE, asked)
        found: list[tuple[int, float]] = cursor.fetchall()
    return found
