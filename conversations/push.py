"""Notifications to browsers nobody looks at. A push is a hint: it is tried once, and the product shows the same."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.contrib.sessions.models import Session
from django.db.models import Exists, F, OuterRef
from django.utils.translation import gettext as _

from accounts.mail import in_language_of
from accounts.models import User
from channels_ingest import webpush
from channels_ingest.webpush import NotSent, Subscription
from conversations.models import Notification, PushSubscription
from conversations.notify import address, still_wanted, words

log = logging.getLogger(__name__)

WORTH = timedelta(hours=1)  # how late something is still worth a push
BATCH = 200
MOST_FAILURES = 10  # in a row, before a browser is given up
MOST_BROWSERS = 10  # of one user; the oldest goes


def subscribe(user: User, given: Subscription, *, session_key: str) -> None:
    """From now on this browser shows the user's notifications. Raises BadSubscription."""
    webpush.checked(given)
    values = {"user": user, "p256dh": given.p256dh, "auth": given.auth, "session_key": session_key, "failures": 0}
    PushSubscription.objects.update_or_create(endpoint=given.endpoint, defaults=values)
    kept = user.push_subscriptions.order_by("-made_at", "-pk").values("pk")[:MOST_BROWSERS]
    user.push_subscriptions.exclude(pk__in=list(kept.values_list("pk", flat=True))).delete()


def unsubscribe(user: User, endpoint: str) -> None:
    user.push_subscriptions.filter(endpoint=endpoint).delete()


def push_due(now: datetime) -> int:
    """Pushes what is unread and new to the browsers that want it; returns how many messages were taken."""
    browsers = PushSubscription.objects.filter(user=OuterRef("user"))
    due = Notification.objects.filter(pushed_at=None, read_at=None, at__gt=now - WORTH)
    waiting = (
        due.filter(Exists(browsers))
        .filter(still_wanted())
        .select_related("user", "by", "thread__contact")
        .order_by("pk")[:BATCH]
    )
    return sum(_push(notice, now) for notice in waiting)


def _push(notice: Notification, now: datetime) -> int:
    if not Notification.objects.filter(pk=notice.pk, pushed_at=None).update(pushed_at=now):
        return 0  # another worker has it
    with in_language_of(notice.user):
        said = {"title": _("Social CRM"), "body": words(notice)}
    message = {**said, "url": address(notice), "tag": f"notice-{notice.pk}"}
    return sum(_send(browser, message) for browser in _living(notice.user, now))


def _living(user: User, now: datetime) -> list[PushSubscription]:
    """The user's browsers whose session lasts: signing out ends what they show."""
    signed_in = Session.objects.filter(session_key=OuterRef("session_key"), expire_date__gt=now)
    user.push_subscriptions.exclude(Exists(signed_in)).delete()
    return list(user.push_subscriptions.all())


def _send(browser: PushSubscription, message: dict[str, str]) -> bool:
    try:
        webpush.send(Subscription(browser.endpoint, browser.p256dh, browser.auth), message)
    except NotSent as error:
        log.info("A push was not taken: %s", error)
        if error.gone or browser.failures + 1 >= MOST_FAILURES:
            browser.delete()
        else:
            PushSubscription.objects.filter(pk=browser.pk).update(failures=F("failures") + 1)
        return False
    PushSubscription.objects.filter(pk=browser.pk, failures__gt=0).update(failures=0)
    return True
