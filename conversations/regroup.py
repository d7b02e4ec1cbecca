"""Splits a second matter off a thread, joins two threads of one person, and takes either back exactly.

Nothing is copied and nothing is deleted: items, their deliveries, promises and lanes point to another thread, and a
journal row says which did. The channels are locked as `record` locks them, so that nothing is stored meanwhile; then
people, deliveries and threads, in the order in which everybody else takes them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from accounts.audit import audit
from accounts.models import User
from channels_ingest.ingest import lock_channel
from channels_ingest.networks.base import Visibility
from contacts.locks import keep_people
from conversations import live, summaries
from conversations.actions import NotPossible
from conversations.models import (
    Delivery,
    Interaction,
    Lane,
    Notification,
    Promise,
    Regrouping,
    SearchEntry,
    Thread,
    ThreadEvent,
)
from conversations.record import PRIVATE_LANE

Standing = dict[str, Any]


def fork(item: Interaction, *, by: User, off: Thread | None = None) -> Thread:
    """Makes this item, and what came of it in its thread, a thread of its own; returns it.

    Of a private conversation all that follows goes along. Raises NotPossible, also where the item does not stand in
    the thread `off` (any more).
    """
    if item.thread_id is None or not item.is_inbound:
        raise NotPossible(_("Only what the customer wrote can begin a matter of its own."))
    if off is not None and item.thread_id != off.pk:
        raise NotPossible(_("This item went to another thread meanwhile. Look again."))
    with transaction.atomic():
        (source,) = _hold([item.thread_id])
        item = Interaction.objects.select_related("channel").get(pk=item.pk)
        if item.thread_id != source.pk:
            raise NotPossible(_("This item went to another thread meanwhile. Look again."))
        items, lanes = _falling(item, source)
        _check_rest(source, items)
        _check_free(items)
        target = Thread.objects.create(
            brand_id=source.brand_id,
            channel_id=item.channel_id,
            identity_id=source.identity_id,
            contact_id=source.contact_id,
            assignee_id=source.assignee_id,
            last_activity_at=item.posted_at,
        )
        journal = _write_down(Regrouping.Kind.FORK, source, target, items=items, lanes=lanes, by=by)
        _move(items, lanes, target)
        _tell(journal, ThreadEvent.Verb.FORKED, by)
    return target


def forked_at(item: Interaction, *, off: Thread) -> Thread | None:
    """The thread that was split off here at this very item, while that is in force."""
    forks = Regrouping.objects.filter(kind=Regrouping.Kind.FORK, source=off, undone_at=None)
    found = forks.filter(target=item.thread_id, target__opening=item).select_related("target").first()
    return found.target if found else None


def join(drop: Thread, *, into: Thread, by: User) -> Thread:
    """Makes two threads of one contact one: all of `drop` goes into `into`, which is returned. Raises NotPossible."""
    if drop.pk == into.pk:
        raise NotPossible(_("A thread cannot be joined with itself."))
    with transaction.atomic():
        held = {thread.pk: thread for thread in _hold([drop.pk, into.pk])}
        source, target = held[drop.pk], held[into.pk]
        if source.contact_id != target.contact_id or source.brand_id != target.brand_id:
            raise NotPossible(_("Only threads of the same person with the same brand can be joined."))
        items = set(source.interactions.values_list("pk", flat=True))
        lanes = set(source.lanes.values_list("pk", flat=True))
        _check_free(items)
        _check_flights(source, target)
        journal = _write_down(Regrouping.Kind.JOIN, source, target, items=items, lanes=lanes, by=by)
        _move(items, lanes, target)
        if source.state == Thread.State.OPEN and target.state != Thread.State.OPEN:
            _stand(target, {"state": Thread.State.OPEN})
        _put_away(source, target)
        journal.before["after"] = _standing(target)
        journal.save(update_fields=("before",))
        _tell(journal, ThreadEvent.Verb.JOINED, by)
    return target


def take_back(journal: Regrouping, *, by: User) -> None:
    """Both threads stand again as they did; what arrived since goes where it would have gone. Raises NotPossible."""
    with transaction.atomic():
        _hold([journal.source_id, journal.target_id], joined=True)
        again = Regrouping.objects.select_for_update(no_key=True).get(pk=journal.pk)
        if again.undone_at is not None:
            raise NotPossible(_("This was taken back already."))
        if _later(again).exists():
            raise NotPossible(_("One of the two threads was split or joined since. Take that back first."))
        _check_free(set(_coming_back(again)))
        _part(again, by=by)


def standing_of(thread: Thread) -> list[Regrouping]:
    """The forks and joins of the thread that are in force, newest first."""
    mine = Regrouping.objects.filter(Q(source=thread) | Q(target=thread), undone_at=None)
    return list(mine.select_related("source", "target", "by").order_by("-pk"))


def part_strangers(thread_ids: Collection[int]) -> None:
    """Takes back joins of these threads whose two sides turned out to be different people.

    For the receiver of a split contact, which holds the people lock: so nothing is being stored, and no channel lock
    is needed (or allowed: it comes before the people lock).
    """
    mine = Q(source__in=thread_ids) | Q(target__in=thread_ids)
    joins = Regrouping.objects.filter(mine, kind=Regrouping.Kind.JOIN, undone_at=None)
    for journal in joins.select_related("source", "target").order_by("-pk"):
        if journal.source.contact_id != journal.target.contact_id:
            _part(journal, by=None)


# -- what goes along --------------------------------------------------------------------------------------------------

_DESCENDANTS = """
    WITH RECURSIVE down (id) AS (
        SELECT unnest(%s::bigint[])
        UNION
        SELECT i.id FROM conversations_interaction i JOIN down ON i.parent_id = down.id
    )
    SELECT i.id FROM conversations_interaction i JOIN down ON down.id = i.id WHERE i.thread_id = %s
"""


def _descendants(ids: Iterable[int], thread_id: int) -> set[int]:
    """These items and all below them, as far as they belong to the thread (through what others said, too)."""
    with connection.cursor() as cursor:
        cursor.execute(_DESCENDANTS, [list(ids), thread_id])
        return {pk for (pk,) in cursor.fetchall()}


def _falling(item: Interaction, source: Thread) -> tuple[set[int], set[int]]:
    """The items and lanes that a fork at this item takes along."""
    if not item.is_private:
        return _descendants([item.pk], source.pk), set()
    since = Q(posted_at__gt=item.posted_at) | Q(posted_at=item.posted_at, pk__gte=item.pk)
    private = source.interactions.filter(since, visibility=Visibility.PRIVATE, channel=item.channel_id)
    following = private.exclude(direction=Interaction.Direction.NOTE).values_list("pk", flat=True)
    lanes = source.lanes.filter(channel=item.channel_id, root_external_id=PRIVATE_LANE)
    return _descendants(following, source.pk), set(lanes.values_list("pk", flat=True))


def _coming_back(journal: Regrouping) -> set[int]:
    """The items that taking back returns to the source."""
    if journal.kind == Regrouping.Kind.FORK:
        return set(journal.target.interactions.values_list("pk", flat=True))
    moved = set(journal.target.interactions.filter(pk__in=journal.moved["items"]).values_list("pk", flat=True))
    fresh = journal.target.interactions.filter(received_at__gte=journal.at)
    arrived = set(fresh.filter(_on_lanes(journal.moved["lanes"])).values_list("pk", flat=True))
    below = _descendants(moved | arrived, journal.target_id)
    return moved | set(fresh.filter(pk__in=below).values_list("pk", flat=True))


def _on_lanes(lane_ids: Iterable[int]) -> Q:
    """What the lanes' people wrote there."""
    wanted = Q(pk__in=())
    for lane in Lane.objects.filter(pk__in=lane_ids):
        there = Q(visibility=Visibility.PRIVATE)
        if lane.root_external_id != PRIVATE_LANE:
            there = Q(visibility=Visibility.PUBLIC, root_external_id=lane.root_external_id)
        wanted |= there & Q(channel=lane.channel_id, author=lane.identity_id)
    return wanted


# -- what may not be moved --------------------------------------------------------------------------------------------


def _check_rest(source: Thread, items: Collection[int]) -> None:
    rest = source.interactions.filter(direction=Interaction.Direction.IN).exclude(pk__in=items)
    if not rest.exists():
        raise NotPossible(_("This is where the thread begins: nothing of the customer would be left in it."))


def _check_free(items: Collection[int]) -> None:
    """A reply that is being sent right now stays where its sender knows it."""
    answers = Delivery.objects.select_for_update(no_key=True).filter(interaction__in=items).order_by("pk")
    busy = (Delivery.State.SENDING,)
    if any(answer.state in busy or answer.lease_until for answer in answers):
        raise NotPossible(_("A reply is just being sent. Try again in a moment."))


def _check_flights(source: Thread, target: Thread) -> None:
    """The database allows one reply of unknown fate for each thread."""
    doubtful = Delivery.objects.filter(thread__in=(source, target), state__in=Delivery.IN_FLIGHT)
    if doubtful.values("thread").distinct().count() > 1:
        raise NotPossible(_("Both threads have a reply that may not have arrived. Settle one of them first."))


def _later(journal: Regrouping) -> Any:
    both = (journal.source_id, journal.target_id)
    return Regrouping.objects.filter(Q(source__in=both) | Q(target__in=both), undone_at=None, pk__gt=journal.pk)


# -- moving -----------------------------------------------------------------------------------------------------------


def _hold(thread_ids: Collection[int], *, joined: bool = False) -> list[Thread]:
    """The threads, locked with all that could write into them. Raises NotPossible where one is put away."""
    channels = _channels(thread_ids)
    for pk in sorted(channels):
        lock_channel(pk)
    keep_people()
    if _channels(thread_ids) - channels:
        raise NotPossible(_("Something is arriving right now. Try again in a moment."))
    list(Delivery.objects.select_for_update(no_key=True).filter(thread__in=thread_ids).order_by("pk").values_list("pk"))
    threads = list(Thread.objects.select_for_update(no_key=True).filter(pk__in=thread_ids).order_by("pk"))
    away = Thread.State.SPAM if joined else None
    if any(thread.state in ((away,) if joined else Thread.PUT_AWAY) for thread in threads):
        raise NotPossible(_("This thread is put away."))
    return threads


def _channels(thread_ids: Collection[int]) -> set[int]:
    spoken = Interaction.objects.filter(thread__in=thread_ids).values_list("channel", flat=True)
    lanes = Lane.objects.filter(thread__in=thread_ids).values_list("channel", flat=True)
    own = Thread.objects.filter(pk__in=thread_ids).values_list("channel", flat=True)
    return {*spoken.distinct(), *lanes, *own}


def _move(items: Collection[int], lanes: Collection[int], to: Thread) -> None:
    Interaction.objects.filter(pk__in=items).update(thread=to, contact=to.contact_id)
    Delivery.objects.filter(interaction__in=items).update(thread=to)
    Promise.objects.filter(interaction__in=items).update(thread=to)
    Notification.objects.filter(interaction__in=items).update(thread=to)
    SearchEntry.objects.filter(interaction__in=items).update(thread=to)
    Lane.objects.filter(pk__in=lanes).update(thread=to)


def _part(journal: Regrouping, *, by: User | None) -> None:
    items = _coming_back(journal)
    fresh = items - set(journal.moved["items"])
    lanes: Iterable[int] = journal.moved["lanes"]
    if journal.kind == Regrouping.Kind.FORK:
        lanes = journal.target.lanes.values_list("pk", flat=True)
    _move(items, list(lanes), journal.source)
    if journal.kind == Regrouping.Kind.FORK:
        if fresh and journal.target.state == Thread.State.OPEN:
            _stand(journal.source, {"state": Thread.State.OPEN})
        _put_away(journal.target, journal.source)
    else:
        _stand(journal.source, {"state": Thread.State.OPEN} if fresh else journal.before["source"])
        if _standing(journal.target) == journal.before["after"]:
            _stand(journal.target, journal.before["target"])
    journal.undone_at, journal.undone_by = timezone.now(), by
    journal.save(update_fields=("undone_at", "undone_by"))
    _tell(journal, ThreadEvent.Verb.PARTED, by)


def _put_away(thread: Thread, into: Thread) -> None:
    """The empty thread, which only leads to the other one from now on."""
    Thread.objects.filter(pk=thread.pk).update(
        state=Thread.State.JOINED,
        joined_into=into,
        snoozed_until=None,
        closed_at=timezone.now(),
        opening=None,
        latest=None,
        has_public=False,
        has_private=False,
        waiting_since=None,
        hanging_since=None,
        last_inbound_at=None,
        last_outbound_at=None,
        inbound_count=0,
        outbound_count=0,
    )


def _standing(thread: Thread) -> Standing:
    return {
        "state": str(thread.state),
        "snoozed_until": thread.snoozed_until.isoformat() if thread.snoozed_until else None,
        "closed_at": thread.closed_at.isoformat() if thread.closed_at else None,
    }


def _stand(thread: Thread, standing: Standing) -> None:
    thread.state, thread.joined_into = standing["state"], None
    thread.snoozed_until, thread.closed_at = _moment(standing, "snoozed_until"), _moment(standing, "closed_at")
    thread.save(update_fields=("state", "joined_into", "snoozed_until", "closed_at"))


def _moment(standing: Standing, name: str) -> datetime | None:
    words = standing.get(name)
    return parse_datetime(words) if words else None


def _write_down(
    kind: str, source: Thread, target: Thread, *, items: Collection[int], lanes: Collection[int], by: User
) -> Regrouping:
    return Regrouping.objects.create(
        kind=kind,
        source=source,
        target=target,
        by=by,
        moved={"items": sorted(items), "lanes": sorted(lanes)},
        before={"source": _standing(source), "target": _standing(target)},
    )


def _tell(journal: Regrouping, verb: str, by: User | None) -> None:
    """History on both sides, the audit line, fresh summaries, and a hint to open browsers."""
    both = (journal.source, journal.target)
    for thread, other in (both, both[::-1]):
        details = {"kind": str(journal.kind), "other": other.pk, "journal": journal.pk, "gave": thread == both[0]}
        ThreadEvent.objects.create(thread=thread, verb=verb, by=by, details=details)
    audit(by=by, verb=str(verb), on=journal, brand=both[0].brand_id, source=both[0].pk, target=both[1].pk)
    summaries.refresh([thread.pk for thread in both])
    for thread in both:
        thread.refresh_from_db()
    live.announce(both[0].brand_id, [thread.pk for thread in both])
