"""What Send does: the answer or the note, the promise in it, its macro's steps, and the end of the draft."""

from __future__ import annotations

from typing import Any

from django.db.models import F
from django.utils.translation import gettext as _

from accounts.models import User
from channels_ingest.networks.base import Action
from conversations import actions, bulk, drafts, macros
from conversations.actions import NotPossible
from conversations.models import Interaction, Macro, Thread
from conversations.promises import Promised
from conversations.proofread import proofread
from conversations.reply import Read, Vow, reply


class PromiseFound(NotPossible):
    """The draft sounds like a promise, and its writer has not said yet whether it is one."""

    def __init__(self, promised: Promised) -> None:
        super().__init__(_("This sounds like a promise. Confirm until when, or say that it is none."))
        self.promised = promised


def answer(thread: Thread, *, by: User, given: dict[str, Any]) -> str:
    """Writes what a valid ReplyForm holds. Returns what could not be done of a macro's steps ("" when all went well).

    Raises NotPossible and its kinds; nothing is written then, and the draft stays.
    """
    if given["lane"] == "note":
        actions.write_note(thread, by=by, text=given["text"], key=given["key"])
    else:
        _say(thread, by=by, given=given)
    drafts.forget(thread, by=by, lane=given["lane"])
    return _follow(thread, by=by, given=given)


def _say(thread: Thread, *, by: User, given: dict[str, Any]) -> Interaction:
    read = Read(**given["read"]) if given["read"] else None
    return reply(
        thread,
        by=by,
        text=given["text"],
        action=Action(given["lane"]),
        purpose=drafts.purpose_of(thread, by, given["lane"]),
        key=given["key"],
        seen=given["seen"],
        read=read,
        confirmed=given["confirmed"],
        override=given["override"],
        vow=_vow(thread, by=by, given=given),
        pictures=given["pictures"],
    )


def _vow(thread: Thread, *, by: User, given: dict[str, Any]) -> Vow | None:
    """The confirmed promise; None where there is none or the writer said so. Raises PromiseFound."""
    promised = proofread(thread, given["text"], lane=given["lane"], by=by).promise
    if promised is None:
        return None
    if given["promise_words"] != promised.words:
        raise PromiseFound(promised)
    if not given["promise"]:
        return None
    return Vow(promised.words, given["promise_due"] or promised.due_at, given["promise_owner"] or by)


def _follow(thread: Thread, *, by: User, given: dict[str, Any]) -> str:
    macro = macros.usable_by(by, thread).filter(pk=given["macro"]).first() if given["macro"] else None
    if macro is None:
        return ""
    Macro.objects.filter(pk=macro.pk).update(used=F("used") + 1)
    try:
        if given["steps"]:
            with bulk.journal(thread, "macro", by=by):
                macros.take_steps(macro, thread, by=by)
    except NotPossible as refused:
        return str(refused)
    return ""
