"""Renews accesses that end by themselves, as X's do after two hours.

A refresh token is good once, so there is one renewer at a time: claim (a lease in the database, committed), call,
store. No call stands in a transaction. A process that dies between the network's answer and our commit takes the new
tokens with it: the lease runs out, the next try is refused, and the channel is broken until a person signs in again.
"""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.failpoints import failpoint
from accounts.leases import free
from channels_ingest import health
from channels_ingest.models import Channel, Renewal
from channels_ingest.networks.base import LONGEST_CALL, Access, NetworkError, Trouble, writing_before

log = logging.getLogger(__name__)

LEASE = LONGEST_CALL + timedelta(seconds=10)
EARLY = timedelta(minutes=10)  # before the access ends; less for one that lives less than half an hour
LONGEST_PAUSE = timedelta(minutes=10)  # between tries while the network fails
TAKEN = timedelta(seconds=5)  # how long others wait for the one who renews
CHECK_EVERY = timedelta(days=1)  # how often networks are asked when an access ends
ENDED = "sign-in"  # the code of an access that only a person can renew


def fresh_token(channel_id: int, refused: str) -> str:
    """The access token that took the place of the refused one, renewed where nobody did so yet. Raises NetworkError."""
    channel = _channel(channel_id)
    if channel.credentials.get("access_token") == refused:
        if not channel.adapter(channel.account).renewable:
            raise NetworkError(_("The keys were changed meanwhile."), Trouble.TEMPORARY, code="renewing")
        renew(channel_id, instead_of=refused)
        channel = _channel(channel_id)
    return str(channel.credentials.get("access_token", ""))


def renew(channel_id: int, *, instead_of: str | None = None) -> None:
    """Renews the access of a channel, or `instead_of` this access token alone: somebody may have done so since it was
    read. Raises NetworkError where it could not be, or somebody else is at it."""
    before = time.monotonic()
    turn = _claim(channel_id)
    channel = _channel(channel_id)
    used = channel.credentials.get("refresh_token", "")
    if instead_of is not None and channel.credentials.get("access_token") != instead_of:
        Renewal.objects.filter(channel=channel, tries=turn).update(lease_until=None, tries=turn - 1)
        return
    failpoint("renew.calling")
    try:
        with writing_before(before + LEASE.total_seconds() / 2):
            access = channel.adapter(channel.account).renew()
        failpoint("renew.called")
    except NetworkError as error:
        _failed(channel, error, used=used, turn=turn)
        raise
    _store(channel, access, used=used)


def _channel(channel_id: int) -> Channel:
    return Channel.objects.select_related("app").get(pk=channel_id)


def _claim(channel_id: int) -> int:
    """Takes the lease and returns the number of this try. Raises NetworkError where it is not to be had."""
    Renewal.objects.get_or_create(channel_id=channel_id)
    with transaction.atomic():
        row = Renewal.objects.select_for_update(no_key=True).annotate(clock=Now()).get(channel_id=channel_id)
        if row.refused_at is not None:
            raise _ended(channel_id)
        if row.lease_until is not None and row.lease_until > row.clock:
            words = _("The access is being renewed.")
            raise NetworkError(words, Trouble.TEMPORARY, retry_after=TAKEN, code="renewing")
        if row.tries and row.lease_until is None and row.due_at > row.clock:
            words = _("The access could not be renewed yet; it is tried again soon.")
            raise NetworkError(words, Trouble.TEMPORARY, retry_after=row.due_at - row.clock, code="renewing")
        Renewal.objects.filter(pk=row.pk).update(lease_until=Now() + LEASE, tries=F("tries") + 1)
        failpoint("renew.claiming")
    failpoint("renew.claimed")
    return row.tries + 1


def _ended(channel_id: int) -> NetworkError:
    told = Channel.objects.filter(pk=channel_id, last_error_code=ENDED).values_list("last_error", "advice").first()
    words, advice = told or (_("This access cannot be renewed any more."), _("Sign in again and enter the new keys."))
    return NetworkError(words, Trouble.BROKEN, code=ENDED, advice=advice)


def _store(channel: Channel, access: Access, *, used: str) -> None:
    """Keeps what the network gave, unless somebody entered other keys meanwhile."""
    with transaction.atomic():
        locked = Channel.objects.select_for_update(no_key=True, of=("self",)).get(pk=channel.pk)
        if locked.credentials.get("refresh_token", "") != used:
            return
        locked.keep_credentials(access.credentials)
        locked.save(update_fields=["credentials"])
        schedule(locked, access)
        failpoint("renew.storing")
    failpoint("renew.stored")


def _failed(channel: Channel, error: NetworkError, *, used: str, turn: int) -> None:
    """A refusal breaks the channel, once; trouble of the network rests the renewal for a while."""
    mine = Renewal.objects.filter(channel=channel, tries=turn)
    if error.trouble == Trouble.TEMPORARY:
        mine.update(lease_until=None, due_at=Now() + error.rest(turn, longest=LONGEST_PAUSE))
        return
    with transaction.atomic():
        locked = Channel.objects.select_for_update(no_key=True, of=("self",)).get(pk=channel.pk)
        same = locked.credentials.get("refresh_token", "") == used
        if same and mine.update(lease_until=None, refused_at=Now()):
            health.failed(locked, error, sending=False)
        failpoint("renew.refusing")
    failpoint("renew.refused")


def schedule(channel: Channel, access: Access) -> None:
    """Notes when the access is to be renewed next. Within the transaction that keeps its credentials."""
    if access.renew_before is None:
        Renewal.objects.filter(channel=channel).delete()
        return
    lives = access.renew_before - timezone.now()
    changes = {"due_at": Now() + max(timedelta(0), lives - min(EARLY, lives / 3)), "renewed_at": Now()}
    idle = {"lease_until": None, "tries": 0, "refused_at": None}
    Renewal.objects.update_or_create(channel=channel, defaults={**changes, **idle})


# -- the sweep --------------------------------------------------------------------------------------------------------


def renew_due() -> int:
    """Renews what ends soon; returns how many were renewed. Trouble is kept on the channel."""
    due = Renewal.objects.filter(free(), due_at__lte=Now(), refused_at=None, channel__in=Channel.objects.pulling())
    done = 0
    for channel in Channel.objects.filter(pk__in=due.values("channel_id")).order_by("renewal__due_at"):
        try:
            renew(channel.pk, instead_of=channel.credentials.get("access_token", ""))
            done += 1
        except NetworkError as error:
            log.info("The access of %s was not renewed: %s", channel, error.message)
    return done


def check_ends(now: datetime) -> None:
    """Asks the networks once a day when their accesses end that only a person can renew."""
    lately = now - CHECK_EVERY
    unchecked = Q(access_checked_at=None) | Q(access_checked_at__lte=lately)
    for channel in Channel.objects.filter(unchecked, state=Channel.State.ACTIVE).select_related("app"):
        Channel.objects.filter(pk=channel.pk).update(access_checked_at=now)
        try:
            ends = channel.adapter(channel.account).access_ends()
        except NetworkError as error:
            log.info("%s does not say when its access ends: %s", channel, error.message)
        else:
            Channel.objects.filter(pk=channel.pk).update(token_expires_at=ends)
