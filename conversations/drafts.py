"""Drafts on the server: nothing typed is lost, and colleagues see that somebody is writing."""

from __future__ import annotations

import uuid

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from conversations import live
from conversations.actions import NotPossible
from conversations.models import Delivery, Draft, NoteKey, Thread

LANES = ("reply", "message", "note")
LONGEST = 20_000  # letters, as many as the composer takes
DRAFT_LOCK = 7  # the advisory lock's key, beside those of channels and people


def keep(
    thread: Thread, *, by: User, lane: str, text: str, key: uuid.UUID | None = None, purpose: str | None = None
) -> bool:
    """Saves a draft, or forgets it when it is empty. Raises NotPossible.

    `key` is that of its composer: what was sent under it is no draft any more, however late the draft comes. Returns
    whether the draft was taken. `purpose` is what the product proposed it for: it stays with the draft until that is
    empty or another one is proposed.
    """
    if lane not in LANES or len(text) > LONGEST or "\x00" in text:
        raise NotPossible(_("This draft cannot be kept."))
    if not text.strip():
        forget(thread, by=by, lane=lane)
        return True
    with transaction.atomic():
        _alone(thread, by)
        if key is not None and is_sent(key, lane):
            return False
        begun = not Draft.objects.filter(thread=thread, user=by, lane=lane).exists()
        Draft.objects.bulk_create(
            [Draft(thread=thread, user=by, lane=lane, text=text, purpose=purpose or "", saved_at=timezone.now())],
            update_conflicts=True,
            unique_fields=("user", "thread", "lane"),
            update_fields=("text", "saved_at") if purpose is None else ("text", "purpose", "saved_at"),
        )
        if begun:
            live.announce(thread.brand_id, [thread.pk])
    return True


def keep_typed(thread: Thread, *, by: User, lane: str, text: str) -> None:
    """Saves what stood in the composer while another step was taken there, where it can be a draft."""
    words = text.replace("\r\n", "\n")
    if lane in LANES and words.strip() and len(words) <= LONGEST and "\x00" not in words:
        keep(thread, by=by, lane=lane, text=words)


def put_back(thread: Thread, *, by: User, lane: str, text: str, purpose: str) -> None:
    """Makes what was not sent after all a draft again, before what has been begun since."""
    with transaction.atomic():
        _alone(thread, by)
        begun = of(thread, by).get(lane, "")
        words = (joined(text, begun) if begun else text)[:LONGEST]
        if words.strip():
            keep(thread, by=by, lane=lane, text=words, purpose=purpose)


def add(thread: Thread, *, by: User, lane: str, words: str, purpose: str | None = None) -> None:
    """Adds words to what has been begun, on a line of their own and once. `purpose` as in `keep`."""
    with transaction.atomic():
        _alone(thread, by)
        begun = of(thread, by).get(lane, "")
        text = begun if words in begun else joined(begun, words)[:LONGEST]
        keep(thread, by=by, lane=lane, text=text, purpose=purpose)


def forget(thread: Thread, *, by: User, lane: str) -> None:
    """Ends a draft. Whoever saves one at the same moment is either done before, or sees what was sent."""
    with transaction.atomic():
        _alone(thread, by)
        gone, _by_model = Draft.objects.filter(thread=thread, user=by, lane=lane).delete()
        if gone:
            live.announce(thread.brand_id, [thread.pk])


def is_sent(key: uuid.UUID, lane: str) -> bool:
    """Whether the composer of this key has been sent by this lane."""
    if lane == "note":
        return NoteKey.objects.filter(key=key).exists()
    return Delivery.objects.filter(key=key, action=lane).exists()


def _alone(thread: Thread, by: User) -> None:
    """Until the transaction ends, nobody else writes drafts of this colleague on this thread."""
    name = f"{by.pk}.{thread.pk}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [DRAFT_LOCK, name])


def of(thread: Thread, user: User) -> dict[str, str]:
    """This colleague's own drafts by lane."""
    return dict(Draft.objects.filter(thread=thread, user=user).values_list("lane", "text"))


def purpose_of(thread: Thread, user: User, lane: str) -> str:
    """What the product proposed this colleague's draft for; empty where it did not."""
    return Draft.objects.filter(thread=thread, user=user, lane=lane).values_list("purpose", flat=True).first() or ""


def joined(typed: str, more: str) -> str:
    """What was typed, and more on a line of its own."""
    return f"{typed.rstrip()}\n{more}" if typed.strip() else more


def begun_on(thread: Thread) -> list[Draft]:
    """What anybody has begun here, newest first."""
    return list(Draft.objects.filter(thread=thread).select_related("user").order_by("-saved_at", "-id")[:50])
