"""How a channel fares, kept on the channel: the last error stands there for the admin."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from channels_ingest.models import Channel, PulledPage
from channels_ingest.networks.base import NetworkError, Trouble

PROBE_EVERY = timedelta(minutes=1)  # how often a broken channel is tried: at most one call a minute
LONGEST_LIMIT = timedelta(hours=24)  # a network that asks for longer is asked again after this


class Diagnosis(enum.StrEnum):
    HEALTHY = "healthy"
    SLOW = "slow"
    BROKEN = "broken"
    SILENT = "silent"
    PAUSED = "paused"
    HISTORY = "history"


@dataclass(frozen=True, slots=True)
class Health:
    diagnosis: Diagnosis
    words: str
    advice: str = ""


SILENT_AFTER = timedelta(days=2)  # at the latest
SILENT_AT_FIRST = timedelta(hours=2)  # at the earliest
UNUSUAL = 10  # times the usual time between two pages with something new
USUAL_OVER = timedelta(days=7)


def health(channel: Channel, now: datetime) -> Health:
    """What to tell an admin of this channel."""
    resting = {
        Channel.State.HISTORY: Health(Diagnosis.HISTORY, _("Imported history; not connected.")),
        Channel.State.PAUSED: Health(Diagnosis.PAUSED, _("Paused: nothing is pulled or sent.")),
        Channel.State.BROKEN: Health(Diagnosis.BROKEN, channel.last_error, channel.advice),
    }
    return resting.get(Channel.State(channel.state)) or _working(channel, now)


def _working(channel: Channel, now: datetime) -> Health:
    if channel.limited_until and channel.limited_until > now:
        until = channel.limited_until.strftime("%H:%M")
        words = _("The network asks us to wait until %(time)s UTC.") % {"time": until}
        return Health(Diagnosis.SLOW, words, channel.last_error)
    if channel.last_error_at and (channel.last_success_at is None or channel.last_error_at > channel.last_success_at):
        return Health(Diagnosis.SLOW, channel.last_error, channel.advice)
    if channel.last_item_at and now - channel.last_item_at > _silent_after(channel, channel.last_item_at, now):
        return Health(Diagnosis.SILENT, _("Nothing has come in for longer than usual."))
    return Health(Diagnosis.HEALTHY, _("Working."))


def _silent_after(channel: Channel, last_item_at: datetime, now: datetime) -> timedelta:
    """After how long without anything new this channel is quieter than usual."""
    if now - last_item_at <= SILENT_AT_FIRST:
        return SILENT_AFTER
    pages = PulledPage.objects.filter(channel=channel, stored__gt=0, at__gt=last_item_at - USUAL_OVER).count()
    return min(SILENT_AFTER, max(SILENT_AT_FIRST, UNUSUAL * USUAL_OVER / pages if pages else SILENT_AFTER))


def worked(channel: Channel) -> None:
    """A call succeeded: errors are over, and a broken channel is whole again."""
    now = timezone.now()
    changed = Channel.objects.filter(pk=channel.pk, state=Channel.State.BROKEN).update(
        state=Channel.State.ACTIVE, outage_from=Coalesce("outage_from", "broken_since"), broken_since=None
    )
    Channel.objects.filter(pk=channel.pk).update(last_success_at=now)
    if changed or channel.last_error:
        Channel.objects.filter(pk=channel.pk).update(last_error="", last_error_code="", advice="")


def failed(channel: Channel, error: NetworkError, *, sending: bool = True) -> None:
    """Keeps the error on the channel; breaks it where the token or a scope is gone, and holds its replies where the
    network limits sending. A limit met while pulling rests that stream alone: networks count each endpoint apart."""
    now = timezone.now()
    Channel.objects.filter(pk=channel.pk).update(
        last_error=error.message[:1000], last_error_code=error.code[:64], last_error_at=now, advice=error.advice[:500]
    )
    if error.trouble == Trouble.BROKEN:
        Channel.objects.filter(pk=channel.pk, state=Channel.State.ACTIVE).update(
            state=Channel.State.BROKEN, broken_since=now
        )
    elif sending and error.retry_after is not None:
        Channel.objects.filter(pk=channel.pk).update(limited_until=now + min(error.retry_after, LONGEST_LIMIT))
