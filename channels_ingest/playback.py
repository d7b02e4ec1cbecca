"""Real posts on the sandbox's X: loaded as they were, or said again at a chosen speed; and their brands connected."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

from django.db import connection

from accounts.models import Brand
from channels_ingest import staging, twcs
from channels_ingest.brand_accounts import brand_called
from channels_ingest.models import Channel
from channels_ingest.progress import Progress
from channels_ingest.sandbox_accounts import connect_account
from channels_ingest.sandbox_api import JSON, Sandbox
from channels_ingest.staging import Report
from channels_ingest.twcs import Row, account_id

BATCH = 1000
# Everything that was loaded can be read, at once: no limits of rate, of number or of age.
OPEN = {"rate_limits": False, "mention_limit": None, "timeline_limit": None, "search_days": None}
WATCHED = 1000  # of an account's conversations, the latest
LONGEST_SILENCE = 5.0  # seconds of ours; longer pauses between two posts are cut short in a replay


def load(path: Path, sandbox: Sandbox, report: Report) -> JSON:
    """Loads the file with its ids, authors, times and reply links; what is there already stays. Constant memory.

    Returns {"users", "posts", "already_there"}. Raises OSError, NotTwcs, SandboxError.
    """
    brands = _brands(path)
    sandbox.patch("/settings", x=OPEN)
    total = dict.fromkeys(("users", "posts", "already_there"), 0)
    with twcs.opened(path) as file:
        for batch in _batches(_good_rows(twcs.rows(file), report), BATCH):
            told = sandbox.post("/x/load", users=_users(batch, brands), posts=[_post(row) for row in batch])
            for what in total:
                total[what] += told[what]
            report.progress("Loading", file)
    report.read("Loading")
    return total


def introduce(path: Path, sandbox: Sandbox) -> None:
    """Makes the file's people and brands on the sandbox, without what they say."""
    brands = _brands(path)
    sandbox.patch("/settings", x=OPEN)
    with twcs.opened(path) as file:
        for batch in _batches(_good_rows(twcs.rows(file), Report()), BATCH):
            sandbox.post("/x/load", users=_users(batch, brands))


def _brands(path: Path) -> set[str]:
    with twcs.opened(path) as file:
        return {row.author.lower() for row in twcs.rows(file) if isinstance(row, Row) and row.ours}


def _good_rows(found: Iterable[Any], report: Report) -> Iterator[Row]:
    return (row for row in found if report.take(row))


def _batches(rows: Iterator[Row], size: int) -> Iterator[list[Row]]:
    while batch := list(itertools.islice(rows, size)):
        yield batch


def _users(batch: list[Row], brands: set[str]) -> list[JSON]:
    names = {account_id(row.author): row.author for row in batch}
    return [
        {"id": external_id, "username": name, "name": name, "brand": name.lower() in brands}
        for external_id, name in names.items()
    ]


def _post(row: Row) -> JSON:
    return {
        "id": row.tweet_id,
        "author": account_id(row.author),
        "created": int(row.at.timestamp() * 1000),
        "text": row.words,
        "reply_to": row.parent_id,
        "lang": "und",  # the file does not tell
    }


# -- connecting --------------------------------------------------------------------------------------------------------


def connect_brands(sandbox: Sandbox, brand: Brand | None) -> list[Channel]:
    """Connects every brand account of the staged file, and has its channel watch the conversations it took part in.

    A new channel belongs to `brand`, or to a brand of the account's own name. Raises SandboxError, NetworkError.
    """
    channels = []
    for name in staging.brand_names():
        account = sandbox.get(f"/x/brands/{account_id(name)}")
        channel = connect_account(account, "x", brand or brand_called(name))
        channel.settings = {**channel.settings, "conversations": staging.conversations_of(name, WATCHED)}
        channel.save(update_fields=("settings",))
        channels.append(channel)
    return channels


# -- saying it again ---------------------------------------------------------------------------------------------------

_SCORE = """
    CREATE TEMPORARY TABLE twcs_score AS
    SELECT row_number() OVER hour AS turn, tweet_id, SUM(pause) OVER hour AS due, NULL::text AS said_id
    FROM (
        SELECT tweet_id, at,
            LEAST(COALESCE(EXTRACT(EPOCH FROM at - LAG(at) OVER (ORDER BY at, tweet_id)), 0) / %s, %s) AS pause
        FROM twcs_post
    ) paused
    WINDOW hour AS (ORDER BY at, tweet_id)
"""
_NEXT = """
    SELECT score.turn, score.due::float, post.author, post.text, above.said_id
    FROM twcs_score score
    JOIN twcs_post post USING (tweet_id)
    LEFT JOIN twcs_score above ON above.tweet_id = post.parent_id
    WHERE score.turn = %s
"""


def replay(sandbox: Sandbox, speed: float, stream: TextIO | None) -> int:
    """Says the staged file again, from now on, `speed` times as fast as it happened; returns how many posts.

    The posts are new ones with ids and times of now; who says what to whom stays. Raises SandboxError.
    """
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS pg_temp.twcs_score")
        cursor.execute(_SCORE, [speed, LONGEST_SILENCE])
        cursor.execute("CREATE UNIQUE INDEX ON twcs_score (turn); CREATE UNIQUE INDEX ON twcs_score (tweet_id)")
        cursor.execute("ANALYZE twcs_score")
        cursor.execute("SELECT COUNT(*) FROM twcs_score")
        (total,) = cursor.fetchone()
        progress = Progress(stream, "Saying")
        began = time.monotonic()
        for turn in range(1, total + 1):
            cursor.execute(_NEXT, [turn])
            _, due, author, text, above = cursor.fetchone()
            time.sleep(max(0.0, began + due - time.monotonic()))
            body = {"author": account_id(author), "text": twcs.readable(text)} | ({"reply_to": above} if above else {})
            said = sandbox.post("/x/posts", **body)
            cursor.execute("UPDATE twcs_score SET said_id = %s WHERE turn = %s", [said["id"], turn])
            progress.at(turn, total, f"{turn} of {total}")
        progress.end(total, total, f"{total} of {total}")
    return int(total)
