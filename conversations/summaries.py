"""What a thread's row says of its interactions, recomputed from them: right whatever order they came in."""

from __future__ import annotations

from collections.abc import Collection

from django.db import connection

from conversations.exposure import STEPS

# A reply that failed or was taken back answers nobody. A removed post waits for nobody.
#
# A public word after our last private one tells how the matter ended, unless it only handed over. What was proposed as
# a hand-over never counts, and what was proposed as a closing word always does. Any other word counts once something
# before it shows that the matter had been taken up: the customer in private, the customer after we opened the private
# conversation, or a public word of ours after that. Where nothing does, it is taken for a hand-over if it was written
# outside; if it was written here, as soon as the customer goes on in private after it.
_REFRESH = """
    WITH kept AS NOT MATERIALIZED (
        SELECT i.id, i.thread_id, i.direction, i.visibility, i.posted_at, i.removed_at, i.root_external_id,
            d.id IS NOT NULL AS written_here, COALESCE(d.purpose, '') AS purpose
        FROM conversations_interaction i LEFT JOIN conversations_delivery d ON d.interaction_id = i.id
        WHERE i.direction <> 'note' AND (d.id IS NULL OR d.state NOT IN ('failed', 'cancelled', 'held'))
    )
    UPDATE conversations_thread thread SET
        opening_id = sums.opening_id,
        latest_id = sums.latest_id,
        has_public = sums.has_public,
        has_private = sums.has_private,
        last_inbound_at = sums.last_in,
        last_outbound_at = sums.last_out,
        last_activity_at = COALESCE(sums.last_any, thread.last_activity_at),
        inbound_count = sums.ins,
        outbound_count = sums.outs,
        root_external_id = COALESCE(sums.root, ''),
        reach_step = (
            SELECT width_bucket(COALESCE(followers, 0), %(steps)s::bigint[])
            FROM contacts_identity WHERE id = thread.identity_id
        ),
        waiting_since = CASE WHEN sums.last_in_kept > COALESCE(sums.last_out, '-infinity') THEN (
            SELECT MIN(posted_at) FROM conversations_interaction
            WHERE thread_id = thread.id AND direction = 'in' AND removed_at IS NULL
                AND posted_at > COALESCE(sums.last_out, '-infinity')
        ) END,
        hanging_since = CASE WHEN sums.asked_in_public AND sums.last_out_private >
            COALESCE((SELECT MAX(at) FROM conversations_waiver WHERE thread_id = thread.id), '-infinity')
            AND NOT EXISTS (
                SELECT 1 FROM kept word
                WHERE word.thread_id = thread.id AND word.direction = 'out' AND word.visibility = 'public'
                    AND word.removed_at IS NULL AND word.posted_at > sums.last_out_private
                    AND word.purpose NOT IN ('handover', 'invite') AND (
                        word.purpose = 'closing'
                        OR EXISTS (
                            SELECT 1 FROM kept turn
                            WHERE turn.thread_id = thread.id AND turn.posted_at < word.posted_at
                                AND CASE turn.visibility
                                    WHEN 'private' THEN turn.direction = 'in'
                                    ELSE turn.posted_at > sums.first_out_private END
                        )
                        OR word.written_here AND NOT EXISTS (
                            SELECT 1 FROM kept more
                            WHERE more.thread_id = thread.id AND more.posted_at > word.posted_at
                                AND more.direction = 'in' AND more.visibility = 'private'
                        )
                    )
            ) THEN sums.last_out_private END
    FROM (
        SELECT i.thread_id,
            (ARRAY_AGG(i.id ORDER BY i.posted_at, i.id))[1] AS opening_id,
            (ARRAY_AGG(i.id ORDER BY i.posted_at DESC, i.id DESC))[1] AS latest_id,
            BOOL_OR(i.visibility = 'public') AS has_public,
            BOOL_OR(i.visibility = 'private') AS has_private,
            MAX(i.posted_at) FILTER (WHERE i.direction = 'in') AS last_in,
            MAX(i.posted_at) FILTER (WHERE i.direction = 'in' AND i.removed_at IS NULL) AS last_in_kept,
            MAX(i.posted_at) FILTER (WHERE i.direction = 'out') AS last_out,
            MIN(i.posted_at) FILTER (WHERE i.direction = 'out' AND i.visibility = 'private') AS first_out_private,
            MAX(i.posted_at) FILTER (WHERE i.direction = 'out' AND i.visibility = 'private') AS last_out_private,
            BOOL_OR(i.visibility = 'public' AND i.direction = 'in' AND i.removed_at IS NULL) AS asked_in_public,
            MAX(i.posted_at) AS last_any,
            (ARRAY_AGG(i.root_external_id ORDER BY i.posted_at, i.id)
                FILTER (WHERE i.visibility = 'public'))[1] AS root,
            COUNT(*) FILTER (WHERE i.direction = 'in') AS ins,
            COUNT(*) FILTER (WHERE i.direction = 'out') AS outs
        FROM kept i
        WHERE i.thread_id = ANY(%(threads)s)
        GROUP BY i.thread_id
    ) sums
    WHERE thread.id = sums.thread_id
"""

_OUTGROWN = """
    SELECT thread.id FROM conversations_thread thread JOIN contacts_identity person ON person.id = thread.identity_id
    WHERE person.id = ANY(%s) AND thread.reach_step <> width_bucket(COALESCE(person.followers, 0), %s::bigint[])
"""


def outgrown(identity_ids: Collection[int]) -> set[int]:
    """The threads of these people that tell another reach than the people have by now."""
    if not identity_ids:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(_OUTGROWN, [list(identity_ids), list(STEPS[1:])])
        return {pk for (pk,) in cursor.fetchall()}


def refresh(thread_ids: Collection[int]) -> None:
    """Recomputes the summary columns of these threads, in the caller's transaction."""
    if thread_ids:
        with connection.cursor() as cursor:
            # in id order, so that two channels that touch the same threads cannot lock each other out
            cursor.execute(
                "SELECT 1 FROM conversations_thread WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE",
                [list(thread_ids)],
            )
            cursor.execute(_REFRESH, {"threads": list(thread_ids), "steps": list(STEPS[1:])})
