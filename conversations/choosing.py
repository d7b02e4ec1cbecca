"""Which threads a list holds: views, filters and posts as one indexed question."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import lru_cache

from django.db.models import BooleanField, Exists, F, Func, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.lookups import IsNull

from accounts.models import Team, User
from conversations.lexemes import lexemes_of
from conversations.models import Mention, Promise, SearchEntry, Thread
from conversations.query import Filter, Word
from conversations.question import Asker, conditions
from conversations.wanted import FIELDS, Wanted, read_cursor

COSTLY = ("audience",)  # filters that no index answers: who else spoke under a post is looked up thread by thread
WINDOW = 500  # threads of which that is looked up at once, and for a count


def asked_for(asker: Asker, wanted: Wanted, *, without: Collection[Filter] = ()) -> QuerySet[Thread]:
    """The threads of the list by its filters, in its order (exposure apart). Words are not looked at."""
    filters = [one for one in wanted.asked.filters if one not in without]
    field, down = FIELDS.get(wanted.order, FIELDS["newest"])
    sign = "-" if down else ""
    threads: QuerySet[Thread] = _due_at(Thread.objects.all()) if wanted.order == "due" else Thread.objects.all()
    threads = threads.order_by(f"{sign}{field}", f"{sign}pk")
    threads = of_brands(asker.brands, threads)
    if wanted.text:
        threads = threads.filter(conditions(filters, asker) if wanted.asked else Q(pk__in=()))
    else:
        threads = in_view(threads, wanted.view, asker.user).filter(conditions(wanted.chosen, asker))
    if wanted.order in ("waiting", "exposure"):
        threads = threads.filter(state=Thread.State.OPEN, waiting_since__isnull=False)
    return threads


def looked_at(asker: Asker, wanted: Wanted) -> QuerySet[Thread]:
    """The threads of the list, as far as a count looks: among the newest for words and where no index answers."""
    costly = costly_filters(wanted)
    if not costly and not wanted.searching:
        return asked_for(asker, wanted)
    newest = asked_for(asker, wanted, without=costly).values("pk")[:WINDOW]
    return Thread.objects.filter(conditions(costly, asker), _said(wanted.asked.words), pk__in=newest)


def _said(words: tuple[Word, ...]) -> Q:
    """Where one text says all the words."""
    if not words:
        return Q()
    lexemes = _lexemes(words)
    if not lexemes:
        return Q(pk__in=())
    says = Func(
        F("document"),
        Value(lexemes),
        template="%(expressions)s::tsquery",
        arg_joiner=" @@ ",
        output_field=BooleanField(),
    )
    return Q(Exists(SearchEntry.objects.filter(says, thread=OuterRef("pk"))))


@lru_cache(maxsize=1_000)
def _lexemes(words: tuple[Word, ...]) -> str:
    return lexemes_of(words)


def costly_filters(wanted: Wanted) -> list[Filter]:
    return [one for one in wanted.asked.filters if one.key in COSTLY]


def _due_at(threads: QuerySet[Thread]) -> QuerySet[Thread]:
    """Those with an open promise; `due_at` is when the first of theirs falls due."""
    opened = Promise.objects.filter(state=Promise.State.OPEN)
    first = opened.filter(thread=OuterRef("pk")).order_by("due_at").values("due_at")[:1]
    return threads.filter(pk__in=opened.values("thread")).annotate(due_at=Subquery(first))


def beyond(threads: QuerySet[Thread], wanted: Wanted, cursor: str) -> QuerySet[Thread]:
    """Those after a cursor in the order of the list; all for anything else."""
    by, down = FIELDS[wanted.order]
    at = read_cursor(cursor)
    if at is None:
        return threads
    beyond = "lte" if down else "gte"
    threads = threads.filter(**{f"{by}__{beyond}": at[0]})
    return threads.exclude(**{by: at[0], "pk__gte" if down else "pk__lte": at[1]})


def under(threads: QuerySet[Thread], pk: int) -> QuerySet[Thread]:
    """Those of the threads that stand under the same public post as this one, without itself."""
    post = Thread.objects.filter(pk=pk).exclude(root_external_id="")
    return threads.filter(
        channel_id__in=post.values("channel_id"), root_external_id__in=post.values("root_external_id")
    ).exclude(pk=pk)


def first_of_each_post(threads: QuerySet[Thread], wanted: Wanted, asker: Asker) -> QuerySet[Thread]:
    """Only the first of this list under each post: any other has one before it, which one look into an index tells.

    Asked thread by thread: as a join, the planner might read all threads. The index holds those with a post alone.
    """
    field, down = FIELDS[wanted.order]
    later, same = ("gt", "gt") if down else ("lt", "lt")
    before = Q(**{f"{field}__{later}": OuterRef(field)}) | Q(**{field: OuterRef(field), f"pk__{same}": OuterRef("pk")})
    others = asked_for(asker, wanted).order_by().filter(before, ~Q(root_external_id="")).filter(
        channel_id=OuterRef("channel_id"), root_external_id=OuterRef("root_external_id")
    )  # fmt: skip
    return threads.filter(Q(root_external_id="") | Q(IsNull(Subquery(others.values("pk")[:1]), True)))


def of_brands(brands: Collection[int], threads: QuerySet[Thread]) -> QuerySet[Thread]:
    """One brand is asked for by equality: only then the index gives the order too."""
    if len(brands) == 1:
        return threads.filter(brand_id=next(iter(brands)))
    return threads.filter(brand_id__in=brands)


def in_view(threads: QuerySet[Thread], view: str, user: User) -> QuerySet[Thread]:
    return threads.filter(_VIEWS.get(view, _opened)(user))


def _opened(user: User) -> Q:
    return Q(state=Thread.State.OPEN)


def _unassigned(user: User) -> Q:
    """What nobody has, and no team that one is not in."""
    return Q(state=Thread.State.OPEN, assignee=None) & (Q(team=None) | Q(team__in=_teams(user)))


def _called(user: User) -> Q:
    """Where a note calls this colleague. Closing a thread settles what called before, not what calls since."""
    closed = Q(interaction__thread__state=Thread.State.CLOSED)
    since = closed & Q(interaction__posted_at__gt=F("interaction__thread__closed_at"))
    away = closed | Q(interaction__thread__state__in=Thread.PUT_AWAY)
    return Q(pk__in=Mention.objects.of(user).filter(~away | since).values("interaction__thread"))


_VIEWS: Mapping[str, Callable[[User], Q]] = {
    "mine": lambda user: Q(state=Thread.State.OPEN, assignee=user),
    "unassigned": _unassigned,
    "mentions": _called,
    "promises": lambda user: Q(pk__in=Promise.objects.owed_by(user).values("thread")),
    "hanging": lambda user: Q(hanging_since__isnull=False) & ~Q(state="closed") & ~Q(state__in=Thread.PUT_AWAY),
    "snoozed": lambda user: Q(state=Thread.State.SNOOZED),
    "closed": lambda user: Q(state=Thread.State.CLOSED),
    "waiting": lambda user: Q(state=Thread.State.OPEN, waiting_since__isnull=False),
    "any": lambda user: Q(),
}


def _teams(user: User) -> QuerySet[Team, int]:
    return Team.objects.filter(members=user).order_by().values_list("pk", flat=True)
