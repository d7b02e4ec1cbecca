"""Sends what is due, each reply once.

queued -> sending (a lease on the database's clock, committed before the call) -> sent, failed or unknown. A lease that
ran out, or a call without a clear answer, makes the reply unknown; an unknown reply rests for the settle time, then the
network is read back: found means sent, absent means queued again, unreadable is left to a person.
"""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.audit import audit
from accounts.closing import closing
from accounts.failpoints import failpoint
from accounts.leases import free
from accounts.models import User
from channels_ingest import health, speaking, wake
from channels_ingest.ingest import lock_channel
from channels_ingest.networks.base import (
    Action,
    CannotReadBack,
    NetworkError,
    Outgoing,
    Sent,
    Trouble,
    too_late_to_write,
    writing_before,
)
from conversations import allowed, attachments, live, promises, summaries
from conversations.actions import NotPossible
from conversations.models import Delivery, Interaction

log = logging.getLogger(__name__)

GIVE_UP_AFTER = timedelta(hours=24)  # of temporary trouble
LONGEST_BACKOFF = timedelta(seconds=45)  # after an outage that is over, whoever waited goes on this soon
NEVER = timedelta(days=365 * 100)  # an unknown reply that only a person can settle
MOST_TRIES = 8  # of a reply whose every attempt ended without an answer and left nothing on the network

_CLAIM = """
    UPDATE conversations_delivery SET state = 'sending', attempts = attempts + 1,
        lease_until = statement_timestamp() + make_interval(secs => %s),
        started_at = COALESCE(started_at, statement_timestamp()), error = '', advice = ''
    WHERE id = (
        SELECT due.id FROM conversations_delivery due
        JOIN channels_ingest_channel channel ON channel.id = due.channel_id
        WHERE due.state = 'queued' AND due.not_before <= statement_timestamp() AND channel.state = 'active'
            AND (channel.limited_until IS NULL OR channel.limited_until <= statement_timestamp())
            AND NOT EXISTS (
                SELECT 1 FROM conversations_delivery other
                WHERE other.thread_id = due.thread_id AND other.id <> due.id
                    AND (other.state IN ('sending', 'unknown') OR (other.state = 'queued' AND other.id < due.id))
            )
        ORDER BY due.not_before, due.id
        FOR NO KEY UPDATE OF due SKIP LOCKED LIMIT 1
    )
    RETURNING id
"""

_CLAIM_UNKNOWN = """
    UPDATE conversations_delivery SET lease_until = statement_timestamp() + make_interval(secs => %s), reads = reads + 1
    WHERE id = (
        SELECT due.id FROM conversations_delivery due
        JOIN channels_ingest_channel channel ON channel.id = due.channel_id
        WHERE due.state = 'unknown' AND due.not_before <= statement_timestamp() AND channel.state = 'active'
            AND (due.lease_until IS NULL OR due.lease_until <= statement_timestamp())
            AND (channel.limited_until IS NULL OR channel.limited_until <= statement_timestamp())
        ORDER BY due.not_before, due.id
        FOR NO KEY UPDATE OF due SKIP LOCKED LIMIT 1
    )
    RETURNING id
"""


def settle() -> timedelta:
    return timedelta(seconds=settings.SEND_SETTLE)


def send_due(limit: int = 50) -> int:
    """Sends and reads back what is due; returns how many replies were taken up."""
    expire_leases()
    failpoint("send.expired")
    taken = 0
    # the clock is read before the claim: a process held up in between must not think that its lease is fresh
    while taken < limit and not closing() and (claimed := _claim_at(_CLAIM)):
        _attempt(*claimed)
        taken += 1
    while taken < limit and not closing() and (claimed := _claim_at(_CLAIM_UNKNOWN)):
        _read_back(claimed[0])
        taken += 1
    return taken


def expire_leases() -> int:
    """A sender that did not come back may have sent: its reply becomes unknown, never queued."""
    lost = Delivery.objects.filter(state=Delivery.State.SENDING, lease_until__lte=Now())
    return lost.update(
        state=Delivery.State.UNKNOWN,
        lease_until=None,
        not_before=Now() + settle(),
        error=_("The sender stopped before the network answered."),
    )


def _claim_at(query: str) -> tuple[Delivery, float] | None:
    """The next delivery under a lease of ours, and the monotonic time at which the lease had not begun yet."""
    before = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute(query, [settings.SEND_LEASE])
        row = cursor.fetchone()
    if row is None:
        return None
    failpoint("send.claimed")
    related = ("interaction", "thread", "channel__app", "answers__author", "answers__channel__app")
    return Delivery.objects.select_related(*related).get(pk=row[0]), before


def _attempt(delivery: Delivery, claimed: float) -> None:
    verdict = _verdict(delivery)
    if verdict:
        _fail(delivery, verdict)
        return
    network, out = speaking.speak_for(delivery.channel), _outgoing(delivery)
    failpoint("send.calling")
    try:
        with writing_before(claimed + settings.SEND_LEASE / 2):
            if too_late_to_write():
                _requeue(delivery, timedelta(0))  # we were held up; nothing was sent
                return
            sent = network.send(out)  # its HTTP exit looks at the clock again
        failpoint("send.called")
    except NetworkError as error:
        _trouble(delivery, error)
    else:
        _sent(delivery, sent, Delivery.State.SENT)
        failpoint("send.recorded")
        health.worked(delivery.channel)


def _verdict(delivery: Delivery) -> str:
    """Why this reply may not be sent (any more); empty when it may."""
    if delivery.answers is None:
        return ""
    action = Action(delivery.action)
    possible = allowed.possibility(action, delivery.thread, delivery.answers, now=timezone.now(), delivery=delivery)
    return "" if possible.verdict.allowed else possible.verdict.reason


def _outgoing(delivery: Delivery) -> Outgoing:
    said, item = delivery.interaction, delivery.answers
    return Outgoing(
        action=Action(delivery.action),
        text=said.text,
        key=str(delivery.key),
        parent_id=said.parent_external_id,
        root_id=item.root_external_id if item else said.root_external_id,
        recipient_id=delivery.recipient_external_id,
        private_reply=delivery.private_reply,
        human=said.sent_by_id is not None,
        facts=item.facts if item else {},
        last_private_in=allowed.last_private_in(item) if item else None,
        started_at=delivery.started_at,
        already=_already(delivery),
        pictures=attachments.to_send(said),
    )


def _already(delivery: Delivery) -> tuple[str, ...]:
    """What our other answers in the same place are known to have become."""
    others = Interaction.objects.filter(
        delivery__thread_id=delivery.thread_id, channel_id=delivery.channel_id, external_id__isnull=False
    ).exclude(pk=delivery.interaction_id)
    return tuple(
        external_id or "" for external_id in others.order_by("-id").values_list("external_id", flat=True)[:200]
    )


def _trouble(delivery: Delivery, error: NetworkError) -> None:
    if error.trouble == Trouble.BROKEN or error.retry_after is not None:
        health.failed(delivery.channel, error)
    if error.ambiguous:
        _unknown(delivery, error.message, settle())
    elif error.duplicate and delivery.attempts > 1:
        _unknown(delivery, error.message, timedelta(0))  # the network has it: reading back finds where
    elif error.trouble == Trouble.PERMANENT:
        _fail(delivery, error.message, error.advice)
    elif error.trouble == Trouble.TEMPORARY and timezone.now() - delivery.created_at > GIVE_UP_AFTER:
        _fail(delivery, error.message, _("The network could not take it for a day."))
    else:
        wait = error.rest(delivery.attempts, longest=LONGEST_BACKOFF)
        _requeue(delivery, timedelta(0) if error.trouble == Trouble.BROKEN else wait, error.message, error.advice)


def _read_back(delivery: Delivery) -> None:
    try:
        failpoint("readback.asking")
        found = speaking.speak_for(delivery.channel).find_sent(_outgoing(delivery))
        failpoint("readback.answered")
    except CannotReadBack as why:
        usual = _("This network cannot be read back. Look there, then decide.")
        _unknown(delivery, delivery.error, NEVER, str(why) or usual)
    except NetworkError as error:
        health.failed(delivery.channel, error)
        wait = error.rest(delivery.reads, longest=LONGEST_BACKOFF)
        _unknown(delivery, delivery.error or error.message, wait)
    else:
        if found is not None:
            _sent(delivery, found, Delivery.State.VERIFIED)
        elif min(delivery.attempts, delivery.reads) >= MOST_TRIES:
            _fail(delivery, _("It was tried %(count)d times and never arrived.") % {"count": delivery.attempts})
        else:
            _requeue(delivery, timedelta(0), states=(Delivery.State.UNKNOWN,))


# -- how a reply's state changes --------------------------------------------------------------------------------------


def _move(delivery: Delivery, states: tuple[str, ...], **changes: Any) -> bool:
    """Changes the row if it is still in one of these states and no later attempt began."""
    with transaction.atomic():
        moved = Delivery.objects.filter(pk=delivery.pk, attempts=delivery.attempts, state__in=states).update(
            lease_until=None, **changes
        )
        if moved:
            summaries.refresh([delivery.thread_id])
            live.announce(delivery.thread.brand_id, [delivery.thread_id], kind="delivery")
        failpoint("send.moving")
    failpoint("send.moved")
    return bool(moved)


def _requeue(
    delivery: Delivery,
    wait: timedelta,
    error: str = "",
    advice: str = "",
    states: tuple[str, ...] = (Delivery.State.SENDING,),
) -> None:
    _move(
        delivery,
        states,
        state=Delivery.State.QUEUED,
        not_before=Now() + wait,
        error=error[:1000],
        advice=advice[:500],
    )


def _fail(delivery: Delivery, error: str, advice: str = "") -> None:
    _move(
        delivery,
        Delivery.IN_FLIGHT,
        state=Delivery.State.FAILED,
        settled_at=Now(),
        error=error[:1000],
        advice=advice[:500],
    )


def _unknown(delivery: Delivery, error: str, wait: timedelta, advice: str = "") -> None:
    _move(
        delivery,
        Delivery.IN_FLIGHT,
        state=Delivery.State.UNKNOWN,
        not_before=Now() + wait,
        error=error[:1000],
        advice=advice[:500],
    )


def _sent(delivery: Delivery, sent: Sent, state: Delivery.State) -> None:
    """Writes the network's id on our row. An echo that came first as a row of its own is taken into ours."""
    with transaction.atomic():
        lock_channel(delivery.channel_id)
        seen = Delivery.objects.filter(pk=delivery.pk, state=Delivery.State.VERIFIED)
        if seen.update(error=""):  # the echo was faster, and names it as the network knows it, whatever the answer said
            named = Interaction.objects.values_list("external_id", flat=True).get(pk=delivery.interaction_id)
            _adopt_answers(delivery, named or sent.external_id)
            return
        echo = (
            Interaction.objects.filter(channel_id=delivery.channel_id, external_id=sent.external_id)
            .exclude(pk=delivery.interaction_id)
            .first()
        )
        if echo is not None and Delivery.objects.filter(interaction=echo).exists():
            # the network names what another answer of ours became: it cannot be this one
            _unknown(delivery, _("The network's answer names another message."), settle())
            return
        if echo is not None:
            _absorb(echo, delivery.interaction)
            state = Delivery.State.VERIFIED
        Interaction.objects.filter(pk=delivery.interaction_id).update(
            external_id=sent.external_id,
            permalink=sent.permalink[:2000] or F("permalink"),
        )
        Delivery.objects.filter(pk=delivery.pk).update(
            state=state, settled_at=Now(), lease_until=None, error="", advice=""
        )
        _adopt_answers(delivery, sent.external_id)
        summaries.refresh([delivery.thread_id])
        live.announce(delivery.thread.brand_id, [delivery.thread_id], kind="delivery")
        failpoint("send.recording")


def _absorb(echo: Interaction, ours: Interaction) -> None:
    Interaction.objects.filter(parent=echo).update(parent=ours)
    Interaction.objects.filter(pk=ours.pk).update(
        posted_at=echo.posted_at, root_external_id=echo.root_external_id, author_id=echo.author_id
    )
    echo.delete()


def _adopt_answers(delivery: Delivery, external_id: str) -> None:
    """Answers to our reply that came before its id was known find their parent."""
    Interaction.objects.filter(channel_id=delivery.channel_id, parent_external_id=external_id, parent=None).update(
        parent_id=delivery.interaction_id
    )


# -- what a person decides --------------------------------------------------------------------------------------------


def undo(delivery: Delivery, *, by: User) -> bool:
    """Takes a reply back before its first attempt; False when it is too late."""
    with transaction.atomic():
        before = (Delivery.State.QUEUED, Delivery.State.HELD)
        undone = Delivery.objects.filter(pk=delivery.pk, state__in=before, attempts=0).update(
            state=Delivery.State.CANCELLED, settled_at=Now()
        )
        if undone:
            attachments.release(delivery.interaction_id)
            promises.withdraw_unsaid(delivery.interaction_id, by=by, why=_("The reply was taken back."))
            audit(by=by, verb="undo", on=delivery, brand=delivery.thread.brand_id)
            summaries.refresh([delivery.thread_id])
            live.announce(delivery.thread.brand_id, [delivery.thread_id], kind="delivery")
    return bool(undone)


def retry(delivery: Delivery, *, by: User) -> None:
    """Sends a failed reply again. Raises NotPossible."""
    with transaction.atomic():
        again = Delivery.objects.filter(pk=delivery.pk, state=Delivery.State.FAILED).update(
            state=Delivery.State.QUEUED, not_before=Now(), created_at=Now(), settled_at=None, error="", advice=""
        )
        if not again:
            raise NotPossible(_("Only a reply that failed can be sent again."))
        audit(by=by, verb="retry", on=delivery, brand=delivery.thread.brand_id)
        summaries.refresh([delivery.thread_id])
        live.announce(delivery.thread.brand_id, [delivery.thread_id], kind="delivery")
        transaction.on_commit(lambda: wake.up("conversations.tasks.send_due"))


def decide(delivery: Delivery, *, arrived: bool, by: User) -> None:
    """Settles an unknown reply that only a person could look up. Raises NotPossible."""
    with transaction.atomic():
        changes: dict[str, Any] = (
            {"state": Delivery.State.SENT, "settled_at": Now(), "error": "", "advice": ""}
            if arrived
            else {"state": Delivery.State.QUEUED, "not_before": Now(), "error": "", "advice": ""}
        )
        if not Delivery.objects.filter(free(), pk=delivery.pk, state=Delivery.State.UNKNOWN).update(**changes):
            raise NotPossible(_("This reply is settled already."))
        audit(by=by, verb="decide", on=delivery, brand=delivery.thread.brand_id, arrived=arrived)
        summaries.refresh([delivery.thread_id])
        live.announce(delivery.thread.brand_id, [delivery.thread_id], kind="delivery")
