"""Whether work is done while it is due: what a health check must ask, for a process may live and do nothing."""

from __future__ import annotations

from django.db import connection

LATE = 30  # seconds

_OVERDUE = """
    SELECT
        (SELECT count(*) FROM channels_ingest_webhookevent
            WHERE state = 'received' AND due_at < now() - make_interval(secs => %(late)s)),
        (SELECT count(*) FROM conversations_delivery due
            JOIN channels_ingest_channel channel ON channel.id = due.channel_id
            WHERE due.state = 'queued' AND due.not_before < now() - make_interval(secs => %(late)s)
                AND channel.state = 'active'
                AND (channel.limited_until IS NULL OR channel.limited_until < now() - make_interval(secs => %(late)s))
                AND NOT EXISTS (
                    SELECT 1 FROM conversations_delivery other
                    WHERE other.thread_id = due.thread_id AND other.id <> due.id
                        AND (other.state IN ('sending', 'unknown') OR (other.state = 'queued' AND other.id < due.id))
                )),
        (SELECT count(*) FROM channels_ingest_streamcursor cursor
            JOIN channels_ingest_channel channel ON channel.id = cursor.channel_id
            WHERE cursor.due_at < now() - 4 * make_interval(secs => %(late)s) AND channel.state IN ('active', 'broken')
                AND (channel.limited_until IS NULL OR channel.limited_until < now() - make_interval(secs => %(late)s))),
        (SELECT count(*) FROM conversations_blocking due
            JOIN channels_ingest_channel channel ON channel.id = due.channel_id
            WHERE due.state = 'waiting' AND due.not_before < now() - make_interval(secs => %(late)s)
                AND (due.lease_until IS NULL OR due.lease_until < now() - make_interval(secs => %(late)s))
                AND channel.state = 'active'
                AND (channel.limited_until IS NULL OR channel.limited_until < now() - make_interval(secs => %(late)s)))
"""


def overdue() -> dict[str, int]:
    """How many webhooks, replies, pulls and blockings nobody took up though they are due for long."""
    with connection.cursor() as cursor:
        cursor.execute(_OVERDUE, {"late": LATE})
        webhooks, replies, pulls, blockings = cursor.fetchone()
    return {"webhooks": webhooks, "replies": replies, "pulls": pulls, "blockings": blockings}
