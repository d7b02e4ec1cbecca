"""What a thread has at all: most have few of the things a page could show, and asking for each costs a statement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import connection

if TYPE_CHECKING:
    from accounts.models import User
    from conversations.models import Thread


@dataclass(frozen=True, slots=True)
class Belongings:
    """Whether there is any. `pictures` and `mentions` are this colleague's own, begun or open; `promises` are open."""

    drafts: bool = True
    pictures: bool = True
    promises: bool = True
    tags: bool = True
    tags_of_contact: bool = True
    mentions: bool = True
    credits: bool = True


NOT_ASKED = Belongings()  # there might be all of them

_SQL = """
    SELECT EXISTS (SELECT FROM conversations_draft WHERE thread_id = %(thread)s),
        EXISTS (SELECT FROM conversations_attachment
            WHERE thread_id = %(thread)s AND by_id = %(user)s AND interaction_id IS NULL),
        EXISTS (SELECT FROM conversations_promise WHERE thread_id = %(thread)s AND state = 'open'),
        EXISTS (SELECT FROM conversations_thread_tags WHERE thread_id = %(thread)s),
        EXISTS (SELECT FROM contacts_contact_tags WHERE contact_id = %(contact)s),
        EXISTS (SELECT FROM conversations_mention mention JOIN conversations_interaction said
            ON said.id = mention.interaction_id
            WHERE mention.user_id = %(user)s AND mention.settled_at IS NULL AND said.thread_id = %(thread)s),
        EXISTS (SELECT FROM conversations_helpercredit WHERE thread_id = %(thread)s)
"""


def of(thread: Thread, user: User) -> Belongings:
    """One statement."""
    with connection.cursor() as cursor:
        cursor.execute(_SQL, {"thread": thread.pk, "contact": thread.contact_id, "user": user.pk})
        return Belongings(*cursor.fetchone())
