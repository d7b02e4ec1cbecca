"""Pulls what is due: one run for a channel at a time, each page stored with its cursor before the next is asked for."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from accounts.alone import alone
from accounts.closing import closing
from accounts.failpoints import failpoint
from channels_ingest import speaking
from channels_ingest.health import PROBE_EVERY, failed, worked
from channels_ingest.ingest import Recorded, hand_over
from channels_ingest.models import Channel, StreamCursor
from channels_ingest.networks.base import NetworkError, Stream, Trouble

log = logging.getLogger(__name__)

PULL_LOCK = 2  # first half of the advisory lock key; the second half is the channel's id
# Between tries of a stream that fails, each pause twice the last one; an outage that is over is noticed this soon.
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=2), timedelta(seconds=30)


def due_channels(now: datetime) -> list[int]:
    """Ids of the channels that have a stream due, the longest waiting first; those without cursors get them."""
    _add_streams(now)
    due = StreamCursor.objects.filter(due_at__lte=now, channel__in=Channel.objects.pulling()).order_by("due_at")
    return list(dict.fromkeys(due.values_list("channel_id", flat=True)))


def _add_streams(now: datetime) -> None:
    for channel in Channel.objects.pulling().filter(cursors=None):
        StreamCursor.objects.bulk_create(
            [StreamCursor(channel=channel, stream=stream.name, due_at=now) for stream in channel.adapter.streams],
            ignore_conflicts=True,
        )


def pull_channel(channel_id: int, *, everything: bool = False) -> Recorded:
    """Pulls the due streams of a channel (all of them when `everything`), to the end of each.

    A second run at the same time does nothing. An error is kept on the channel and its stream rests for a while.
    """
    total = Recorded()
    with alone(PULL_LOCK, channel_id) as ours:
        if not ours:
            return total
        failpoint("pull.locked")
        channel = Channel.objects.select_related("app").get(pk=channel_id)
        if channel.state not in (Channel.State.ACTIVE, Channel.State.BROKEN):
            return total
        _add_streams(timezone.now())
        for stream in _in_order(channel):
            total += _pull_stream(channel, stream, everything=everything)
            channel.refresh_from_db()
            if channel.state == Channel.State.BROKEN or closing():
                break
    return total


def _in_order(channel: Channel) -> list[Stream]:
    """The streams; of a broken channel the one that failed first, so that another's success does not hide it."""
    if channel.state != Channel.State.BROKEN:
        return list(channel.adapter.streams)
    failures = dict(StreamCursor.objects.filter(channel=channel).values_list("stream", "failures"))
    return sorted(channel.adapter.streams, key=lambda stream: -failures.get(stream.name, 0))


def _pull_stream(channel: Channel, stream: Stream, *, everything: bool) -> Recorded:
    cursor, _ = StreamCursor.objects.get_or_create(channel=channel, stream=stream.name)
    total = Recorded()
    if not everything and cursor.due_at > timezone.now():
        return total
    started = timezone.now()
    try:
        for page in speaking.speak_for(channel).pull(stream.name, cursor.cursor):
            failpoint("pull.page")
            total += hand_over(channel, page.items, stream=stream.name, cursor=page.cursor, dropped=page.dropped)
            if closing():
                return total  # the cursor stands behind this page; the stream is still due
    except NetworkError as error:
        failed(channel, error, sending=False)
        _rest(cursor, channel, stream, error)
        return total
    failpoint("pull.walked")
    worked(channel)
    StreamCursor.objects.filter(pk=cursor.pk).update(
        pulled_at=started, succeeded_at=started, failures=0, due_at=started + pace(stream)
    )
    failpoint("pull.done")
    return total


def pace(stream: Stream) -> timedelta:
    """How long a stream rests between two pulls here."""
    return stream.every * settings.PULL_PACE / 100


def _rest(cursor: StreamCursor, channel: Channel, stream: Stream, error: NetworkError) -> None:
    now = timezone.now()
    first = min(pace(stream), FIRST_PAUSE)
    wait = error.rest(cursor.failures, first=first, longest=min(64 * first, LONGEST_PAUSE))
    if error.trouble == Trouble.BROKEN:
        wait = max(PROBE_EVERY, wait)
        StreamCursor.objects.filter(channel=channel).update(due_at=now + wait)
    StreamCursor.objects.filter(pk=cursor.pk).update(pulled_at=now, failures=F("failures") + 1, due_at=now + wait)


def pull_now(channel: Channel) -> None:
    """Makes every stream of the channel due."""
    StreamCursor.objects.filter(channel=channel).update(due_at=timezone.now())
