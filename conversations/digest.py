"""Mails what is unread to those who want mail: at once, or every morning. Each mail leads out of them by one click."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Any

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.db import transaction
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import formats
from django.utils.translation import ngettext

from accounts.alone import alone
from accounts.audit import audit
from accounts.mail import Letter, in_language_of, mail_once
from accounts.models import Digest, User
from conversations.models import Notification
from conversations.notify import address, still_wanted, words

GATHER = timedelta(minutes=1)  # what happens within it is one mail
MORNING = time(8)  # where the reader lives
WORTH = timedelta(days=2)  # how late something is still worth a mail
MOST_AT_ONCE = 5_000
SHOWN = 50  # of one mail; the list has all
MAIL_LOCK = 6  # first half of the advisory lock key; the second half is the user's id
SIGNER = Signer(salt="conversations.digest", sep=".")


def mail_due(now: datetime) -> int:
    """One mail for each who waits for one; returns how many mails went out.

    The lines of a mail are claimed under its id before it leaves. Who dies in between, or is refused, leaves a mail
    that goes out again with the same lines under the same Message-ID, whatever has happened since.
    """
    for user, notices in _of_each(_new(now), "user"):
        if due_at(user, notices[0].at) <= now:
            _claim(notices)
    return sum(_mail(mail_id, notices, now) for mail_id, notices in _of_each(_claimed(now), "mail_id"))


def due_at(user: User, first: datetime) -> datetime:
    """When this user gets a mail whose first thing happened then."""
    if user.digest != Digest.DAILY:
        return first + GATHER
    there = first.astimezone(user.zone or UTC)
    day = there.date() + timedelta(days=there.time() >= MORNING)
    return datetime.combine(day, MORNING, there.tzinfo)


def _new(now: datetime) -> QuerySet[Notification]:
    """The unread that stand in no mail yet and are still worth one."""
    return _to_mail().filter(still_wanted(), mail_id=None, read_at=None, at__gt=now - WORTH)


def _claimed(now: datetime) -> QuerySet[Notification]:
    """The lines of mails that are to leave, as long as something new in them is unread."""
    unread = Notification.objects.filter(mailed_at=None, mail_id__isnull=False, read_at=None, at__gt=now - WORTH)
    return _to_mail().filter(mail_id__in=unread.values("mail_id"))


def _to_mail() -> QuerySet[Notification]:
    """What was not mailed to those who want mail."""
    waiting = Notification.objects.filter(mailed_at=None).exclude(user__digest=Digest.OFF)
    return waiting.select_related("user", "by", "thread__contact")


def _of_each(notices: QuerySet[Notification], name: str) -> Iterator[tuple[Any, list[Notification]]]:
    found = notices.order_by("user", name, "pk")[:MOST_AT_ONCE]
    return ((key, list(those)) for key, those in groupby(found, key=attrgetter(name)))


def _claim(notices: list[Notification]) -> None:
    ids = [notice.pk for notice in notices]
    Notification.objects.filter(pk__in=ids, mailed_at=None, mail_id=None).update(mail_id=uuid.uuid4())


def _mail(mail_id: uuid.UUID, notices: list[Notification], now: datetime) -> bool:
    user, waiting = notices[0].user, Notification.objects.filter(mail_id=mail_id, mailed_at=None)
    lock = (MAIL_LOCK, user.pk)
    if waiting.filter(still_wanted()).count() == len(notices):
        return mail_once(letter(user, mail_id, notices), waiting, rows=len(notices), lock=lock, mailed_at=now)
    with alone(*lock) as ours:  # whoever is sending it now notes that on its lines
        if ours:
            waiting.update(mail_id=None)  # what may still leave goes in a mail of its own
    return False


# -- what it says -----------------------------------------------------------------------------------------------------


def letter(user: User, mail_id: uuid.UUID, notices: list[Notification]) -> Letter:
    """In the reader's language and time zone, as text and as HTML, without anything that was said."""
    off = _absolute(reverse("mails-off", args=[token_of(user)]))
    headers = {"List-Unsubscribe": f"<{off}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}  # RFC 8058
    with in_language_of(user):
        count = len(notices)
        subject = ngettext("%(count)d thing for you", "%(count)d things for you", count) % {"count": count}
        context = {"subject": subject, "zone": user.time_zone, "off": off, **_places(), **_lines(user, notices)}
        text = render_to_string("conversations/digest_mail.txt", context).strip() + "\n"
        html = render_to_string("conversations/digest_mail.html", context)
    return Letter("digest", mail_id.hex, user, subject, text, html, headers)


def _lines(user: User, notices: list[Notification]) -> dict[str, object]:
    rows = [(words(one), _moment(one.at, user), _absolute(address(one))) for one in notices[:SHOWN]]
    return {"rows": rows, "more": len(notices) - len(rows)}


def _moment(at: datetime, user: User) -> str:
    return formats.date_format(at.astimezone(user.zone or UTC), "DAY_TIME_FORMAT")


def _places() -> dict[str, str]:
    return {"all": _absolute(reverse("notices")), "settings": _absolute(reverse("notice-settings"))}


def _absolute(place: str) -> str:
    return settings.PUBLIC_URL + place


# -- out of it --------------------------------------------------------------------------------------------------------


def token_of(user: User) -> str:
    """What proves, without signing in, that somebody has a mail of this user; good for ending these mails alone."""
    return SIGNER.sign(str(user.pk))


def reader_of(token: str) -> User | None:
    try:
        return User.objects.filter(pk=int(SIGNER.unsign(token))).first()
    except (BadSignature, ValueError):
        return None


@transaction.atomic
def stop(user: User) -> None:
    """No more of these mails. Harmless when repeated."""
    if User.objects.filter(pk=user.pk).exclude(digest=Digest.OFF).update(digest=Digest.OFF):
        audit(by=user, verb="changed notices", on=user)
