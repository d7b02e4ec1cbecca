"""The door between a network and the house: items go up and the cursor moves, together or not at all."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
    """What became of a batch: rows new, rows known before (and changed), items removed."""

    stored: int = 0
    known: int = 0
    changed: int = 0
    removed: int = 0

    def __add__(self, other: Recorded) -> Recorded:
        return Recorded(
            self.stored + other.stored,
            self.known + other.known,
            self.changed + other.changed,
            self.removed + other.removed,
        )


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
    event: WebhookEvent | None = None,
    dropped: Sequence[Dropped] = (),
) -> Recorded:
    """Stores a batch with its cursor and its line in the ingest ledger, in one transaction.

    An item the database cannot take is set aside with its reason and does not stop its neighbours.
    """
    with transaction.atomic():
        recorded, refused = _store(channel, items)
        _set_aside(channel, dropped, kind=SetAside.Kind.LEFT_OUT, stream=stream, event=event)
        _set_aside(channel, refused, kind=SetAside.Kind.POISON, stream=stream, event=event)
        if stream:
            _ledger(channel, stream, len(items) + len(dropped), recorded, len(dropped) + len(refused))
        if cursor is not None:
            StreamCursor.objects.update_or_create(
                channel=channel, stream=stream, defaults={"cursor": dict(cursor), "pulled_at": timezone.now()}
            )
        if recorded.stored:
            Channel.objects.filter(pk=channel.pk).update(last_item_at=timezone.now())
        failpoint("ingest.storing")
    failpoint("ingest.stored")
    return recorded


def _store(channel: Channel, items: Sequence[Item]) -> tuple[Recorded, list[Dropped]]:
    """Hands the items up; halves a batch the database refuses until the culprit stands alone."""
    if not items:
        return Recorded(), []
    try:
        with transaction.atomic():
            return _send(channel, items), []
    except (DataError, ValueError) as error:  # a NUL or a lone surrogate is refused by the driver already
        if len(items) == 1:
            log.warning("An item of %s cannot be stored: %s", channel, type(error).__name__)
            return Recorded(), [Dropped(f"The database refused it: {error}"[:500], raw=_raw(items[0]))]
    middle = len(items) // 2
    first, refused = _store(channel, items[:middle])
    second, also_refused = _store(channel, items[middle:])
    return first + second, refused + also_refused


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
    channel: Channel, dropped: Sequence[Dropped], *, kind: str, stream: str, event: WebhookEvent | None
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
