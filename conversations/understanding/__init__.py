"""Language, mood and urgency of what customers write: added after the commit, found by query, repeatable."""

from __future__ import annotations

from functools import cache

from conversations.understanding.base import Reader, Value
from conversations.understanding.language import LanguageReader
from conversations.understanding.mood import MoodReader
from conversations.understanding.urgency import UrgencyReader

VERSION = 1  # grows when any reader changes: what was read by an older one is read again


@cache
def readers() -> tuple[Reader, ...]:
    """The readers in the order they run: the language first, because others ask for it."""
    return (LanguageReader(), MoodReader(), UrgencyReader())


def understand(text: str) -> dict[str, tuple[Value, str]]:
    """What each reader makes of a text: {kind: (value, source)}."""
    found: dict[str, tuple[Value, str]] = {}
    for reader in readers():
        language = found["language"][0].value if "language" in found else ""
        found[reader.kind] = (reader.read(text, language), reader.source)
    return found
