"""The search index, filled after the commit: what is not indexed yet is found by query."""

from __future__ import annotations

from django.db import connection

_INDEX = """
    WITH due AS (
        SELECT id FROM conversations_interaction WHERE NOT indexed ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
    ), written AS (
        INSERT INTO conversations_searchentry (interaction_id, brand_id, thread_id, posted_at, document)
        SELECT i.id, c.brand_id, i.thread_id, i.posted_at, to_tsvector('simple', unaccent(left(i.text, 20000)))
        FROM due JOIN conversations_interaction i USING (id) JOIN channels_ingest_channel c ON c.id = i.channel_id
        WHERE i.removed_at IS NULL AND i.text <> ''
        ON CONFLICT (interaction_id) DO UPDATE SET
            document = excluded.document, thread_id = excluded.thread_id, posted_at = excluded.posted_at
    )
    UPDATE conversations_interaction SET indexed = true FROM due WHERE conversations_interaction.id = due.id
"""


def index_texts(limit: int = 2000) -> int:
    """Indexes up to `limit` new texts; returns how many were taken up."""
    with connection.cursor() as cursor:
        cursor.execute(_INDEX, [limit])
        return int(cursor.rowcount)
