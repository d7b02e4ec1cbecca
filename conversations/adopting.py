"""Order does not matter: replies that were stored before what they answer find it."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import connection


def adopt(channel_id: int, names: Mapping[str, int]) -> set[int]:
    """Joins replies that came before their parents ({network id: our id}); our own take over their thread. Returns the
    threads of those that were joined."""
    with connection.cursor() as cursor:
        cursor.execute(_ADOPT, [list(names), list(names.values()), channel_id])
        adopted = cursor.fetchall()
        if adopted:
            cursor.execute(_FOLLOW, [[pk for pk, _ in adopted]])
    return {thread_id for _, thread_id in adopted if thread_id}


_ADOPT = """
    UPDATE conversations_interaction child SET
        parent_id = parent.id,
        thread_id = CASE WHEN takes_thread THEN parent.thread_id ELSE child.thread_id END,
        contact_id = CASE WHEN takes_thread THEN parent.contact_id ELSE child.contact_id END
    FROM (
        SELECT c.id AS child_id, p.id, p.thread_id, p.contact_id,
            c.thread_id IS NULL AND c.direction = 'out' AS takes_thread
        FROM unnest(%s::text[], %s::bigint[]) AS named(external_id, id)
        JOIN conversations_interaction p ON p.id = named.id
        JOIN conversations_interaction c ON c.channel_id = p.channel_id AND c.parent_external_id = named.external_id
        WHERE c.channel_id = %s AND c.parent_id IS NULL AND c.id <> p.id
    ) parent
    WHERE child.id = parent.child_id
    RETURNING child.id, child.thread_id
"""
# Our own words below our own words follow them into a thread.
_FOLLOW = """
    WITH RECURSIVE below AS (
        SELECT id, thread_id, contact_id FROM conversations_interaction WHERE id = ANY(%s) AND thread_id IS NOT NULL
        UNION ALL
        SELECT c.id, below.thread_id, below.contact_id
        FROM below JOIN conversations_interaction c ON c.parent_id = below.id
        WHERE c.thread_id IS NULL AND c.direction = 'out'
    )
    UPDATE conversations_interaction SET thread_id = below.thread_id, contact_id = below.contact_id
    FROM below WHERE conversations_interaction.id = below.id AND conversations_interaction.thread_id IS NULL
"""
