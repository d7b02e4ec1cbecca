"""Notifications to browsers nobody looks at. A push is a hint: it is worth an hour, and the product shows the same."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.models import Session
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _

from accounts.failpoints import failpoint
from accounts.leases import free
from accounts.mail import in_language_of
from accounts.models import User
from channels_ingest import webpush
from channels_ingest.webpush import NotSent, Subscription
from conversations.models import Notification, PushSubscription
from conversations.notify import address, still_wanted, words

log = logging.getLogger(__name__)

WORTH = timedelta(hours=1)  # how late something is still worth a push
LEASE = timedelta(minutes=3)  # more than all browsers of one user take
BATCH = 200
PAUSE = timedelta(minutes=1)  # after a failure; twice as long after each more
LONGEST_PAUSE = timedelta(hours=1)
MOST_FAILURES = 10  # in a row, before a browser is given up
MOST_BROWSERS = 10  # of one user; the oldest goes


def subscribe(user: User, given: Subscription, *, session_key: str) -> None:
    """From now on this browser shows the user's notifications. Raises BadSubscription."""
    webpush.checked(given)
    values = {"user": user, "p256dh": given.p256dh, "auth": given.auth, "session_key": session_key, "failures": 0}
    values["silent_until"] = None
    PushSubscription.objects.update_or_create(endpoint=given.endpoint, defaults=values)
    kept = user.push_subscriptions.order_by("-made_at", "-pk").values("pk")[:MOST_BROWSERS]
    user.push_subscriptions.exclude(pk__in=list(kept.values_list("pk", flat=True))).delete()


def unsubscribe(user: User, endpoint: str) -> None:
    user.push_subscriptions.filter(endpoint=endpoint).delete()


def push_due(now: datetime) -> int:
    """Pushes what is unread and new to the browsers that want it; returns how many messages were taken."""
    browsers = PushSubscription.objects.filter(_open_to(now), user=OuterRef("user"))
    due = Notification.objects.filter(free(), pushed_at=None, read_at=None, at__gt=now - WORTH)
    waiting = (
        due.filter(Exists(browsers))
        .filter(still_wanted())
        .select_related("user", "by", "thread__contact")
        .order_by("pk")[:BATCH]
    )
    return sum(_push(notice, now) for notice in waiting)


def _open_to(now: datetime) -> Q:
    return Q(silent_until=None) | Q(silent_until__lte=now)


def _push(notice: Notification, now: datetime) -> int:
    """To all browsers of the user; where none took it and one may later, it is due again.

    Under a lease: where a worker dies in between, it is due again after it. A browser that had it shows it once, by
    its tag.
    """
    browsers = _living(notice.user, now)
    mine = Notification.objects.filter(pk=notice.pk, pushed_at=None)
    if not browsers or not mine.filter(free()).update(lease_until=Now() + LEASE):
        return 0  # they must wait, or another worker has it
    failpoint("push.claimed")
    with in_language_of(notice.user):
        said = {"title": _("Social CRM"), "body": words(notice)}
    message = {**said, "url": address(notice), "tag": f"notice-{notice.pk}"}
    taken = sum(_send(browser, message, now) for browser in browsers)
    mine.update(lease_until=None, pushed_at=now if taken else None)
    return taken


def _living(user: User, now: datetime) -> list[PushSubscription]:
    """The user's browsers that may be sent to. Signing out, or a new password, ends what a browser shows."""
    keys = user.push_subscriptions.values("session_key")
    sessions = Session.objects.filter(session_key__in=keys, expire_date__gt=now)
    lasting = [session.session_key for session in sessions if _is_of(session, user)]
    user.push_subscriptions.exclude(session_key__in=lasting).delete()
    return list(user.push_subscriptions.filter(_open_to(now)))


def _is_of(session: Session, user: User) -> bool:
    kept = session.get_decoded()
    signed = constant_time_compare(kept.get(HASH_SESSION_KEY, ""), user.get_session_auth_hash())
    return signed and kept.get(SESSION_KEY) == str(user.pk)


def _send(browser: PushSubscription, message: dict[str, str], now: datetime) -> bool:
    try:
        webpush.send(Subscription(browser.endpoint, browser.p256dh, browser.auth), message)
    except NotSent as error:
        log.info("A push was not taken: %s", error)
        _silence(browser, error, now)
        return False
    PushSubscription.objects.filter(pk=browser.pk, failures__gt=0).update(failures=0)
    return True


def _silence(browser: PushSubscription, error: NotSent, now: datetime) -> None:
    """Gives the browser up, or leaves its push server alone for as long as it asks, or longer with each failure."""
    failures = browser.failures + (not error.limited)
    if error.gone or failures >= MOST_FAILURES:
        browser.delete()
        return
    pause = error.wait or min(PAUSE * 2**failures, LONGEST_PAUSE)
    PushSubscription.objects.filter(pk=browser.pk).update(failures=failures, silent_until=now + pause)
