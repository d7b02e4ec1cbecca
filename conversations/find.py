"""Search: threads by the people in them and by their words, newest match first, page by page.

What the planner expects of the words, from the statistics that ANALYZE keeps, says whether they may be rare: then some
matches are read from the inverted index, and sorted if these are all. Otherwise a short walk back through time says
how often they come. Where that is often, the walk goes on until the page is full; where it is not, the index is asked
for more and more days at once. Both end after so many entries or days, page full or not: the answer then says where
to search on, so that no search takes long.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Q

from conversations import mixed, people, prepared
from conversations.models import Thread
from conversations.query import Query, Word
from conversations.question import Asker, conditions
from conversations.search import CONFIGS

MAYBE_RARE = 20_000  # entries: words that are expected more often are not rare, and nobody is thought to mean a name
RARE = 500  # so many matches are read and sorted at once: more are found sooner from the newest on
SHORT_WALK = 500  # entries that tell how often words come
OFTEN = 0.02  # of the entries: a walk meets the next match sooner than the index tells it
FIRST_WINDOW = 1_000  # entries of the first walk
LAST_WINDOW = 32_000
WIDER = 8  # times the last window, at most, of entries or of days
MATCHES_A_THREAD = 4  # a walk stops at so many for each thread that is missing, and goes on if these were not enough
LONGEST_WALK = 64_000  # entries of all walks for one page
RATHER_MORE = 4  # times the days that seem enough are asked for first: most of what a look costs is the look
MOST_DAYS = 730  # for which the index is asked for one page
MOST_BEGUN = 1_000_000  # entries with words that begin so: each look into the index goes through all of them
MOST_MATCHES = 5_000  # looked at in one turn: many may belong to one thread, or to threads that are not wanted
MOST_TURNS = 5  # of reading: with eight times as many days each, they reach over all of these
BEGINNING = datetime(9999, 1, 1, tzinfo=UTC)  # of a walk that goes back through time
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CURSOR = re.compile(r"(\d{1,17})\.([01])\.(\d{1,18})\Z", re.ASCII)
ALIKE = 0.5  # a name that is part of the question is the whole of it, misspelt in the rest, where it is so near
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

    def passes(self, hit: Hit) -> bool:
        return hit.order < (self.at, bool(self.kind), self.pk)


@dataclass(frozen=True, slots=True)
class Found:
    """The newest hits, and where to search on: a cursor, empty where there is nothing more."""

    hits: list[Hit]
    older: str = ""


def find(query: Query, asker: Asker, *, before: str = "", size: int) -> Found:
    """A page of up to `size` hits after a cursor; it may hold less, or none, and yet say where to search on.

    `query` holds words; its filters narrow what is found.
    """
    hits, walked_to = _newest(query, asker, before, size + 1, patient=False)
    if len(hits) > size:
        return Found(hits[:size], hits[size - 1].cursor)
    return Found(hits, walked_to.cursor if walked_to else "")


def find_all(query: Query, asker: Asker, *, limit: int) -> list[Hit]:
    """The newest `limit` hits, however long it takes."""
    hits, _walked_to = _newest(query, asker, "", limit, patient=True)
    return hits


def _newest(query: Query, asker: Asker, before: str, limit: int, *, patient: bool) -> tuple[list[Hit], Hit | None]:
    """The hits, and how far the search came where it did not come to an end."""
    after = After.read(before)
    wanted = conditions(query.filters, asker) & Q(brand_id__in=asker.brands)
    if not asker.brands or (query.filters and _is_nothing(wanted)):
        return [], None
    lexemes = lexemes_of(query.words)
    expected = _expected(lexemes) if lexemes else 0
    named = mixed.named(query.words)
    by_both = [Hit(at, thread, pk) for at, pk, thread in mixed.matches(named, wanted, lexemes_of)]
    others = wanted & ~Q(pk__in=[hit.thread for hit in by_both]) if by_both else wanted
    persons = _persons(query, misspelt=expected <= MAYBE_RARE and not by_both, alike=ALIKE if named else 0.0)
    by_people = _by_people(persons & others, after, limit) if persons else []
    by_people += [hit for hit in by_both if after.passes(hit)]
    others = others & ~persons if persons else others
    narrowed = others if query.filters or by_both or persons else None
    search = _Search(_Words(lexemes, expected), asker, narrowed, after, limit)
    by_words = search.newest(patient=patient) if lexemes else []
    walked_to = search.walked_to
    hits = sorted([*by_people, *by_words], key=lambda hit: hit.order, reverse=True)
    if walked_to:
        hits = [hit for hit in hits if hit.order >= walked_to.order]  # the others may be older than words to come
    return hits[:limit], walked_to


def _is_nothing(wanted: Q) -> bool:
    """Whether no thread can be wanted: a filter names what there is not."""
    try:
        Thread.objects.filter(wanted).query.sql_with_params()
    except EmptyResultSet:
        return True
    return False


def _persons(query: Query, *, misspelt: bool, alike: float) -> Q:
    """The threads of people whom all the words might name, perhaps misspelt; an empty Q where they name nobody, or one
    of them is unwanted."""
    if any(word.without for word in query.words):
        return Q()
    threads = people.threads_of(" ".join(word.text for word in query.words), misspelt=misspelt, alike=alike)
    return Q() if people.are_nobodys(threads) else threads


def _expected(lexemes: str) -> int:
    """How many entries the planner expects to match."""
    return _rows_expected(_MATCHING, {"query": lexemes})


def _rows_expected(sql: str, values: Mapping[str, Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", values)
        ((told,),) = cursor.fetchall()
    return int(told[0]["Plan"]["Plan Rows"])


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
    WHERE thread_id IS NOT NULL AND thread_id <> ALL(%(known)s) AND document @@ %(query)s::tsquery
    ORDER BY posted_at DESC, interaction_id DESC LIMIT %(enough)s
"""
_LAST_OF_WALK = """
    SELECT posted_at, interaction_id FROM conversations_searchentry
    WHERE BRAND AND (posted_at, interaction_id) < (%(at)s, %(pk)s)
    ORDER BY posted_at DESC, interaction_id DESC OFFSET %(window)s - 1 LIMIT 1
"""
# Made as a whole before it is limited, so that the planner reads the inverted index whatever it expects.
_SOME = """
    WITH found AS MATERIALIZED (
        SELECT posted_at, interaction_id, thread_id FROM conversations_searchentry
        WHERE BRAND AND document @@ %(query)s::tsquery AND thread_id IS NOT NULL
    )
    SELECT posted_at, interaction_id, thread_id FROM found LIMIT %(few)s
"""
# The same index holds the day of each entry, as an array of one: so it is asked for many days in one look.
_IN_DAYS = """
    SELECT posted_at, interaction_id, thread_id FROM (
        SELECT posted_at, interaction_id, thread_id FROM conversations_searchentry
        WHERE BRAND AND document @@ %(query)s::tsquery AND thread_id IS NOT NULL
            AND ARRAY[(posted_at AT TIME ZONE 'UTC')::date] && %(days)s::date[] OFFSET 0
    ) of_days
    WHERE (posted_at, interaction_id) < (%(at)s, %(pk)s) ORDER BY posted_at DESC, interaction_id DESC LIMIT %(most)s
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
_OF_BRANDS = "SELECT id FROM conversations_thread WHERE id = ANY($1::bigint[]) AND brand_id = ANY($2::bigint[])"
_MATCHING = "SELECT 1 FROM conversations_searchentry WHERE document @@ %(query)s::tsquery"
_A_WEEK = """
    SELECT 1 FROM conversations_searchentry
    WHERE BRAND AND posted_at >= %(at)s - interval '7 days' AND posted_at < %(at)s
"""
Match = tuple[datetime, int, int]  # when, interaction, thread


@dataclass(frozen=True, slots=True)
class _Words:
    """What is searched for, as PostgreSQL writes it, and how many entries its planner expects to match."""

    lexemes: str
    expected: int


class _Search:
    """One search for words, however it is done. It moves its own place (`at`, `pk`) back through time."""

    def __init__(self, words: _Words, asker: Asker, wanted: Q | None, after: After, limit: int) -> None:
        """`wanted` is None where threads only have to be of the brands of the asker."""
        brands = list(asker.brands)
        pk = 2**62 if after.kind else after.pk
        self.values: dict[str, Any] = {
            "query": words.lexemes, "brands": brands, "brand": brands[0] if brands else 0, "most": MOST_MATCHES,
            "few": RARE + 1, "at": after.at, "pk": pk, "first_at": after.at, "first_pk": pk, "known": [],
        }  # fmt: skip
        # one brand by equality: only then the index gives the order too
        self.brand = "brand_id = %(brand)s" if len(brands) == 1 else "brand_id = ANY(%(brands)s)"
        self.words, self.wanted, self.limit = words, wanted, limit
        self.later_page = after.at < BEGINNING
        self.walked = self.met = 0  # entries, and those that match
        self.stands_before_window = False  # has its last window behind it, though not moved there yet
        self.window = FIRST_WINDOW
        self.walked_to: Hit | None = None  # where a walk ended that might have gone on
        self.found: dict[int, Hit] = {}

    def newest(self, *, patient: bool) -> list[Hit]:
        if not self._is_found() and self._step_on():
            if patient:
                self._read_all()
            else:
                self.walked_to = Hit(self.values["at"], 0, self.values["pk"])
        return sorted(self.found.values(), key=lambda hit: hit.order, reverse=True)[: self.limit]

    def _is_found(self) -> bool:
        """Searches in the way that suits the words; whether the page is full then, or nothing is left."""
        if (self._may_be_rare() and self._read_rare()) or self._walk(SHORT_WALK):
            return True
        return self._walk(LONGEST_WALK) if self.met >= OFTEN * self.walked else self._look_up_days()

    def _may_be_rare(self) -> bool:
        """A phrase only where few are expected: the index tells its words, and each text that has them is read."""
        return self.words.expected <= (RARE if "<->" in self.words.lexemes else MAYBE_RARE)

    def _read_rare(self) -> bool:
        """Reads all matches at once, or says that they are too many."""
        matches: list[Match] = self._rows(_SOME)
        if len(matches) > RARE:
            return False
        place = self.values["first_at"], self.values["first_pk"]
        self._keep(sorted((match for match in matches if match[:2] < place), reverse=True))
        return True

    def _walk(self, most: int) -> bool:
        """Walks back until the page is full or nothing is left (True), or it was long enough (False)."""
        while self.walked < most:
            if not self._step_on():
                return True
            self.values |= {"window": (window := min(self.window, most - self.walked)), "known": list(self.found)}
            enough = MATCHES_A_THREAD * (self.limit - len(self.found))
            matches: list[Match] = self._rows(_WALK, enough=enough)
            self._keep(matches)
            if len(self.found) >= self.limit:
                return True
            if len(matches) < enough:
                self.stands_before_window = True
            else:
                self._move_to(*matches[-1][:2])
            self.walked, self.met = self.walked + window, self.met + len(matches)
            self.window = min(self._next_window(), WIDER * window, LAST_WINDOW)
        return False

    def _step_on(self) -> bool:
        """Moves our place behind the window that was read last; says whether anything may be left there."""
        if self.stands_before_window:
            last = self._rows(_LAST_OF_WALK)
            if not last:
                return False
            self._move_to(*last[0])
            self.stands_before_window = False
        return True

    def _next_window(self) -> int:
        """As long as what was found so far lets expect."""
        missing = self.limit - len(self.found)
        return max(FIRST_WINDOW, self.walked * missing * 5 // (max(len(self.found), 1) * 4))

    def _look_up_days(self) -> bool:
        """Asks the index for more and more days until the page is full or nothing is left (True), or long enough."""
        if not self._step_on():
            return True
        first, at_once = self._day(), self._first_days()
        last = first - timedelta(MOST_DAYS)
        for _turn in range(self._turns()):
            day = self._day()
            days = [day - timedelta(back) for back in range(min(at_once, (day - last).days))]
            matches: list[Match] = self._rows(_IN_DAYS, days=days)
            self._keep(matches)
            if len(self.found) >= self.limit:
                return True
            if len(matches) < MOST_MATCHES:
                self._move_to(datetime.combine(days[-1], time(), UTC), 0)
            else:
                self._move_to(*matches[-1][:2])
            if self._day() <= last:
                break
            at_once = self._next_days(at_once, (first - self._day()).days)
        return not self._rows(_LAST_OF_WALK, window=1)

    def _day(self) -> date:
        """The day of our place, which is still to be looked into."""
        at: datetime = self.values["at"]
        return (at.astimezone(UTC) - timedelta(microseconds=0 if self.values["pk"] else 1)).date()

    def _first_days(self) -> int:
        """As many as will do, from how often the words came so far and what the planner expects of a day."""
        weekly = _rows_expected(_A_WEEK.replace("BRAND", self.brand), self.values)
        missing, a_day = self.limit - len(self.found), weekly / 7 * (self.met + 1) / max(self.walked, 1)
        return min(max(round(RATHER_MORE * missing / max(a_day, 1)), 1), WIDER)

    def _turns(self) -> int:
        if ":*" not in self.words.lexemes:
            return MOST_TURNS
        return min(MOST_TURNS, max(MOST_BEGUN // max(self.words.expected, 1), 1))

    def _next_days(self, days: int, passed: int) -> int:
        """As many as what was found so far lets expect, and not many more than the last time."""
        missing = self.limit - len(self.found)
        return min(max(passed * missing * 5 // (max(len(self.found), 1) * 4), 1), WIDER * days)

    def _move_to(self, at: datetime, pk: int) -> None:
        self.values["at"], self.values["pk"] = at, pk

    def _read_all(self) -> None:
        for _turn in range(MOST_TURNS):
            matches: list[Match] = self._rows(_ALL)
            self._keep(matches)
            if len(self.found) >= self.limit or len(matches) < MOST_MATCHES:
                return
            self._move_to(*matches[-1][:2])

    def _keep(self, matches: Sequence[Match]) -> None:
        """Keeps the newest match of each thread that is wanted and does not stand on an earlier page."""
        newest: dict[int, Hit] = {}
        for at, pk, thread in matches:
            if thread not in newest:
                newest[thread] = Hit(at, thread, pk)
        fresh, some = [thread for thread in newest if thread not in self.found], self.limit + self.limit // 4
        while fresh and len(self.found) < self.limit:
            good = self._good(fresh[:some])
            self.found |= {thread: newest[thread] for thread in fresh[:some] if thread in good}
            fresh, some = fresh[some:], 4 * some

    def _good(self, threads: list[int]) -> set[int]:
        good = (
            {pk for (pk,) in prepared.rows(_OF_BRANDS, [threads, self.values["brands"]])}
            if self.wanted is None
            else set(Thread.objects.with_ids(threads).filter(self.wanted).values_list("pk", flat=True))
        )
        return good - {thread for (thread,) in self._rows(_NEWER, threads=threads)} if self.later_page else good

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
