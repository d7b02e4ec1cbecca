"""Tells admins what they must act on: one notice for each outage, in the product and by mail, not one for each try."""

from __future__ import annotations

import logging
import smtplib
from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.alone import alone
from accounts.failpoints import failpoint
from accounts.mail import named
from accounts.models import User
from accounts.roles import Role
from channels_ingest.health import Diagnosis, health
from channels_ingest.models import Channel, Notice

log = logging.getLogger(__name__)

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
    found = health(channel, now)
    broken = found.diagnosis == Diagnosis.BROKEN
    _keep(channel, Notice.Kind.BROKEN, found.words if broken else "", found.advice)
    silent = found.diagnosis == Diagnosis.SILENT
    _keep(channel, Notice.Kind.SILENT, found.words if silent else "", _("Look at the account itself: is all well?"))
    ends = channel.token_expires_at
    ending = ends is not None and ends - now <= EXPIRES_WITHIN and channel.state != Channel.State.PAUSED
    words = _("The access ends on %(day)s.") % {"day": ends.date().isoformat()} if ends and ending else ""
    _keep(channel, Notice.Kind.EXPIRING, words, _("Enter new keys before that day."))


def _keep(channel: Channel, kind: Notice.Kind, words: str, advice: str) -> None:
    """One open notice of a kind while there are words for it, none otherwise. The database sees to the "one"."""
    standing = Notice.objects.filter(channel=channel, kind=kind, ended_at=None)
    if not words:
        standing.update(ended_at=timezone.now())
    elif not standing.exists():
        notice = Notice(channel=channel, kind=kind, words=words[:1000], advice=advice[:500])
        Notice.objects.bulk_create([notice], ignore_conflicts=True)


def mail_due() -> int:
    """Mails the open notices that nobody was told of by mail; returns how many."""
    return sum(_mail_once(notice) for notice in open_notices().filter(mailed_at=None).order_by("pk"))


def _mail_once(notice: Notice) -> bool:
    """By one worker at a time. It is noted after it was taken: who dies in between has it mailed again, under the same
    Message-ID, for an outage that nobody is told of is worse than one that is told twice."""
    with alone(MAIL_LOCK, notice.pk) as ours:
        waiting = Notice.objects.filter(pk=notice.pk, mailed_at=None)
        if not (ours and waiting.exists() and _mail(notice)):
            return False
        failpoint("notice.mailed")
        waiting.update(mailed_at=timezone.now())
        return True


def _mail(notice: Notice) -> bool:
    """One mail to all admins; False where it cannot be sent."""
    address = settings.PUBLIC_URL + reverse("channel", args=[notice.channel_id])
    subject = _("%(channel)s: %(kind)s") % {"channel": notice.channel, "kind": notice.get_kind_display()}
    text = "\n\n".join(line for line in (notice.words, notice.advice, address) if line)
    failpoint("notice.mailing")
    try:
        EmailMessage(str(subject), text, None, _admins(), headers=named("notice", notice.pk)).send()
    except (smtplib.SMTPException, OSError) as error:
        log.warning("A notice could not be mailed: %s", type(error).__name__)
        return False
    return True


def _admins() -> list[str]:
    return list(User.objects.filter(role=Role.ADMIN, is_active=True).values_list("email", flat=True))
