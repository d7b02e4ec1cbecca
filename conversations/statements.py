"""Questions of the ORM as statements to prepare: to spell one anew for each page takes longer than to ask it.

A stand-in is asked for in place of whoever asks, and becomes `$1` and on in the statement (see `prepared`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from psycopg2.sql import Literal

Question = tuple[str, Sequence[Any]]  # SQL and its values
ANYBODY = -1_000_000  # stands for the id of a user; no row has it


def statement_of(rows: QuerySet[Any, Any], stand_ins: Sequence[Any]) -> str:
    """The statement that finds these rows. Raises TypeError as `spelled` does."""
    return spelled(rows.query.sql_with_params(), stand_ins)


def spelled(question: Question, stand_ins: Sequence[Any]) -> str:
    """The question with its values in it, and with `$1` for the first of the stand-ins, and so on. Raises TypeError for
    a moment, which would not stay right."""
    if any(isinstance(value, datetime) for value in question[1]):
        raise TypeError("A question that depends on the moment cannot be kept.")
    return with_values(question, {value: f"${number}" for number, value in enumerate(stand_ins, 1)})


def with_values(question: Question, places: Mapping[Any, str]) -> str:
    """The question with its values in it: those that are named stand for a place, the others are quoted."""
    sql, values = question
    with connection.cursor() as cursor:
        return sql % tuple(places.get(value) or Literal(value).as_string(cursor.cursor) for value in values)
