"""Reads "Customer Support on Twitter" files: a CSV of real conversations between customers and brands on X.

The file is what people make of it: columns in any order, ids written as floats by a spreadsheet, line breaks inside
quotes and, sometimes, outside of them. A record that cannot be used is reported with its line and its reason, one that
an unquoted line break tore apart is mended and reported, and the reading goes on. Nothing is kept of what was read.

Customers are anonymised to numbers, which serve as their ids; brands go by their user name (`account_id` makes an id of
it). Source of the format: https://www.kaggle.com/datasets/thoughtvector/customer-support-on-twitter
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import IO

NETWORK = "twitter"  # the key of the network these posts were written on

COLUMNS = ("tweet_id", "author_id", "inbound", "created_at", "text", "response_tweet_id", "in_response_to_tweet_id")
NEEDED = COLUMNS[:5] + COLUMNS[6:]

LONGEST_TEXT = 25_000  # characters; what X allows at most
LONGEST_RECORD = 60_000  # characters; a longer one has a quote that is never closed
MOST_LINES = 500  # in one record
MOST_PIECES = 12  # of a record torn apart by unquoted line breaks

_ID = re.compile(r"([1-9]\d{0,18})(\.0*)?")
_EXACT = 2**53  # greater whole numbers are rounded when a spreadsheet makes floats of them
_NAME = re.compile(r"[A-Za-z0-9_]{1,15}")
_TIME = re.compile(r"[A-Z][a-z]{2} ([A-Z][a-z]{2}) (\d\d) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d) (\d{4})")
_MONTHS = dict(zip(re.findall("...", "JanFebMarAprMayJunJulAugSepOctNovDec"), range(1, 13), strict=True))
_TRUTH = {"true": True, "1": True, "1.0": True, "false": False, "0": False, "0.0": False}
_MENTION = re.compile(r"(?<![\w@])@([A-Za-z0-9_]{1,15})(?![A-Za-z0-9_])")


class NotTwcs(Exception):
    """The file is not of this format; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Row:
    """One post. `line` is where its record begins in the file (from 1, lines end with LF), `at` is in UTC.

    `author` is the number of a customer or the user name of a brand; `ours` tells that a brand wrote it. `written` and
    `text` are the columns `created_at` and `text` as they stand in the file. `mended` says how the record was broken.
    """

    line: int
    tweet_id: str
    author: str
    ours: bool
    at: datetime
    written: str
    text: str
    parent_id: str | None
    responses: tuple[str, ...]
    mended: str = ""

    @property
    def words(self) -> str:
        """The text as people read it."""
        return readable(self.text)

    @property
    def mentions(self) -> list[str]:
        """The user names it speaks to, in lower case, each once."""
        return mentions(self.text)


@dataclass(frozen=True, slots=True)
class BadRow:
    """A record that cannot be used. The reason quotes nothing of the post."""

    line: int
    reason: str


def account_id(author: str) -> str:
    """The X user id of an author of such a file, the same in every run and for every reader.

    A customer's number is kept. A brand, known by its user name only, gets 19 digits that follow from the name (in any
    case): greater than every customer's number, smaller than 2^63.
    """
    if author.isdigit():
        return author
    digest = hashlib.sha256(b"twcs:" + author.lower().encode()).digest()
    return str(10**18 + int.from_bytes(digest[:8], "big") % (8 * 10**18))


def readable(text: str) -> str:
    """X escapes three characters in every text; people do not. Blanks at the end say nothing."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").rstrip()


def mentions(text: str) -> list[str]:
    return list(dict.fromkeys(name.lower() for name in _MENTION.findall(text)))


# -- reading -----------------------------------------------------------------------------------------------------------

Record = tuple[int, list[str]]  # where it begins, and its fields


@contextmanager
def opened(path: Path) -> Iterator[IO[str]]:
    """The file as text; bytes that are not UTF-8 are kept apart until their record is judged. Raises OSError."""
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        yield file


def rows(file: IO[str]) -> Iterator[Row | BadRow]:
    """All records of the file, in its order; the good ones and the others. Raises NotTwcs at once.

    `file` must be opened with newline="" (see `opened`).
    """
    return _rows(_Reader(file))


def _rows(reader: _Reader) -> Iterator[Row | BadRow]:
    while (found := reader.next_record()) is not None:
        if isinstance(found, BadRow):
            yield found
        elif len(found[1]) == reader.width:
            yield _row(found, reader.places)
        elif any(cell.strip() for cell in found[1]):
            yield _torn(found, reader)


class Endless(Exception):
    """A record is longer than any can be."""


class _Lines:
    """The physical lines of a file, with a way back: what was taken can be given back to be read again.

    A lone CR ends a line for the CSV reader, but not for the tools that number lines: it makes two pieces of one line.
    """

    def __init__(self, file: IO[str]) -> None:
        self.record: list[tuple[int, str]] = []  # the pieces of the record under way, with their lines
        self._file = file
        self._size = 0
        self._line = 1
        self._again: deque[tuple[int, str]] = deque()

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line, piece = self._again.popleft() if self._again else self._read()
        self.record.append((line, piece))
        self._size += len(piece)
        if self._size > LONGEST_RECORD or len(self.record) > MOST_LINES:
            raise Endless
        return piece

    def _read(self) -> tuple[int, str]:
        line, piece = self._line, self._file.readline(LONGEST_RECORD + 1)
        if not piece:
            raise StopIteration
        self._line += piece.endswith("\n")
        return line, piece

    def begin(self) -> None:
        """A new record begins."""
        self.record = []
        self._size = 0

    def give_back(self) -> None:
        """All but the first piece of the record will be read again."""
        self._again.extendleft(reversed(self.record[1:]))


class _Reader:
    """The records of a file, with a look ahead. `places` says in which field a column stands."""

    def __init__(self, file: IO[str]) -> None:
        self._lines = _Lines(file)
        self._csv = csv.reader(self._lines)
        self._ahead: deque[Record | BadRow] = deque()
        names = self._header()
        self.width = len(names)
        self.places = {name: names.index(name) for name in COLUMNS if name in names}

    def _header(self) -> list[str]:
        try:
            names = [name.strip().lower() for name in next(self._csv, [])]
        except (csv.Error, Endless) as error:
            raise NotTwcs("The first line is no header.") from error
        if missing := [name for name in NEEDED if name not in names]:
            raise NotTwcs(f"The header lacks {', '.join(missing)}.")
        return names

    def next_record(self) -> Record | BadRow | None:
        """None at the end."""
        return self._ahead.popleft() if self._ahead else self._read()

    def peek(self, index: int) -> Record | BadRow | None:
        """The record that comes `index` after the next one, which stays."""
        while len(self._ahead) <= index:
            found = self._read()
            if found is None:
                return None
            self._ahead.append(found)
        return self._ahead[index]

    def skip(self, count: int) -> None:
        for _ in range(count):
            self._ahead.popleft()

    def _read(self) -> Record | BadRow | None:
        lines = self._lines
        lines.begin()
        try:
            fields = next(self._csv)
        except StopIteration:
            return None
        except Endless:
            lines.give_back()
            reason = "a quote is opened and never closed" if len(lines.record) > 1 else "the line is too long"
            return BadRow(lines.record[0][0], reason)
        except csv.Error as error:
            return BadRow(lines.record[0][0], f"this is no CSV: {error}")
        if len(lines.record) > 1 and self._has_swallowed(fields):
            lines.give_back()
            return BadRow(lines.record[0][0], "a quote stands where none belongs")
        return lines.record[0][0], fields

    def _has_swallowed(self, fields: list[str]) -> bool:
        """Whether a record of several lines is no record, or holds the records that follow it."""
        times = sum(len(_TIME.findall(piece)) for _, piece in self._lines.record)
        return len(fields) != self.width or times > 1


# -- a record torn apart -----------------------------------------------------------------------------------------------


def _torn(torn: Record, reader: _Reader) -> Row | BadRow:
    """Joins the pieces of a record that unquoted line breaks tore apart, where that makes a good one."""
    line, joined = torn
    used = 0
    while len(joined) < reader.width and used < MOST_PIECES and _begins_a_post(joined, reader.places):
        piece = reader.peek(used)
        if piece is None or isinstance(piece, BadRow):
            break
        more = piece[1]
        if len(more) >= reader.width or _begins_a_post(more, reader.places):
            break
        joined = [*joined[:-1], "\n".join([joined[-1], *more[:1]] if more else [joined[-1], ""]), *more[1:]]
        used += 1
    row = _row((line, joined), reader.places) if len(joined) == reader.width else None
    if not isinstance(row, Row):
        return BadRow(line, f"{len(torn[1])} fields instead of {reader.width}")
    reader.skip(used)
    breaks = "an unquoted line break" if used == 1 else f"{used} unquoted line breaks"
    return replace(row, mended=f"post {row.tweet_id} was torn apart by {breaks}; its pieces were joined")


def _begins_a_post(fields: list[str], places: Mapping[str, int]) -> bool:
    """Whether the fields up to the text are those of a post."""
    start = max(places[name] for name in ("tweet_id", "author_id", "created_at"))
    return (
        start < len(fields)
        and _ID.fullmatch(fields[places["tweet_id"]].strip()) is not None
        and _TIME.fullmatch(fields[places["created_at"]].strip()) is not None
    )


# -- one record --------------------------------------------------------------------------------------------------------


class _Unusable(Exception):
    """Why a record is none."""


def _row(record: Record, places: Mapping[str, int]) -> Row | BadRow:
    try:
        return _checked_row(*record, places)
    except _Unusable as reason:
        return BadRow(record[0], str(reason))


def _checked_row(line: int, fields: list[str], places: Mapping[str, int]) -> Row:
    def cell(name: str) -> str:
        return fields[places[name]] if name in places else ""

    tweet_id = _id(cell("tweet_id"), "tweet_id")
    if tweet_id is None:
        raise _Unusable("tweet_id is empty")
    parent_id = _id(cell("in_response_to_tweet_id"), "in_response_to_tweet_id")
    if parent_id == tweet_id:
        raise _Unusable("the post answers itself")
    return Row(
        line=line,
        tweet_id=tweet_id,
        author=_author(cell("author_id")),
        ours=not _inbound(cell("inbound")),
        at=_time(cell("created_at")),
        written=cell("created_at").strip(),
        text=_text(cell("text")),
        parent_id=parent_id,
        responses=_responses(cell("response_tweet_id")),
    )


def _id(value: str, name: str) -> str | None:
    value = value.strip()
    if value.lower() in ("", "nan", "none", "null"):
        return None
    found = _ID.fullmatch(value)
    if found is None or int(found[1]) >= 2**63:
        raise _Unusable(f"{name} is no id")
    if found[2] and int(found[1]) > _EXACT:
        raise _Unusable(f"{name} was rounded by a spreadsheet")
    return found[1]


def _responses(value: str) -> tuple[str, ...]:
    found = (_id(part, "response_tweet_id") for part in value.split(","))
    return tuple(one for one in found if one)


def _author(value: str) -> str:
    value = value.strip()
    if not value.isascii() or not _NAME.fullmatch(value):
        raise _Unusable("author_id is neither a number nor a user name")
    return value


def _inbound(value: str) -> bool:
    found = _TRUTH.get(value.strip().lower())
    if found is None:
        raise _Unusable("inbound is neither True nor False")
    return found


def _time(value: str) -> datetime:
    found = _TIME.fullmatch(value.strip())
    if found is None or found[1] not in _MONTHS:
        raise _Unusable("created_at is no time")
    month, day, hour, minute, second, sign, off_hours, off_minutes, year = found.groups()
    try:
        zone = UTC
        if (off_hours, off_minutes) != ("00", "00"):
            offset = timedelta(hours=int(off_hours), minutes=int(off_minutes))
            zone = timezone(-offset if sign == "-" else offset)
        at = datetime(int(year), _MONTHS[month], int(day), int(hour), int(minute), int(second), tzinfo=zone)
        return at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise _Unusable("created_at is no time") from None


def _text(value: str) -> str:
    if "\x00" in value:
        raise _Unusable("the text holds a NUL character")
    if len(value) > LONGEST_TEXT:
        raise _Unusable(f"the text is longer than {LONGEST_TEXT} characters")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise _Unusable("the text is not UTF-8") from None
    return value
