"""Promises made in answers: found while typing, confirmed by their writer, kept in sight until they are settled."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Count, F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.audit import audit
from accounts.models import User
from conversations import actions
from conversations.actions import NotPossible
from conversations.models import Interaction, Promise, Thread, ThreadEvent

END_OF_DAY = time(18, 0)
FRIDAY = 4
SOON = timedelta(hours=4)  # what "shortly" is held to


@dataclass(frozen=True, slots=True)
class Promised:
    """What sounds like a promise: its words and when it falls due (aware)."""

    words: str
    due_at: datetime


_WE = r"(?:i|we)(?:'ll|’ll| will| can| am going to| are going to|'m going to|'re going to)"
_DEED = (
    r"(?:get back|come back|be in touch|call|let you know|update|send|ship|refund|check|follow up|reply|answer|write"
    r"|look into|fix|sort|keep you|have)"
)
_VOW = re.compile(
    rf"\b{_WE}\b[^.!?\n]{{0,40}}?\b{_DEED}\b[^.!?\n]{{0,120}}"
    r"|\b(?:ich|wir) (?:melde|melden|rufe|rufen|schicke|schicken|prüfe|prüfen|antworte|antworten)\b[^.!?\n]{0,120}"
    r"|\b(?:expect|you(?:'ll| will) (?:hear|get|receive))\b[^.!?\n]{0,120}",
    re.IGNORECASE,
)
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_TAGE = ("montag", "dienstag", "mittwoch", "donnerstag", "freitag", "samstag", "sonntag")
_SPAN = re.compile(
    r"\b(?:in|within|innerhalb von)\s+(\d{1,3}|an?|one|two|three|einer|einem|zwei|drei)\s+"
    r"(minute|hour|day|week|business day|working day|stunde|tag|woche)"
)
_NUMBERS = {"a": 1, "an": 1, "one": 1, "einer": 1, "einem": 1, "two": 2, "zwei": 2, "three": 3, "drei": 3}
_UNITS = {
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "stunde": timedelta(hours=1),
    "day": timedelta(days=1),
    "business day": timedelta(days=1),
    "working day": timedelta(days=1),
    "tag": timedelta(days=1),
    "week": timedelta(weeks=1),
    "woche": timedelta(weeks=1),
}


def find(text: str, *, now: datetime, zone: ZoneInfo) -> Promised | None:
    """The first promise with a date in a draft; days are counted in the writer's `zone` and end at six."""
    for vow in _VOW.finditer(text[:5000]):
        due = _due(vow[0].lower(), now.astimezone(zone))
        if due is not None:
            return Promised(" ".join(vow[0].split()), due)
    return None


def _due(words: str, now: datetime) -> datetime | None:
    span = _SPAN.search(words)
    if span is not None:
        number = _NUMBERS.get(span[1]) or int(span[1])
        return now + number * _UNITS[span[2]]
    for pattern, days in (*_NEAR, *_WEEKDAYS, *_WEEKS):
        if pattern.search(words):
            return _evening(now, days(now.weekday()))
    return now + SOON if _SOON.search(words) else None


def _on(weekday: int) -> Callable[[int], int]:
    """Days from a weekday to the next `weekday`, never today."""
    return lambda today: (weekday - today) % 7 or 7


_NEAR: tuple[tuple[re.Pattern[str], Callable[[int], int]], ...] = (
    (re.compile(r"\b(today|tonight|this (morning|afternoon|evening)|end of (the )?day|heute)\b"), lambda _: 0),
    (re.compile(r"\b(tomorrow|morgen)\b"), lambda _: 1),
)
_WEEKDAYS = tuple(
    (re.compile(rf"\b({day}|{tag})\b"), _on(number)) for number, (day, tag) in enumerate(zip(_DAYS, _TAGE, strict=True))
)
_WEEKS: tuple[tuple[re.Pattern[str], Callable[[int], int]], ...] = (
    (re.compile(r"\b(end of (the )?week|this week|diese woche)\b"), lambda today: (FRIDAY - today) % 7),
    (re.compile(r"\b(next week|nächste woche)\b"), lambda today: 7 + FRIDAY - today),
)
_SOON = re.compile(r"\b(shortly|soon|in a (moment|minute)|gleich|bald)\b")


def _evening(now: datetime, days: int) -> datetime:
    evening = datetime.combine(now.date() + timedelta(days=days), END_OF_DAY, tzinfo=now.tzinfo)
    return evening if evening > now else now + timedelta(hours=2)


# -- kept in sight ----------------------------------------------------------------------------------------------------


def make(said: Interaction, *, words: str, due_at: datetime, owner: User, by: User) -> Promise:
    """Writes a confirmed promise down, in the transaction that writes the answer. Raises NotPossible."""
    thread = said.thread
    if thread is None or due_at <= timezone.now():
        raise NotPossible(_("A promise needs a moment to come."))
    if not actions.serves(owner, thread):
        raise NotPossible(_("%(name)s does not work for this brand.") % {"name": owner})
    actions.note_event(thread, ThreadEvent.Verb.PROMISED, by, due_at=due_at.isoformat(), owner=str(owner))
    return Promise.objects.create(thread=thread, interaction=said, owner=owner, words=words[:300], due_at=due_at)


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


def kept_rate(promises: QuerySet[Promise] | None = None) -> float | None:
    """The part of settled promises that were kept in time; None where none is settled. Withdrawn ones do not count;
    an open one that is overdue counts as broken."""
    counted = (Promise.objects.all() if promises is None else promises).exclude(state=Promise.State.WITHDRAWN)
    due = Count("pk", filter=~Q(state=Promise.State.OPEN) | Q(due_at__lt=timezone.now()))
    kept = Count("pk", filter=Q(state=Promise.State.KEPT, settled_at__lte=F("due_at")))
    sums = counted.aggregate(due=due, kept=kept)
    return sums["kept"] / sums["due"] if sums["due"] else None


def open_on(thread: Thread) -> list[Promise]:
    return list(thread.promises.filter(state=Promise.State.OPEN).select_related("owner").order_by("due_at", "id"))
