"""Statements that every page asks: parsed and planned once for each connection, which takes longer than running them.

A statement holds `$1`, `$2` ... for its values, as PostgreSQL writes them. With `PREPARE_STATEMENTS` off (behind a
pooler that hands each transaction to another server process) it is sent whole each time.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

from django.conf import settings
from django.db import connection

MOST_KEPT = 100  # statements of one connection; then it begins anew
_VALUE = re.compile(r"\$(\d+)")
_kept: WeakKeyDictionary[Any, dict[str, str]] = WeakKeyDictionary()  # by connection: the name of each statement


def rows(statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    """What the statement finds. Raises what the database raises."""
    with connection.cursor() as cursor:
        if settings.PREPARE_STATEMENTS:
            asked = ", ".join(["%s"] * len(values))
            cursor.execute(f"EXECUTE {_name_of(statement, cursor.cursor)} ({asked})", values)
        else:
            cursor.execute(_whole(statement), {f"v{number}": value for number, value in enumerate(values, 1)})
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def _name_of(statement: str, cursor: Any) -> str:
    """The name under which this connection knows the statement. Told past Django: it is no question of the page's."""
    names = _kept.setdefault(cursor.connection, {})
    if statement not in names:
        if len(names) >= MOST_KEPT:
            cursor.execute("DEALLOCATE ALL")
            names.clear()
        name = f"kept_{len(names)}"
        cursor.execute(f"PREPARE {name} AS {statement}")
        names[statement] = name
    return names[statement]


@lru_cache(maxsize=MOST_KEPT)
def _whole(statement: str) -> str:
    return _VALUE.sub(r"%(v\1)s", statement.replace("%", "%%"))
