"""Search: threads by the people in them and by their words, newest match first, page by page.

Where filters leave few threads, what was said in these is looked into; otherwise all that was said (`Search`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.core.exceptions import EmptyResultSet
from django.db.models import F, Q

from conversations import mixed, people
from conversations.hits import After, Hit, Match, Span
from conversations.lexemes import Sought, lexemes_of, plan
from conversations.models import Thread
from conversations.query import Query
from conversations.question import Asker, conditions
from conversations.texts import LONGEST_WALK, MAYBE_RARE, Search

FEW = 5_000  # threads that filters leave are all looked into
SOON = 10_000.0  # as the planner counts costs: some tens of milliseconds
ALIKE = 0.5  # a name that is part of the question is the whole of it, misspelt in the rest, where it is so near


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
    after, span = After.read(before), Span.of(query.filters)
    filters = [one for one in query.filters if one.key not in Span.KEYS]
    wanted = conditions(filters, asker) & Q(brand_id__in=asker.brands)
    if not asker.brands or (filters and _is_nothing(wanted)):
        return [], None
    sought = Sought(lexemes_of(query.words))
    named = mixed.named(query.words)
    by_both = _hits(mixed.matches(named, wanted, span))
    others = wanted & ~Q(pk__in=[hit.thread for hit in by_both]) if by_both else wanted
    persons = _persons(query, misspelt=sought.expected <= MAYBE_RARE and not by_both, alike=ALIKE if named else 0.0)
    by_people = _by_people(persons & others & conditions(query.filters, asker), after, limit) if persons else []
    by_people += [hit for hit in by_both if after.passes(hit)]
    others = others & ~persons if persons else others
    few = _few(others) if filters and sought.lexemes else None
    walked_to = None
    if few is not None:
        by_words = [hit for hit in _hits(mixed.said_in(few, sought.lexemes, span)) if after.passes(hit)]
    elif sought.lexemes:
        narrowed = others if filters or by_both or persons else None
        search = Search(sought, asker, narrowed, after, span, limit=limit)
        by_words, walked_to = search.newest(patient=patient), search.walked_to
    else:
        by_words = []
    hits = sorted([*by_people, *by_words], key=lambda hit: hit.order, reverse=True)
    if walked_to:
        hits = [hit for hit in hits if hit.order >= walked_to.order]  # the others may be older than words to come
    return hits[:limit], walked_to


def _hits(matches: Iterable[Match]) -> list[Hit]:
    return [Hit(at, thread, pk) for at, pk, thread in matches]


def _few(wanted: Q) -> list[int] | None:
    """All threads that are wanted, where the planner expects few, and to find them soon, and they hold no more than a
    long walk passes; else None."""
    threads = Thread.objects.filter(wanted).order_by().values_list("pk", F("inbound_count") + F("outbound_count"))
    told = plan(*threads.query.sql_with_params())
    if told["Plan Rows"] > FEW or told["Total Cost"] > SOON:
        return None
    few = list(threads[: FEW + 1])
    return [pk for pk, _said in few] if len(few) <= FEW and sum(said for _pk, said in few) <= LONGEST_WALK else None


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


def _by_people(wanted: Q, after: After, limit: int) -> list[Hit]:
    threads = Thread.objects.filter(wanted)
    if after.kind:
        threads = threads.filter(last_activity_at__lte=after.at).exclude(last_activity_at=after.at, pk__gte=after.pk)
    else:
        threads = threads.filter(last_activity_at__lt=after.at)
    newest = threads.order_by("-last_activity_at", "-pk").values_list("last_activity_at", "pk")[:limit]
    return [Hit(at, pk, None) for at, pk in newest]
