"""How many threads views hold: many bounded counts in one statement, and no longer than a page may wait for them."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from django.db import OperationalError, connection, transaction
from psycopg2.errors import QueryCanceled

PATIENCE = 250  # milliseconds for all counts of saved views, in one statement
SHORT = 50  # for each by itself, where that was not enough
LONGEST = 250  # for all of these

Key = TypeVar("Key")
Question = tuple[str, Sequence[Any]]  # SQL and its values


def count(asked: Mapping[Key, Question]) -> dict[Key, int]:
    """How many rows each question has. One statement."""
    if not asked:
        return {}
    each = ", ".join(f"(SELECT COUNT(*) FROM ({sql}) listed)" for sql, _values in asked.values())  # noqa: S608 (the ORM's own SQL)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {each}", [value for _sql, values in asked.values() for value in values])
        return dict(zip(asked, cursor.fetchone(), strict=True))


def count_in_time(asked: Mapping[str, Question]) -> dict[str, int]:
    """The same for questions that people made up: those that take too long are left out."""
    counts = _within(PATIENCE, asked)
    if counts is not None:
        return counts
    until, found = time.monotonic() + LONGEST / 1000, dict[str, int]()
    for key, question in asked.items():
        if time.monotonic() < until:
            found |= _within(SHORT, {key: question}) or {}
    return found


def _within(milliseconds: int, asked: Mapping[str, Question]) -> dict[str, int] | None:
    """None where it takes longer."""
    if not asked:
        return {}
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = %s", [milliseconds])
            counts = count(asked)
            cursor.execute("RESET statement_timeout")
            return counts
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            return None
        raise
