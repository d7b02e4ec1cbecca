"""Keeps people from writing to our accounts on the network itself, where it offers that, and lets them in again.

What is wanted is kept in the database with who and why. A worker takes it up under a lease that is committed before
the call, and notes what came of it afterwards. Blocking twice is blocking once, so a worker that dies in between does
no harm: whoever finds the lease run out asks the network again. Nobody asks for the opposite while a lease runs.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.audit import audit
from accounts.closing import closing
from accounts.failpoints import failpoint
from accounts.leases import free
from accounts.models import User
from channels_ingest import health, speaking, wake
from channels_ingest.models import Channel
from channels_ingest.networks.base import (
    Action,
    NetworkError,
    Situation,
    Trouble,
    Verdict,
    Visibility,
    too_late_to_write,
    writing_before,
)
from contacts.models import Identity
from conversations import live
from conversations.models import Blocking, Interaction, Thread

MOST_TRIES = 10
FIRST_BACKOFF = timedelta(seconds=5)
LONGEST_BACKOFF = timedelta(hours=1)  # ten tries go on for about three hours


# -- what is wanted ---------------------------------------------------------------------------------------------------


def possible(identity: Identity, channel: Channel) -> Verdict:
    """Whether the channel's network lets us block this handle, and why not."""
    if channel.state == Channel.State.HISTORY:
        return Verdict(False, _("This channel holds imported history and is not connected."))
    network, now = speaking.speak_for(channel), timezone.now()
    verdict = network.verdict(
        Action.BLOCK,
        Situation(
            external_id="",
            visibility=Visibility.PUBLIC,
            author_id=identity.external_id,
            ours=identity.ours,
            posted_at=now,
            now=now,
        ),
    )
    if network.supports.block:
        return verdict
    words = _("%(network)s does not let programs like this one block people: block on their profile there.")
    own = "" if verdict.allowed else verdict.reason
    return Verdict(False, own or words % {"network": channel.network_name})


def block(identity: Identity, *, brand_id: int, by: User, why: str) -> int:
    """Has the handle blocked on each account of the brand that it wrote to, where that can be; returns on how many it
    was not wanted before. In the caller's transaction."""
    wrote = Interaction.objects.filter(channel=OuterRef("pk"), author=identity)
    channels = Channel.objects.filter(Exists(wrote), brand=brand_id, network=identity.network)
    able = [one for one in channels.select_related("app").order_by("pk") if possible(identity, one).allowed]
    for channel in able:
        Blocking.objects.get_or_create(channel=channel, identity=identity)
    rows = _of(identity, brand_id).filter(channel__in=able)
    return _want([row for row in rows if not row.wanted or row.state == Blocking.State.FAILED], True, by, why)


def let_in(identity: Identity, *, brand_id: int, by: User, why: str) -> int:
    """Takes the wish back, or has the network let the handle in again where it may have been told; returns on how many
    accounts. In the caller's transaction."""
    rows = _of(identity, brand_id)
    return _want([row for row in rows if row.wanted or row.state == Blocking.State.FAILED], False, by, why)


def _of(identity: Identity, brand_id: int) -> QuerySet[Blocking]:
    rows = Blocking.objects.filter(identity=identity, channel__brand=brand_id).order_by("channel")
    return rows.select_related("channel", "identity").select_for_update(no_key=True, of=("self",))


def _want(rows: Sequence[Blocking], wanted: bool, by: User, why: str) -> int:
    for row in rows:
        told = row.there == wanted  # the network holds it so already, or still
        row.wanted, row.by, row.why, row.at = wanted, by, why, timezone.now()
        row.state = Blocking.State.DONE if told else Blocking.State.WAITING
        row.done_at = row.at if told else None
        row.not_before, row.tries, row.error, row.advice = row.at, 0, "", ""
        fields = ("wanted", "by", "why", "at", "state", "done_at", "not_before", "tries", "error", "advice")
        row.save(update_fields=fields)
        verb, brand_id = "block" if wanted else "let in", row.channel.brand_id
        audit(by=by, verb=verb, on=row.identity, brand=brand_id, why=why, channel=row.channel_id)
    return len(rows)


def wanted(identity_id: int, brand_id: int) -> bool:
    """Whether the brand wants the handle blocked on a network."""
    return Blocking.objects.filter(identity=identity_id, channel__brand=brand_id, wanted=True).exists()


def look_now() -> None:
    """Wakes a worker after the commit."""
    transaction.on_commit(lambda: wake.up("conversations.tasks.block_due"))


def told(identity_id: int, brand_id: int) -> list[str]:
    """How far it came on each account, in a sentence; nothing of those who may write."""
    rows = Blocking.objects.filter(identity=identity_id, channel__brand=brand_id).select_related("channel")
    unsettled = rows.filter(Q(wanted=True) | ~Q(state=Blocking.State.DONE))
    return [_words(row) for row in unsettled.order_by("channel")]


def _words(row: Blocking) -> str:
    words = {
        (Blocking.State.WAITING, True): _("Blocked here, not yet on %(network)s."),
        (Blocking.State.DONE, True): _("Blocked on %(network)s, too."),
        (Blocking.State.FAILED, True): _("%(network)s did not block this person:"),
        (Blocking.State.WAITING, False): _("Let in again here, not yet on %(network)s."),
        (Blocking.State.FAILED, False): _("%(network)s did not let this person in again:"),
    }[Blocking.State(row.state), row.wanted] % {"network": row.channel.network_name}
    return " ".join(part for part in (words, row.error, row.advice) if part)


# -- asking the network -----------------------------------------------------------------------------------------------


def work_due(limit: int = 50) -> int:
    """Asks the networks for what is wanted and due; returns how often."""
    _give_up()
    taken = 0
    while taken < limit and not closing() and (claimed := _claim()):
        _attempt(*claimed)
        taken += 1
    return taken


def _free() -> QuerySet[Blocking]:
    """What is wanted and in nobody's hands."""
    return Blocking.objects.filter(free(), state=Blocking.State.WAITING, not_before__lte=Now())


def _claim() -> tuple[Blocking, bool | None, float] | None:
    """The next one under a lease of ours, what the network was known to hold before, and the monotonic time at which
    the lease had not begun yet."""
    before = time.monotonic()
    unlimited = Q(channel__limited_until=None) | Q(channel__limited_until__lte=Now())
    due = _free().filter(unlimited, tries__lt=MOST_TRIES, channel__state=Channel.State.ACTIVE)
    with transaction.atomic():
        row = (
            due.select_related("channel__app", "identity", "by")
            .select_for_update(of=("self",), no_key=True, skip_locked=True)
            .order_by("not_before", "id")
            .first()
        )
        if row is None:
            return None
        lease = Now() + timedelta(seconds=settings.SEND_LEASE)
        Blocking.objects.filter(pk=row.pk).update(
            there=None, tries=F("tries") + 1, claims=F("claims") + 1, lease_until=lease
        )
    failpoint("block.claimed")
    row.tries, row.claims = row.tries + 1, row.claims + 1
    return row, row.there, before


def _attempt(row: Blocking, known: bool | None, claimed: float) -> None:
    try:
        with writing_before(claimed + settings.SEND_LEASE / 2):
            if too_late_to_write():
                _note(row, there=known, tries=row.tries - 1)
                return
            speaking.speak_for(row.channel).block(row.identity.external_id, blocked=row.wanted)
        failpoint("block.called")
    except NetworkError as error:
        _trouble(row, known, error)
    else:
        _note(row, there=row.wanted, state=Blocking.State.DONE, done_at=Now(), error="", advice="")


def _trouble(row: Blocking, known: bool | None, error: NetworkError) -> None:
    """A missing permission to block breaks no channel: all else goes on. Other calls meet a dead access soon."""
    there = None if error.ambiguous else known
    said: dict[str, Any] = {"there": there, "error": error.message[:1000], "advice": error.advice[:500]}
    again: dict[str, Any] = {"not_before": Now() + error.rest(row.tries, first=FIRST_BACKOFF, longest=LONGEST_BACKOFF)}
    if error.retry_after is not None:
        health.failed(row.channel, error)
        _note(row, **said, **again, tries=row.tries - 1)
    elif error.trouble == Trouble.PERMANENT or row.tries >= MOST_TRIES:
        _note(row, **said, state=Blocking.State.FAILED)
    else:
        _note(row, **said, **again)


def _note(row: Blocking, *, there: bool | None, **changes: Any) -> None:
    """Writes what came of our call, unless somebody else took it up since. Where the opposite is wanted by now, only
    what the network holds is news."""
    with transaction.atomic():
        mine = Blocking.objects.select_for_update(no_key=True).filter(pk=row.pk, claims=row.claims)
        now = mine.first()
        if now is None:
            return
        if now.wanted != row.wanted:
            told = there == now.wanted
            changes = {"state": Blocking.State.DONE, "done_at": Now()} if told else {}
        Blocking.objects.filter(pk=row.pk).update(lease_until=None, there=there, **changes)
        _log(row, changes.get("state", ""))
    failpoint("block.noted")


def _log(row: Blocking, state: str) -> None:
    brand_id = row.channel.brand_id
    verbs = {
        Blocking.State.DONE: "blocked on the network" if row.wanted else "let in on the network",
        Blocking.State.FAILED: "blocking failed" if row.wanted else "letting in failed",
    }
    if state:
        audit(by=row.by, verb=verbs[Blocking.State(state)], on=row.identity, brand=brand_id, channel=row.channel_id)
    threads = Thread.objects.filter(identity=row.identity_id, brand=brand_id).order_by("-pk")
    live.announce(brand_id, list(threads.values_list("pk", flat=True)[: live.MOST_IDS]))


def _give_up() -> None:
    """Ends what was tried too often by workers that all died over it."""
    with transaction.atomic():
        tired = _free().filter(tries__gte=MOST_TRIES).select_related("channel", "identity", "by")
        for row in tired.select_for_update(of=("self",), no_key=True, skip_locked=True)[:50]:
            words = _("It was tried %(count)d times without an answer.") % {"count": row.tries}
            Blocking.objects.filter(pk=row.pk).update(state=Blocking.State.FAILED, lease_until=None, error=words)
            _log(row, Blocking.State.FAILED)
