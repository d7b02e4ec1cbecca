"""What Facebook lets a Page do with an item, and until when."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from channels_ingest.networks.base import Action, Situation, Verdict, Visibility

# developers.facebook.com/docs/messenger-platform/policy/policy-overview
OPEN_WINDOW = timedelta(hours=24)
HUMAN_WINDOW = timedelta(days=7)
PRIVATE_REPLY_WINDOW = timedelta(days=7)


def verdict(action: Action, situation: Situation) -> Verdict:
    if situation.removed:
        return Verdict(False, _("This was deleted on Facebook."))
    public = situation.visibility == Visibility.PUBLIC
    match action:
        case Action.REPLY:
            return Verdict(public, "" if public else _("Answer a message by a message."))
        case Action.MESSAGE:
            return _may_message(situation, public)
        case Action.HIDE:
            return _may_hide(situation) if public else Verdict(False, _("Only comments can be hidden."))
        case Action.DELETE:
            return _may_delete(situation) if public else Verdict(False, _("Messenger takes no message back."))
        case Action.BLOCK:
            return _may_block(situation)


def _may_message(situation: Situation, public: bool) -> Verdict:
    if situation.ours:
        return Verdict(False, _("This Page wrote this itself."))
    if public and situation.last_private_in is None:
        return _may_reply_privately(situation)
    if situation.last_private_in is None:
        return Verdict(False, _("Messenger lets a Page write only to who has written to it."))
    return _in_window(situation, situation.last_private_in)


def _may_reply_privately(situation: Situation) -> Verdict:
    """developers.facebook.com/docs/messenger-platform/discovery/private-replies: one message, within seven days."""
    until = situation.posted_at + PRIVATE_REPLY_WINDOW
    if situation.private_replied:
        return Verdict(False, _("One private reply was sent already. Now the person has to answer."))
    if situation.now >= until:
        return Verdict(False, _("A private reply is possible for seven days. They are over."))
    if situation.facts.get("can_reply_privately") is False or situation.author_id.startswith("unknown:"):
        return Verdict(False, _("Facebook does not allow a private reply to this."))
    return Verdict(True, _("One private reply is possible. Then the person has to answer."), until)


def _in_window(situation: Situation, last_private_in: datetime) -> Verdict:
    waited = situation.now - last_private_in
    if waited < OPEN_WINDOW:
        return Verdict(True, "", last_private_in + OPEN_WINDOW)
    if waited >= HUMAN_WINDOW:
        return Verdict(False, _("Messenger closes seven days after the person's last message. They are over."))
    if not situation.human:
        return Verdict(False, _("After 24 hours only a person may answer here, no machine."))
    reason = _("The 24 hours are over: this goes out marked as the answer of a person.")
    return Verdict(True, reason, last_private_in + HUMAN_WINDOW)


def _may_hide(situation: Situation) -> Verdict:
    if situation.ours:
        return Verdict(False, _("Our own comments can be deleted, not hidden."))
    if situation.facts.get("can_hide") is False:
        return Verdict(False, _("Facebook does not allow hiding this."))
    return Verdict(True)


def _may_block(situation: Situation) -> Verdict:
    if situation.ours:
        return Verdict(False, _("This Page wrote this itself."))
    if situation.author_id.startswith("unknown:"):
        return Verdict(False, _("Facebook does not say who wrote this."))
    return Verdict(True)


def _may_delete(situation: Situation) -> Verdict:
    if situation.ours or situation.facts.get("can_remove") is True:
        return Verdict(True)
    return Verdict(False, _("Facebook does not allow deleting this."))
