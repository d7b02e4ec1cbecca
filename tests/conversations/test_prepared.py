"""Statements that are planned once for each connection."""

from __future__ import annotations

import pytest
from django.db import connection
from pytest_django import Settings

from conversations import prepared, tabs

pytestmark = pytest.mark.django_db
STATEMENT = "SELECT word || '%' FROM unnest($1::text[]) word WHERE word <> $2"


def known() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements")
        return [statement for (statement,) in cursor.fetchall()]


@pytest.mark.parametrize("on", [True, False])
def test_a_statement_finds_the_same_prepared_or_whole(settings: Settings, *, on: bool) -> None:
    settings.PREPARE_STATEMENTS = on
    assert prepared.rows(STATEMENT, [["a'b", "c"], "c"]) == [("a'b%",)]


def test_a_connection_is_told_a_statement_once() -> None:
    for word in ("a", "b"):
        prepared.rows(STATEMENT, [["a", "b"], word])
    assert sum(STATEMENT in statement for statement in known()) == 1


def test_of_very_many_statements_a_connection_keeps_some(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepared, "MOST_KEPT", 3)
    found = [prepared.rows(f"SELECT {number} + $1::int", [1]) for number in range(10)]
    assert (found, len(known()) <= 3) == ([[(number + 1,)] for number in range(10)], True)


def test_every_count_of_a_view_finds_its_index_whoever_asks() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off")
        cursor.execute(f"EXPLAIN (GENERIC_PLAN) {tabs._views_counted(1)}")
        shown = "\n".join(line for (line,) in cursor.fetchall())
    assert ("on conversations_thread" in shown, "Seq Scan on conversations_thread" in shown) == (True, False)
