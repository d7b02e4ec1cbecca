"""The second pair of eyes: some colleagues' public answers wait until another one lets them go.

A held answer answers nobody yet: the customer's clock runs on until it is approved. No sender takes it up.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.audit import audit
from accounts.models import User
from accounts.roles import Permission
from channels_ingest import speaking, wake
from channels_ingest.networks.base import Action
from conversations import attachments, drafts, lint, notify, promises, summaries
from conversations.actions import NotPossible, note_event
from conversations.models import Approval, Delivery, Interaction, Notification, Thread, ThreadEvent
from conversations.tree import newest_inbound

Verdict = Approval.Verdict


def is_needed(by: User, action: Action) -> bool:
    """Whether what this colleague writes must be seen by another one first: public answers only."""
    return by.needs_approval and action == Action.REPLY


def ask(delivery: Delivery, *, by: User) -> Approval:
    """Writes down that an answer is held, and tells those who may let it go; in the transaction that writes it."""
    said = delivery.interaction
    asked = Approval.objects.create(delivery=delivery, text=said.text)
    note_event(delivery.thread, ThreadEvent.Verb.HELD, by, item=said.pk)
    approvers = notify.approvers(delivery.thread)
    notify.tell(approvers, Notification.Kind.ASKED, delivery.thread, interaction=said, by=by)
    return asked


def waiting(user: User) -> QuerySet[Approval]:
    """What this colleague may decide on, the longest waiting first; never one's own."""
    held = seen_by(user).filter(verdict="", delivery__state=Delivery.State.HELD)
    return held.exclude(delivery__interaction__sent_by=user).order_by("asked_at", "pk")


def seen_by(user: User) -> QuerySet[Approval]:
    """Those on threads that this colleague sees, decided or not."""
    return Approval.objects.filter(delivery__thread__in=Thread.objects.visible_to(user))


def approve(approval: Approval, *, by: User, seen: int | None, text: str | None = None) -> None:
    """Lets an answer go, with other words where `text` says so.

    `seen` is the newest inbound interaction that was shown beside it. Raises NotPossible, also where the customer
    wrote since.
    """
    delivery = approval.delivery
    words = delivery.interaction.text if text is None else text.replace("\x00", "").replace("\r\n", "\n").strip()
    edited = words != delivery.interaction.text
    _check(approval, by)
    if edited:
        _check_words(delivery, words)
    with transaction.atomic():
        thread = Thread.objects.select_for_update(no_key=True).get(pk=delivery.thread_id)
        if newest_inbound(thread) != seen:
            raise NotPossible(_("The customer wrote something since. Read it, then decide."))
        _settle(approval, by, state=Delivery.State.QUEUED, not_before=Now(), created_at=Now())
        Interaction.objects.filter(pk=delivery.interaction_id).update(
            text=words, posted_at=timezone.now(), indexed=False
        )
        _decide(approval, Verdict.EDITED if edited else Verdict.APPROVED, by)
        transaction.on_commit(lambda: wake.up("conversations.tasks.send_due"))


def refuse(approval: Approval, *, by: User, reason: str) -> None:
    """Keeps an answer back for good; its writer is told why, and has the words as a draft. Raises NotPossible."""
    why = " ".join(reason.replace("\x00", "").split())[:500]
    if not why:
        raise NotPossible(_("Say why: the writer needs to know."))
    _check(approval, by)
    with transaction.atomic():
        _settle(approval, by, state=Delivery.State.CANCELLED, settled_at=Now())
        attachments.release(approval.delivery.interaction_id)
        _return_words(approval.delivery)
        promises.withdraw_unsaid(approval.delivery.interaction_id, by=by, why=why)
        _decide(approval, Verdict.REFUSED, by, why)


def _return_words(delivery: Delivery) -> None:
    writer = delivery.interaction.sent_by
    if writer is not None:
        words = delivery.interaction.text
        drafts.put_back(delivery.thread, by=writer, lane=delivery.action, text=words, purpose=delivery.purpose)


def _check(approval: Approval, by: User) -> None:
    if not by.may(Permission.APPROVE):
        raise NotPossible(_("Your role may not approve answers."))
    if approval.delivery.interaction.sent_by_id == by.pk:
        raise NotPossible(_("Nobody approves their own answer."))


def _check_words(delivery: Delivery, words: str) -> None:
    if not words:
        raise NotPossible(_("An answer needs words."))
    network = speaking.speak_for(delivery.channel)
    limit = network.limit(Action.REPLY)
    if limit is not None and network.length(words) > limit:
        raise NotPossible(_("Too long: the network takes %(limit)d.") % {"limit": limit})
    if lint.personal(words):
        raise NotPossible(_("This would be public and holds personal data. Take it out."))


def _settle(approval: Approval, by: User, **changes: Any) -> None:
    """Takes the answer out of its hold, once. Raises NotPossible where somebody was faster."""
    held = Delivery.objects.filter(pk=approval.delivery_id, state=Delivery.State.HELD)
    if not held.update(**changes):
        raise NotPossible(_("Somebody decided on this meanwhile."))


def _decide(approval: Approval, verdict: str, by: User, reason: str = "") -> None:
    approval.verdict, approval.by, approval.reason, approval.decided_at = verdict, by, reason, timezone.now()
    approval.save(update_fields=("verdict", "by", "reason", "decided_at"))
    delivery = approval.delivery
    verb = ThreadEvent.Verb.REFUSED if verdict == Verdict.REFUSED else ThreadEvent.Verb.APPROVED
    note_event(delivery.thread, verb, by, why=reason, item=delivery.interaction_id)
    audit(by=by, verb=f"answer {verdict}", on=delivery, brand=delivery.thread.brand_id, why=reason)
    writer = delivery.interaction.sent_by_id
    if writer is not None:
        notify.tell([writer], Notification.Kind.DECIDED, delivery.thread, interaction=delivery.interaction, by=by)
    summaries.refresh([delivery.thread_id])
