"""The list of threads: its views, filters, search and pages. Every question is one indexed keyset query."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from zlib import crc32

from django.db.models import Q, QuerySet, Value
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy

from accounts.models import Brand
from channels_ingest.models import Channel
from channels_ingest.networks import networks
from conversations.find import found_threads
from conversations.models import Delivery, Interaction, Promise, Thread, ThreadSeen, unread

if TYPE_CHECKING:
    from accounts.models import User

PAGE_SIZE = 50
COUNT_LIMIT = 100  # "99+": a badge never counts further
SNIPPET_LENGTH = 160
QUERY_LENGTH = 200
WAITING_LONG = timedelta(hours=1)
WAITING_TOO_LONG = timedelta(hours=24)

VIEWS = {
    "mine": gettext_lazy("Mine"),
    "unassigned": gettext_lazy("Unassigned"),
    "all": gettext_lazy("All"),
    "promises": gettext_lazy("Promises"),
    "hanging": gettext_lazy("Left hanging in public"),
    "snoozed": gettext_lazy("Snoozed"),
    "closed": gettext_lazy("Closed"),
}
COUNTED = ("mine", "unassigned", "all", "promises", "hanging", "snoozed")

_CURSOR = re.compile(r"(\d{1,17})-(\d{1,18})\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which threads somebody wants to see. Made from a query string; what is not understood is left out."""

    view: str = "mine"
    text: str = ""
    network: str = ""
    visibility: str = ""
    before: str = ""

    @classmethod
    def read(cls, query: Mapping[str, str]) -> Wanted:
        view, network, visibility = query.get("view", ""), query.get("network", ""), query.get("visibility", "")
        return cls(
            view=view if view in VIEWS else "mine",
            text=" ".join(query.get("q", "").replace("\x00", "").split())[:QUERY_LENGTH],
            network=network if network in networks() else "",
            visibility=visibility if visibility in ("public", "private") else "",
            before=query.get("before", ""),
        )

    @property
    def query(self) -> str:
        """The query string that asks for the same list from its top."""
        asked = {"view": self.view, "q": self.text, "network": self.network, "visibility": self.visibility}
        return urlencode({name: value for name, value in asked.items() if value})

    @property
    def filtered(self) -> bool:
        return bool(self.network or self.visibility)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list, ready to be shown."""

    thread: Thread
    name: str
    initials: str
    badge: str
    network: str
    snippet: str
    speaker: str
    unread: bool
    waiting: str  # "", "short", "long" or "late"
    trouble: str  # state of a reply that did not leave: "", "failed" or "unknown"
    version: int

    @property
    def order(self) -> str:
        return cursor_of(self.thread)


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

    @property
    def shown(self) -> str:
        """The count as a badge shows it."""
        if self.count is None:
            return ""
        return f"{COUNT_LIMIT - 1}+" if self.count >= COUNT_LIMIT else str(self.count)


def page(user: User, wanted: Wanted, brands: Collection[int]) -> Page:
    """One page of the list, newest activity first. `brands` are those the user sees."""
    threads = _asked_for(user, wanted, brands)
    at = read_cursor(wanted.before)
    if at is not None:
        threads = threads.filter(last_activity_at__lte=at[0]).exclude(last_activity_at=at[0], pk__gte=at[1])
    found = list(_with_parts(threads)[: PAGE_SIZE + 1])
    older = cursor_of(found[PAGE_SIZE - 1]) if len(found) > PAGE_SIZE else ""
    return Page(rows(found[:PAGE_SIZE], user), older)


def still_there(user: User, wanted: Wanted, brands: Collection[int], ids: Collection[int]) -> list[Row]:
    """Those of the threads that (now) belong to the list: what an open browser asks when told of changes."""
    return rows(list(_with_parts(_asked_for(user, wanted, brands).filter(pk__in=ids))), user)


def tabs(user: User, wanted: Wanted, brands: Collection[int]) -> list[Tab]:
    """The views with their bounded counts, in one query."""
    counts = _counts(user, brands)
    return [
        Tab(key, str(label), counts[key] if key in COUNTED else None, key == wanted.view)
        for key, label in VIEWS.items()
    ]


def brand_ids(user: User) -> list[int]:
    """The brands whose threads the user sees."""
    return list(Brand.objects.visible_to(user).values_list("pk", flat=True))


# -- queries ----------------------------------------------------------------------------------------------------------


def _counts(user: User, brands: Collection[int]) -> Counter[str]:
    some, *others = (
        _of_brands(brands, _in_view(Thread.objects.order_by(), key, user)).values_list(Value(key))[:COUNT_LIMIT]
        for key in COUNTED
    )
    return Counter(key for (key,) in some.union(*others, all=True))


def _asked_for(user: User, wanted: Wanted, brands: Collection[int]) -> QuerySet[Thread]:
    threads: QuerySet[Thread] = Thread.objects.order_by("-last_activity_at", "-pk")
    threads = _of_brands(brands, threads)
    threads = (
        threads.filter(pk__in=found_threads(wanted.text, brands))
        if wanted.text
        else _in_view(threads, wanted.view, user)
    )
    if wanted.network:
        channels = Channel.objects.filter(brand_id__in=brands, network=wanted.network).values_list("pk", flat=True)
        threads = threads.filter(channel_id__in=list(channels))
    if wanted.visibility:
        threads = threads.filter(**{f"has_{wanted.visibility}": True})
    return threads


def _of_brands(brands: Collection[int], threads: QuerySet[Thread]) -> QuerySet[Thread]:
    """One brand is asked for by equality: only then the index gives the order too."""
    if len(brands) == 1:
        return threads.filter(brand_id=next(iter(brands)))
    return threads.filter(brand_id__in=brands)


def _in_view(threads: QuerySet[Thread], view: str, user: User) -> QuerySet[Thread]:
    opened, closed = Q(state=Thread.State.OPEN), Q(state=Thread.State.CLOSED)
    views = {
        "mine": opened & Q(assignee=user),
        "unassigned": opened & Q(assignee=None),
        "promises": Q(pk__in=Promise.objects.owed_by(user).values("thread")),
        "hanging": Q(hanging_since__isnull=False) & ~closed & ~Q(state__in=Thread.PUT_AWAY),
        "snoozed": Q(state=Thread.State.SNOOZED),
        "closed": closed,
    }
    return threads.filter(views.get(view, opened))


def _with_parts(threads: QuerySet[Thread]) -> QuerySet[Thread]:
    return threads.select_related("channel", "identity", "contact", "assignee", "latest").defer(
        "channel__credentials",
        "channel__settings",
        "latest__facts",
        "latest__metrics",
        "assignee__password",
    )


# -- rows -------------------------------------------------------------------------------------------------------------


def rows(threads: Iterable[Thread], user: User) -> list[Row]:
    """The threads as lines of the list, in their order. Two queries, however many there are."""
    listed = list(threads)
    ids = [thread.pk for thread in listed]
    seen = dict(ThreadSeen.objects.filter(user=user, thread_id__in=ids).values_list("thread_id", "seen_at"))
    troubles = _troubles(ids)
    now = timezone.now()
    return [_row(thread, user, seen.get(thread.pk), troubles, now) for thread in listed]


def _troubles(ids: Collection[int]) -> dict[int, tuple[str, datetime]]:
    """The newest failed or unknown reply of each thread, and when it was written."""
    found = (
        Delivery.objects.filter(thread_id__in=ids, state__in=(Delivery.State.FAILED, Delivery.State.UNKNOWN))
        .order_by("pk")
        .values_list("thread_id", "state", "created_at")
    )
    return {thread_id: (state, created_at) for thread_id, state, created_at in found}


def _row(
    thread: Thread, user: User, seen_at: datetime | None, troubles: Mapping[int, tuple[str, datetime]], now: datetime
) -> Row:
    latest, identity = thread.latest, thread.identity
    trouble, written_at = troubles.get(thread.pk, ("", now))
    if trouble == Delivery.State.FAILED and thread.last_outbound_at and thread.last_outbound_at > written_at:
        trouble = ""  # something left after it
    adapter = networks().get(thread.channel.network)
    waiting = _waiting(thread, now)
    name = thread.contact.name or str(identity)
    fresh = unread(thread, seen_at)
    version: tuple[Any, ...] = (
        thread.last_activity_at, thread.assignee_id, thread.state, thread.snoozed_until, fresh, waiting, trouble, name,
        latest and (latest.pk, latest.version, latest.removed_at),
    )  # fmt: skip
    return Row(
        thread=thread,
        name=name,
        initials=thread.contact.initials if thread.contact.name else identity.initials,
        badge=adapter.badge if adapter else "?",
        network=adapter.name if adapter else thread.channel.network,
        snippet=_snippet(latest),
        speaker=_speaker(latest, user),
        unread=fresh,
        waiting=waiting,
        trouble=trouble,
        version=crc32(repr(version).encode()),
    )


def _snippet(latest: Interaction | None) -> str:
    if latest is None:
        return ""
    if latest.removed_at:
        return gettext("This was deleted.")
    words = " ".join(latest.text[: 2 * SNIPPET_LENGTH].split())
    if not words and latest.media:
        return gettext("(without words)")
    return words[:SNIPPET_LENGTH]


def _speaker(latest: Interaction | None, user: User) -> str:
    """Who said the latest item, where it was not the customer."""
    if latest is None or not latest.is_ours:
        return ""
    return gettext("You") if latest.sent_by_id == user.pk else gettext("We")


def _waiting(thread: Thread, now: datetime) -> str:
    if thread.waiting_since is None or thread.state == Thread.State.CLOSED:
        return ""
    waited = now - thread.waiting_since
    return "late" if waited >= WAITING_TOO_LONG else "long" if waited >= WAITING_LONG else "short"


# -- cursors ----------------------------------------------------------------------------------------------------------


def cursor_of(thread: Thread) -> str:
    """Where the thread stands in the list: microseconds since 1970 and its id."""
    return f"{_micros(thread.last_activity_at)}-{thread.pk}"


def read_cursor(cursor: str) -> tuple[datetime, int] | None:
    """The moment (UTC) and id that a cursor names; None for anything else."""
    match = _CURSOR.match(cursor)
    if match is None:
        return None
    try:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(match[1])), int(match[2])
    except OverflowError:
        return None


def _micros(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
