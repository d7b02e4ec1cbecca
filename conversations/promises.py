"""Promises made in answers: found while typing, confirmed by their writer, kept in sight until they are settled."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Count, F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.audit import audit
from accounts.models import User
from conversations import actions
from conversations.actions import NotPossible
from conversations.due import due
from conversations.models import Interaction, Promise, Thread, ThreadEvent

LONGEST_READ = 5000  # letters of a draft
LONGEST_WORDS = 300
RATED_DAYS = 90


@dataclass(frozen=True, slots=True)
class Promised:
    """What sounds like a promise: its words and when it falls due (aware)."""

    words: str
    due_at: datetime


_OURS = (
    r"(?:i|we|(?:a|my|our|one of (?:my|our)|the) (?:\w+ ){0,2}?"
    r"(?:colleagues?|teams?|managers?|specialists?|support|courier))"
)
_WILL = (
    r"(?:'ll|’ll| will| shall| can(?! only|['’]t)|(?:'m| am|'re| are) going to| aim to| plan to| promise to| hope to)"
)
_DEED = (
    r"(?:get back|come back|be back|be in touch|get in touch|call|phone|let you know|update|send|ship|refund|check"
    r"|follow up|reply|answer|respond|write|contact|e-?mail|message|look into|look at|fix|sort|solve|resolve|replace"
    r"|exchange|deliver|pay|credit|find out|investigate|keep you|make sure|ensure"
    r"|have (?:it|this|that|them|your?|an? (?:\w+ )?(?:answer|reply|update|solution|response)|news))"
)
_DOING = (
    r"(?:getting back|coming back|calling|sending|shipping|refunding|checking|following up|looking into|fixing"
    r"|replacing)"
)
_THINGS = (
    r"(?:it|them|this|that|one|answer|reply|response|refund|money|replacement|parcel|package|update|e-?mail|call|news|order"
    r"|confirmation|voucher|set|from us|back)"
)
_MACHE = (
    r"(?:meld(?:e|en|et)|ruf(?:e|en|t)|schick(?:e|en|t)|send(?:e|en|et)|versend(?:e|en|et)|prüf(?:e|en|t)"
    r"|antwort(?:e|en|et)|erstatt(?:e|en|et)|überweis(?:e|en|t)|kümmer(?:e|n|t)|klär(?:e|en|t)|schreib(?:e|en|t)"
    r"|liefer(?:e|n|t)|bearbeit(?:e|en|et)|schau(?:e|en|t)|tausch(?:e|en|t)|komm(?:e|en|t)|geb(?:e|en)|sag(?:e|en)"
    r"|informier(?:e|en|t)|kontaktier(?:e|en|t)|repariere?n?)"
)
_WIR = r"(?:ich|wir|(?:ein|eine|mein|meine|unser|unsere) (?:team|support|kolleg\w+))"
_VOW = re.compile(
    rf"\b{_OURS}{_WILL}\b(?:(?!\b(?:not|never)\b).){{0,80}}?\b{_DEED}\b"
    rf"|\b(?:i|we)(?:'m|’m| am|'re|’re| are) (?:(?!\bnot\b)\w+ )?{_DOING}\b"
    rf"|\blet me\b.{{0,60}}?\b{_DEED}\b|\b(?:i|we) (?:\w+ )?(?:promise|guarantee)\b|^\W*back to you\b"
    rf"|\byou(?:'ll|’ll| will) (?:hear|(?:get|receive|have)\b.{{0,40}}?\b{_THINGS}|be (?:called|contacted|refunded))\b"
    r"|\b(?:you can )?expect (?:an?|our|the|it|to hear)\b"
    r"|\b(?:your|the) (?:\w+ ){1,3}will (?:arrive|ship|reach you"
    r"|be (?:there|sent|shipped|refunded|delivered|with you))\b"
    rf"|\b{_WIR} {_MACHE}\b|\b{_MACHE} (?:ich|wir)\b|\b(?:werde ich|werden wir|{_WIR} (?:werde|werden|wird))\b"
    r"|\b(?:sie|du|ihr) (?:hören|hörst|hört|bekomm(?:en|st|t)|erhalten|erhältst|erhaltet|kriegst)\b",
    re.IGNORECASE,
)
# A stop ends a sentence, but not within "24.11.", "3 p.m." or before "By Friday at the latest".
_STOP = re.compile(
    r"(?<!\d)(?<!\b[ap]\.m)(?<!\bca)\.(?=\s|$)(?!\s+(?:by|within|until|at the latest|bis|innerhalb|spätestens)\b)"
    r"|(?<=\d)\.(?=\s+(?-i:[A-Z])(?!\w*(?:uar|br|ärz|pril|ai|ni|li|gust|ber)\b)|\s*$)|!+|\n\s*\n|…",
    re.IGNORECASE,
)
# "By Friday I will...": what begins the sentence counts, though it stands before the vow.
_BEGINS = re.compile(
    r"(?:^|\.\s)\W*(?:by|until|within|in|on|tomorrow|today|this|next|bis|morgen|heute|am|innerhalb|nächste\w*)\b[^.]*$",
    re.IGNORECASE,
)


def find(text: str, *, now: datetime, zone: ZoneInfo) -> Promised | None:
    """The first promise with a date in a draft; days are counted in the writer's `zone` and end at six."""
    for sentence in _sentences(text[:LONGEST_READ]):
        vow = _VOW.search(sentence)
        if vow is None:
            continue
        begins = _BEGINS.search(sentence[: vow.start()])
        for start, end in ((vow.start(), None), (begins.start(), vow.start())) if begins else ((vow.start(), None),):
            moment = due(sentence[start:end], now.astimezone(zone))
            if moment is not None:
                return Promised(" ".join(sentence[start:].split()).lstrip(". ")[:LONGEST_WORDS], moment)
    return None


def _sentences(text: str) -> Iterator[str]:
    """What is said, questions left out."""
    for part in _STOP.split(text):
        *_questions, last = part.split("?")
        if last.strip():
            yield last


# -- kept in sight ----------------------------------------------------------------------------------------------------


def make(said: Interaction, *, words: str, due_at: datetime, owner: User, by: User) -> Promise:
    """Writes a confirmed promise down, in the transaction that writes the answer. Raises NotPossible."""
    thread = said.thread
    if thread is None or due_at <= timezone.now():
        raise NotPossible(_("A promise needs a moment to come."))
    if not actions.serves(owner, thread):
        raise NotPossible(_("%(name)s does not work for this brand.") % {"name": owner})
    actions.note_event(thread, ThreadEvent.Verb.PROMISED, by, due_at=due_at.isoformat(), owner=str(owner))
    shown = words[:LONGEST_WORDS]
    return Promise.objects.create(thread=thread, interaction=said, owner=owner, words=shown, due_at=due_at)


def settle(promise: Promise, *, state: str, by: User, reason: str = "") -> Promise:
    """Kept, broken, or withdrawn (which needs a reason). Raises NotPossible."""
    if state not in (Promise.State.KEPT, Promise.State.BROKEN, Promise.State.WITHDRAWN):
        raise NotPossible(_("A promise is kept, broken or withdrawn."))
    if state == Promise.State.WITHDRAWN and not reason.strip():
        raise NotPossible(_("Say why the promise is withdrawn."))
    with transaction.atomic():
        changed = Promise.objects.filter(pk=promise.pk, state=Promise.State.OPEN).update(
            state=state, settled_at=timezone.now(), settled_by=by, reason=reason.strip()[:300]
        )
        if not changed:
            raise NotPossible(_("This promise is settled already."))
        audit(by=by, verb=f"promise {state}", on=promise, brand=promise.thread.brand_id)
        actions.note_event(promise.thread, ThreadEvent.Verb.SETTLED, by, state=state, reason=reason.strip()[:300])
    promise.refresh_from_db()
    return promise


def withdraw_unsaid(answer_id: int, *, by: User, why: str) -> None:
    """Withdraws the promise in an answer that never left, in the caller's transaction: nobody heard of it."""
    unsettled = Promise.objects.filter(interaction=answer_id, state=Promise.State.OPEN)
    unsettled.update(
        state=Promise.State.WITHDRAWN, settled_at=timezone.now(), settled_by=by, reason=why[:LONGEST_WORDS]
    )


def kept_rate(promises: QuerySet[Promise] | None = None) -> float | None:
    """The part of settled promises that were kept in time; None where none is settled. Withdrawn ones do not count;
    an open one that is overdue counts as broken. Those that fell due before the last `RATED_DAYS` do not count."""
    counted = rated(Promise.objects.all() if promises is None else promises)
    due = Count("pk", filter=~Q(state=Promise.State.OPEN) | Q(due_at__lt=timezone.now()))
    kept = Count("pk", filter=Q(state=Promise.State.KEPT, settled_at__lte=F("due_at")))
    sums = counted.aggregate(due=due, kept=kept)
    return sums["kept"] / sums["due"] if sums["due"] else None


def rated(promises: QuerySet[Promise]) -> QuerySet[Promise]:
    """Those that the rate is made of."""
    since = timezone.now() - timedelta(days=RATED_DAYS)
    return promises.filter(due_at__gt=since).exclude(state=Promise.State.WITHDRAWN)


def open_on(thread: Thread) -> list[Promise]:
    return list(thread.promises.filter(state=Promise.State.OPEN).select_related("owner").order_by("due_at", "id"))
