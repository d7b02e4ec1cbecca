"""The passage of a text that a search found, with what was found marked."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence

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
    wanted = [(plain(part), word.prefix) for word in words if not word.without for part in _WORD.findall(word.text)]
    hits = [match for match in _WORD.finditer(text) if _is_hit(plain(match.group()), wanted)]
    start = max(hits[0].start() - LEAD, 0) if hits else 0
    if start:
        start = text.find(" ", start) + 1 or start
    end = start + PASSAGE
    pieces: list[tuple[str, bool]] = [("…", False)] if start else []
    at = start
    for hit in hits:
        if hit.start() < at or hit.end() > end:
            continue
        pieces += [(text[at : hit.start()], False), (hit.group(), True)]
        at = hit.end()
    pieces.append((text[at:end] + ("…" if len(text) > end else ""), False))
    return [(piece, is_hit) for piece, is_hit in pieces if piece]


def plain(word: str) -> str:
    """In small letters and without accents, as the index is."""
    if word.isascii():
        return word.lower()
    apart = unicodedata.normalize("NFKD", word.casefold())
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


def _is_hit(word: str, wanted: Collection[tuple[str, bool]]) -> bool:
    return any(word[:1] == sought[:1] and _same(word, sought, begun) for sought, begun in wanted)


def _same(word: str, sought: str, begun: bool) -> bool:
    if word == sought or (begun and word.startswith(sought)):
        return True
    short, long = sorted((word, sought), key=len)
    stem = short[:-1] if len(short) > SHORTEST_STEM else short
    return len(short) >= SHORTEST_STEM and long.startswith(stem) and len(long) - len(short) <= _ENDINGS
