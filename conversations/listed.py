"""What a line of the list shows of a thread: read in one statement, and without a model object for each part.

Fifty threads with six parts each are three hundred objects, of which a list shows a field or two; and where the planner
may choose the order in which seven tables are joined, choosing takes it longer than reading. So the threads are found
first, by a query over one table, and this statement only follows their keys.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from accounts.models import User
from conversations import prepared


@dataclass(slots=True)
class Listed:
    """A thread and the little that a list tells of what belongs to it. Moments are in UTC."""

    pk: int
    brand_id: int
    channel_id: int
    state: str
    assignee_id: int | None
    team_id: int | None
    has_public: bool
    has_private: bool
    latest_id: int | None
    waiting_since: datetime | None
    last_inbound_at: datetime | None
    last_outbound_at: datetime | None
    last_activity_at: datetime
    snoozed_until: datetime | None
    mood: str
    reach_step: int
    root_external_id: str
    created_at: datetime
    network: str
    contact_name: str
    identity_name: str
    identity_handle: str
    identity_external_id: str
    avatar_url: str
    followers: int | None
    assignee_name: str | None
    team_name: str | None
    latest_words: str | None  # the beginning of the text; None where nothing was said
    latest_has_media: bool | None
    latest_direction: str | None
    latest_sent_by_id: int | None
    latest_version: int | None
    latest_removed_at: datetime | None
    tags: Sequence[str]
    seen_at: datetime | None  # when the one who asks looked last
    trouble: str  # state of the newest reply that failed (and none left after it) or is unsure; or empty

    @property
    def unread(self) -> bool:
        """Whether something inbound came after this colleague last looked."""
        return self.last_inbound_at is not None and (self.seen_at is None or self.last_inbound_at > self.seen_at)


# The threads in a query of their own: its result is joined as it is, so that the planner has nothing to weigh.
_LISTED = """
    WITH thread AS MATERIALIZED (
        SELECT thread.*, named.place FROM unnest($1::bigint[]) WITH ORDINALITY AS named (id, place)
        JOIN conversations_thread thread ON thread.id = named.id
    )
    SELECT thread.id, thread.brand_id, thread.channel_id, thread.state, thread.assignee_id, thread.team_id,
        thread.has_public, thread.has_private, thread.latest_id, thread.waiting_since, thread.last_inbound_at,
        thread.last_outbound_at, thread.last_activity_at, thread.snoozed_until, thread.mood, thread.reach_step,
        thread.root_external_id, thread.created_at,
        (SELECT network FROM channels_ingest_channel channel WHERE channel.id = thread.channel_id),
        contact.name, identity.name, identity.handle, identity.external_id, identity.avatar_url, identity.followers,
        (SELECT name FROM accounts_user assignee WHERE assignee.id = thread.assignee_id),
        (SELECT name FROM accounts_team team WHERE team.id = thread.team_id),
        left(latest.text, $2), latest.media <> '[]', latest.direction, latest.sent_by_id, latest.version,
        latest.removed_at,
        ARRAY(
            SELECT tag.name FROM conversations_thread_tags tagged JOIN contacts_tag tag ON tag.id = tagged.tag_id
            WHERE tagged.thread_id = thread.id ORDER BY tag.name
        ),
        (SELECT seen_at FROM conversations_threadseen seen
            WHERE seen.user_id = $3 AND seen.thread_id = thread.id),
        COALESCE((
            SELECT CASE
                WHEN delivery.state = 'failed' AND thread.last_outbound_at > delivery.created_at THEN ''
                ELSE delivery.state END
            FROM conversations_delivery delivery
            WHERE delivery.thread_id = thread.id AND delivery.state IN ('failed', 'unknown')
            ORDER BY delivery.id DESC LIMIT 1
        ), '')
    FROM thread
    LEFT JOIN contacts_contact contact ON contact.id = thread.contact_id
    LEFT JOIN contacts_identity identity ON identity.id = thread.identity_id
    LEFT JOIN conversations_interaction latest ON latest.id = thread.latest_id
    ORDER BY thread.place
"""


def listed(ids: Collection[int], user: User, *, letters: int) -> list[Listed]:
    """The threads with these ids that there are, in the order of the ids, as this user reads them.

    `letters`: so much of what was said last. Whether the user may see them is for the caller to have asked.
    """
    if not ids:
        return []
    return [Listed(*row) for row in prepared.rows(_LISTED, [list(ids), letters, user.pk])]
