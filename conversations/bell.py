"""How many notifications wait for somebody, as the bell shows it: bounded, and in one prepared statement."""

from __future__ import annotations

from functools import cache

from django.db.models import QuerySet

from accounts.models import User
from conversations import prepared
from conversations.counting import to_prepare, up_to
from conversations.models import Notification, Thread
from conversations.statements import ANYBODY

MOST_COUNTED = 100  # "99+": the bell never counts further


def badge_for(user: User) -> str:
    """What stands on the bell; empty where nothing is unread."""
    return badge(unread_by(user))


def badge(count: int) -> str:
    return f"{MOST_COUNTED - 1}+" if count >= MOST_COUNTED else str(count or "")


def unread_by(user: User) -> int:
    """How many this user has not read, at most 100, of the threads they see."""
    ((count,),) = prepared.rows(_unread_by_anybody(user.role), [user.pk])
    return int(count)


def unread(user: User, threads: QuerySet[Thread]) -> QuerySet[Notification]:
    """What this user has not read of these threads."""
    return Notification.objects.filter(user=user, read_at=None, thread__in=threads.values("pk"))


@cache
def _unread_by_anybody(role: str) -> str:
    anybody = User(pk=ANYBODY, role=role)
    waiting = unread(anybody, Thread.objects.visible_to(anybody))
    return to_prepare({"unread": up_to(waiting, MOST_COUNTED)}, [ANYBODY])
