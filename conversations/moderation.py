"""Hide, delete, block, and report as spam: what the network supports, by whom and why.

The wish is written to the audit log before the network is asked, and what came of it afterwards; the network is never
asked inside a transaction. Each step may be repeated without harm.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from accounts.audit import audit
from accounts.models import User
from channels_ingest import speaking
from channels_ingest.ingest import lock_channel
from channels_ingest.models import Channel
from channels_ingest.networks.base import Action, NetworkError, Removal, Verdict
from contacts.models import Identity
from conversations import blocking
from conversations.actions import NotPossible, note_event
from conversations.allowed import situation
from conversations.models import Interaction, SpamReport, Thread, ThreadEvent
from conversations.record import record

REASON_LENGTH = 300
REMOVED_BY_US = "moderated"
_OPPOSITES = {
    "hide": "show", "show": "hide", "block": "let-in", "let-in": "block", "spam": "not-spam", "not-spam": "spam",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing that might be done with an item; `reason` says why it cannot be."""

    key: str
    label: str
    allowed: bool
    reason: str = ""


def deeds(item: Interaction) -> list[Deed]:
    """What a moderator may do with the item now, and why not the rest."""
    hidden = item.hidden_at is not None
    hiding = _verdict(item, Action.HIDE)
    deleting = _verdict(item, Action.DELETE)
    return [
        Deed("show" if hidden else "hide", _("Show again") if hidden else _("Hide"), hiding.allowed, hiding.reason),
        Deed("delete", _("Delete for good"), deleting.allowed, deleting.reason),
        _blocking(item),
        _spamming(item),
    ]


def _verdict(item: Interaction, action: Action) -> Verdict:
    if item.is_note:
        return Verdict(False, _("A note stands on no network."))
    if item.removed_at is not None:
        return Verdict(False, _("This is deleted already."))
    if item.external_id is None:
        return Verdict(False, _("This is not on the network yet."))
    if item.channel.state != Channel.State.ACTIVE:
        return Verdict(False, _("The channel is not connected now."))
    supports = speaking.speak_for(item.channel).supports
    if not (supports.hide if action == Action.HIDE else supports.delete):
        return Verdict(False, _("%(network)s does not offer this.") % {"network": item.channel.network_name})
    return speaking.speak_for(item.channel).verdict(action, situation(item, now=timezone.now()))


def _blocking(item: Interaction) -> Deed:
    if item.author is None or item.author.ours or not item.is_inbound:
        return Deed("block", _("Block"), False, _("Only those who write to us can be blocked."))
    if blocking.wanted(item.author.pk, item.channel.brand_id):
        return Deed("let-in", _("Let in again"), True)
    verdict = blocking.possible(item.author, item.channel)
    return Deed("block", _("Block"), verdict.allowed, verdict.reason)


def _spamming(item: Interaction) -> Deed:
    if item.author is None or item.author.ours or not item.is_inbound:
        return Deed("spam", _("Report as spam"), False, _("Only what others write can be spam."))
    if is_spam(item.author, item.channel.brand_id):
        return Deed("not-spam", _("It is no spam"), True)
    return Deed("spam", _("Report as spam"), True)


def is_spam(identity: Identity, brand_id: int) -> bool:
    return SpamReport.objects.filter(identity=identity, brand=brand_id).exists()


def is_done(item: Interaction, deed: str) -> bool:
    """Whether the item or its author stands already as this deed would have it: a form that was sent twice, or late."""
    opposite = _OPPOSITES.get(deed)
    if deed == "delete" or opposite is None:
        return deed == "delete" and item.removed_at is not None
    return any(one.key == opposite and one.allowed for one in deeds(item))


def moderate(item: Interaction, *, deed: str, by: User, why: str) -> str:
    """Does one of `deeds(item)` and says what was done. Raises NotPossible."""
    reason = " ".join(why.replace("\x00", "").split())[:REASON_LENGTH]
    if not reason:
        raise NotPossible(_("Say why: it is written down with your name."))
    found = next((one for one in deeds(item) if one.key == deed), None)
    if found is None or not found.allowed:
        raise NotPossible(found.reason if found else _("This cannot be done with this item now."))
    match deed:
        case "hide" | "show":
            _hide(item, hidden=deed == "hide", by=by, why=reason)
            return _("It is hidden.") if deed == "hide" else _("It is shown again.")
        case "delete":
            _delete(item, by=by, why=reason)
            return _("It is deleted.")
        case "block":
            closed = block(_author(item), brand_id=item.channel.brand_id, by=by, why=reason, thread=item.thread)
            return _("Blocked; threads put away: %(count)d.") % {"count": closed}
        case "let-in":
            let_in(_author(item), brand_id=item.channel.brand_id, by=by, why=reason, thread=item.thread)
            return _("Let in again.")
        case "spam":
            closed = report_spam(_author(item), brand_id=item.channel.brand_id, by=by, why=reason)
            return _("Reported as spam; threads put away: %(count)d.") % {"count": closed}
        case _:
            unreport_spam(_author(item), brand_id=item.channel.brand_id, by=by, why=reason)
            return _("The report is taken back.")


def _author(item: Interaction) -> Identity:
    if item.author is None:
        raise NotPossible(_("Only what others write can be spam."))
    return item.author


# -- on the network ---------------------------------------------------------------------------------------------------


def _hide(item: Interaction, *, hidden: bool, by: User, why: str) -> None:
    verb = ThreadEvent.Verb.HIDDEN if hidden else ThreadEvent.Verb.UNHIDDEN
    audit(by=by, verb="hide" if hidden else "unhide", on=item, brand=item.channel.brand_id, why=why)
    try:
        speaking.speak_for(item.channel).hide(item.external_id or "", hidden=hidden)
    except NetworkError as error:
        raise _refused(item, error, by) from error
    with transaction.atomic():
        Interaction.objects.filter(pk=item.pk).update(hidden_at=timezone.now() if hidden else None)
        _log(item, verb, by, why)
    item.refresh_from_db(fields=("hidden_at",))


def _delete(item: Interaction, *, by: User, why: str) -> None:
    audit(by=by, verb="delete", on=item, brand=item.channel.brand_id, why=why)
    try:
        speaking.speak_for(item.channel).remove(item.external_id or "")
    except NetworkError as error:
        raise _refused(item, error, by) from error
    with transaction.atomic():
        record(item.channel, [Removal(item.external_id or "", REMOVED_BY_US)])
        _log(item, ThreadEvent.Verb.DELETED, by, why)


def _refused(item: Interaction, error: NetworkError, by: User) -> NotPossible:
    audit(by=by, verb="moderation failed", on=item, brand=item.channel.brand_id, trouble=error.trouble.value)
    words = _("%(network)s did not do it: %(words)s")
    return NotPossible(words % {"network": item.channel.network_name, "words": error.message[:300]})


def _log(item: Interaction, verb: str, by: User, why: str) -> None:
    """The history row of the item's thread; what stands in no thread has the audit line alone."""
    if item.thread is not None:
        note_event(item.thread, verb, by, why=why, item=item.pk)


# -- the person -------------------------------------------------------------------------------------------------------


def block(identity: Identity, *, brand_id: int, by: User, why: str, thread: Thread | None = None) -> int:
    """Puts the handle's threads out of sight and has it blocked on the network where that can be; returns how many
    threads there were."""
    with transaction.atomic():
        closed = report_spam(identity, brand_id=brand_id, by=by, why=why)
        if blocking.block(identity, brand_id=brand_id, by=by, why=why):
            blocking.look_now()
            if thread is not None:
                note_event(thread, ThreadEvent.Verb.BLOCKED, by, why=why)
    return closed


def let_in(identity: Identity, *, brand_id: int, by: User, why: str, thread: Thread | None = None) -> None:
    """The opposite of `block`."""
    with transaction.atomic():
        unreport_spam(identity, brand_id=brand_id, by=by, why=why)
        let_in_there(identity, brand_id=brand_id, by=by, why=why, thread=thread)


def let_in_there(identity: Identity, *, brand_id: int, by: User, why: str, thread: Thread | None = None) -> None:
    """Lets the handle in again on the network alone."""
    with transaction.atomic():
        if blocking.let_in(identity, brand_id=brand_id, by=by, why=why):
            blocking.look_now()
            if thread is not None:
                note_event(thread, ThreadEvent.Verb.LET_IN, by, why=why)


# -- spam -------------------------------------------------------------------------------------------------------------


def report_spam(identity: Identity, *, brand_id: int, by: User, why: str) -> int:
    """Puts the handle's threads with this brand out of sight, also those to come; returns how many there were."""
    with transaction.atomic():
        _hold_channels(identity, brand_id)
        threads = list(_threads(identity, brand_id).exclude(state=Thread.State.JOINED))
        before = {str(thread.pk): _standing(thread) for thread in threads if thread.state != Thread.State.SPAM}
        report, new = SpamReport.objects.get_or_create(
            identity=identity, brand_id=brand_id, defaults={"by": by, "why": why, "before": before}
        )
        if not new:
            return 0
        audit(by=by, verb="report spam", on=identity, brand=brand_id, why=why, report=report.pk)
        _put(threads, ThreadEvent.Verb.SPAM, by, why)
        Thread.objects.filter(pk__in=[thread.pk for thread in threads]).update(
            state=Thread.State.SPAM, snoozed_until=None, closed_at=timezone.now()
        )
    return len(before)


def unreport_spam(identity: Identity, *, brand_id: int, by: User, why: str) -> None:
    """The threads stand again as they did; those that came since are open."""
    with transaction.atomic():
        report = SpamReport.objects.select_for_update(no_key=True).filter(identity=identity, brand=brand_id).first()
        if report is None:
            return
        threads = list(_threads(identity, brand_id).filter(state=Thread.State.SPAM))
        for thread in threads:
            _stand_again(thread, report.before.get(str(thread.pk), {}))
        report.delete()
        audit(by=by, verb="report of spam taken back", on=identity, brand=brand_id, why=why)
        _put(threads, ThreadEvent.Verb.NOT_SPAM, by, why)


def _hold_channels(identity: Identity, brand_id: int) -> None:
    """So that nothing of this handle is being stored meanwhile."""
    channels = Channel.objects.filter(brand=brand_id, network=identity.network).order_by("pk")
    for pk in channels.values_list("pk", flat=True):
        lock_channel(pk)


def _threads(identity: Identity, brand_id: int) -> QuerySet[Thread]:
    """The handle's threads with the brand, locked."""
    return Thread.objects.filter(identity=identity, brand=brand_id).order_by("pk").select_for_update(no_key=True)


def _standing(thread: Thread) -> dict[str, str | None]:
    return {
        "state": thread.state,
        "snoozed_until": thread.snoozed_until.isoformat() if thread.snoozed_until else None,
        "closed_at": thread.closed_at.isoformat() if thread.closed_at else None,
    }


def _stand_again(thread: Thread, before: dict[str, str | None]) -> None:
    thread.state = before.get("state") or Thread.State.OPEN
    thread.snoozed_until = _moment(before.get("snoozed_until"))
    thread.closed_at = _moment(before.get("closed_at"))
    thread.save(update_fields=("state", "snoozed_until", "closed_at"))


def _moment(words: str | None) -> datetime | None:
    return parse_datetime(words) if words else None


def _put(threads: Iterable[Thread], verb: str, by: User, why: str) -> None:
    for thread in threads:
        note_event(thread, verb, by, why=why)
