"""What people do with a thread. Each step is written with its history row, in one transaction."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Team, User
from channels_ingest.networks.base import Visibility
from contacts.locks import keep_people
from conversations import live, notify
from conversations.mentions import mentioned
from conversations.models import (
    Interaction,
    Mention,
    NoteKey,
    Notification,
    Promise,
    Thread,
    ThreadEvent,
    Waiver,
)


class NotPossible(Exception):
    """The step cannot be taken; the message says why, in words for the person who asked."""


class KeyUsed(NotPossible):
    """The same key came with another text, for another thread, by another way or from somebody else."""


class LeftHanging(NotPossible):
    """A matter that began in public and was last answered in private: it needs a public word, or a reason for none."""

    def __init__(self) -> None:
        super().__init__(_("It began in public and was handled in private: say a closing word in public, or why not."))


def assign(thread: Thread, *, to: User | Team | None, by: User) -> Thread:
    """Gives the thread to a colleague who sees its brand, to a team of it, or to nobody. Raises NotPossible, also
    where it is put away.

    A team keeps what one of its people takes; what a team gets, nobody else has any more.
    """
    if to is not None and not serves(to, thread):
        raise NotPossible(_("%(name)s does not work for this brand.") % {"name": to})
    with transaction.atomic():
        locked = _workable(thread)
        before = locked.assignee_id, locked.team_id
        if isinstance(to, Team):
            locked.team = to
            locked.assignee = to.members.filter(pk=locked.assignee_id).first()
        else:
            locked.assignee = to
            locked.team = locked.team if to else None
        if before != (locked.assignee_id, locked.team_id):
            locked.save(update_fields=("assignee", "team"))
            verb = ThreadEvent.Verb.ASSIGNED if to else ThreadEvent.Verb.UNASSIGNED
            to_id = to.pk if isinstance(to, User) else None
            event = note_event(locked, verb, by, to=str(to) if to else "", to_id=to_id)
            _tell_of_assignment(event, to, by)
    return locked


def _tell_of_assignment(event: ThreadEvent, to: User | Team | None, by: User) -> None:
    if isinstance(to, Team):
        members = to.members.values_list("pk", flat=True)
        notify.tell(list(members), Notification.Kind.GIVEN, event.thread, event=event, by=by)
    elif to is not None:
        notify.tell([to.pk], Notification.Kind.ASSIGNED, event.thread, event=event, by=by)


def serves(whom: User | Team, thread: Thread) -> bool:
    """Whether this colleague or team works for the thread's brand."""
    if isinstance(whom, Team):
        return whom.brand_id == thread.brand_id
    user = whom
    return user.is_active and (user.sees_all_brands or user.brands.filter(pk=thread.brand_id).exists())


def claim(thread: Thread, *, by: User) -> bool:
    """Takes an unassigned thread; False when a colleague was faster. Raises NotPossible where it is put away."""
    with transaction.atomic():
        locked = _workable(thread)
        won = locked.assignee_id is None
        if won:
            locked.assignee = by
            locked.save(update_fields=("assignee",))
            note_event(locked, ThreadEvent.Verb.ASSIGNED, by, to=str(by), to_id=by.pk)
    return won


def snooze(thread: Thread, *, until: datetime, by: User) -> Thread:
    """Lets the thread rest until a moment to come (aware). Raises NotPossible."""
    if until <= timezone.now():
        raise NotPossible(_("Choose a moment to come."))
    with transaction.atomic():
        locked = _workable(thread)
        locked.state, locked.snoozed_until, locked.closed_at = Thread.State.SNOOZED, until, None
        locked.save(update_fields=("state", "snoozed_until", "closed_at"))
        note_event(locked, ThreadEvent.Verb.SNOOZED, by, until=until.isoformat())
    return locked


def close(thread: Thread, *, by: User, waive: str = "") -> Thread:
    """Ends the matter; a new inbound item opens it again. `waive` is the reason why nothing more is said in public.

    Raises NotPossible while a promise is open, LeftHanging where a public word (or that reason) is missing.
    """
    with transaction.atomic():
        locked = _workable(thread)
        if locked.promises.filter(state=Promise.State.OPEN).exists():
            raise NotPossible(_("A promise is still open. Settle it first."))
        if locked.hanging_since is not None:
            _waive(locked, by, waive.strip()[:300])
        if locked.state != Thread.State.CLOSED:
            locked.state, locked.snoozed_until, locked.closed_at = Thread.State.CLOSED, None, timezone.now()
            locked.save(update_fields=("state", "snoozed_until", "closed_at"))
            note_event(locked, ThreadEvent.Verb.CLOSED, by)
    return locked


def _waive(thread: Thread, by: User, reason: str) -> None:
    if not reason:
        raise LeftHanging
    Waiver.objects.create(thread=thread, by=by, reason=reason)
    thread.hanging_since = None
    thread.save(update_fields=("hanging_since",))
    note_event(thread, ThreadEvent.Verb.WAIVED, by, reason=reason)


def reopen(thread: Thread, *, by: User) -> Thread:
    """Raises NotPossible for what is put away."""
    with transaction.atomic():
        locked = _workable(thread)
        if locked.state != Thread.State.OPEN:
            locked.state, locked.snoozed_until, locked.closed_at = Thread.State.OPEN, None, None
            locked.save(update_fields=("state", "snoozed_until", "closed_at"))
            note_event(locked, ThreadEvent.Verb.REOPENED, by)
    return locked


def wake_due(now: datetime) -> int:
    """Opens the snoozed threads whose time has come; returns how many."""
    with transaction.atomic():
        due = list(
            Thread.objects.select_for_update(no_key=True, skip_locked=True)
            .filter(state=Thread.State.SNOOZED, snoozed_until__lte=now)
            .order_by("pk")[:500]
        )
        Thread.objects.filter(pk__in=[thread.pk for thread in due]).update(state=Thread.State.OPEN, snoozed_until=None)
        ThreadEvent.objects.bulk_create([ThreadEvent(thread=one, verb=ThreadEvent.Verb.WOKEN) for one in due])
        for thread in due:
            live.announce(thread.brand_id, [thread.pk])
    return len(due)


def write_note(thread: Thread, *, by: User, text: str, key: uuid.UUID | None = None) -> Interaction:
    """Something only colleagues read. The same key gives the same note back, however often it comes.

    Raises NotPossible, KeyUsed where the key came with other words, elsewhere or from somebody else.
    """
    words = text.strip()
    if not words:
        raise NotPossible(_("A note needs words."))
    try:
        with transaction.atomic():
            keep_people()
            locked = _lock(thread)
            return _noted(locked, by, words, key) or _note(locked, by, words, key)
    except IntegrityError:
        # the same key came on another thread in the same moment
        known = _noted(thread, by, words, key)
        if known is None:
            raise
        return known


def _noted(thread: Thread, by: User, words: str, key: uuid.UUID | None) -> Interaction | None:
    """The note that was written under the key. Raises KeyUsed where it is another one."""
    known = Interaction.objects.filter(note_key=key).first() if key else None
    if known is not None and (known.thread_id, known.text, known.sent_by_id) != (thread.pk, words, by.pk):
        raise KeyUsed(_("This was sent before with other words."))
    return known


def _note(thread: Thread, by: User, words: str, key: uuid.UUID | None) -> Interaction:
    """Writes a note, and tells those whom it calls; in the caller's transaction."""
    note = Interaction.objects.create(
        channel_id=thread.channel_id,
        kind="note",
        direction=Interaction.Direction.NOTE,
        visibility=Visibility.PRIVATE,
        sent_by=by,
        thread=thread,
        contact_id=thread.contact_id,
        text=words,
        posted_at=timezone.now(),
    )
    if key:
        NoteKey.objects.create(key=key, note=note)
    called = mentioned(words, thread.brand_id)
    settle_mentions(thread, by=by)
    Mention.objects.bulk_create(
        [Mention(user_id=pk, interaction=note) for pk in called.everybody - {by.pk}], ignore_conflicts=True
    )
    notify.tell(called.people, Notification.Kind.MENTION, thread, interaction=note, by=by)
    notify.tell(called.of_teams, Notification.Kind.TEAM, thread, interaction=note, by=by)
    live.announce(thread.brand_id, [thread.pk])
    return note


def settle_mentions(thread: Thread, *, by: User) -> int:
    """What called this colleague here is answered, or put aside; returns how many notes that were."""
    called = Mention.objects.of(by).filter(interaction__thread=thread)
    return Mention.objects.filter(pk__in=called.values("pk")).update(settled_at=timezone.now())


# One statement and one commit: every look at a thread writes it.
_MARK_SEEN = """
    WITH told AS (
        UPDATE conversations_notification SET read_at = %(now)s
        WHERE read_at IS NULL AND thread_id = %(thread)s AND user_id = %(user)s
    )
    INSERT INTO conversations_threadseen (thread_id, user_id, seen_at) VALUES (%(thread)s, %(user)s, %(now)s)
    ON CONFLICT (user_id, thread_id) DO UPDATE SET seen_at = excluded.seen_at
"""


def mark_seen(thread: Thread, *, by: User) -> None:
    """Remembers that this colleague has read the thread up to now."""
    with connection.cursor() as cursor:
        cursor.execute(_MARK_SEEN, {"thread": thread.pk, "user": by.pk, "now": timezone.now()})


def _lock(thread: Thread) -> Thread:
    return Thread.objects.select_for_update(no_key=True).get(pk=thread.pk)


def _workable(thread: Thread) -> Thread:
    """The thread, locked. Raises NotPossible where it is put away."""
    locked = _lock(thread)
    if locked.state == Thread.State.SPAM:
        raise NotPossible(_("This thread is spam. Take the report back first."))
    if locked.state == Thread.State.JOINED:
        raise NotPossible(_("This thread was joined with another one. Work there."))
    return locked


def note_event(thread: Thread, verb: str, by: User, **details: object) -> ThreadEvent:
    """Writes the history row of a step and tells open browsers; in the caller's transaction."""
    event = ThreadEvent.objects.create(thread=thread, verb=verb, by=by, details=details)
    live.announce(thread.brand_id, [thread.pk])
    return event
