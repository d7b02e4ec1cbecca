"""The passage of a text that a search found, with what was found marked."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import chain

from conversations.query import Word

PASSAGE = 160  # letters
LEAD = 20  # letters before the first hit
LONGEST = 20_000
SHORTEST_STEM = 4
_WORD = re.compile(r"\w+")
_ENDINGS = 3  # a word may have so many letters more than its stem


def passage(text: str, words: Sequence[Word]) -> list[tuple[str, bool]]:
    """Pieces of plain text around the first hit, and whether each is a hit. Nothing is escaped here."""
    text = " ".join(text[:LONGEST].split())
    hits = _hits(text, words)
    first = next(hits, None)
    start = max(first[0] - LEAD, 0) if first else 0
    if first and start:
        start = text.find(" ", start, first[0]) + 1 or start
    end = start + PASSAGE
    pieces: list[tuple[str, bool]] = [("…", False)] if start else []
    at = start
    for begin, stop in chain([first] if first else [], hits):
        if stop > end:
            break
        pieces += [(text[at:begin], False), (text[begin:stop], True)]
        at = stop
    pieces.append((text[at:end] + ("…" if len(text) > end else ""), False))
    return [(piece, is_hit) for piece, is_hit in pieces if piece]


def _hits(text: str, words: Sequence[Word]) -> Iterator[tuple[int, int]]:
    """Where in the text words stand that were looked for, in order."""
    wanted, begins_so = _sought(tuple(words))
    plainly = text.isascii()
    for match in begins_so.finditer(text.lower()) if plainly else _WORD.finditer(text):
        said = match[0] if plainly else plain(match[0])
        if any(_same(said, sought, begun) for sought, begun in wanted.get(said[:1], ())):
            yield match.span()


@lru_cache(maxsize=100)
def _sought(words: tuple[Word, ...]) -> tuple[dict[str, list[tuple[str, bool]]], re.Pattern[str]]:
    """The plain words by their first letter, each with whether it is only begun; and any word with such a letter."""
    wanted: dict[str, list[tuple[str, bool]]] = {}
    for word in words:
        for part in () if word.without else map(plain, _WORD.findall(word.text)):
            wanted.setdefault(part[:1], []).append((part, word.prefix))
    return wanted, re.compile(rf"\b[{''.join(wanted)}]\w*" if wanted else r"(?!)")


def plain(word: str) -> str:
    """In small letters and without accents, as the index is."""
    if word.isascii():
        return word.lower()
    apart = unicodedata.normalize("NFKD", word.casefold())
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


def _same(word: str, sought: str, begun: bool) -> bool:
    if word == sought or (begun and word.startswith(sought)):
        return True
    short, long = sorted((word, sought), key=len)
    stem = short[:-1] if len(short) > SHORTEST_STEM else short
    return len(short) >= SHORTEST_STEM and long.startswith(stem) and len(long) - len(short) <= _ENDINGS
