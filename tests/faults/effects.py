"""I9, effects once: whatever caused it, and however often it was tried, is told once, noted once, timed once, mailed
once. Causes are rows and lines of ledgers; no code of the product.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.faults.judge import NETWORKS, Judge, Judgement

TOO_CLOSE = 1.1  # seconds: Facebook tells whole seconds only

# Each finds causes whose effect is there another number of times than once, with that number.
_COUNTS = {
    "told {1} times of {0}": """
        SELECT kind || ' in interaction ' || interaction_id || ' to user ' || user_id, count(*)
        FROM conversations_notification WHERE interaction_id IS NOT NULL
        GROUP BY user_id, kind, interaction_id HAVING count(*) > 1""",
    "{0} was opened {1} times at once": """
        SELECT 'a notice (' || one.kind || ') of channel ' || one.channel_id, count(*) + 1
        FROM channels_ingest_notice one JOIN channels_ingest_notice other ON other.channel_id = one.channel_id
            AND other.kind = one.kind AND other.id > one.id AND (one.ended_at IS NULL OR other.began_at < one.ended_at)
        GROUP BY one.id, one.kind, one.channel_id""",
    "{0} was noted {1} times in a row": """
        SELECT 'thread ' || thread_id || ': ' || verb || ' ' || whom, count(*) + 1 FROM (
            SELECT thread_id, verb, details->>'to' AS whom,
                lag(verb || (details->>'to')) OVER (PARTITION BY thread_id ORDER BY at, id) AS before
            FROM conversations_threadevent WHERE verb IN ('assigned', 'unassigned')
        ) noted WHERE before = verb || whom GROUP BY thread_id, verb, whom""",
    "{0} stands in the audit log {1} times too often (or too seldom)": """
        SELECT 'the merge of contact ' || dropped || ' into ' || kept, sum(noted) - sum(done) FROM (
            SELECT kept_id::text AS kept, dropped_id::text AS dropped, 1 AS done, 0 AS noted FROM contacts_merge
            UNION ALL
            SELECT object_id, details->>'dropped', 0, 1 FROM accounts_auditentry WHERE verb = 'merged'
        ) merges GROUP BY kept, dropped HAVING sum(noted) <> sum(done)
        UNION ALL
        SELECT 'the undoing of the merge of ' || dropped || ' into ' || kept, sum(noted) - sum(done) FROM (
            SELECT kept_id::text AS kept, dropped_id::text AS dropped, 1 AS done, 0 AS noted FROM contacts_merge
            WHERE undone_at IS NOT NULL
            UNION ALL
            SELECT object_id, details->>'restored', 0, 1 FROM accounts_auditentry WHERE verb = 'unmerged'
        ) undoings GROUP BY kept, dropped HAVING sum(noted) <> sum(done)""",
}
# What the sweep tells; looked for where one runs.
_SWEPT = {
    "nobody or several were told of {0}: {1}": """
        SELECT 'the failed reply ' || d.id, count(n.id) FROM conversations_delivery d
        JOIN conversations_interaction i ON i.id = d.interaction_id
        LEFT JOIN conversations_notification n ON n.interaction_id = i.id AND n.kind = 'failed'
        WHERE d.state = 'failed' AND i.sent_by_id IS NOT NULL
            AND d.settled_at BETWEEN now() - interval '20 hours' AND now() - make_interval(secs => :late)
        GROUP BY d.id HAVING count(n.id) <> 1
        UNION ALL
        SELECT 'the overdue promise ' || p.id, count(n.id) FROM conversations_promise p
        LEFT JOIN conversations_notification n ON n.interaction_id = p.interaction_id AND n.kind = 'promise'
        WHERE p.state = 'open'
            AND p.due_at BETWEEN now() - interval '20 hours' AND now() - make_interval(secs => :late)
        GROUP BY p.id HAVING count(n.id) <> 1""",
}

_ITEMS = """
    SELECT i.thread_id, c.network, i.external_id, i.direction, d.id IS NOT NULL, extract(epoch FROM i.posted_at)
    FROM conversations_interaction i JOIN channels_ingest_channel c ON c.id = i.channel_id
    LEFT JOIN conversations_delivery d ON d.interaction_id = i.id
    WHERE i.thread_id IS NOT NULL AND i.direction <> 'note' AND c.state <> 'history'
        AND (d.id IS NULL OR d.state NOT IN ('failed', 'cancelled', 'held'))
        AND (%s OR c.id = ANY(%s))
"""

# what came since the last change of hands: whoever had the thread before was told of the rest
_TOLD_OF = """
    SELECT t.id, t.assignee_id, max(i.id) FROM conversations_thread t
    JOIN (SELECT thread_id, max(at) AS at FROM conversations_threadevent WHERE verb = 'assigned' GROUP BY thread_id) e
        ON e.thread_id = t.id
    JOIN conversations_interaction i ON i.thread_id = t.id AND i.direction = 'in' AND i.received_at > e.at
    WHERE t.assignee_id IS NOT NULL AND i.removed_at IS NULL AND (%s OR t.channel_id = ANY(%s))
    GROUP BY t.id, t.assignee_id
"""


@dataclass(frozen=True, slots=True)
class Spoken:
    """One item of a thread: when it was said (seconds since 1970), by us or to us."""

    at: float
    ours: bool


def judge_effects(judge: Judge, found: Judgement, *, late: float = 0, channels: Iterable[int] = ()) -> None:
    """With `late`, what fell due more than so many seconds ago must have been told, too. Threads are looked at where
    they belong to one of these channels, or all of them."""
    wanted = sorted(channels)
    for words, query in (_COUNTS | (_SWEPT if late else {})).items():
        for cause, count in judge.rows(query.replace(":late", str(late))):
            found.accuse("I9", words.format(cause, count))
    _judge_assignees(judge, found, wanted)
    _judge_clocks(judge, found, wanted)


def _judge_assignees(judge: Judge, found: Judgement, channels: list[int]) -> None:
    """Whoever has a thread is told of what a customer said last on it."""
    told = {
        (thread, user): newest
        for thread, user, newest in judge.rows(
            "SELECT thread_id, user_id, max(interaction_id) FROM conversations_notification"
            " WHERE kind = 'answered' GROUP BY thread_id, user_id"
        )
    }
    for thread, user, newest in judge.rows(_TOLD_OF, not channels, channels):
        found.counts["assignees to tell"] += 1
        last = told.get((thread, user))
        if last != newest:
            found.accuse("I9", f"on thread {thread} user {user} was told of {last}, not of {newest}")


def _judge_clocks(judge: Judge, found: Judgement, channels: list[int]) -> None:
    """A thread's clock (since when somebody waits) runs from what the network's ledger says, and stops once."""
    spoken: dict[int, list[Spoken]] = defaultdict(list)
    for thread, network, external_id, direction, by_us_here, posted in judge.rows(_ITEMS, not channels, channels):
        said = judge.ledger.find(NETWORKS[network], external_id) if external_id else None
        if direction == "in" and (said is None or judge.ledger.gone(said)):
            continue
        at = float(posted) if by_us_here or said is None else said.created / 1000
        spoken[thread].append(Spoken(at, direction == "out"))
    for thread, since in judge.rows("SELECT id, extract(epoch FROM waiting_since) FROM conversations_thread"):
        expected = _waits_since(spoken[thread]) if thread in spoken else None
        if expected is None:
            continue
        found.counts["clocks"] += 1
        if abs(expected - float(since or 0)) > TOO_CLOSE:
            found.accuse("I9", f"the clock of thread {thread} runs from {since or 0}, not from {expected}")


def _waits_since(spoken: Iterable[Spoken]) -> float | None:
    """When the oldest thing was said that nobody answered; 0 for none, None where two clocks cannot tell."""
    items = list(spoken)
    answered = max((one.at for one in items if one.ours), default=0.0)
    asked = [one.at for one in items if not one.ours]
    if any(abs(at - answered) <= TOO_CLOSE for at in asked):
        return None
    return min((at for at in asked if at > answered), default=0.0)


def judge_mails(judge: Judge, found: Judgement, mails: Iterable[Mapping[str, Any]], channel: int) -> None:
    """One mail for each outage of the channel, one for each thing on it that somebody wants mails of."""
    sent: Counter[tuple[str, str]] = Counter()
    for mail in mails:
        found.counts["mails"] += 1
        for what in re.findall(r"/(channels/\d+|threads/\d+/#i\d+)", mail["body"]):
            sent.update((what.replace("/#i", " "), one) for one in mail["to"])
    wanted = judge.rows(
        """SELECT 'channels/' || n.channel_id, u.email, count(DISTINCT n.id) FROM channels_ingest_notice n
        JOIN accounts_user u ON u.role = 'admin' AND u.is_active WHERE n.channel_id = %s
        GROUP BY 1, 2
        UNION ALL
        SELECT 'threads/' || n.thread_id || ' ' || n.interaction_id, u.email, count(*)
        FROM conversations_notification n JOIN accounts_user u ON u.id = n.user_id
        JOIN conversations_interaction i ON i.id = n.interaction_id
        WHERE u.digest <> 'off' AND n.read_at IS NULL AND i.channel_id = %s GROUP BY 1, 2""",
        channel,
        channel,
    )
    for what, whom, count in wanted:
        if sent[what, whom] != count:
            found.accuse("I9", f"{whom} got {sent[what, whom]} mails about {what}, not {count}")
