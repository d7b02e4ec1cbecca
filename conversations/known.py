"""What the database already holds of the ids that posts speak of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection

from channels_ingest.models import Channel
from channels_ingest.networks.base import Post


@dataclass(slots=True)
class Known:
    """An item that is stored, as far as storing others needs to know it."""

    id: int
    external_id: str
    thread_id: int | None
    owner_id: int | None  # the identity whose thread it is
    contact_id: int | None
    version: int
    text: str
    removed: bool
    direction: str
    written_here: bool
    delivery_state: str | None


def known_of(channel: Channel, posts: Iterable[Post]) -> dict[str, Known]:
    """The stored items by the ids of these posts, of their parents, and by any other name they go by."""
    ids: set[str] = set()
    for post in posts:
        ids.add(post.external_id)
        ids.update(post.alias_ids)
        if post.parent_id:
            ids.add(post.parent_id)
    known: dict[str, Known] = {}
    with connection.cursor() as cursor:
        for query in (_KNOWN_BY_ID, _KNOWN_BY_ALIAS):
            cursor.execute(query, [channel.pk, list(ids)])
            known.update({row[1]: Known(*row) for row in cursor.fetchall()})
    return known


_KNOWN_BY_ID = """
    SELECT i.id, i.external_id, i.thread_id, t.identity_id, t.contact_id, i.version, i.text,
        i.removed_at IS NOT NULL, i.direction, i.sent_by_id IS NOT NULL, d.state
    FROM conversations_interaction i
    LEFT JOIN conversations_thread t ON t.id = i.thread_id
    LEFT JOIN conversations_delivery d ON d.interaction_id = i.id
    WHERE i.channel_id = %s AND i.external_id = ANY(%s)
"""
_KNOWN_BY_ALIAS = """
    SELECT i.id, a.external_id, i.thread_id, t.identity_id, t.contact_id, i.version, i.text,
        i.removed_at IS NOT NULL, i.direction, i.sent_by_id IS NOT NULL, d.state
    FROM conversations_alias a
    JOIN conversations_interaction i ON i.id = a.interaction_id
    LEFT JOIN conversations_thread t ON t.id = i.thread_id
    LEFT JOIN conversations_delivery d ON d.interaction_id = i.id
    WHERE a.channel_id = %s AND a.external_id = ANY(%s)
"""
