"""The list of threads: its views, filters, search and pages. Every question is one indexed keyset query."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache
from typing import Any, NamedTuple
from urllib.parse import urlencode
from zlib import crc32

from django.core.exceptions import EmptyResultSet
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.lookups import IsNull
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy

from accounts.models import Brand, Team, User, initials
from channels_ingest.models import Channel
from channels_ingest.networks import networks
from conversations import exposure
from conversations.counting import Question, count, count_in_time
from conversations.find import find, find_all
from conversations.highlight import passage
from conversations.listed import Listed
from conversations.listed import listed as listed_of
from conversations.models import Interaction, Mention, Promise, SavedView, Thread
from conversations.query import Filter, Query, parse
from conversations.question import Asker, conditions, unknown

PAGE_SIZE = 50
PINNED = ("mine", "unassigned", "mentions")  # beside each other; the last gives its place to the view that is open
MOST_SAVED = 30
MOST_OTHERS = 999  # threads under one post that are counted
COUNT_LIMIT = 100  # "99+": a badge never counts further
SNIPPET_LENGTH = 160
QUERY_LENGTH = 300
COSTLY = ("audience",)  # filters that no index answers: who else spoke under a post is looked up thread by thread
WINDOW = 500  # threads of which that is looked up at once, and for a count
MOST_WINDOWS = 4  # for a page
MOST_SELECTED = 40  # windows, for all that a view holds
MOST_ROUNDS = 10  # of reading on in the order of exposure where a filter leaves little of it
WAITING_LONG = timedelta(hours=1)
WAITING_TOO_LONG = timedelta(hours=24)

VIEWS = {
    "mine": gettext_lazy("Mine"),
    "unassigned": gettext_lazy("Unassigned"),
    "mentions": gettext_lazy("Mentions of me"),
    "all": gettext_lazy("All"),
    "waiting": gettext_lazy("Waiting longest"),
    "promises": gettext_lazy("Promises"),
    "hanging": gettext_lazy("Left hanging in public"),
    "snoozed": gettext_lazy("Snoozed"),
    "closed": gettext_lazy("Closed"),
}
COUNTED = ("mine", "unassigned", "mentions", "all", "waiting", "promises", "hanging", "snoozed")

ORDERS = {
    "newest": gettext_lazy("Newest first"),
    "waiting": gettext_lazy("Waiting longest"),
    "exposure": gettext_lazy("Most exposed"),
    "due": gettext_lazy("Due first"),
    "oldest": gettext_lazy("Oldest first"),
}
# The field of each order, and whether it runs downwards. Exposure has an order of its own.
_FIELDS = {
    "newest": ("last_activity_at", True),
    "waiting": ("waiting_since", False),
    "oldest": ("created_at", False),
    "due": ("due_at", False),
}
INFLUENCE = 100  # percent

_EPOCH, _MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
_CURSOR = re.compile(r"(\d{1,17})-(\d{1,18})\Z", re.ASCII)


@dataclass(frozen=True)
class Wanted:
    """Which threads somebody wants to see. Made from a query string; what is not understood is left out."""

    view: str = "mine"
    text: str = ""
    network: str = ""
    visibility: str = ""
    before: str = ""
    order: str = "newest"
    influence: int = INFLUENCE  # of reach and negativity on the order by exposure, in percent
    grouped: bool = False  # one row for all threads under one public post
    under: int | None = None  # a thread: only those that share its public post
    saved: int | None = None  # a saved view, which gives the rest

    @classmethod
    def read(cls, query: Mapping[str, str]) -> Wanted:
        view, network, visibility = query.get("view", ""), query.get("network", ""), query.get("visibility", "")
        order = query.get("order", "")
        return cls(
            view=view if view in VIEWS else "mine",
            order=order if order in ORDERS else "waiting" if view == "waiting" else "newest",
            influence=min(_number(query.get("influence", "")) or 0, INFLUENCE) if "influence" in query else INFLUENCE,
            grouped=query.get("group", "") == "1",
            under=_number(query.get("under", "")),
            saved=_number(query.get("saved", "")),
            text=" ".join(query.get("q", "").replace("\x00", "").split())[:QUERY_LENGTH],
            network=network if network in networks() else "",
            visibility=visibility if visibility in ("public", "private") else "",
            before=query.get("before", ""),
        )

    @cached_property
    def query(self) -> str:
        """The query string that asks for the same list from its top."""
        asked = {
            "view": self.view,
            "q": self.text,
            "network": self.network,
            "visibility": self.visibility,
            "order": self.order if self.order != self._usual_order else "",
            "influence": str(self.influence) if self.influence != INFLUENCE else "",
            "group": "1" if self.grouped else "",
            "under": str(self.under or ""),
            "saved": str(self.saved or ""),
        }
        return urlencode({name: value for name, value in asked.items() if value})

    @property
    def _usual_order(self) -> str:
        return "waiting" if self.view == "waiting" else "newest"

    @property
    def upwards(self) -> bool:
        """Whether the smallest value of the order stands first."""
        _field, down = _FIELDS.get(self.order, ("", True))
        return not down

    @property
    def filtered(self) -> bool:
        return bool(self.network or self.visibility)

    @cached_property
    def asked(self) -> Query:
        """The text, taken apart."""
        return parse(self.text, now=timezone.localtime())

    @property
    def searching(self) -> bool:
        """Whether words are looked for: then the order is that of the matches."""
        return bool(self.asked.words)

    @property
    def order_label(self) -> str:
        return str(ORDERS[self.order])

    @property
    def place(self) -> str:
        """A view's key, or that of the saved view: what is current among the tabs."""
        return f"saved-{self.saved}" if self.saved else self.view


def _number(value: str) -> int | None:
    return int(value) if value.isdecimal() and value.isascii() and len(value) < 19 else None


@dataclass(slots=True)
class Row:
    """One line of the list, ready to be shown."""

    thread: Listed
    name: str
    initials: str
    badge: str
    network: str
    snippet: str
    speaker: str
    waiting: str  # "", "short", "long" or "late"
    version: int
    order: str  # its cursor: where it stands in the list
    passage: list[tuple[str, bool]] = field(default_factory=list)  # what a search found: is each piece of text a hit?
    factors: exposure.Factors | None = None  # what makes its place in the order of exposure
    due: datetime | None = None  # the first promise that falls due, in the order of these
    others: int = 0  # how many more threads of this list stand under the same post, counted to a bound

    @property
    def unread(self) -> bool:
        return self.thread.unread

    @property
    def others_shown(self) -> str:
        return f"{self.others}+" if self.others >= MOST_OTHERS else str(self.others)

    @property
    def trouble(self) -> str:
        """State of a reply that did not leave: "", "failed" or "unknown"."""
        return self.thread.trouble


@dataclass(frozen=True, slots=True)
class Page:
    rows: list[Row]
    older: str  # the cursor of the next page, empty on the last one


@dataclass(frozen=True, slots=True)
class Tab:
    key: str
    label: str
    count: int | None  # None: not counted
    current: bool
    saved: SavedView | None = None
    pinned: bool = False  # stands in the row of tabs; the others stand below "More"

    @property
    def query(self) -> str:
        return self.saved.query if self.saved else urlencode({"view": self.key})

    @property
    def shown(self) -> str:
        """The count as a badge shows it."""
        if self.count is None:
            return ""
        return f"{COUNT_LIMIT - 1}+" if self.count >= COUNT_LIMIT else str(self.count)


def page(user: User, wanted: Wanted, brands: Collection[int]) -> Page:
    """One page of the list in its order. `brands` are those the user sees."""
    asker = Asker(user, brands)
    if wanted.searching:
        return _found_page(asker, wanted)
    if wanted.order == "exposure":
        return _exposed_page(asker, wanted)
    return _ordered_page(asker, wanted)


def still_there(user: User, wanted: Wanted, brands: Collection[int], ids: Collection[int]) -> list[Row]:
    """Those of the threads that (now) belong to the list: what an open browser asks when told of changes."""
    asker = Asker(user, brands)
    if wanted.searching:  # what was found stays where it was found, and is told anew
        return rows(_of_brands(brands, Thread.objects.filter(pk__in=ids)).values_list("pk", flat=True), user)
    threads = _asked_for(asker, wanted)
    if wanted.grouped:
        posts = Thread.objects.filter(pk__in=ids).exclude(root_external_id="")
        same = Q(root_external_id__in=posts.values("root_external_id"), channel_id__in=posts.values("channel_id"))
        threads = threads.filter(Q(pk__in=ids) | same)
        if wanted.order == "exposure":
            now = exposure.Place(timezone.now())
            threads = _most_exposed_of_each_post(threads, wanted, now)
        else:
            threads = _first_of_each_post(threads, wanted, asker)
    else:
        threads = threads.filter(pk__in=ids)
    if wanted.order == "exposure":
        listed = _exposed_rows(asker, wanted, threads.values_list("pk", flat=True), timezone.now())
    else:
        by, _down = _FIELDS.get(wanted.order, _FIELDS["newest"])
        listed = _ordered_rows(list(threads.values_list("pk", by)), wanted, user)
    return _with_others(asker, wanted, listed) if wanted.grouped else listed


def problems(user: User, wanted: Wanted, brands: Collection[int], page: Page) -> list[str]:
    """What of the question was not understood; where nothing was found, also the names that there are not."""
    said = list(wanted.asked.problems)
    if wanted.text and not page.rows:
        said += unknown(wanted.asked.filters, Asker(user, brands))
    return said


def views_of(user: User) -> list[Tab]:
    """The views by name alone, the saved ones last."""
    saved = SavedView.objects.visible_to(user)[:MOST_SAVED]
    built_in = [Tab(key, str(label), None, False) for key, label in VIEWS.items()]
    return built_in + [Tab(f"saved-{one.pk}", one.name, None, False, saved=one) for one in saved]


def tabs(user: User, wanted: Wanted, brands: Collection[int]) -> list[Tab]:
    """The views with their bounded counts, the saved ones last. A fixed number of queries, unless time runs out."""
    saved = list(SavedView.objects.visible_to(user).select_related("owner")[:MOST_SAVED])
    counts = _counts(Asker(user, brands), saved)
    built_in = [
        Tab(key, str(label), counts[key] if key in COUNTED else None, key == wanted.place)
        for key, label in VIEWS.items()
    ]
    every = built_in + [
        Tab(f"saved-{one.pk}", one.name, counts.get(f"saved-{one.pk}"), wanted.saved == one.pk, saved=one)
        for one in saved
    ]
    here = [tab.key for tab in every if tab.current and tab.key not in PINNED[:-1]]
    pinned = {*PINNED[:-1], *here} if here else set(PINNED)
    return [replace(tab, pinned=tab.key in pinned) for tab in every]


def brand_ids(user: User) -> list[int]:
    """The brands whose threads the user sees."""
    return list(Brand.objects.visible_to(user).values_list("pk", flat=True))


# -- queries ----------------------------------------------------------------------------------------------------------


def _counts(asker: Asker, saved: Collection[SavedView]) -> dict[str, int]:
    """The counts by the keys of the tabs; a saved view that takes too long has none."""
    real: dict[Any, Any] = dict(zip(_stand_ins(len(asker.brands)), asker.brands, strict=True)) | {
        _ANYBODY: asker.user.pk
    }

    def put_in(question: Question) -> Question:
        sql, values = question
        return sql, [real.get(value, value) for value in values]

    built_in = {key: put_in(question) for key, question in _views_counted(len(asker.brands)).items()}
    asked = {f"saved-{one.pk}": put_in(_question(asker, one.text)) for one in saved}
    return count_in_time(built_in, asked)


def _question(asker: Asker, text: str) -> Question:
    """Which threads a saved view holds; made once where nothing in it depends on the moment, or is a name."""
    if all(
        one.key in _SAME_FOR_ALL and one.value != "overdue" for one in parse(text, now=timezone.localtime()).filters
    ):
        return _question_kept(text, len(asker.brands))
    return _up_to_limit(_looked_at(asker, Wanted(view="any", text=text)))


_SAME_FOR_ALL = ("is", "lang", "mood", "urgency", "reach", "audience")


@lru_cache(maxsize=1_000)
def _question_kept(text: str, brands: int) -> Question:
    anybody = Asker(User(pk=_ANYBODY), _stand_ins(brands))
    return _lasting(_up_to_limit(_looked_at(anybody, Wanted(view="any", text=text))))


def _lasting(question: Question) -> Question:
    """Raises TypeError for a question whose values would not stay right."""
    if any(isinstance(value, datetime) for value in question[1]):
        raise TypeError("A view that depends on the moment cannot be kept.")
    return question


# What stands for a user and for brands in SQL that is made once. No row has such an id.
_ANYBODY = -1_000_000


def _stand_ins(brands: int) -> range:
    return range(_ANYBODY - brands, _ANYBODY)


@lru_cache(maxsize=64)
def _views_counted(brands: int) -> dict[str, Question]:
    """The SQL and its values for each counted view over so many brands: making it took longer than running it.

    Raises TypeError for a view whose values would not stay right.
    """
    anybody = User(pk=_ANYBODY)
    views = {key: _in_view(Thread.objects.all(), key, anybody) for key in COUNTED}
    return {key: _lasting(_up_to_limit(_of_brands(_stand_ins(brands), threads))) for key, threads in views.items()}


def _up_to_limit(threads: QuerySet[Thread], limit: int = COUNT_LIMIT) -> Question:
    try:
        sql, values = threads.order_by().values_list(Value(1))[:limit].query.sql_with_params()
    except EmptyResultSet:
        return "SELECT 1 WHERE FALSE", ()
    return str(sql), values


def _looked_at(asker: Asker, wanted: Wanted) -> QuerySet[Thread]:
    """The threads of the list, as far as a count looks: where no index answers a filter, among the newest of them."""
    costly = _costly(wanted)
    if not costly:
        return _asked_for(asker, wanted)
    newest = _asked_for(asker, wanted, without=costly).values("pk")[:WINDOW]
    return Thread.objects.filter(conditions(costly, asker), pk__in=newest)


def _costly(wanted: Wanted) -> list[Filter]:
    return [one for one in wanted.asked.filters if one.key in COSTLY]


def _asked_for(asker: Asker, wanted: Wanted, *, without: Collection[Filter] = ()) -> QuerySet[Thread]:
    """The threads of the list by its filters, in its order (exposure apart). Words are not looked at."""
    filters = [one for one in wanted.asked.filters if one not in without]
    field, down = _FIELDS.get(wanted.order, _FIELDS["newest"])
    sign = "-" if down else ""
    threads: QuerySet[Thread] = _due_at(Thread.objects.all()) if wanted.order == "due" else Thread.objects.all()
    threads = threads.order_by(f"{sign}{field}", f"{sign}pk")
    threads = _of_brands(asker.brands, threads)
    threads = (
        threads.filter(conditions(filters, asker) if wanted.asked else Q(pk__in=()))
        if wanted.text
        else _in_view(threads, wanted.view, asker.user)
    )
    if wanted.order in ("waiting", "exposure"):
        threads = threads.filter(state=Thread.State.OPEN, waiting_since__isnull=False)
    if wanted.network:
        channels = Channel.objects.filter(brand_id__in=asker.brands, network=wanted.network)
        threads = threads.filter(channel_id__in=list(channels.values_list("pk", flat=True)))
    if wanted.visibility:
        threads = threads.filter(**{f"has_{wanted.visibility}": True})
    return threads


def _due_at(threads: QuerySet[Thread]) -> QuerySet[Thread]:
    """Those with an open promise; `due_at` is when the first of theirs falls due."""
    opened = Promise.objects.filter(state=Promise.State.OPEN)
    first = opened.filter(thread=OuterRef("pk")).order_by("due_at").values("due_at")[:1]
    return threads.filter(pk__in=opened.values("thread")).annotate(due_at=Subquery(first))


class Selection(NamedTuple):
    """Ids of threads, and whether the list holds no more than these."""

    ids: list[int]
    whole: bool


def selection(user: User, wanted: Wanted, brands: Collection[int], limit: int) -> Selection:
    """The first `limit` threads of the list: what "all in this view" means. Fewer where no index answers a filter: then
    it is looked at so many threads and no more."""
    asker = Asker(user, brands)
    if wanted.searching:
        ids = [hit.thread for hit in find_all(wanted.asked, asker, limit=limit)]
    elif _costly(wanted) and wanted.order in _FIELDS:
        found, older = _walk(asker, replace(wanted, before=""), enough=limit, windows=MOST_SELECTED)
        return Selection([pk for pk, _at in found[:limit]], not older and len(found) < limit)
    else:
        ids = list(_asked_for(asker, wanted).values_list("pk", flat=True)[:limit])
    return Selection(ids, len(ids) < limit)


# -- pages of each order ----------------------------------------------------------------------------------------------


def _ordered_page(asker: Asker, wanted: Wanted) -> Page:
    threads, by = _asked_for(asker, wanted), _FIELDS[wanted.order][0]
    if wanted.under:
        threads = under(threads, wanted.under)
    elif _costly(wanted):
        return _walked_page(asker, wanted)
    elif wanted.grouped:
        threads = _first_of_each_post(threads, wanted, asker)
    found = list(_beyond(threads, wanted, wanted.before).values_list("pk", by)[: PAGE_SIZE + 1])
    older = cursor_at(found[PAGE_SIZE - 1]) if len(found) > PAGE_SIZE else ""
    listed = _ordered_rows(found[:PAGE_SIZE], wanted, asker.user)
    return Page(_with_others(asker, wanted, listed) if wanted.grouped and not wanted.under else listed, older)


def _beyond(threads: QuerySet[Thread], wanted: Wanted, cursor: str) -> QuerySet[Thread]:
    """Those after a cursor in the order of the list; all for anything else."""
    by, down = _FIELDS[wanted.order]
    at = read_cursor(cursor)
    if at is None:
        return threads
    beyond = "lte" if down else "gte"
    threads = threads.filter(**{f"{by}__{beyond}": at[0]})
    return threads.exclude(**{by: at[0], "pk__gte" if down else "pk__lte": at[1]})


def _walked_page(asker: Asker, wanted: Wanted) -> Page:
    """A page where no index answers a filter: the list is walked in windows, so long and no longer. It may hold less
    than a page, or nothing, and yet say where to look on."""
    found, older = _walk(asker, wanted, enough=PAGE_SIZE, windows=MOST_WINDOWS)
    if len(found) > PAGE_SIZE:
        older = cursor_at(found[PAGE_SIZE - 1])
    listed = _ordered_rows(found[:PAGE_SIZE], wanted, asker.user)
    return Page(_with_others(asker, wanted, listed) if wanted.grouped else listed, older)


def _walk(asker: Asker, wanted: Wanted, *, enough: int, windows: int) -> tuple[list[tuple[int, datetime]], str]:
    """The places (thread, moment) after the cursor of `wanted`: more than enough, or those in so many windows. And the
    cursor to look on from, empty at the end of the list."""
    costly, by = _costly(wanted), _FIELDS[wanted.order][0]
    threads, meant = _asked_for(asker, wanted, without=costly), conditions(costly, asker)
    found, older = list[tuple[int, datetime]](), wanted.before
    for _window in range(windows):
        window = list(_beyond(threads, wanted, older).values_list("pk", by)[:WINDOW])
        some = _due_at(Thread.objects.all()) if wanted.order == "due" else Thread.objects.all()
        good = some.filter(meant, pk__in=[pk for pk, _at in window])
        if wanted.grouped:
            good = _first_of_each_post(good, wanted, asker)
        ids = set(good.values_list("pk", flat=True))
        found += [place for place in window if place[0] in ids]
        older = cursor_at(window[-1]) if len(window) == WINDOW else ""
        if len(found) > enough or not older:
            break
    return found, older


def _ordered_rows(places: Sequence[tuple[int, datetime]], wanted: Wanted, user: User) -> list[Row]:
    """The rows at their places (thread, moment) in the order of the list."""
    moments = dict(places)
    listed = rows(moments, user)
    for row in listed:
        moment = moments[row.thread.pk]
        row.order = cursor_at((row.thread.pk, moment))
        row.due = moment if wanted.order == "due" else None
    return listed


def _found_page(asker: Asker, wanted: Wanted) -> Page:
    found = find(wanted.asked, asker, before=wanted.before, size=PAGE_SIZE)
    hits = found.hits
    texts = dict(
        Interaction.objects.filter(pk__in=[hit.interaction for hit in hits if hit.interaction], removed_at=None)
        .values_list("pk", "text")
    )  # fmt: skip
    by_thread = {hit.thread: hit for hit in hits}
    listed = rows(by_thread, asker.user)
    words = wanted.asked.words
    for row in listed:
        hit = by_thread[row.thread.pk]
        row.order = hit.cursor
        if text := texts.get(hit.interaction or 0):
            row.passage = passage(text, words)
    return Page(listed, found.older)


def _exposed_page(asker: Asker, wanted: Wanted) -> Page:
    """The order of exposure as it was when its first page was asked for."""
    place = exposure.Place.read(wanted.before, timezone.now())
    found, more = _most_exposed(asker, wanted, place) if not wanted.under else _exposed_under(asker, wanted, place)
    listed = _exposed_rows(asker, wanted, [pk for pk, _score in found], place.at)
    return Page(_with_others(asker, wanted, listed) if wanted.grouped and not wanted.under else listed, more)


def _most_exposed(asker: Asker, wanted: Wanted, place: exposure.Place) -> tuple[list[tuple[int, float]], str]:
    """Ids and scores of a page, and the cursor of the next one. A few rounds, where filters leave little of each."""
    caps = dict(Brand.objects.filter(pk__in=asker.brands).values_list("pk", "reach_cap"))
    mine = asker.user.pk if wanted.view == "mine" and not wanted.text else None
    asked = _asked_for(asker, wanted).order_by()
    if wanted.grouped:
        asked = _most_exposed_of_each_post(asked, wanted, place)
    found: list[tuple[int, float]] = []
    posts: list[str] = []  # those that have their row: 500 more threads under one of them are not looked at
    at = place
    for _round in range(MOST_ROUNDS):
        some = exposure.page(
            caps, wanted.influence / INFLUENCE, at, limit=4 * PAGE_SIZE, only=mine, without=posts
        )  # fmt: skip
        good = dict(asked.filter(pk__in=[pk for pk, _score in some]).values_list("pk", "root_external_id"))
        found += [(pk, score) for pk, score in some if pk in good]
        if len(found) > PAGE_SIZE or len(some) < 4 * PAGE_SIZE:
            break
        posts += [root for root in good.values() if root and wanted.grouped]
        at = replace(at, score=some[-1][1], after=some[-1][0])
    else:
        if len(found) <= PAGE_SIZE:
            return found, str(at)  # the filters leave so little that looking further is another page
    last = found[PAGE_SIZE - 1] if len(found) > PAGE_SIZE else None
    return found[:PAGE_SIZE], str(replace(place, score=last[1], after=last[0])) if last else ""


def _most_exposed_of_each_post(threads: QuerySet[Thread], wanted: Wanted, place: exposure.Place) -> QuerySet[Thread]:
    score = exposure.score_at(place.at, wanted.influence / INFLUENCE)
    above = Q(score__gt=OuterRef("score")) | Q(score=OuterRef("score"), pk__lt=OuterRef("pk"))
    others = threads.annotate(score=score).filter(
        above,
        ~Q(root_external_id=""),
        channel_id=OuterRef("channel_id"),
        root_external_id=OuterRef("root_external_id"),
    )
    return threads.annotate(score=score).filter(Q(root_external_id="") | ~Exists(others))


def _exposed_under(asker: Asker, wanted: Wanted, place: exposure.Place) -> tuple[list[tuple[int, float]], str]:
    """The same for the threads under one post."""
    score = exposure.score_at(place.at, wanted.influence / INFLUENCE)
    threads = under(_asked_for(asker, wanted), wanted.under or 0).annotate(score=score).order_by("-score", "pk")
    beyond = Q(score__lt=place.score) | Q(score=place.score, pk__gt=place.after)
    found = list(threads.filter(beyond).values_list("pk", "score")[: PAGE_SIZE + 1])
    last = found[PAGE_SIZE - 1] if len(found) > PAGE_SIZE else None
    return found[:PAGE_SIZE], str(replace(place, score=last[1], after=last[0])) if last else ""


def _exposed_rows(asker: Asker, wanted: Wanted, ids: Iterable[int], at: datetime) -> list[Row]:
    caps = dict(Brand.objects.filter(pk__in=asker.brands).values_list("pk", "reach_cap"))
    listed = rows(ids, asker.user)
    for row in listed:
        thread = row.thread
        if thread.waiting_since is not None:
            row.factors = exposure.factors(
                step=thread.reach_step, cap=caps[thread.brand_id], mood=thread.mood, waiting_since=thread.waiting_since,
                at=at, influence=wanted.influence / INFLUENCE,
            )  # fmt: skip
            row.order = f"{int(row.factors.score * 1000)}-{thread.pk}"
    return listed


# -- by post ----------------------------------------------------------------------------------------------------------


def under(threads: QuerySet[Thread], pk: int) -> QuerySet[Thread]:
    """Those of the threads that stand under the same public post as this one, without itself."""
    post = Thread.objects.filter(pk=pk).exclude(root_external_id="")
    return threads.filter(
        channel_id__in=post.values("channel_id"), root_external_id__in=post.values("root_external_id")
    ).exclude(pk=pk)


def _first_of_each_post(threads: QuerySet[Thread], wanted: Wanted, asker: Asker) -> QuerySet[Thread]:
    """Only the first of this list under each post: any other has one before it, which one look into an index tells.

    Asked thread by thread: as a join, the planner might read all threads. The index holds those with a post alone.
    """
    field, down = _FIELDS[wanted.order]
    later, same = ("gt", "gt") if down else ("lt", "lt")
    before = Q(**{f"{field}__{later}": OuterRef(field)}) | Q(**{field: OuterRef(field), f"pk__{same}": OuterRef("pk")})
    others = _asked_for(asker, wanted).order_by().filter(before, ~Q(root_external_id="")).filter(
        channel_id=OuterRef("channel_id"), root_external_id=OuterRef("root_external_id")
    )  # fmt: skip
    return threads.filter(Q(root_external_id="") | Q(IsNull(Subquery(others.values("pk")[:1]), True)))


def _with_others(asker: Asker, wanted: Wanted, listed: list[Row]) -> list[Row]:
    """The rows with the number of further threads under their post, counted to a bound, in one query."""
    posts = {(row.thread.channel_id, row.thread.root_external_id) for row in listed if row.thread.root_external_id}
    threads = _asked_for(asker, wanted).filter(channel_id=_ANY_CHANNEL, root_external_id=_ANY_POST)
    sql, values = _up_to_limit(threads, MOST_OTHERS + 1)
    counts = count(
        {
            post: (
                sql,
                [post[0] if value == _ANY_CHANNEL else post[1] if value == _ANY_POST else value for value in values],
            )
            for post in posts
        }
    )
    for row in listed:
        row.others = max(counts.get((row.thread.channel_id, row.thread.root_external_id), 1) - 1, 0)
    return listed


# What stands for a channel and a post in SQL that is made once for all rows.
_ANY_CHANNEL, _ANY_POST = -2_000_000, "\x00"


def _of_brands(brands: Collection[int], threads: QuerySet[Thread]) -> QuerySet[Thread]:
    """One brand is asked for by equality: only then the index gives the order too."""
    if len(brands) == 1:
        return threads.filter(brand_id=next(iter(brands)))
    return threads.filter(brand_id__in=brands)


def _in_view(threads: QuerySet[Thread], view: str, user: User) -> QuerySet[Thread]:
    return threads.filter(_VIEWS.get(view, _opened)(user))


def _opened(user: User) -> Q:
    return Q(state=Thread.State.OPEN)


def _unassigned(user: User) -> Q:
    """What nobody has, and no team that one is not in."""
    return Q(state=Thread.State.OPEN, assignee=None) & (Q(team=None) | Q(team__in=_teams(user)))


def _standing() -> Q:
    """Neither closed nor put away."""
    return ~Q(state__in=(Thread.State.CLOSED, *Thread.PUT_AWAY))


_VIEWS: Mapping[str, Callable[[User], Q]] = {
    "mine": lambda user: Q(state=Thread.State.OPEN, assignee=user),
    "unassigned": _unassigned,
    "mentions": lambda user: Q(pk__in=Mention.objects.of(user).values("interaction__thread")) & _standing(),
    "promises": lambda user: Q(pk__in=Promise.objects.owed_by(user).values("thread")),
    "hanging": lambda user: Q(hanging_since__isnull=False) & ~Q(state="closed") & ~Q(state__in=Thread.PUT_AWAY),
    "snoozed": lambda user: Q(state=Thread.State.SNOOZED),
    "closed": lambda user: Q(state=Thread.State.CLOSED),
    "waiting": lambda user: Q(state=Thread.State.OPEN, waiting_since__isnull=False),
    "any": lambda user: Q(),
}


def _teams(user: User) -> QuerySet[Team, int]:
    return Team.objects.filter(members=user).order_by().values_list("pk", flat=True)


def mentions_on(thread: Thread, user: User) -> list[Interaction]:
    """The notes of a thread that call this colleague and wait for their word, the oldest first."""
    called = Mention.objects.of(user).filter(interaction__thread=thread).select_related("interaction__sent_by")
    return [one.interaction for one in called.order_by("pk")]


# -- rows -------------------------------------------------------------------------------------------------------------


def rows(ids: Iterable[int], user: User) -> list[Row]:
    """The threads as lines of the list, in the order of the ids. One query, however many there are."""
    now = timezone.now()
    return [_row(thread, user, now) for thread in listed_of(list(ids), user, letters=2 * SNIPPET_LENGTH)]


def _row(thread: Listed, user: User, now: datetime) -> Row:
    adapter = networks().get(thread.network)
    waiting = _waiting(thread, now)
    name = thread.contact_name or thread.identity_name or thread.identity_handle
    shown = name or thread.identity_external_id
    version = (
        thread.last_activity_at, thread.assignee_id, thread.team_id, thread.state, thread.snoozed_until, thread.unread,
        waiting, thread.trouble, shown, thread.latest_id, thread.latest_version, thread.latest_removed_at,
        *thread.tags,
    )  # fmt: skip
    return Row(
        thread=thread,
        name=shown,
        initials=initials(name),
        badge=adapter.badge if adapter else "?",
        network=adapter.name if adapter else thread.network,
        snippet=_snippet(thread),
        speaker=_speaker(thread, user),
        waiting=waiting,
        order=cursor_at((thread.pk, thread.last_activity_at)),
        version=crc32(repr(version).encode()),
    )


def _snippet(thread: Listed) -> str:
    if thread.latest_removed_at:
        return gettext("This was deleted.")
    words = " ".join((thread.latest_words or "").split())
    if not words and thread.latest_has_media:
        return gettext("(without words)")
    return words[:SNIPPET_LENGTH]


def _speaker(thread: Listed, user: User) -> str:
    """Who said the latest item, where it was not the customer."""
    if thread.latest_direction != Interaction.Direction.OUT:
        return ""
    return gettext("You") if thread.latest_sent_by_id == user.pk else gettext("We")


def _waiting(thread: Listed, now: datetime) -> str:
    if thread.waiting_since is None or thread.state == Thread.State.CLOSED:
        return ""
    waited = now - thread.waiting_since
    return "late" if waited >= WAITING_TOO_LONG else "long" if waited >= WAITING_LONG else "short"


# -- cursors ----------------------------------------------------------------------------------------------------------


def cursor_at(place: tuple[int, datetime]) -> str:
    """Where a thread stands in a list ordered by a moment: microseconds since 1970 and its id."""
    pk, moment = place
    return f"{(moment - _EPOCH) // _MICROSECOND}-{pk}"


def read_cursor(cursor: str) -> tuple[datetime, int] | None:
    """The moment (UTC) and id that a cursor names; None for anything else."""
    match = _CURSOR.match(cursor)
    if match is None:
        return None
    try:
        return _EPOCH + int(match[1]) * _MICROSECOND, int(match[2])
    except OverflowError:
        return None
