"""Reads a draft while it is written: what may not stand in public, what looks like a slip, and what is promised."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from channels_ingest.networks.base import Action
from conversations import lint, promises
from conversations.lint import Finding, Kind
from conversations.models import Delivery, Thread
from conversations.promises import Promised

LATELY = timedelta(days=2)
LAST_ANSWERS = 200  # of the channel are compared
SHORTEST_PASTE = 25  # letters: "Thank you!" may be said to many
SEVERAL = 2  # other people who got the same text


@dataclass(frozen=True, slots=True)
class Proof:
    """`findings` in the order of the text; `promise` is what sounds like one, to be confirmed by its writer."""

    findings: list[Finding]
    promise: Promised | None

    @property
    def blocked(self) -> bool:
        return any(finding.blocking for finding in self.findings)


def proofread(thread: Thread, text: str, *, lane: str, by: User) -> Proof:
    """What there is to say about a draft in that lane ("reply", "message"; notes are left alone)."""
    if lane not in (Action.REPLY, Action.MESSAGE) or not text.strip():
        return Proof([], None)
    findings = lint.personal(text) if lane == Action.REPLY else []
    findings += [slip for slip in (_wrong_name(thread, text), _pasted(thread, text)) if slip]
    promise = promises.find(text, now=timezone.now(), zone=ZoneInfo(by.time_zone))
    return Proof(sorted(findings, key=lambda finding: finding.start), promise)


def _wrong_name(thread: Thread, text: str) -> Finding | None:
    names = [thread.contact.name, thread.identity.name, thread.identity.handle]
    return lint.wrong_name(text, [name for name in names if name])


def _pasted(thread: Thread, text: str) -> Finding | None:
    """The same words went to several other people lately: networks and readers take that for spam."""
    core = _core(text)
    if len(core) < SHORTEST_PASTE:
        return None
    sent = Delivery.objects.filter(channel=thread.channel_id).exclude(state=Delivery.State.CANCELLED)
    rows = sent.order_by("-id").values_list("thread_id", "created_at", "interaction__text")[:LAST_ANSWERS]
    since = timezone.now() - LATELY
    same = {thread_id for thread_id, at, words in rows if at >= since and _core(words) == core} - {thread.pk}
    if len(same) < SEVERAL:
        return None
    return Finding(Kind.PASTED, 0, len(text), _("the same text went to %(count)d others lately") % {"count": len(same)})


_LEAD = re.compile(r"^(?:@\w+\s+)*(?:(?:hi|hello|hey|dear|hallo|sorry|thanks),?\s+[\w'-]+\W+)?", re.IGNORECASE)


def _core(text: str) -> str:
    """The text without whom it greets."""
    return " ".join(_LEAD.sub("", text.strip(), count=1).lower().split())
