"""Imports real posts as history, through the same `record()` that polls and webhooks end in.

Which channel sees which post is what its account would be given by the network: all of every conversation (the posts
under one root) in which the account spoke, and every post anywhere that names it by @handle. A post that two accounts
see is one interaction for each channel.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import Any, TextIO

from django.db import connection
from psycopg2.sql import SQL, Identifier

from accounts.models import Brand
from channels_ingest import staging, twcs
from channels_ingest.brand_accounts import channel_of
from channels_ingest.ingest import Recorded, hand_over
from channels_ingest.models import Channel
from channels_ingest.networks.base import Author, Kind, Post, Visibility
from channels_ingest.progress import Progress
from channels_ingest.staging import Report, StagedPost
from contacts import models as contacts
from conversations.models import Interaction, Lane, Thread

BATCH = 500
# The tables are counted after so many new interactions, then each time they have grown by this factor.
FIRST_COUNT = 1_000
GROWTH = 4
GROWING = (contacts.Contact, contacts.Identity, contacts.IdentityLink, contacts.Acquaintance, Interaction, Thread, Lane)


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a file, in posts (`interactions` counts one for each channel that sees a post).

    `rows` are all records; each is `stored`, `already_there`, `unseen` (no brand of the file has to do with it), or it
    is bad and was not `mended`. `bad` counts the mended ones too.
    """

    rows: int
    stored: int
    already_there: int
    bad: int
    seconds: float
    mended: int
    unseen: int
    interactions: int
    channels: int


def import_twcs(path: Path, *, brand: Brand | None, stream: TextIO | None = None) -> Imported:
    """Stores the file's posts; those that are stored already are left alone, so that it may run again at any time.

    New channels belong to `brand`, or each to a brand of its account's name. Progress and damaged rows are told on
    `stream`. Raises OSError, twcs.NotTwcs.
    """
    began = time.monotonic()
    report = Report(stream)
    with staging.staged(path, report):
        accounts = _accounts(brand)
        plan = _plan()
        refused = plan.interactions - _store(accounts, plan.interactions, stream)
    report.close()
    bad = report.bad + refused
    return Imported(
        rows=report.rows,
        stored=plan.posts - refused,
        already_there=plan.already_there,
        bad=bad,
        seconds=round(time.monotonic() - began, 2),
        mended=report.mended,
        unseen=plan.unseen,
        interactions=plan.interactions - refused,
        channels=len(accounts.channels),
    )


class _Accounts:
    """The X accounts behind the names of the file. A brand's is the one its channel stands for."""

    def __init__(self, channels: dict[str, Channel]) -> None:
        self.channels = {channel.pk: channel for channel in channels.values()}
        self.names = {channel.pk: name for name, channel in channels.items()}
        self._ours = {name: channel.external_id for name, channel in channels.items()}

    def author(self, name: str) -> Author:
        external_id = self._ours.get(name.lower()) or twcs.account_id(name)
        return Author(external_id=external_id, handle=name, name=name, permalink=f"https://x.com/{name}")


def _accounts(brand: Brand | None) -> _Accounts:
    """A channel for each brand account of the file; `twcs_brand` tells the database which is whose."""
    channels = {name.lower(): _as_history(channel_of(name, brand)) for name in staging.brand_names()}
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE twcs_brand (name text PRIMARY KEY, channel_id bigint)")
        cursor.execute(
            "INSERT INTO twcs_brand SELECT * FROM unnest(%s::text[], %s::bigint[])",
            [list(channels), [channel.pk for channel in channels.values()]],
        )
    return _Accounts(channels)


def _as_history(channel: Channel) -> Channel:
    """The channel as `record()` treats history: no thread is reopened and nobody is told, although it may be live."""
    channel.state = Channel.State.HISTORY
    return channel


# -- what is to be stored ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Plan:
    interactions: int
    posts: int
    already_there: int
    unseen: int


_SEEN = """
    CREATE TEMPORARY TABLE twcs_queue AS
    SELECT row_number() OVER (ORDER BY channel_id, at, tweet_id) AS turn, channel_id, tweet_id FROM (
        SELECT spoken.channel_id, tree.tweet_id
        FROM (
            SELECT DISTINCT brand.channel_id, tree.root_id
            FROM twcs_post post
            JOIN twcs_brand brand ON brand.name = lower(post.author)
            JOIN twcs_tree tree ON tree.tweet_id = post.tweet_id
        ) spoken
        JOIN twcs_tree tree ON tree.root_id = spoken.root_id
        UNION
        SELECT brand.channel_id, post.tweet_id
        FROM twcs_post post, unnest(post.mentions) AS named (name)
        JOIN twcs_brand brand ON brand.name = named.name
    ) seen
    JOIN twcs_post post USING (tweet_id)
"""
_COUNT = """
    SELECT (SELECT COUNT(*) FROM twcs_post), (SELECT COUNT(DISTINCT tweet_id) FROM twcs_queue)
"""
_KNOWN = """
    DELETE FROM twcs_queue queue
    WHERE EXISTS (
        SELECT 1 FROM conversations_interaction known
        WHERE known.external_id = queue.tweet_id::text AND known.channel_id = queue.channel_id
    )
"""
_RENUMBER = """
    UPDATE twcs_queue queue SET turn = fresh.turn
    FROM (SELECT ctid, row_number() OVER (ORDER BY turn) AS turn FROM twcs_queue) fresh WHERE fresh.ctid = queue.ctid
"""


def _plan() -> _Plan:
    """Fills `twcs_queue`: which channel still lacks which post, by channel and time."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE INDEX ON twcs_tree (root_id)")
        cursor.execute("ANALYZE twcs_brand")
        cursor.execute(_SEEN)
        cursor.execute("ANALYZE twcs_queue")
        cursor.execute(_COUNT)
        posts, seen = cursor.fetchone()
        cursor.execute(_KNOWN)
        if cursor.rowcount:
            cursor.execute(_RENUMBER)
        cursor.execute("CREATE UNIQUE INDEX ON twcs_queue (turn); ANALYZE twcs_queue")
        cursor.execute("SELECT COUNT(*), COUNT(DISTINCT tweet_id) FROM twcs_queue")
        interactions, lacking = cursor.fetchone()
    return _Plan(interactions, lacking, already_there=seen - lacking, unseen=posts - seen)


# -- storing -----------------------------------------------------------------------------------------------------------


def _store(accounts: _Accounts, total: int, stream: TextIO | None) -> int:
    """Hands everything over, a batch at a time; returns how many interactions are there now."""
    progress = Progress(stream, "Storing")
    done = Recorded()
    to_be_counted = FIRST_COUNT
    for channel_id, found in _batches(total):
        done += hand_over(accounts.channels[channel_id], [_post(post, channel_id, accounts) for post in found])
        if done.stored >= to_be_counted:
            _count_tables()
            to_be_counted *= GROWTH
        progress.at(done.stored + done.known, total, f"{done.stored + done.known} of {total}")
    progress.end(total, total, f"{done.stored + done.known} of {total}")
    return done.stored + done.known


def _count_tables() -> None:
    """Tells the planner how large the tables have become: its own count comes minutes late for so fast a growth."""
    with connection.cursor() as cursor:
        for model in GROWING:
            cursor.execute(SQL("ANALYZE {}").format(Identifier(model._meta.db_table)))


_BATCH = """
    SELECT queue.channel_id, post.tweet_id::text, post.author, post.ours, post.at, post.written, post.text,
        post.parent_id::text, post.responses, tree.root_id::text, above.author
    FROM twcs_queue queue
    JOIN twcs_post post ON post.tweet_id = queue.tweet_id
    JOIN twcs_tree tree ON tree.tweet_id = queue.tweet_id
    LEFT JOIN twcs_post above ON above.tweet_id = post.parent_id
    WHERE queue.turn > %s AND queue.turn <= %s
    ORDER BY queue.turn
"""


def _batches(total: int) -> Iterator[tuple[int, list[StagedPost]]]:
    """(channel id, its next posts by time): never more than one batch in memory."""
    for start in range(0, total, BATCH):
        with connection.cursor() as cursor:
            cursor.execute(_BATCH, [start, start + BATCH])
            rows = cursor.fetchall()
        for channel_id, group in itertools.groupby(rows, key=itemgetter(0)):
            yield channel_id, [StagedPost(*row[1:]) for row in group]


def _post(staged: StagedPost, channel_id: int, accounts: _Accounts) -> Post:
    names_us = accounts.names[channel_id] in twcs.mentions(staged.text)
    return Post(
        external_id=staged.tweet_id,
        kind=Kind.REPLY if staged.parent_id else Kind.POST,
        visibility=Visibility.PUBLIC,
        author=accounts.author(staged.author),
        text=twcs.readable(staged.text),
        posted_at=staged.at,
        root_id=staged.root_id,
        parent_id=staged.parent_id,
        addressee=accounts.author(staged.parent_author) if staged.parent_author else None,
        permalink=f"https://x.com/{staged.author}/status/{staged.tweet_id}",
        facts={"source": "history", "summoned": names_us},
        raw=_raw(staged),
    )


def _raw(staged: StagedPost) -> dict[str, Any]:
    """The record as the file holds it."""
    return {
        "tweet_id": staged.tweet_id,
        "author_id": staged.author,
        "inbound": not staged.ours,
        "created_at": staged.written,
        "text": staged.text,
        "response_tweet_id": staged.responses,
        "in_response_to_tweet_id": staged.parent_id,
    }
