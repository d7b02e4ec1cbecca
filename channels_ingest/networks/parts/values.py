"""Values from outside, made safe to keep: every function takes anything and returns something sane, or says why not.

PostgreSQL can store neither NUL characters nor lone surrogates, and JSON has no infinity: they are taken out here,
once, for every network.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

Obj = Mapping[str, Any]

TEXT_LIMIT = 100_000  # characters; the longest text of a network we speak is 25,000 (X)
NAME_LIMIT = 200
URL_LIMIT = 2_048
ID_LIMIT = 255
LIST_LIMIT = 2_000
DEPTH_LIMIT = 40
BIGGEST_COUNT = 2**63 - 1

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_ID = re.compile(r"[\x21-\x7e]{1,255}")
_DIGITS = re.compile(r"[0-9]{1,19}")
_URL = re.compile(r"https?://[^\s\x00-\x1f<>\"\\]+", re.IGNORECASE)
_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
_LATEST = datetime(2100, 1, 1, tzinfo=UTC)


class Unusable(Exception):
    """Something the network sent cannot become an item; the message says why."""


def text(value: object, limit: int = TEXT_LIMIT) -> str:
    """The string without what cannot be stored, at most `limit` characters; "" for anything that is no string."""
    return _UNSTORABLE.sub("", value[:limit]) if isinstance(value, str) else ""


def name(value: object) -> str:
    """A name or a handle: one line, at most `NAME_LIMIT` characters."""
    return " ".join(text(value, NAME_LIMIT).split())


def identifier(value: object) -> str:
    """An id as the opaque string it is, or "" where it cannot be one (wrong type, spaces, absurd length)."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if abs(value) <= BIGGEST_COUNT else ""
    return value if isinstance(value, str) and _ID.fullmatch(value) else ""


def needed_id(value: object, what: str) -> str:
    """An id that must be there. Raises Unusable."""
    found = identifier(value)
    if not found:
        raise Unusable(f"no usable {what}")
    return found


def digits(value: object) -> str:
    """An id made of 1 to 19 digits, or ""."""
    found = identifier(value)
    return found if _DIGITS.fullmatch(found) else ""


def count(value: object) -> int | None:
    """A number of things, never negative."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= BIGGEST_COUNT:
        return value
    return None


def truth(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def url(value: object) -> str:
    """An http(s) address, or ""."""
    return value if isinstance(value, str) and len(value) <= URL_LIMIT and _URL.fullmatch(value) else ""


def moment(value: object) -> datetime | None:
    """A time in UTC out of ISO 8601 (a zone is needed) or the seconds since 1970; None for anything else."""
    try:
        if isinstance(value, str):
            found = datetime.fromisoformat(value[:40])
        elif isinstance(value, int | float) and not isinstance(value, bool):
            found = datetime.fromtimestamp(value, UTC)
        else:
            return None
    except (ValueError, OverflowError, OSError):
        return None
    if found.tzinfo is None:
        return None
    try:
        found = found.astimezone(UTC)
    except OverflowError:
        return None
    return found if _EARLIEST < found < _LATEST else None


def needed_moment(value: object, what: str = "time") -> datetime:
    """A time that must be there. Raises Unusable."""
    found = moment(value)
    if found is None:
        raise Unusable(f"no usable {what}")
    return found


def milliseconds(value: object) -> datetime | None:
    """A time out of milliseconds since 1970, a number or its digits."""
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        value = int(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return moment(value / 1000)
    return None


def mapping(value: object) -> Obj:
    """The JSON object, or an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def listing(value: object) -> list[Any]:
    """The JSON array (its first `LIST_LIMIT` members), or an empty one for anything else."""
    return value[:LIST_LIMIT] if isinstance(value, list) else []


def objects(value: object) -> Iterator[Obj]:
    """The JSON objects inside a JSON array."""
    return (one for one in listing(value) if isinstance(one, dict))


def either(source: Obj, *names: str) -> Any:
    """The first of these members that is there and not null."""
    return next((source[one] for one in names if source.get(one) is not None), None)


def storable(value: object, depth: int = 0) -> Any:
    """A JSON value that PostgreSQL can store: bounded in depth and length, without NUL, surrogates and infinities."""
    if isinstance(value, str):
        return text(value)
    if isinstance(value, dict | list | tuple):
        return _storable_members(value, depth + 1) if depth < DEPTH_LIMIT else None
    if isinstance(value, int):
        return value if abs(value) <= BIGGEST_COUNT else None
    return value if isinstance(value, float) and math.isfinite(value) else None


def _storable_members(value: dict[Any, Any] | list[Any] | tuple[Any, ...], depth: int) -> Any:
    if isinstance(value, dict):
        members = list(value.items())[:LIST_LIMIT]
        return {_member_name(key): storable(member, depth) for key, member in members}
    return [storable(member, depth) for member in value[:LIST_LIMIT]]


@lru_cache(maxsize=1_000)
def _member_name(key: object) -> str:
    return text(str(key), NAME_LIMIT)


def parse_json(body: bytes) -> Any:
    """What a JSON body says. Raises ValueError for anything broken, also for nesting too deep to read."""
    try:
        return json.loads(body)
    except RecursionError:
        raise ValueError("nested too deep") from None
