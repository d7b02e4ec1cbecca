"""Names that somebody gave themselves, where they stand in a sentence without markup: in mails and notifications."""

from __future__ import annotations

import unicodedata

LONGEST = 80
FROM_RIGHT = frozenset(("R", "AL", "AN"))
TURNING = frozenset(("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"))
MARKS = "\u200e\u200f\u061c"  # turn what stands beside them
BEGIN, END = "\u2068", "\u2069"  # isolate what stands between them, in the direction of its first letter


def in_a_sentence(name: str) -> str:
    """The name on one line, not too long, and so that it turns around nothing but itself."""
    line = " ".join("".join(_tame(letter) for letter in name).split())
    if len(line) > LONGEST:
        line = line[: LONGEST - 1].rstrip() + "…"
    turned = any(unicodedata.bidirectional(letter) in FROM_RIGHT for letter in line)
    return f"{BEGIN}{line}{END}" if turned else line


def _tame(letter: str) -> str:
    if unicodedata.bidirectional(letter) in TURNING or letter in MARKS:
        return ""
    return " " if unicodedata.category(letter) in ("Cc", "Zl", "Zp") else letter
