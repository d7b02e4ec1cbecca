"""Many rows in one statement, without building a model object for each: storing is the one place that needs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection, models
from psycopg2.extras import Json, execute_values
from psycopg2.sql import SQL, Identifier

Row = Mapping[str, Any]


def insert(model: type[models.Model], rows: Sequence[Row]) -> None:
    """Inserts rows given as {column: value}, all with the same columns; dicts and lists become JSON.

    Columns that are left out take the database's default. Raises what the database raises.
    """
    if not rows:
        return
    columns = list(rows[0])
    query = SQL("INSERT INTO {} ({}) VALUES %s").format(
        Identifier(model._meta.db_table), SQL(", ").join(Identifier(column) for column in columns)
    )
    values = [tuple(_plain(row[column]) for column in columns) for row in rows]
    with connection.cursor() as cursor:
        raw = cursor.cursor
        execute_values(raw, query.as_string(raw), values, page_size=len(values))


def _plain(value: Any) -> Any:
    return Json(value) if isinstance(value, dict | list) else value
