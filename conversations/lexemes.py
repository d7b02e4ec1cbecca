"""Words as PostgreSQL searches for them, and what its planner expects to find."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db import connection

from conversations.query import Word
from conversations.search import CONFIGS

STEMMED = ("en", "de", "fr", "es", "it", "nl", "pt")
_BEGUN = re.compile(r"'(?:[^']|'')*':\*")
_MATCHING = "SELECT 1 FROM conversations_searchentry WHERE document @@ %(query)s::tsquery"


@dataclass(frozen=True)
class Sought:
    """A search for words, as PostgreSQL writes it (see `lexemes_of`)."""

    lexemes: str

    @cached_property
    def expected(self) -> int:
        """How many entries the planner expects to match."""
        return _expected(self.lexemes) if self.lexemes else 0

    @cached_property
    def begun(self) -> int:
        """How many entries are expected to hold a word that begins as one of these: 0 where only whole words count."""
        return _expected(" | ".join(_BEGUN.findall(self.lexemes))) if ":*" in self.lexemes else 0


def lexemes_of(words: Sequence[Word]) -> str:
    """A text search for all these words, as PostgreSQL writes it; empty where none is wanted.

    A word is looked for as it is and by its stem in the usual languages, a phrase word for word.
    """
    if all(word.without for word in words):
        return ""
    ways = [_ways(word) for word in words]
    asked = [sql for some in ways for sql, _value in some]
    with connection.cursor() as cursor:
        # asked for once, beforehand: in a condition it would be worked out anew for every row
        cursor.execute(
            f"SELECT {', '.join(f'({sql})::text' for sql in asked)}", [value for some in ways for _sql, value in some]
        )
        told = iter(cursor.fetchone())
    parts = [
        _any_of([next(told) for _way in some], without=word.without) for word, some in zip(words, ways, strict=True)
    ]
    return " & ".join(part for part in parts if part)


def _any_of(ways: Sequence[str], *, without: bool) -> str:
    """Each way once: the planner adds up what it expects of all. Empty for a word of which nothing is left."""
    each = list(dict.fromkeys(way for way in ways if way))
    if len(each) > 1 and each[0].endswith(":*"):  # the beginning of a word stands for the word itself too
        each = [each[0], *(way for way in each[1:] if way != each[0].removesuffix(":*"))]
    return f"{'!' if without else ''}({' | '.join(each)})" if each else ""


def _ways(word: Word) -> list[tuple[str, str]]:
    """The SQL and its value for each way in which a word may stand in the index."""
    if word.phrase:
        return [("phraseto_tsquery('simple', unaccent(%s))", word.text)]
    stems = [(f"to_tsquery('{CONFIGS[language]}', unaccent(%s))", word.text) for language in STEMMED]
    begun = f"{word.text}:*" if word.prefix else word.text
    return [("to_tsquery('simple', unaccent(%s))", begun), *stems]


def _expected(lexemes: str) -> int:
    return int(plan(_MATCHING, {"query": lexemes})["Plan Rows"])


def plan(sql: str, values: Mapping[str, Any] | Sequence[Any]) -> dict[str, Any]:
    """How the planner would go about it, and what it expects."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", values)
        ((told,),) = cursor.fetchall()
    found: dict[str, Any] = told[0]["Plan"]
    return found
