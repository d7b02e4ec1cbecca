"""What agents type into the search box, taken apart: words, "phrases", and filters such as `from:maya is:waiting`.

Pure: knows no database. What is not understood is kept as a problem in plain words, and the rest still counts.
A minus turns a filter or a word around: `-tag:refund`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from difflib import get_close_matches

from django.utils.translation import gettext as _

MOST_TERMS = 20
LONGEST = 300
_TERM = re.compile(r'(-?)(?:([a-z]+):)?(?:"([^"]*)"?|(\S*))', re.IGNORECASE)
_SPAN = re.compile(r"(\d{1,5})\s*(min|m|h|d|w)\Z")
_UNITS = {"m": "minutes", "min": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_SIZE = re.compile(r"(\d{1,9})(k|m)?\Z", re.IGNORECASE)
_THOUSANDS = {"": 1, "k": 1_000, "m": 1_000_000}
STATES = (
    "public", "private", "open", "closed", "snoozed", "unread", "waiting", "overdue", "unassigned", "mine", "hanging",
    "mentioned",
)  # fmt: skip
AUDIENCES = ("one-to-one", "one-to-many", "one-to-one-to-many")
ALIKE = 0.7  # how much an unknown key must look like a known one to be taken for a slip


@dataclass(frozen=True, slots=True)
class Word:
    """A word or a phrase of a text. `prefix`: also as the beginning of a longer word."""

    text: str
    phrase: bool = False
    prefix: bool = False
    without: bool = False


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition: `value` is checked, as it is stored (moments in UTC, spans of time, numbers)."""

    key: str
    value: str | int | datetime | timedelta
    without: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    words: tuple[Word, ...] = ()
    filters: tuple[Filter, ...] = ()
    problems: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.words or self.filters)


class NotUnderstood(ValueError):
    """The value of a filter means nothing; the message says so kindly."""


def parse(text: str, *, now: datetime) -> Query:
    """Takes a text apart. `now` gives today and the time zone in which dates are meant."""
    words: list[Word] = []
    filters: list[Filter] = []
    problems: list[str] = []
    terms = [match for match in _TERM.finditer(text.replace("\x00", "")[:LONGEST]) if match[0]]
    if len(terms) > MOST_TERMS:
        problems.append(_("Only the first %(count)d words and filters count.") % {"count": MOST_TERMS})
    for match in terms[:MOST_TERMS]:
        minus, key, phrase, bare = match[1], (match[2] or "").lower(), match[3], match[4] or ""
        value = phrase if phrase is not None else bare
        if key not in _READ:
            problems += _slips(key)
            words += _words(f"{key}:{value}" if key else value, minus, phrase is not None and not key)
        elif not value.strip():
            problems.append(_("Say what “%(key)s:” stands for.") % {"key": key})
        else:
            try:
                filters.append(Filter(_SAME.get(key, key), _READ[key](value.strip(), now), bool(minus)))
            except NotUnderstood as problem:
                problems.append(str(problem))
    if words and all(word.without for word in words):
        problems.append(_("A word after a minus narrows a search for other words: add one that is wanted."))
    return Query(tuple(_last_is_begun(words)), tuple(filters), tuple(problems))


def _slips(key: str) -> list[str]:
    """A key that looks like a filter's, and is none: it is looked for as text, and that is said."""
    near = get_close_matches(key, _READ, n=1, cutoff=ALIKE) if key else []
    words = _("“%(key)s:” is no filter, so it is looked for as text. Did you mean “%(near)s:”?")
    return [words % {"key": key, "near": one} for one in near]


def _words(text: str, minus: str, phrase: bool) -> list[Word]:
    parts = re.findall(r"\w+\*?", text)
    if phrase:
        return [Word(" ".join(part.rstrip("*") for part in parts), True, False, bool(minus))] if parts else []
    if len(parts) > 1:  # e-mail addresses, "don't", 24/7: their parts stand side by side
        return [Word(" ".join(part.rstrip("*") for part in parts), True, False, bool(minus))]
    return [Word(part.rstrip("*"), False, part.endswith("*"), bool(minus)) for part in parts if part.rstrip("*")]


def _last_is_begun(words: list[Word]) -> list[Word]:
    """The last word may still be being typed."""
    if words and not words[-1].phrase and len(words[-1].text) > 2:
        words[-1] = Word(words[-1].text, prefix=True, without=words[-1].without)
    return words


# -- values -----------------------------------------------------------------------------------------------------------


def _text(value: str, _now: datetime) -> str:
    return value[:100]


def _lower(value: str, _now: datetime) -> str:
    return value.lower()[:100]


def _state(value: str, _now: datetime) -> str:
    if value.lower() not in STATES:
        raise NotUnderstood(
            _("“is:” does not know “%(value)s”. It knows %(all)s.") % {"value": value, "all": ", ".join(STATES)}
        )
    return value.lower()


def _audience(value: str, _now: datetime) -> str:
    said = value.lower().replace("_", "-").replace(" ", "-")
    if said not in AUDIENCES:
        raise NotUnderstood(
            _("“audience:” does not know “%(value)s”. It knows %(all)s.")
            % {"value": value, "all": ", ".join(AUDIENCES)}
        )
    return said


def _moment(value: str, now: datetime) -> datetime:
    """A day (2026-11-20), today, yesterday, or so long ago (3d). The start of the day in the user's time zone."""
    zone: tzinfo = now.tzinfo or UTC
    lowered = value.lower()
    if lowered in ("today", "yesterday"):
        day = now.date() - timedelta(days=lowered == "yesterday")
    elif _SPAN.match(lowered):
        return (now - span_of(lowered)).astimezone(UTC)
    else:
        try:
            day = date.fromisoformat(value)
        except ValueError:
            raise NotUnderstood(
                _("“%(value)s” is no day. Write it as 2026-11-20, today, yesterday or 3d.") % {"value": value}
            ) from None
    try:
        return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
    except OverflowError:
        raise NotUnderstood(_("“%(value)s” is too far away.") % {"value": value}) from None


def span_of(value: str) -> timedelta:
    """How long 30m, 4h, 3d or 2w is. Raises NotUnderstood."""
    match = _SPAN.match(value.lstrip("> ").lower())
    if match is None:
        raise NotUnderstood(_("“%(value)s” is no length of time. Write 30m, 4h, 3d or 2w.") % {"value": value})
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def _span(value: str, _now: datetime) -> timedelta:
    return span_of(value)


def _size(value: str, _now: datetime) -> int:
    match = _SIZE.match(value.lstrip("> "))
    if match is None:
        raise NotUnderstood(_("“%(value)s” is no number of followers. Write 500, 10k or 2m.") % {"value": value})
    return int(match[1]) * _THOUSANDS[(match[2] or "").lower()]


_READ: Mapping[str, Callable[[str, datetime], str | int | datetime | timedelta]] = {
    "from": _text,
    "is": _state,
    "tag": _lower,
    "before": _moment,
    "after": _moment,
    "in": _lower,
    "channel": _lower,
    "brand": _lower,
    "team": _lower,
    "lang": _lower,
    "mood": _lower,
    "urgency": _lower,
    "assignee": _lower,
    "reach": _size,
    "waiting": _span,
    "age": _span,
    "due": _span,
    "audience": _audience,
    "priority": _lower,
}
_SAME = {"priority": "urgency"}
KEYS = tuple(_READ)
