"""The door between a network and the house: items go up and the cursor moves, together or not at all."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import DataError, connection, transaction
from django.utils import timezone

from accounts.failpoints import failpoint
from channels_ingest.models import Channel, PulledPage, SetAside, StreamCursor, WebhookEvent
from channels_ingest.networks.base import Dropped, Item, Post
from channels_ingest.signals import posts_received

log = logging.getLogger(__name__)

CHANNEL_LOCK = 1  # first half of the advisory lock key; the second half is the channel's id


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a batch: rows new (`fresh`: their network ids), rows known before (and changed), items removed."""

    stored: int = 0
    known: int = 0
    changed: int = 0
    removed: int = 0
    fresh: frozenset[str] = field(default=frozenset(), compare=False)

    def __add__(self, other: Recorded) -> Recorded:
        return Recorded(
            self.stored + other.stored,
            self.known + other.known,
            self.changed + other.changed,
            self.removed + other.removed,
            self.fresh | other.fresh,
        )


@dataclass(slots=True)
class Pushed:
    """What one stored webhook says to one channel, and afterwards what became of its posts."""

    event: WebhookEvent
    items: Sequence[Item]
    dropped: Sequence[Dropped] = ()
    stored: int = 0
    known: int = 0


def lock_channel(channel_id: int) -> None:
    """Until the transaction ends, nobody else stores items of this channel."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [CHANNEL_LOCK, channel_id])


def hand_over(
    channel: Channel,
    items: Sequence[Item],
    *,
    stream: str = "",
    cursor: Mapping[str, Any] | None = None,
    dropped: Sequence[Dropped] = (),
) -> Recorded:
    """Stores a batch with its cursor and its line in the ingest ledger, in one transaction.

    An item the database cannot take is set aside with its reason and does not stop its neighbours.
    """
    with transaction.atomic():
        recorded, refused = _store(channel, items)
        _set_aside(channel, dropped, kind=SetAside.Kind.LEFT_OUT, stream=stream)
        _set_aside(channel, list(refused.values()), kind=SetAside.Kind.POISON, stream=stream)
        if stream:
            _ledger(channel, stream, len(items) + len(dropped), recorded, len(dropped) + len(refused))
        if cursor is not None:
            StreamCursor.objects.update_or_create(
                channel=channel, stream=stream, defaults={"cursor": dict(cursor), "pulled_at": timezone.now()}
            )
        _arrived(channel, recorded)
        failpoint("ingest.storing")
    failpoint("ingest.stored")
    return recorded


def hand_over_pushed(channel: Channel, pushed: Sequence[Pushed]) -> None:
    """Stores what several webhooks say to a channel as one batch, in one transaction, and counts for each of them."""
    with transaction.atomic():
        recorded, refused = _store(channel, [item for one in pushed for item in one.items])
        unclaimed = set(recorded.fresh)
        for one in pushed:
            posts = [item.external_id for item in one.items if isinstance(item, Post) and id(item) not in refused]
            one.stored = len(unclaimed.intersection(posts))
            one.known = len(posts) - one.stored
            unclaimed.difference_update(posts)
            poison = [refused[id(item)] for item in one.items if id(item) in refused]
            _set_aside(channel, one.dropped, kind=SetAside.Kind.LEFT_OUT, event=one.event)
            _set_aside(channel, poison, kind=SetAside.Kind.POISON, event=one.event)
        _arrived(channel, recorded)
        failpoint("ingest.storing")
    failpoint("ingest.stored")


def _arrived(channel: Channel, recorded: Recorded) -> None:
    if recorded.stored:
        Channel.objects.filter(pk=channel.pk).update(last_item_at=timezone.now())


def _store(channel: Channel, items: Sequence[Item]) -> tuple[Recorded, dict[int, Dropped]]:
    """Hands the items up; halves a batch the database refuses until the culprit stands alone.

    Returns what became of them, and the refused ones by their `id()`.
    """
    if not items:
        return Recorded(), {}
    try:
        with transaction.atomic():
            return _send(channel, items), {}
    except (DataError, ValueError) as error:  # a NUL or a lone surrogate is refused by the driver already
        if len(items) == 1:
            log.warning("An item of %s cannot be stored: %s", channel, type(error).__name__)
            return Recorded(), {id(items[0]): Dropped(f"The database refused it: {error}"[:500], raw=_raw(items[0]))}
    middle = len(items) // 2
    first, refused = _store(channel, items[:middle])
    second, also_refused = _store(channel, items[middle:])
    return first + second, refused | also_refused


def _send(channel: Channel, items: Sequence[Item]) -> Recorded:
    total = Recorded()
    for _, answer in posts_received.send(sender=Channel, channel=channel, items=items):
        if isinstance(answer, Recorded):
            total += answer
    return total


def _raw(item: Item) -> Any:
    return dict(item.raw) if isinstance(item, Post) else {"external_id": getattr(item, "external_id", "")}


def _ledger(channel: Channel, stream: str, received: int, recorded: Recorded, dropped: int) -> None:
    if received:
        PulledPage.objects.create(
            channel=channel,
            stream=stream,
            received=received,
            stored=recorded.stored,
            known=recorded.known,
            dropped=dropped,
        )


def _set_aside(
    channel: Channel, dropped: Sequence[Dropped], *, kind: str, stream: str = "", event: WebhookEvent | None = None
) -> None:
    if not dropped:
        return
    SetAside.objects.bulk_create(
        [
            SetAside(
                channel=channel,
                event=event,
                stream=stream,
                kind=kind,
                reason=one.reason[:500],
                raw=_jsonable(one.raw),
                digest=_digest(one),
            )
            for one in dropped
        ],
        ignore_conflicts=True,
    )


def _jsonable(raw: Any) -> Any:
    """As JSON that PostgreSQL takes: without NUL and lone surrogates."""
    plain = json.dumps(raw, default=str).replace("\\u0000", "\\ufffd")
    return json.loads(plain.encode("utf-8", "replace").decode()) if "\\ud" not in plain.lower() else repr(raw)[:5000]


def _digest(dropped: Dropped) -> str:
    told = json.dumps([dropped.reason, dropped.raw], default=str, sort_keys=True)
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()
