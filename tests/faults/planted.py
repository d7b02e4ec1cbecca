"""Bugs planted on purpose, each by a switch: the suite must catch every one of them, or it proves nothing."""

from __future__ import annotations

import importlib
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

BUGS: dict[str, Callable[[], None]] = {}
AFTER_THE_ANSWER: list[Callable[[], object]] = []  # what a broken receiver does when it has answered already
TOGETHER: list[Callable[[], object]] = []  # how one of several processes waits for the others, where there are several


def plant(name: str) -> None:
    """Makes this process a broken one. Raises KeyError for a bug that is not known."""
    if name:
        BUGS[name]()


def swap(where: str, name: str, other: Any) -> Any:
    """Puts `other` in the place of a module's attribute; returns what was there."""
    module = importlib.import_module(where)
    there = getattr(module, name)
    setattr(module, name, other)
    return there


def bug(make: Callable[[], None]) -> Callable[[], None]:
    BUGS[make.__name__] = make
    return make


def _without_overlap() -> None:
    """The next pull would heal what was lost a moment ago."""
    swap("channels_ingest.networks.parts.x_walk", "OVERLAP", timedelta(0))
    swap("channels_ingest.networks.parts.x_walk", "OVERLAP_IDS", 0)


@bug
def cursor_saved_before_the_data() -> None:
    from accounts.failpoints import failpoint
    from channels_ingest.ingest import hand_over
    from channels_ingest.models import StreamCursor

    def broken(channel: Any, items: Any, *, stream: str, cursor: Any, dropped: Any) -> Any:
        StreamCursor.objects.filter(channel=channel, stream=stream).update(cursor=dict(cursor))
        failpoint("planted")
        return hand_over(channel, items, stream=stream, dropped=dropped)

    swap("channels_ingest.pull", "hand_over", broken)


@bug
def an_expired_lease_sends_again() -> None:
    from django.db.models.functions import Now

    from conversations.models import Delivery

    def broken() -> int:
        lost = Delivery.objects.filter(state="sending", lease_until__lte=Now())
        return lost.update(state="queued", lease_until=None, not_before=Now())

    swap("conversations.deliver", "expire_leases", broken)


@bug
def the_lease_is_not_looked_at_again() -> None:
    for where in ("channels_ingest.networks.http", "conversations.deliver"):
        swap(where, "too_late_to_write", lambda: False)


@bug
def an_unknown_reply_does_not_rest() -> None:
    swap("conversations.deliver", "settle", lambda: timedelta(0))


@bug
def answered_before_it_is_stored() -> None:
    from channels_ingest.webhooks import store

    def broken(app: Any, body: bytes) -> bool:
        AFTER_THE_ANSWER.append(lambda: store(app, body))
        return True

    swap("channels_ingest.webhooks", "store", broken)


@bug
def done_before_it_is_done() -> None:
    """Acknowledged before the commit: a body is marked as processed, then it is processed."""
    from accounts.failpoints import failpoint
    from channels_ingest.models import WebhookEvent
    from channels_ingest.webhooks import _store_batch

    def broken(batch: Any) -> None:
        ours = WebhookEvent.objects.filter(pk__in=[one.event.pk for one in batch])
        ours.update(state=WebhookEvent.State.STORED)
        failpoint("planted")
        ours.update(state=WebhookEvent.State.RECEIVED)
        _store_batch(batch)

    swap("channels_ingest.webhooks", "_store_batch", broken)


@bug
def published_before_the_commit() -> None:
    swap("django.db.transaction", "on_commit", lambda func, *_, **__: func())


@bug
def looked_up_then_inserted() -> None:
    import hashlib

    from django.db import connection

    from channels_ingest.models import WebhookEvent

    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE channels_ingest_webhookevent DROP CONSTRAINT IF EXISTS webhook_event_once")

    def broken(app: Any, body: bytes) -> bool:
        digest = hashlib.sha256(body).hexdigest()
        if WebhookEvent.objects.filter(app=app, digest=digest).exists():
            return False
        for wait_for_the_others in TOGETHER:  # all have looked before the first one inserts
            wait_for_the_others()
        WebhookEvent.objects.create(app=app, digest=digest, body=body)
        return True

    swap("channels_ingest.webhooks", "store", broken)


@bug
def only_one_page_is_read() -> None:
    swap("channels_ingest.networks.parts.x_walk", "_next_token", lambda _answer: "")


@bug
def pages_are_counted() -> None:
    """Offset paging: the network's token of the next page is followed, whatever it counts."""
    _without_overlap()
    swap("channels_ingest.networks.parts.x_walk", "_in_order", lambda _ids, _state: False)


@bug
def what_was_merged_away_is_deleted() -> None:
    from django.db import connection, transaction

    from contacts.merge import merge_contacts

    _without_overlap()

    def broken(*, keep: Any, drop: Any, **more: Any) -> Any:
        merged = merge_contacts(keep=keep, drop=drop, **more)
        with (
            transaction.atomic(),
            connection.cursor() as cursor,
        ):  # the identities have moved, the cascade takes what stood below the contact
            cursor.execute("SET LOCAL session_replication_role = replica")  # or the database would refuse it
            cursor.execute(
                "DELETE FROM conversations_rawpayload WHERE interaction_id IN (SELECT i.id FROM"
                " conversations_interaction i JOIN contacts_identitylink l ON l.identity_id = i.author_id"
                " WHERE l.contact_id = %s AND i.direction = 'in')",
                [drop.pk],
            )
            cursor.execute(
                "DELETE FROM conversations_interaction i USING contacts_identitylink l"
                " WHERE l.identity_id = i.author_id AND l.contact_id = %s AND i.direction = 'in'",
                [drop.pk],
            )
        return merged

    swap("contacts.merge", "merge_contacts", broken)


@bug
def a_contact_may_be_merged_with_itself() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE contacts_contact DROP CONSTRAINT IF EXISTS contact_not_into_itself")
        cursor.execute("ALTER TABLE contacts_merge DROP CONSTRAINT IF EXISTS merge_not_with_itself")
    swap("contacts.merge", "_lock", lambda keep, drop: (keep, drop))


@bug
def the_second_press_has_another_key() -> None:
    from conversations.reply import reply

    def broken(thread: Any, *, key: uuid.UUID, **more: Any) -> Any:
        return reply(thread, key=uuid.uuid4(), **more)

    swap("tests.faults.acts", "write_reply", broken)


@bug
def a_duplicate_is_a_failure() -> None:
    from conversations.deliver import _trouble

    def broken(delivery: Any, error: Any) -> None:
        error.duplicate = False
        _trouble(delivery, error)

    swap("conversations.deliver", "_trouble", broken)


@bug
def mailed_by_whoever_looks() -> None:
    """Nobody asks whether another worker is at it."""
    from contextlib import contextmanager

    @contextmanager
    def alone(_kind: int, _key: int) -> Any:
        for wait_for_the_others in TOGETHER:  # all have looked before the first one mails
            wait_for_the_others()
        yield True

    swap("accounts.mail", "alone", alone)


@bug
def noted_as_mailed_before_the_mail() -> None:
    from django.utils import timezone

    from accounts.mail import _send
    from channels_ingest.models import Notice

    def broken(letter: Any) -> bool:
        Notice.objects.update(mailed_at=timezone.now())
        return _send(letter)

    swap("accounts.mail", "_send", broken)


@bug
def nobody_is_told_of_what_customers_write() -> None:
    swap("conversations.notify", "customers_wrote", lambda _arrived: None)


@bug
def the_clock_runs_on() -> None:
    """An answer does not stop it."""
    from conversations import summaries

    sound = summaries._REFRESH
    swap("conversations.summaries", "_REFRESH", sound.replace("COALESCE(sums.last_out, '-infinity')", "'-infinity'"))


@bug
def nobody_looks_after_pushes() -> None:
    swap("channels_ingest.connect", "keep_pushes", lambda _now: 0)


@bug
def poison_ends_the_round() -> None:
    """Whoever meets it gives up, and so its neighbours wait for the next round."""
    import json

    from channels_ingest.webhooks import _read

    def broken(event: Any) -> Any:
        json.loads(bytes(event.body))
        return _read(event)

    swap("channels_ingest.webhooks", "_read", broken)
