"""How many threads views hold: many bounded counts in one statement, and no longer than a page may wait for them."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db import OperationalError, connection, transaction
from django.db.models import QuerySet, Value
from psycopg2.errors import QueryCanceled
from psycopg2.sql import Literal

from conversations.statements import Question, spelled, with_values

PATIENCE = 250  # milliseconds for all counts of a page, in one statement
SHORT = 50  # for each saved view by itself, where that was not enough
LONGEST = 250  # for all of these

Key = TypeVar("Key")


def up_to(rows: QuerySet[Any], limit: int) -> Question:
    """The question for rows of which no more than `limit` are counted."""
    try:
        sql, values = rows.order_by().values_list(Value(1))[:limit].query.sql_with_params()
    except EmptyResultSet:
        return "SELECT 1 WHERE FALSE", ()
    return str(sql), values


def count(asked: Mapping[Key, Question], *, before: str = "") -> dict[Key, int]:
    """How many rows each question has. One statement, with what is to be said `before` it."""
    if not asked:
        return {}
    with connection.cursor() as cursor:
        values = [value for _sql, values in asked.values() for value in values]
        cursor.execute(f"{before}{_one_statement(sql for sql, _values in asked.values())}", values)
        return dict(zip(asked, cursor.fetchone(), strict=True))


def count_by_post(
    question: Question, posts: Collection[tuple[int, str]], *, channel: int, root: str
) -> dict[tuple[int, str], int]:
    """The same for one question about several posts, each a channel and a root: `channel` and `root` stand for them
    among its values. Planned once, for fifty questions take longer to plan than to answer."""
    if not posts:
        return {}
    sql = with_values(question, {channel: "post.channel", root: "post.root"})
    with connection.cursor() as cursor:
        channels, roots = (Literal(list(some)).as_string(cursor.cursor) for some in zip(*posts, strict=True))
        cursor.execute(f"""
            SELECT post.channel, post.root, (SELECT COUNT(*) FROM ({sql}) listed)
            FROM unnest({channels}::bigint[], {roots}::text[]) AS post (channel, root)
        """)  # noqa: S608 (the ORM's own SQL, and quoted values)
        return {(channel, root): counted for channel, root, counted in cursor.fetchall()}


def to_prepare(asked: Mapping[Key, Question], stand_ins: Sequence[Any]) -> str:
    """The statement that counts the rows of each question; stand-ins and errors as in `statements.spelled`."""
    return _one_statement(spelled(question, stand_ins) for question in asked.values())


def _one_statement(asked: Iterable[str]) -> str:
    return "SELECT " + ", ".join(f"(SELECT COUNT(*) FROM ({sql}) listed)" for sql in asked)  # noqa: S608 (the ORM's own SQL)


def count_in_time(asked: Mapping[str, Question]) -> dict[str, int]:
    """The counts of questions that people made up: none of those that take too long."""
    if not asked:
        return {}
    counts = _within(PATIENCE, asked)
    if counts is not None:
        return counts
    found, until = dict[str, int](), time.monotonic() + LONGEST / 1000
    for key, question in asked.items():
        if time.monotonic() < until:
            found |= _within(SHORT, {key: question}) or {}
    return found


def _within(milliseconds: int, asked: Mapping[str, Question]) -> dict[str, int] | None:
    """None where it takes longer."""
    limit = f"SET LOCAL statement_timeout = {milliseconds:d}; "
    try:
        if not connection.in_atomic_block:
            return count(asked, before=limit)  # the two are one transaction, and go there together
        with transaction.atomic():
            counts = count(asked, before=limit)
            with connection.cursor() as cursor:
                cursor.execute("RESET statement_timeout")
            return counts
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            return None
        raise
