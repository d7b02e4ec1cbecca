"""A thread as its readers see it: the customer's matter, and the public conversation it is part of.

The newest items of the thread itself are always there; around them stand what they answer, what answers them, and (up
to a limit) the rest of the public tree, folded where it does not concern the customer.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any
from zlib import crc32

from django.db import connection
from django.db.models import OuterRef, Q, Subquery
from django.utils import timezone

from channels_ingest.networks.base import Visibility
from conversations.belongings import NOT_ASKED, Belongings
from conversations.models import Delivery, HelperCredit, Interaction, Thread, ThreadEvent
from conversations.record import PRIVATE_LANE
from conversations.wanted import read_cursor

if TYPE_CHECKING:
    from django.db.models import QuerySet

OWN_SIZE = 60  # items of the thread on one page
AROUND_SIZE = 80  # other items of its public trees
EVENTS_SIZE = 100
ANCESTORS = 25
FOLD_FROM = 3  # so many items in a row that do not concern the customer become one folded line

CUSTOMER, US, PEER, NOTE = "customer", "us", "peer", "note"


@dataclass(frozen=True, slots=True)
class Said:
    """One item, and how it stands in the conversation."""

    item: Interaction
    role: str  # CUSTOMER, US, PEER or NOTE
    own: bool  # it belongs to this thread
    answered: Interaction | None  # what it answers, where that is not the item right above
    helped: bool  # marked as solving the thread's matter
    turn: bool  # the first one in another lane (public, private) than the one above
    delivery: Delivery | None  # what became of our answer

    kind = "said"

    @property
    def key(self) -> str:
        return f"i{self.item.pk}"

    @property
    def initials(self) -> str:
        speaker = self.item.sent_by or self.item.author
        return speaker.initials if speaker else "?"

    @property
    def version(self) -> int:
        item, delivery = self.item, self.delivery
        state = delivery and (delivery.state, delivery.attempts, delivery.error, delivery.advice, delivery.not_before)
        parts = (
            item.version,
            item.removed_at,
            item.hidden_at,
            item.external_id,
            item.parent_id,
            self.turn,
            self.helped,
            state,
        )
        return crc32(repr((parts, self.answered and self.answered.pk)).encode())


@dataclass(frozen=True, slots=True)
class Aside:
    """Items of other people that do not concern the customer, folded."""

    items: list[Said]

    kind = "aside"

    @property
    def key(self) -> str:
        return f"aside{self.items[0].item.pk}"

    @property
    def version(self) -> int:
        return crc32(repr([one.version for one in self.items]).encode())

    @property
    def people(self) -> list[str]:
        """The first few names."""
        names = dict.fromkeys(str(one.item.author) for one in self.items if one.item.author)
        return list(names)[:3]


@dataclass(frozen=True, slots=True)
class Happened:
    """A change of the thread: assigned, snoozed, closed..."""

    event: ThreadEvent

    kind = "event"

    @property
    def key(self) -> str:
        return f"e{self.event.pk}"

    version = 1


@dataclass(frozen=True, slots=True)
class Day:
    """The line between two days (in the reader's time zone)."""

    on: date

    kind = "day"

    @property
    def key(self) -> str:
        return f"day{self.on.isoformat()}"

    version = 1


Entry = Said | Aside | Happened | Day


@dataclass(slots=True)
class Tree:
    """What is shown of a thread, oldest first. `older` is the cursor of what came before, empty where nothing did."""

    entries: list[Entry] = field(default_factory=list)
    older: str = ""
    newest_inbound: int | None = None  # the newest inbound item of the thread: what a writer has seen
    people: int = 0  # how many people speak in what is shown, ours not counted
    more_around: bool = False  # the public tree holds more than is shown


def tree_of(thread: Thread, *, before: str = "", has: Belongings = NOT_ASKED) -> Tree:
    """The newest part of a thread, or the part before a cursor. A fixed number of queries at most."""
    places, more = _own(thread, before)
    if not places:
        return Tree()
    since = places[0].posted_at if more else None
    until = places[-1].posted_at if before else None
    around, close = _others(thread, places, since=since, until=until)
    items = _in_order(_load({*(place.pk for place in places), *around, *close}), thread, has)
    events = _events(thread, since=since, until=until)
    inbound = (one.item.pk for one in reversed(items) if one.own and one.item.is_inbound)
    return Tree(
        entries=list(_with_days(_folded(_merged(items, events), close))),
        older=_cursor(places[0]) if more else "",
        newest_inbound=next(inbound, None),
        people=len({one.item.author_id for one in items if one.role in (CUSTOMER, PEER)}),
        more_around=len(around) >= AROUND_SIZE,
    )


def public_around(thread: Thread, *, before: str = "") -> Tree:
    """All that was said under the thread's public roots, by whomever: the newest page, or the one before a cursor."""
    under = _under_roots(thread)
    if under is None:
        return Tree()
    items = Interaction.objects.filter(under, visibility=Visibility.PUBLIC, external_id__isnull=False)
    found = list(_before(_parts(items).order_by("-posted_at", "-pk"), before)[: AROUND_SIZE + 1])
    shown, more = found[:AROUND_SIZE][::-1], len(found) > AROUND_SIZE
    said = _in_order(shown, thread)
    return Tree(entries=list(_with_days(said)), older=_cursor(shown[0]) if more else "")


def newest_inbound(thread: Thread) -> int | None:
    """Id of the newest inbound item: what somebody who looks now has seen."""
    inbound = thread.interactions.filter(direction=Interaction.Direction.IN)
    return inbound.order_by("-posted_at", "-pk").values_list("pk", flat=True).first()


def newest_inbound_of(threads: Collection[int]) -> dict[int, int | None]:
    """The same for many threads, by their ids, in one query."""
    inbound = Interaction.objects.filter(thread=OuterRef("pk"), direction=Interaction.Direction.IN)
    newest = Subquery(inbound.order_by("-posted_at", "-pk").values("pk")[:1])
    return dict(Thread.objects.filter(pk__in=threads).values_list("pk", newest))


# -- queries ----------------------------------------------------------------------------------------------------------


# what is shown of an item, of those who spoke, and of what became of an answer
_SHOWN = (
    *(field.name for field in Interaction._meta.concrete_fields if field.name not in ("facts", "metrics")),
    *(f"author__{name}" for name in ("name", "handle", "external_id", "avatar_url", "verified", "ours")),
    *(f"sent_by__{name}" for name in ("name", "email")),
    *(f"delivery__{field.name}" for field in Delivery._meta.concrete_fields),
    *(f"delivery__approval__{name}" for name in ("verdict", "reason")),
)


def _parts(items: QuerySet[Interaction]) -> QuerySet[Interaction]:
    return items.select_related("author", "sent_by", "delivery__approval").only(*_SHOWN)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an item of the thread stands."""

    pk: int
    posted_at: datetime
    visibility: str
    parent: int | None


def _own(thread: Thread, before: str) -> tuple[list[_Place], bool]:
    """The thread's items, oldest first, and whether there are older ones."""
    items = Interaction.objects.filter(thread=thread).order_by("-posted_at", "-pk")
    found = _before(items, before).values_list("pk", "posted_at", "visibility", "parent_id")[: OWN_SIZE + 1]
    places = [_Place(*row) for row in found]
    return places[:OWN_SIZE][::-1], len(places) > OWN_SIZE


def _load(ids: Collection[int]) -> list[Interaction]:
    return list(_parts(Interaction.objects.filter(pk__in=ids)))


# Around: what else was said under the thread's public roots (the latest five) in that time, the newest few. Close: what
# the thread's items answer, up to the root, and what answers them. All of it is public, on the network, and not of this
# thread.
_OTHERS = """
    WITH RECURSIVE lane AS (
        SELECT DISTINCT channel_id, root_external_id FROM (
            SELECT channel_id, root_external_id FROM conversations_lane
            WHERE thread_id = %(thread)s AND visibility = 'public' AND root_external_id <> %(private)s
            ORDER BY id DESC LIMIT 5
        ) latest
    ), around AS (
        SELECT item.id FROM lane CROSS JOIN LATERAL (
            SELECT id, posted_at FROM conversations_interaction said
            WHERE said.channel_id = lane.channel_id AND said.root_external_id = lane.root_external_id
                AND posted_at BETWEEN %(since)s AND %(until)s AND OTHER
            ORDER BY posted_at DESC, id DESC LIMIT %(most)s
        ) item ORDER BY posted_at DESC, id DESC LIMIT %(most)s
    ), up (id, parent_id, depth) AS (
        SELECT id, parent_id, 0 FROM conversations_interaction WHERE id = ANY(%(answering)s)
        UNION
        SELECT item.id, item.parent_id, up.depth + 1 FROM conversations_interaction item JOIN up
            ON item.id = up.parent_id WHERE up.depth < %(depth)s
    ), close AS (
        SELECT said.id FROM (
            SELECT id FROM conversations_interaction WHERE parent_id = ANY(%(own)s)
            UNION
            SELECT id FROM up WHERE depth > 0
        ) near JOIN conversations_interaction said USING (id)
        WHERE OTHER ORDER BY posted_at DESC LIMIT %(most)s
    )
    SELECT id, FALSE FROM around UNION ALL SELECT id, TRUE FROM close
""".replace(
    "OTHER",
    "said.visibility = 'public' AND said.external_id IS NOT NULL AND said.thread_id IS DISTINCT FROM %(thread)s",
)


def _others(
    thread: Thread, own: Sequence[_Place], *, since: datetime | None, until: datetime | None
) -> tuple[set[int], set[int]]:
    """Ids of what stands around the thread's own items, and of what is close to them."""
    public = [place.pk for place in own if place.visibility != Visibility.PRIVATE]
    answer_others = not {place.parent for place in own} <= {None, *public}
    values: dict[str, Any] = {
        "thread": thread.pk, "private": PRIVATE_LANE, "since": since or "-infinity", "until": until or "infinity",
        "most": AROUND_SIZE, "own": public, "answering": public if answer_others else [], "depth": ANCESTORS,
    }  # fmt: skip
    around, close = set[int](), set[int]()
    with connection.cursor() as cursor:
        cursor.execute(_OTHERS, values)
        for pk, is_close in cursor.fetchall():
            (close if is_close else around).add(pk)
    return around, close


def _before(items: QuerySet[Interaction], cursor: str) -> QuerySet[Interaction]:
    at = read_cursor(cursor)
    return items if at is None else items.filter(posted_at__lte=at[0]).exclude(posted_at=at[0], pk__gte=at[1])


def _under_roots(thread: Thread) -> Q | None:
    """What stands under the thread's public roots, the latest five; None where it has none."""
    lanes = list(
        thread.lanes.filter(visibility=Visibility.PUBLIC)
        .exclude(root_external_id=PRIVATE_LANE)
        .order_by("-pk")
        .values_list("channel_id", "root_external_id")[:5]
    )
    under = Q()
    for channel_id, root in lanes:
        under |= Q(channel_id=channel_id, root_external_id=root)
    return under if lanes else None


def _events(thread: Thread, *, since: datetime | None, until: datetime | None) -> list[ThreadEvent]:
    events = ThreadEvent.objects.filter(thread=thread).select_related("by").order_by("-at", "-pk")
    if since is not None:
        events = events.filter(at__gte=since)
    if until is not None:
        events = events.filter(at__lte=until)
    return list(events[:EVENTS_SIZE])[::-1]


def _cursor(item: Interaction | _Place) -> str:
    from_micros = round(item.posted_at.timestamp() * 1_000_000)
    return f"{from_micros}-{item.pk}"


# -- order ------------------------------------------------------------------------------------------------------------


def _in_order(found: Iterable[Interaction], thread: Thread, has: Belongings = NOT_ASKED) -> list[Said]:
    items = {row.pk: row for row in found}
    ordered = sorted(items.values(), key=lambda row: (row.posted_at, row.pk))
    credits = HelperCredit.objects.filter(thread=thread).values_list("interaction", flat=True)
    credited = set(credits) if has.credits else set[int]()
    said: list[Said] = []
    above: Interaction | None = None
    for item in ordered:
        answered = items.get(item.parent_id) if item.parent_id else None
        said.append(
            Said(
                item=item,
                role=_role(item, thread),
                own=item.thread_id == thread.pk,
                answered=answered if above is None or answered is not above else None,
                helped=item.pk in credited,
                turn=above is not None and not item.is_note and item.visibility != above.visibility,
                delivery=_delivery(item) if item.thread_id == thread.pk else None,
            )
        )
        above = above if item.is_note else item
    return said


def _delivery(item: Interaction) -> Delivery | None:
    """An answer has one; what others say has not, which was read with it."""
    return item.delivery if item.is_ours and hasattr(item, "delivery") else None


def _role(item: Interaction, thread: Thread) -> str:
    if item.is_note:
        return NOTE
    if item.is_ours or (item.author is not None and item.author.ours):
        return US
    if item.thread_id == thread.pk or item.author_id == thread.identity_id or item.contact_id == thread.contact_id:
        return CUSTOMER
    return PEER


def _merged(said: Iterable[Said], events: Iterable[ThreadEvent]) -> list[Said | Happened]:
    entries: list[tuple[datetime, int, Said | Happened]] = [(one.item.posted_at, 0, one) for one in said]
    entries += [(event.at, 1, Happened(event)) for event in events]
    return [entry for _at, _rank, entry in sorted(entries, key=lambda row: row[:2])]


def _folded(entries: Iterable[Said | Happened], close: Collection[int]) -> Iterator[Entry]:
    """Runs of items that do not concern the customer become one folded entry."""

    def is_aside(entry: Said | Happened) -> bool:
        return isinstance(entry, Said) and not entry.own and entry.item.pk not in close

    for aside, run in groupby(entries, key=is_aside):
        found: list[Any] = list(run)
        if aside and len(found) >= FOLD_FROM:
            yield Aside(found)
        else:
            yield from found


def _with_days(entries: Iterable[Entry]) -> Iterator[Entry]:
    day: date | None = None
    for entry in entries:
        on = timezone.localdate(_when(entry))
        if on != day:
            day = on
            yield Day(on)
        yield entry


def _when(entry: Entry) -> datetime:
    match entry:
        case Said():
            return entry.item.posted_at
        case Aside():
            return entry.items[0].item.posted_at
        case Happened():
            return entry.event.at
        case Day():
            raise ValueError("A day is only put between entries.")
