"""What X lets an account do with an item, as far as that can be known before it is asked."""

from __future__ import annotations

from django.utils.translation import gettext as _

from channels_ingest.networks.base import Action, Situation, Verdict, Visibility


def verdict(action: Action, situation: Situation) -> Verdict:
    if situation.removed:
        return Verdict(False, _("This was deleted on X."))
    public = situation.visibility == Visibility.PUBLIC
    match action:
        case Action.REPLY:
            elsewhere = Verdict(False, _("Answer a direct message by a direct message."))
            return _may_reply(situation) if public else elsewhere
        case Action.MESSAGE:
            return _may_message(situation)
        case Action.HIDE:
            return _may_hide(situation) if public else Verdict(False, _("Only public replies can be hidden."))
        case Action.DELETE:
            ours = situation.ours
            return Verdict(ours, "" if ours else _("Only what this account wrote itself can be deleted."))
        case Action.BLOCK:  # POST /2/users/:id/blocking is no longer part of the other plans
            return Verdict(False, _("X lets only Enterprise programs block people: block on their profile there."))


def _may_reply(situation: Situation) -> Verdict:
    """Rule of 23 February 2026 (docs.x.com, manage posts): a reply by API only where its author named or quoted us."""
    if situation.ours:
        return Verdict(True)
    if not situation.facts.get("summoned"):
        reason = _(
            "X lets an app answer only who mentioned or quoted this account. Open the post on X to answer there."
        )
        return Verdict(False, reason)
    if situation.facts.get("reply_settings") not in (None, "everyone", "mentionedUsers"):
        return Verdict(True, _("The author limits who may reply: X may refuse this answer."))
    return Verdict(True)


def _may_message(situation: Situation) -> Verdict:
    if situation.ours:
        return Verdict(False, _("This account wrote this itself."))
    if situation.facts.get("can_dm") is False and situation.last_private_in is None:
        return Verdict(False, _("This person does not receive direct messages from this account."))
    return Verdict(True)


def _may_hide(situation: Situation) -> Verdict:
    if situation.ours:
        return Verdict(False, _("Our own posts can be deleted, not hidden."))
    if not situation.facts.get("our_conversation"):
        return Verdict(False, _("Only replies in a conversation that this account began can be hidden."))
    return Verdict(True)
