"""A file of real posts, laid out in temporary tables of this database session.

What Python would have to keep in memory (which post answers which, what is the root of what) PostgreSQL works out on
its disk, so that three million rows need no more memory than three. The tables are gone when the session ends.

`twcs_post` holds the posts of the file, each once; `twcs_tree` the root of each: its topmost ancestor, or the post that
one answers where it is not in the file. Replies that answer each other in a circle are cut loose and reported.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Any, TextIO

from django.db import connection

from channels_ingest import twcs
from channels_ingest.progress import Progress

LISTED = 20  # bad rows that are told one by one
BATCH_CHARS = 1 << 16


@dataclass(slots=True)
class Report:
    """What was wrong with the file. The first ones are told on `stream` with their line and reason, all are counted."""

    stream: TextIO | None = None
    rows: int = 0  # records read
    bad: int = 0  # records that were damaged, also those that could be mended
    mended: int = 0
    _told: int = 0
    _progress: Progress | None = None

    def take(self, row: twcs.Row | twcs.BadRow) -> bool:
        """Counts a record, tells what is wrong with it, and says whether it can be used."""
        self.rows += 1
        if isinstance(row, twcs.BadRow):
            self.damaged(row.line, row.reason)
            return False
        if row.mended:
            self.damaged(row.line, row.mended, mended=True)
        return True

    def progress(self, label: str, file: IO[str]) -> None:
        """How much of the file was read."""
        self._progress = self._progress or Progress(self.stream, label)
        self._progress.at(*_where(file), f"{self.rows} rows")

    def read(self, label: str) -> None:
        """All of the file was read."""
        (self._progress or Progress(self.stream, label)).end(1, 1, f"{self.rows} rows")
        self._progress = None

    def damaged(self, line: int, reason: str, *, mended: bool = False) -> None:
        self.bad += 1
        self.mended += mended
        if self.stream is not None and self._told < LISTED:
            self._told += 1
            self.stream.write(f"line {line}: {reason}\n")

    def close(self) -> None:
        untold = self.bad - self._told
        if self.stream is not None and untold:
            self.stream.write(f"... and {untold} more damaged rows\n")


@dataclass(frozen=True, slots=True)
class StagedPost:
    """One post with its place: its root, and the author of the post it answers, where the file has that post."""

    tweet_id: str
    author: str
    ours: bool
    at: datetime
    written: str
    text: str
    parent_id: str | None
    responses: str
    root_id: str
    parent_author: str | None


@contextmanager
def staged(path: Path, report: Report) -> Iterator[None]:
    """The file in the tables above while the context lasts. Raises OSError, twcs.NotTwcs."""
    with _unhurried(), connection.cursor() as cursor:
        cursor.execute(_DROP)
        cursor.execute(_TABLES)
        try:
            with twcs.opened(path) as file:
                cursor.copy_expert(_COPY, _Feed(_lines(twcs.rows(file), file, report)))
            report.read("Reading")
            _without_repeats(cursor, report)
            _plant_trees(cursor, report)
            yield
        finally:
            if not connection.needs_rollback and connection.is_usable():
                cursor.execute(_DROP)


def brand_names() -> list[str]:
    """The user names of the brands that wrote something, as they wrote them first."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT MIN(author) FROM twcs_post WHERE ours GROUP BY lower(author) ORDER BY 1")
        return [name for (name,) in cursor.fetchall()]


def conversations_of(author: str, most: int) -> list[str]:
    """The roots of the conversations in which this brand spoke, the latest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT root_id FROM twcs_post JOIN twcs_tree USING (tweet_id) WHERE ours AND lower(author) = lower(%s)"
            " GROUP BY root_id ORDER BY MAX(at) DESC, root_id DESC LIMIT %s",
            [author, most],
        )
        return [str(root) for (root,) in cursor.fetchall()]


# -- reading -----------------------------------------------------------------------------------------------------------

_DROP = "DROP TABLE IF EXISTS " + ", ".join(
    f"pg_temp.twcs_{name}" for name in ("queue", "tree", "post", "brand", "score")
)
_TABLES = """
    CREATE TEMPORARY TABLE twcs_post (
        line bigint, tweet_id bigint, author text, ours boolean, at timestamptz, written text, text text,
        parent_id bigint, responses text, mentions text[]
    )
"""
_COPY = "COPY twcs_post (line, tweet_id, author, ours, at, written, text, parent_id, responses, mentions) FROM STDIN"


@contextmanager
def _unhurried() -> Iterator[None]:
    """Without the time limits that statements of a web request have."""
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0")
    try:
        yield
    finally:
        if not connection.needs_rollback and connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("RESET statement_timeout; RESET idle_in_transaction_session_timeout")


def _where(file: IO[str]) -> tuple[int, int]:
    """(bytes read, bytes in all)"""
    binary: IO[bytes] = file.buffer  # type: ignore[attr-defined]
    return binary.tell(), os.fstat(binary.fileno()).st_size


@dataclass(slots=True)
class _Feed:
    """What COPY reads from: as much as it asks for, made while it asks."""

    lines: Iterator[str]
    _left: bytes = b""
    _pieces: list[str] = field(default_factory=list)

    def read(self, size: int) -> bytes:
        while len(self._left) < size:
            chars = 0
            self._pieces.clear()
            for line in self.lines:
                self._pieces.append(line)
                chars += len(line)
                if chars >= BATCH_CHARS:
                    break
            if not chars:
                break
            self._left += "".join(self._pieces).encode()
        given, self._left = self._left[:size], self._left[size:]
        return given

    def readline(self, size: int = -1) -> bytes:
        raise NotImplementedError("COPY reads blocks")


_NULL = "\\N"
_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"})


def _lines(rows: Iterable[twcs.Row | twcs.BadRow], file: IO[str], report: Report) -> Iterator[str]:
    """The usable rows as COPY wants them."""
    for row in rows:
        if isinstance(row, twcs.Row) and report.take(row):
            yield _line(row)
        elif isinstance(row, twcs.BadRow):
            report.take(row)
        if not report.rows % 1000:
            report.progress("Reading", file)


def _line(row: twcs.Row) -> str:
    return (
        f"{row.line}\t{row.tweet_id}\t{row.author}\t{'t' if row.ours else 'f'}\t{row.at.isoformat()}\t{row.written}"
        f"\t{row.text.translate(_ESCAPES)}\t{row.parent_id or _NULL}\t{','.join(row.responses)}"
        f"\t{{{','.join(row.mentions)}}}\n"
    )


# -- what stands twice, and what stands where --------------------------------------------------------------------------

_REPEATS = """
    DELETE FROM twcs_post again USING (
        SELECT line, tweet_id, row_number() OVER (PARTITION BY tweet_id ORDER BY line) AS turn FROM twcs_post
    ) known
    WHERE again.tweet_id = known.tweet_id AND again.line = known.line AND known.turn > 1
    RETURNING again.line, again.tweet_id
"""
_TREE = """
    CREATE TEMPORARY TABLE twcs_tree AS
    WITH RECURSIVE tree (tweet_id, root_id) AS (
        SELECT tweet_id, COALESCE(parent_id, tweet_id) FROM twcs_post post
        WHERE parent_id IS NULL OR NOT EXISTS (SELECT 1 FROM twcs_post above WHERE above.tweet_id = post.parent_id)
        UNION ALL
        SELECT below.tweet_id, tree.root_id FROM tree JOIN twcs_post below ON below.parent_id = tree.tweet_id
    )
    SELECT tweet_id, root_id FROM tree
"""
_CIRCLES = """
    UPDATE twcs_post SET parent_id = NULL
    WHERE NOT EXISTS (SELECT 1 FROM twcs_tree tree WHERE tree.tweet_id = twcs_post.tweet_id)
    RETURNING line, tweet_id
"""


def _without_repeats(cursor: Any, report: Report) -> None:
    """Keeps the first of the records that hold the same post."""
    cursor.execute("CREATE INDEX ON twcs_post (tweet_id); ANALYZE twcs_post")
    cursor.execute(_REPEATS)
    for line, tweet_id in _each(cursor):
        report.damaged(line, f"post {tweet_id} stands in the file before")


def _plant_trees(cursor: Any, report: Report) -> None:
    cursor.execute("CREATE INDEX ON twcs_post (parent_id) WHERE parent_id IS NOT NULL; ANALYZE twcs_post")
    cursor.execute(_TREE)
    cursor.execute("CREATE UNIQUE INDEX ON twcs_tree (tweet_id); ANALYZE twcs_tree")
    cursor.execute(_CIRCLES)
    for line, tweet_id in _each(cursor):
        report.damaged(
            line, f"post {tweet_id} answers itself in a circle; it was kept without its reply link", mended=True
        )
    cursor.execute(
        "INSERT INTO twcs_tree SELECT tweet_id, tweet_id FROM twcs_post post"
        " WHERE NOT EXISTS (SELECT 1 FROM twcs_tree tree WHERE tree.tweet_id = post.tweet_id)"
    )
    cursor.execute("ANALYZE twcs_tree")


def _each(cursor: Any) -> Iterator[tuple[int, int]]:
    while rows := cursor.fetchmany(1000):
        yield from rows
