"""A name beside words that were said: `maya refund` finds the threads of Maya that speak of a refund.

The first one or two words of a question, or the last, may be a name. Each costs two short looks into the indexes of
names; only where somebody bears it, the newest threads of those people are searched for the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Q

from conversations.hits import Match, Span
from conversations.lexemes import lexemes_of
from conversations.models import Thread
from conversations.query import Word

MOST_NAMES = 2  # words of one name
SHORTEST_NAME = 3  # letters: fewer no index finds
MOST_PEOPLE = 100  # who bear one name
MOST_COMPARED = 2_000  # threads of theirs
MOST_THREADS = 300  # of these, the newest, whose texts are searched


@dataclass(frozen=True, slots=True)
class Split:
    """A question as a name and the rest."""

    name: str
    begun: bool  # the name may still be being typed
    rest: tuple[Word, ...]


def splits(words: Sequence[Word]) -> list[Split]:
    """Every way in which the question may begin or end with a name and say something beside it."""
    found: list[Split] = []
    for count in range(1, MOST_NAMES + 1):
        for name, rest in ((words[:count], words[count:]), (words[-count:], words[:-count])):
            plain = all(not (word.phrase or word.without) and len(word.text) >= SHORTEST_NAME for word in name)
            if plain and any(not word.without for word in rest):
                spelt = " ".join(word.text for word in name)
                found.append(Split(spelt, name[-1].prefix, tuple(rest)))
    return found


def named(words: Sequence[Word]) -> list[tuple[Split, Q]]:
    """The ways in which part of the question names somebody, each with the threads of these people. One statement."""
    possible = splits(words)
    if not possible:
        return []
    bearers = _bearers(possible)
    return [(split, bearers[number]) for number, split in enumerate(possible) if number in bearers]


def matches(ways: Sequence[tuple[Split, Q]], wanted: Q, span: Span) -> list[Match]:
    """The newest match of each thread that is found in one of these ways, unsorted."""
    newest: dict[int, Match] = {}
    for split, persons in ways:
        lexemes = lexemes_of(split.rest)
        for match in said_in(_threads(persons, wanted), lexemes, span) if lexemes else ():
            newest[match[2]] = max(match, newest.get(match[2], match))
    return list(newest.values())


_BEARERS = """
    (SELECT %s::int, 'identity', id FROM contacts_identity
     WHERE NOT ours AND (upper(name) ~ %s OR upper(handle) LIKE %s) LIMIT {most})
    UNION ALL
    (SELECT %s::int, 'contact', id FROM contacts_contact WHERE upper(name) ~ %s LIMIT {most})
"""


def _bearers(possible: Sequence[Split]) -> dict[int, Q]:
    """Who bears each name, by the number of its split."""
    values: list[Any] = []
    for number, split in enumerate(possible):
        upper = split.name.upper()
        whole = rf"\m{upper}" + ("" if split.begun else r"\M")  # words hold letters, digits and "_" alone
        handle = upper.replace("_", r"\_").replace(" ", "") + "%"
        values += [number, whole, handle, number, whole]
    sql = " UNION ALL ".join([_BEARERS.format(most=MOST_PEOPLE)] * len(possible))
    ids: dict[int, dict[str, list[int]]] = {}
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        for number, kind, pk in cursor.fetchall():
            ids.setdefault(number, {"identity": [], "contact": []})[kind].append(pk)
    return {
        number: Q(identity_id__in=some["identity"]) | Q(contact_id__in=some["contact"]) for number, some in ids.items()
    }


def _threads(persons: Q, wanted: Q) -> list[int]:
    """The newest threads of these people that are wanted. Sorted here: in order, the planner might walk through all."""
    some = list(Thread.objects.filter(persons).order_by().values_list("last_activity_at", "pk")[:MOST_COMPARED])
    newest = [pk for _at, pk in sorted(some, reverse=True)[:MOST_THREADS]]
    return list(Thread.objects.filter(wanted, pk__in=newest).values_list("pk", flat=True)) if newest else []


_SAID = """
    SELECT DISTINCT ON (thread_id) posted_at, interaction_id, thread_id FROM conversations_searchentry
    WHERE thread_id = ANY(%s) AND posted_at >= %s AND posted_at < %s AND document @@ %s::tsquery
    ORDER BY thread_id, posted_at DESC, interaction_id DESC
"""


def said_in(threads: Sequence[int], lexemes: str, span: Span) -> list[Match]:
    """The newest match in each of the threads, unsorted."""
    if not threads:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_SAID, [list(threads), span.since, span.until, lexemes])
        return list(cursor.fetchall())
