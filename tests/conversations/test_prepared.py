"""Statements that are planned once for each connection."""

from __future__ import annotations

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Brand, User
from conversations import inbox, prepared, tabs
from conversations.statements import statement_of
from conversations.wanted import Wanted

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


def test_what_every_page_asks_is_prepared(agent: User, brand: Brand) -> None:
    brands = inbox.brand_ids(agent)
    tabs.tabs_of(agent, Wanted(), brands)
    asked = "\n".join(known())
    tables = ("accounts_brand", "conversations_savedview", "conversations_thread")
    assert ([f'FROM "{table}"' in asked for table in tables], brands) == ([True] * 3, [brand.pk])


def test_each_one_sees_the_brands_of_their_own(agent: User, stranger: User, admin: User, brand: Brand) -> None:
    seen = [inbox.brand_ids(user) for user in (agent, stranger, admin)]
    assert seen == [
        list(Brand.objects.visible_to(user).values_list("pk", flat=True)) for user in (agent, stranger, admin)
    ]
    assert seen[0] != seen[1]


def test_a_question_that_goes_by_the_moment_is_not_prepared() -> None:
    with pytest.raises(TypeError):
        statement_of(Brand.objects.filter(created_at__lt=timezone.now()), [])
