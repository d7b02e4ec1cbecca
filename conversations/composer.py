"""What the composer of a thread shows: the ways to answer, what was typed, and why it was not sent."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from channels_ingest.networks.base import Action
from conversations.allowed import Possibility, possibilities
from conversations.forms import LANES, NOTE

if TYPE_CHECKING:
    from conversations.models import Interaction, Thread


@dataclass(frozen=True, slots=True)
class Lane:
    """One way to answer. `reason` says why not where it is not allowed, or what to mind where it is."""

    key: str
    label: str
    allowed: bool
    reason: str = ""
    until: datetime | None = None
    limit: int | None = None
    opens_private: bool = False  # the first private word after a public item
    answers: Interaction | None = None


@dataclass(slots=True)
class Composer:
    """`key` stays the same until the answer is written: Send pressed twice is one answer."""

    lanes: list[Lane]
    chosen: str
    text: str = ""
    key: str = field(default_factory=lambda: str(uuid.uuid4()))
    seen: int | None = None
    problem: str = ""
    newer: Sequence[Interaction] = ()

    @classmethod
    def fresh(cls, thread: Thread) -> Composer:
        """Empty, on the lane where the customer spoke last."""
        lanes = _lanes(thread)
        return cls(lanes=lanes, chosen=_first_choice(thread, lanes))

    @classmethod
    def again(
        cls,
        thread: Thread,
        given: Mapping[str, Any],
        *,
        problem: str = "",
        newer: Sequence[Interaction] = (),
        fresh_key: bool = False,
    ) -> Composer:
        """With what was typed. What is newer has been shown then, so that the next Send does not ask again for it."""
        composer = cls.fresh(thread)
        composer.text = str(given.get("text", ""))
        if any(lane.key == given.get("lane") for lane in composer.lanes):
            composer.chosen = str(given["lane"])
        if not fresh_key:
            composer.key = _uuid(given.get("key")) or composer.key
        composer.problem, composer.newer = problem, newer
        composer.seen = max((item.pk for item in newer if item.is_inbound), default=_number(given.get("seen")))
        return composer

    @property
    def lane(self) -> Lane:
        return next(lane for lane in self.lanes if lane.key == self.chosen)


def _lanes(thread: Thread) -> list[Lane]:
    possible = possibilities(thread)
    found = {Action.REPLY.value: _lane_of(possible.reply), Action.MESSAGE.value: _lane_of(possible.message)}
    return [found.get(key) or Lane(key, str(label), True) for key, label in LANES]


def _lane_of(possible: Possibility) -> Lane:
    verdict = possible.verdict
    return Lane(
        key=possible.action.value,
        label=str(dict(LANES)[possible.action.value]),
        allowed=verdict.allowed,
        reason=verdict.reason,
        until=verdict.until,
        limit=possible.limit,
        opens_private=possible.private_reply,
        answers=possible.item,
    )


def _first_choice(thread: Thread, lanes: Sequence[Lane]) -> str:
    """Where the customer spoke last, if we may answer there; else the first open lane."""
    answerable = [lane for lane in lanes if lane.allowed and lane.key != NOTE and not lane.opens_private]
    newest = max(
        answerable, key=lambda lane: lane.answers.posted_at if lane.answers else thread.created_at, default=None
    )
    return newest.key if newest else next(lane.key for lane in lanes if lane.allowed)


def _uuid(value: Any) -> str:
    try:
        return str(uuid.UUID(str(value)))
    except ValueError:
        return ""


def _number(value: Any) -> int | None:
    return int(value) if isinstance(value, str) and value.isdecimal() and len(value) < 19 else None
