"""What a model of meaning gives and takes. A better model is one more module with the same two functions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

UNSURE = "unsure"  # the model looked and cannot tell
UNKNOWN = "unknown"  # no model for this text


@dataclass(frozen=True, slots=True)
class Value:
    """One thing understood of a text. `why` is shown to people; `tentative` values are shown as guesses."""

    value: str
    why: str = ""
    tentative: bool = False


class Reader(Protocol):
    """Reads one kind of meaning. `source` names model and version; a new one makes old values stale."""

    kind: str
    source: str

    def read(self, text: str, language: str) -> Value:
        """`language` is the text's language as understood before, or empty. Pure and safe on any text."""


_NOISE = re.compile(r"https?://\S+|[@#]\w+|&\w+;")


def words_of(text: str) -> str:
    """The text without links, handles and hash tags, which say nothing of language or mood."""
    return " ".join(_NOISE.sub(" ", text[:5000]).split())
