"""Tells admins what they must act on: one notice for each outage, in the product and by mail, not one for each try."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Func, QuerySet, Value
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.mail import Letter, in_language_of, mail_once
from accounts.models import User
from channels_ingest.health import Diagnosis, health
from channels_ingest.models import Channel, Notice

MOST_IN_BANNER = 20  # read for the banner of each page; the page of outages shows all
MAIL_LOCK = 5  # first half of the advisory lock key; the second half is the notice's id
EXPIRES_WITHIN = timedelta(days=7)  # how early an ending access is announced


def look(now: datetime) -> int:
    """Opens and ends the notices of all channels, and sends what was not mailed yet; returns how many are open."""
    for channel in Channel.objects.exclude(state=Channel.State.HISTORY).order_by("pk"):
        _judge(channel, now)
    mail_due()
    return open_notices().count()


def open_notices() -> QuerySet[Notice]:
    """The notices that stand now, what is broken first."""
    return Notice.objects.filter(ended_at=None).select_related("channel").order_by("kind", "-id")


def _judge(channel: Channel, now: datetime) -> None:
    for kind, (words, advice) in _found(channel, now).items():
        _keep(channel, kind, words, advice)


def _found(channel: Channel, now: datetime) -> dict[Notice.Kind, tuple[str, str]]:
    """By kind what is to be told now, and what to do about it; empty words where there is nothing to tell."""
    found = health(channel, now)
    broken = found.diagnosis == Diagnosis.BROKEN
    silent = found.diagnosis == Diagnosis.SILENT
    return {
        Notice.Kind.BROKEN: (_ours(found.words), _ours(found.advice)) if broken else ("", ""),
        Notice.Kind.SILENT: (found.words, _("Look at the account itself: is all well?")) if silent else ("", ""),
        Notice.Kind.EXPIRING: _ending(channel, now),
    }


def _ending(channel: Channel, now: datetime) -> tuple[str, str]:
    ends = channel.token_expires_at
    if ends is None or ends - now > EXPIRES_WITHIN or channel.state == Channel.State.PAUSED:
        return "", ""
    words = _("The access ends on %(day)s.") % {"day": ends.date().isoformat()}
    return words, _("Enter new keys before that day.")


def _ours(kept: str) -> str:
    """What was kept in the install's language, in the reader's where it is a sentence of the product's own."""
    return _(kept) if kept else ""


def _keep(channel: Channel, kind: Notice.Kind, words: str, advice: str) -> None:
    """One open notice of a kind while there are words for it, none otherwise. The database sees to the "one"."""
    standing = Notice.objects.filter(channel=channel, kind=kind, ended_at=None)
    if not words:
        standing.update(ended_at=timezone.now())
    elif not standing.exists():
        notice = Notice(channel=channel, kind=kind, words=words[:1000], advice=advice[:500])
        Notice.objects.bulk_create([notice], ignore_conflicts=True)


def mail_due() -> int:
    """Mails the open notices that not all admins were told of by mail; returns how many all are told of now."""
    return sum(_mail(notice) for notice in open_notices().filter(mailed_at=None).order_by("pk"))


def _mail(notice: Notice) -> bool:
    """One mail to each admin who had none yet. An address that cannot be reached holds up nobody else's."""
    untold = User.objects.admins().exclude(pk__in=notice.mailed_to).order_by("pk")
    told = [_mail_to(admin, notice) for admin in untold]
    return all(told) and bool(Notice.objects.filter(pk=notice.pk, mailed_at=None).update(mailed_at=timezone.now()))


def _mail_to(admin: User, notice: Notice) -> bool:
    untold = Notice.objects.filter(pk=notice.pk, mailed_at=None).exclude(mailed_to__contains=[admin.pk])
    with in_language_of(admin):
        letter = _written(admin, notice)
    noted = Func("mailed_to", Value(admin.pk), function="array_append")
    return mail_once(letter, untold, lock=(MAIL_LOCK, notice.pk), mailed_to=noted)


def _written(admin: User, notice: Notice) -> Letter:
    address = settings.PUBLIC_URL + reverse("channel", args=[notice.channel_id])
    subject = _("%(channel)s: %(kind)s") % {"channel": notice.channel, "kind": notice.get_kind_display()}
    words, advice = _found(notice.channel, timezone.now())[Notice.Kind(notice.kind)]
    if not words:  # it ended a moment ago
        words, advice = notice.words, notice.advice
    text = "\n\n".join(line for line in (words, advice, address) if line)
    return Letter("notice", f"{notice.pk}-{admin.pk}", admin, subject, text)
