"""Drafts on the server: nothing typed is lost, and colleagues see that somebody is writing."""

from __future__ import annotations

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from conversations import live
from conversations.actions import NotPossible
from conversations.models import Draft, Thread

LANES = ("reply", "message", "note")
LONGEST = 10_000


def keep(thread: Thread, *, by: User, lane: str, text: str) -> None:
    """Saves a draft, or forgets it when it is empty. Raises NotPossible."""
    if lane not in LANES or len(text) > LONGEST or "\x00" in text:
        raise NotPossible(_("This draft cannot be kept."))
    if not text.strip():
        forget(thread, by=by, lane=lane)
        return
    begun = not Draft.objects.filter(thread=thread, user=by, lane=lane).exists()
    Draft.objects.bulk_create(
        [Draft(thread=thread, user=by, lane=lane, text=text, saved_at=timezone.now())],
        update_conflicts=True,
        unique_fields=("user", "thread", "lane"),
        update_fields=("text", "saved_at"),
    )
    if begun:
        live.announce(thread.brand_id, [thread.pk])


def forget(thread: Thread, *, by: User, lane: str) -> None:
    gone, _by_model = Draft.objects.filter(thread=thread, user=by, lane=lane).delete()
    if gone:
        live.announce(thread.brand_id, [thread.pk])


def of(thread: Thread, user: User) -> dict[str, str]:
    """This colleague's own drafts by lane."""
    return dict(Draft.objects.filter(thread=thread, user=user).values_list("lane", "text"))


def begun_on(thread: Thread) -> list[Draft]:
    """What anybody has begun here, newest first."""
    return list(Draft.objects.filter(thread=thread).select_related("user").order_by("-saved_at", "-id")[:50])


def of_others(thread: Thread, user: User) -> list[Draft]:
    """What others have begun here, newest first."""
    return [draft for draft in begun_on(thread) if draft.user_id != user.pk]
