"""Threads by what was said in them: the newest match of each, page by page, however often the words come.

What the planner expects of the words, from the statistics that ANALYZE keeps, says whether they may be rare: then some
matches are read from the inverted index, and sorted if these are all. Otherwise a short walk back through time says
how often they come. Where that is often, the walk goes on until the page is full; where it is not, the index is asked
for more and more days at once. Both end after so many entries or days, page full or not: the answer then says where
to search on, so that no search takes long.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any

from django.db import connection
from django.db.models import Q

from conversations import prepared
from conversations.hits import BEGINNING, After, Hit, Match, Span
from conversations.lexemes import Sought, plan
from conversations.models import Thread
from conversations.question import Asker

MAYBE_RARE = 20_000  # entries: words that are expected more often are not rare, and nobody is thought to mean a name
RARE = 500  # so many matches are read and sorted at once: more are found sooner from the newest on
SHORT_WALK = 500  # entries that tell how often words come
OFTEN = 0.02  # of the entries: a walk meets the next match sooner than the index tells it
FIRST_WINDOW = 1_000  # entries of the first walk
LAST_WINDOW = 32_000
WIDER = 8  # times the last window, at most, of entries or of days
MATCHES_A_THREAD = 6  # a walk stops at so many for each thread that is missing, and goes on if these were not enough
LONGEST_WALK = 64_000  # entries of all walks for one page
RATHER_MORE = 3  # times the days that seem enough are asked for first: most of what a look costs is the look
MOST_DAYS = 730  # for which the index is asked for one page
MOST_BEGUN = 1_000_000  # entries with words that begin so: each look into the index goes through all of them
WORTH_A_LOOK = 50_000  # of these: with more, walking is worth while where words come more seldom
MOST_MATCHES = 5_000  # looked at in one turn: many may belong to one thread, or to threads that are not wanted
MOST_TURNS = 5  # of reading: with eight times as many days each, they reach over all of these

_WALK = """
    SELECT posted_at, interaction_id, thread_id FROM (
        SELECT posted_at, interaction_id, thread_id, document FROM conversations_searchentry
        WHERE BRAND AND (posted_at, interaction_id) < (%(at)s, %(pk)s) AND posted_at >= %(since)s
        ORDER BY posted_at DESC, interaction_id DESC LIMIT %(window)s
    ) walked
    WHERE thread_id IS NOT NULL AND thread_id <> ALL(%(known)s) AND document @@ %(query)s::tsquery
    ORDER BY posted_at DESC, interaction_id DESC LIMIT %(enough)s
"""
_PASSED = """
    SELECT count(*) FROM conversations_searchentry
    WHERE BRAND AND (posted_at, interaction_id) < (%(at)s, %(pk)s)
        AND (posted_at, interaction_id) >= (%(to_at)s, %(to_pk)s)
"""
_LAST_OF_WALK = """
    SELECT posted_at, interaction_id FROM conversations_searchentry
    WHERE BRAND AND (posted_at, interaction_id) < (%(at)s, %(pk)s) AND posted_at >= %(since)s
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
    WHERE (posted_at, interaction_id) < (%(at)s, %(pk)s) AND posted_at >= %(since)s
    ORDER BY posted_at DESC, interaction_id DESC LIMIT %(most)s
"""
_ALL = """
    SELECT posted_at, interaction_id, thread_id FROM (
        SELECT posted_at, interaction_id, thread_id FROM conversations_searchentry
        WHERE BRAND AND document @@ %(query)s::tsquery AND thread_id IS NOT NULL OFFSET 0
    ) found
    WHERE (posted_at, interaction_id) < (%(at)s, %(pk)s) AND posted_at >= %(since)s
    ORDER BY posted_at DESC, interaction_id DESC LIMIT %(most)s
"""
_NEWER = """
    SELECT DISTINCT thread_id FROM conversations_searchentry
    WHERE thread_id = ANY(%(threads)s) AND (posted_at, interaction_id) >= (%(first_at)s, %(first_pk)s)
        AND posted_at < %(until)s AND document @@ %(query)s::tsquery
"""
_OF_BRANDS = "SELECT id FROM conversations_thread WHERE id = ANY($1::bigint[]) AND brand_id = ANY($2::bigint[])"
_A_WEEK = """
    SELECT 1 FROM conversations_searchentry WHERE brand_id = ANY(%(brands)s)
        AND posted_at >= %(day)s::date - interval '6 days' AND posted_at < %(day)s::date + interval '1 day'
"""


class Search:
    """One search for words, however it is done. It moves its own place (`at`, `pk`) back through time."""

    def __init__(self, words: Sought, asker: Asker, wanted: Q | None, after: After, span: Span, *, limit: int) -> None:
        """`wanted` is None where threads only have to be of the brands of the asker."""
        brands = list(asker.brands)
        first = (after.at, 2**62 if after.kind else after.pk)
        at, pk = min(first, (span.until, 0))
        self.values: dict[str, Any] = {
            "query": words.lexemes, "brands": brands, "brand": brands[0] if brands else 0, "most": MOST_MATCHES,
            "few": RARE + 1, "at": at, "pk": pk, "first_at": first[0], "first_pk": first[1], "known": [],
            "since": span.since, "until": span.until,
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
        return self._walk(LONGEST_WALK) if self._comes_often() else self._look_up_days()

    def _comes_often(self) -> bool:
        """Whether the next matches are met sooner than looked up: a look goes through all words that begin so."""
        costly = max(self.words.begun / WORTH_A_LOOK, 1)
        return self.met >= OFTEN * self.walked / costly

    def _may_be_rare(self) -> bool:
        """A phrase only where few are expected: the index tells its words, and each text that has them is read."""
        return self.words.expected <= (RARE if "<->" in self.words.lexemes else MAYBE_RARE)

    def _read_rare(self) -> bool:
        """Reads all matches at once, or says that they are too many."""
        matches: list[Match] = self._rows(_SOME)
        if len(matches) > RARE:
            return False
        place, since = (self.values["at"], self.values["pk"]), self.values["since"]
        self._keep(sorted((match for match in matches if since <= match[0] and match[:2] < place), reverse=True))
        return True

    def _walk(self, most: int) -> bool:
        """Walks back until the page is full or nothing is left (True), or it was long enough (False)."""
        while self.walked < most:
            if not self._step_on():
                return True
            self.values |= {"window": (window := min(self.window, most - self.walked)), "known": list(self.found)}
            enough = MATCHES_A_THREAD * (self.limit - len(self.found)) if self.wanted is None else MOST_MATCHES
            matches: list[Match] = self._rows(_WALK, enough=enough)
            self._keep(matches)
            if len(self.found) >= self.limit:
                return True
            self.stands_before_window = len(matches) < enough
            self.walked += window if self.stands_before_window else self._walk_to(matches[-1])
            self.met += len(matches)
            self.window = self._next_window(window)
        return False

    def _walk_to(self, match: Match) -> int:
        """Moves our place behind a match; returns how many entries it passed."""
        at, pk, _thread = match
        ((passed,),) = self._rows(_PASSED, to_at=at, to_pk=pk)
        self._move_to(at, pk)
        return int(passed)

    def _step_on(self) -> bool:
        """Moves our place behind the window that was read last; says whether anything may be left there."""
        if self.stands_before_window:
            last = self._rows(_LAST_OF_WALK)
            if not last:
                return False
            self._move_to(*last[0])
            self.stands_before_window = False
        return True

    def _next_window(self, window: int) -> int:
        """As long as what was found so far lets expect; as long as may be where the walk ends at enough matches."""
        if self.wanted is None:
            return LAST_WINDOW
        missing = self.limit - len(self.found)
        likely = self.walked * missing * 5 // (max(len(self.found), 1) * 4)
        return min(max(FIRST_WINDOW, likely), WIDER * window, LAST_WINDOW)

    def _look_up_days(self) -> bool:
        """Asks the index for more and more days until the page is full or nothing is left (True), or long enough."""
        if not self._step_on():
            return True
        first, at_once = self._day(), self._first_days()
        last = max(first - timedelta(MOST_DAYS), (self.values["since"] - timedelta(1)).date())
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
        """As many as will do, from how often the words came so far and what the planner expects of a day; where there
        is but one look, as many as it may tell of."""
        a_day = _entries_a_day(tuple(self.values["brands"]), self._day()) * (self.met + 1) / max(self.walked, 1)
        enough, most = RATHER_MORE * (self.limit - len(self.found)), WIDER
        if self._turns() == 1:
            enough, most = MOST_MATCHES // 2, MOST_DAYS
        return min(max(round(enough / max(a_day, 1)), 1), most)

    def _turns(self) -> int:
        return min(MOST_TURNS, max(MOST_BEGUN // max(self.words.begun, 1), 1))

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


@lru_cache(maxsize=1_000)
def _entries_a_day(brands: tuple[int, ...], day: date) -> float:
    """How many the planner expects in the week up to this day."""
    weekly: int = plan(_A_WEEK, {"brands": list(brands), "day": day})["Plan Rows"]
    return weekly / 7
