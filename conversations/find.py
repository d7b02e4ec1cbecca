"""Search: threads by the people in them and by their words, newest match first, page by page.

A rare word is found by the inverted index and sorted; a common one by walking back through time until the page is full.
Which of both is cheaper is what the planner expects of the word, from the statistics that ANALYZE keeps. Where it
cannot know (the beginning of a word), a short walk is tried first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Q

from conversations import people
from conversations.models import Thread
from conversations.query import Query, Word
from conversations.question import Asker, conditions
from conversations.search import CONFIGS

RARE = 20_000  # as many matches are read and sorted at once
FIRST_WINDOW = 1_000  # entries of the first walk; each further one is twice as long
LAST_WINDOW = 16_000
MOST_MATCHES = 5_000  # looked at in one turn: many may belong to one thread, or to threads that are not wanted
MOST_TURNS = 4
BEGINNING = datetime(9999, 1, 1, tzinfo=UTC)  # of a walk that goes back through time
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CURSOR = re.compile(r"(\d{1,17})\.([01])\.(\d{1,18})\Z", re.ASCII)
STEMMED = ("en", "de", "fr", "es", "it", "nl", "pt")


@dataclass(frozen=True, slots=True)
class Hit:
    """A thread that was found: when its newest match was said, and that interaction (None: found by its people)."""

    at: datetime
    thread: int
    interaction: int | None

    @property
    def order(self) -> tuple[datetime, int, int]:
        return self.at, self.interaction is None, self.interaction or self.thread

    @property
    def cursor(self) -> str:
        at, kind, pk = self.order
        return f"{(at - _EPOCH) // timedelta(microseconds=1)}.{int(kind)}.{pk}"


@dataclass(frozen=True, slots=True)
class After:
    """The place after a hit, in the order newest first."""

    at: datetime
    kind: int
    pk: int

    @classmethod
    def read(cls, cursor: str) -> After:
        """The place a cursor names; the very beginning for anything else."""
        match = _CURSOR.match(cursor)
        if match is not None:
            try:
                return cls(_EPOCH + timedelta(microseconds=int(match[1])), int(match[2]), int(match[3]))
            except OverflowError:
                pass
        return cls(BEGINNING, 0, 0)


def find(query: Query, asker: Asker, *, before: str = "", limit: int) -> list[Hit]:
    """The newest `limit` hits after a cursor. `query` holds words; its filters narrow what is found."""
    after = After.read(before)
    wanted = conditions(query.filters, asker) & Q(brand_id__in=asker.brands)
    persons = _persons(query, asker)
    by_people = _by_people(persons & wanted, after, limit) if persons else []
    words = wanted & ~persons if persons else wanted
    by_words = _by_words(lexemes_of(query.words), asker, words, after, limit)
    return sorted([*by_people, *by_words], key=lambda hit: hit.order, reverse=True)[:limit]


def _persons(query: Query, asker: Asker) -> Q:
    """The people whom the words might name; nobody where one of them is unwanted."""
    if any(word.without for word in query.words):
        return Q()
    return people.threads_of(" ".join(word.text for word in query.words))


def _by_people(wanted: Q, after: After, limit: int) -> list[Hit]:
    threads = Thread.objects.filter(wanted)
    if after.kind:
        threads = threads.filter(last_activity_at__lte=after.at).exclude(last_activity_at=after.at, pk__gte=after.pk)
    else:
        threads = threads.filter(last_activity_at__lt=after.at)
    newest = threads.order_by("-last_activity_at", "-pk").values_list("last_activity_at", "pk")[:limit]
    return [Hit(at, pk, None) for at, pk in newest]


# -- words ------------------------------------------------------------------------------------------------------------

_WALK = """
    SELECT posted_at, interaction_id, thread_id FROM (
        SELECT posted_at, interaction_id, thread_id, document FROM conversations_searchentry
        WHERE BRAND AND (posted_at, interaction_id) < (%(at)s, %(pk)s)
        ORDER BY posted_at DESC, interaction_id DESC LIMIT %(window)s
    ) walked
    WHERE document @@ %(query)s::tsquery AND thread_id IS NOT NULL
"""
_LAST_OF_WALK = """
    SELECT posted_at, interaction_id FROM conversations_searchentry
    WHERE BRAND AND (posted_at, interaction_id) < (%(at)s, %(pk)s)
    ORDER BY posted_at DESC, interaction_id DESC OFFSET %(window)s - 1 LIMIT 1
"""
_ALL = """
    SELECT posted_at, interaction_id, thread_id FROM (
        SELECT posted_at, interaction_id, thread_id FROM conversations_searchentry
        WHERE BRAND AND document @@ %(query)s::tsquery AND thread_id IS NOT NULL OFFSET 0
    ) found
    WHERE (posted_at, interaction_id) < (%(at)s, %(pk)s)
    ORDER BY posted_at DESC, interaction_id DESC LIMIT %(most)s
"""
_NEWER = """
    SELECT DISTINCT thread_id FROM conversations_searchentry
    WHERE thread_id = ANY(%(threads)s) AND (posted_at, interaction_id) >= (%(first_at)s, %(first_pk)s)
        AND document @@ %(query)s::tsquery
"""
_EXPECTED = "EXPLAIN (FORMAT JSON) SELECT 1 FROM conversations_searchentry WHERE document @@ %(query)s::tsquery"
Match = tuple[datetime, int, int]  # when, interaction, thread


def _by_words(lexemes: str, asker: Asker, wanted: Q, after: After, limit: int) -> list[Hit]:
    if not lexemes:
        return []
    brands = list(asker.brands)
    pk = 2**62 if after.kind else after.pk
    values: dict[str, Any] = {
        "query": lexemes, "brands": brands, "brand": brands[0] if brands else 0, "most": MOST_MATCHES,
        "at": after.at, "pk": pk, "first_at": after.at, "first_pk": pk,
    }  # fmt: skip
    one_brand = len(brands) == 1  # by equality: only then the index gives the order too
    return _Search(
        values, "brand_id = %(brand)s" if one_brand else "brand_id = ANY(%(brands)s)", wanted, limit
    ).newest()


class _Search:
    """One search for words, however it is done. It moves its own place (`at`, `pk`) back through time."""

    def __init__(self, values: dict[str, Any], brand: str, wanted: Q, limit: int) -> None:
        self.values, self.brand, self.wanted, self.limit = values, brand, wanted, limit
        self.later_page = values["at"] < BEGINNING
        self.found: dict[int, Hit] = {}

    def newest(self) -> list[Hit]:
        if self._expected() <= RARE or not self._walk():
            self._read_all()
        return sorted(self.found.values(), key=lambda hit: hit.order, reverse=True)[: self.limit]

    def _expected(self) -> int:
        """How many entries the planner expects to match. The beginnings of words it cannot know: many."""
        ((told,),) = self._rows(_EXPECTED)
        return int(told[0]["Plan"]["Plan Rows"])

    def _walk(self) -> bool:
        """Walks back until the page is full or nothing is left (True), or the windows grow too long (False)."""
        window = FIRST_WINDOW
        while window <= LAST_WINDOW:
            self.values["window"] = window
            self._keep(sorted(self._rows(_WALK), reverse=True))
            last = self._rows(_LAST_OF_WALK)
            if len(self.found) >= self.limit or not last:
                return True
            self.values["at"], self.values["pk"] = last[0]
            window *= 2
        return False

    def _read_all(self) -> None:
        for _turn in range(MOST_TURNS):
            matches: list[Match] = self._rows(_ALL)
            self._keep(matches)
            if len(self.found) >= self.limit or len(matches) < MOST_MATCHES:
                return
            self.values["at"], self.values["pk"] = matches[-1][:2]

    def _keep(self, matches: Sequence[Match]) -> None:
        """Keeps the newest match of each thread that is wanted and does not stand on an earlier page."""
        newest: dict[int, Hit] = {}
        for at, pk, thread in matches:
            newest.setdefault(thread, Hit(at, thread, pk))
        fresh = [thread for thread in newest if thread not in self.found]
        for start in range(0, len(fresh), 4 * self.limit):
            some = fresh[start : start + 4 * self.limit]
            good = set(Thread.objects.filter(self.wanted, pk__in=some).values_list("pk", flat=True))
            if self.later_page:
                good -= {thread for (thread,) in self._rows(_NEWER, threads=some)}
            self.found |= {thread: newest[thread] for thread in some if thread in good}
            if len(self.found) >= self.limit:
                return

    def _rows(self, sql: str, **more: Any) -> list[Any]:
        with connection.cursor() as cursor:
            cursor.execute(sql.replace("BRAND", self.brand), {**self.values, **more})
            found: list[Any] = cursor.fetchall()
        return found


def lexemes_of(words: Sequence[Word]) -> str:
    """A text search for all these words, as PostgreSQL writes it; empty where none is wanted.

    A word is looked for as it is and by its stem in the usual languages, a phrase word for word.
    """
    if all(word.without for word in words):
        return ""
    parts: list[str] = []
    values: list[str] = []
    for word in words:
        part, told = _one(word)
        parts.append(f"!!({part})" if word.without else f"({part})")
        values += told
    with connection.cursor() as cursor:
        # asked for once, beforehand: in a condition it would be worked out anew for every row
        cursor.execute(f"SELECT ({' && '.join(parts)})::text", values)
        (lexemes,) = cursor.fetchone()
    return str(lexemes)


def _one(word: Word) -> tuple[str, list[str]]:
    if word.phrase:
        return "phraseto_tsquery('simple', unaccent(%s))", [word.text]
    stems = [f"to_tsquery('{CONFIGS[language]}', unaccent(%s))" for language in STEMMED]
    begun = f"{word.text}:*" if word.prefix else word.text
    return " || ".join(["to_tsquery('simple', unaccent(%s))", *stems]), [begun, *[word.text] * len(stems)]
