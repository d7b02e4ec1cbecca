"""The list of threads page by page, in each of its orders. Every question is one indexed keyset query."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.models import Brand, User
from conversations import exposure, prepared, seen
from conversations.choosing import (
    WINDOW,
    _due_at,
    asked_for,
    beyond,
    costly_filters,
    first_of_each_post,
    of_brands,
    under,
)
from conversations.counting import count_by_post, up_to
from conversations.find import find, find_all
from conversations.highlight import LONGEST, passage
from conversations.lines import MOST_OTHERS, Row, Speakers, rows
from conversations.models import Thread
from conversations.question import Asker, conditions, unknown
from conversations.wanted import FIELDS, INFLUENCE, Wanted, cursor_at

brand_ids = seen.brand_ids

PAGE_SIZE = 50
MOST_WINDOWS = 4  # for a page
SELECTED_WINDOW, MOST_SELECTED = 4_000, 5  # threads at once and windows, for all that a view holds
MOST_ROUNDS = 10  # of reading on in the order of exposure where a filter leaves little of it


@dataclass(frozen=True, slots=True)
class Page:
    rows: list[Row]
    older: str  # the cursor of the next page, empty on the last one


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
        return rows(of_brands(brands, Thread.objects.filter(pk__in=ids)).values_list("pk", flat=True), user)
    threads = asked_for(asker, wanted)
    if wanted.grouped:
        posts = Thread.objects.filter(pk__in=ids).exclude(root_external_id="")
        same = Q(root_external_id__in=posts.values("root_external_id"), channel_id__in=posts.values("channel_id"))
        threads = threads.filter(Q(pk__in=ids) | same)
        if wanted.order == "exposure":
            now = exposure.Place(timezone.now())
            threads = _most_exposed_of_each_post(threads, wanted, now)
        else:
            threads = first_of_each_post(threads, wanted, asker)
    else:
        threads = threads.filter(pk__in=ids)
    if wanted.order == "exposure":
        listed = _exposed_rows(asker, wanted, threads.values_list("pk", flat=True), timezone.now())
    else:
        by, _down = FIELDS.get(wanted.order, FIELDS["newest"])
        listed = _ordered_rows(list(threads.values_list("pk", by)), wanted, user)
    return _with_others(asker, wanted, listed) if wanted.grouped else listed


def problems(user: User, wanted: Wanted, brands: Collection[int], page: Page) -> list[str]:
    """What of the question was not understood; where nothing was found, also the names that there are not."""
    said = list(wanted.asked.problems)
    if wanted.text and not page.rows:
        said += unknown(wanted.asked.filters, Asker(user, brands))
    return said


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
    elif costly_filters(wanted) and wanted.order in FIELDS:
        top = replace(wanted, before="")
        found, older = _walk(asker, top, enough=limit, windows=MOST_SELECTED, size=SELECTED_WINDOW)
        return Selection([pk for pk, _at in found[:limit]], not older and len(found) < limit)
    else:
        ids = list(asked_for(asker, wanted).values_list("pk", flat=True)[:limit])
    return Selection(ids, len(ids) < limit)


def _ordered_page(asker: Asker, wanted: Wanted) -> Page:
    threads, by = asked_for(asker, wanted), FIELDS[wanted.order][0]
    if wanted.under:
        threads = under(threads, wanted.under)
    elif costly_filters(wanted):
        return _walked_page(asker, wanted)
    elif wanted.grouped:
        threads = first_of_each_post(threads, wanted, asker)
    found = list(beyond(threads, wanted, wanted.before).values_list("pk", by)[: PAGE_SIZE + 1])
    older = cursor_at(found[PAGE_SIZE - 1]) if len(found) > PAGE_SIZE else ""
    listed = _ordered_rows(found[:PAGE_SIZE], wanted, asker.user)
    return Page(_with_others(asker, wanted, listed) if wanted.grouped and not wanted.under else listed, older)


def _walked_page(asker: Asker, wanted: Wanted) -> Page:
    """A page where no index answers a filter: the list is walked in windows, so long and no longer. It may hold less
    than a page, or nothing, and yet say where to look on."""
    found, older = _walk(asker, wanted, enough=PAGE_SIZE, windows=MOST_WINDOWS, size=WINDOW)
    if len(found) > PAGE_SIZE:
        older = cursor_at(found[PAGE_SIZE - 1])
    listed = _ordered_rows(found[:PAGE_SIZE], wanted, asker.user)
    return Page(_with_others(asker, wanted, listed) if wanted.grouped else listed, older)


def _walk(
    asker: Asker, wanted: Wanted, *, enough: int, windows: int, size: int
) -> tuple[list[tuple[int, datetime]], str]:
    """The places (thread, moment) after the cursor of `wanted`: more than enough, or those in so many windows of that
    size. And the cursor to look on from, empty at the end of the list."""
    costly, by = costly_filters(wanted), FIELDS[wanted.order][0]
    threads, meant = asked_for(asker, wanted, without=costly), conditions(costly, asker)
    found, older = list[tuple[int, datetime]](), wanted.before
    for _window in range(windows):
        window = list(beyond(threads, wanted, older).values_list("pk", by)[:size])
        some = Thread.objects.with_ids([pk for pk, _at in window])
        good = (_due_at(some) if wanted.order == "due" else some).filter(meant)
        if wanted.grouped:
            good = first_of_each_post(good, wanted, asker)
        ids = set(good.values_list("pk", flat=True))
        found += [place for place in window if place[0] in ids]
        older = cursor_at(window[-1]) if len(window) == size else ""
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
    hits = {hit.thread: hit for hit in found.hits}
    said = _said([hit.interaction for hit in found.hits if hit.interaction])
    speakers = Speakers(asker.user)
    listed = rows(hits, asker.user)
    for row in listed:
        hit = hits[row.thread.pk]
        row.order = hit.cursor
        text, direction, sent_by = said.get(hit.interaction or 0, ("", None, None))
        if text:
            row.passage = passage(text, wanted.asked.words)
            row.speaker = speakers.of(direction, sent_by)
    return Page(listed, found.older)


_SAID = """
    SELECT id, left(text, $2), direction, sent_by_id FROM conversations_interaction
    WHERE id = ANY($1::bigint[]) AND removed_at IS NULL
"""


def _said(interactions: Sequence[int]) -> dict[int, tuple[str, str | None, int | None]]:
    """Text, direction and colleague of those that are still there."""
    found = prepared.rows(_SAID, [interactions, LONGEST]) if interactions else []
    return {pk: (text, direction, sent_by) for pk, text, direction, sent_by in found}


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
    asked = asked_for(asker, wanted).order_by()
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
    threads = under(asked_for(asker, wanted), wanted.under or 0).annotate(score=score).order_by("-score", "pk")
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


# What stands for a channel and a post in SQL that is made once for all rows.
_ANY_CHANNEL, _ANY_POST = -2_000_000, "\x00"


def _with_others(asker: Asker, wanted: Wanted, listed: list[Row]) -> list[Row]:
    """The rows with the number of further threads under their post, counted to a bound, in one query."""
    posts = {(row.thread.channel_id, row.thread.root_external_id) for row in listed if row.thread.root_external_id}
    threads = asked_for(asker, wanted).filter(channel_id=_ANY_CHANNEL, root_external_id=_ANY_POST)
    question = up_to(threads.exclude(root_external_id=""), MOST_OTHERS + 1)  # so the index of the posts is known to do
    counts = count_by_post(question, posts, channel=_ANY_CHANNEL, root=_ANY_POST)
    for row in listed:
        row.others = max(counts.get((row.thread.channel_id, row.thread.root_external_id), 1) - 1, 0)
    return listed
