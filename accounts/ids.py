"""Ids as requests name them: text that anybody may have typed."""

from __future__ import annotations

MOST_DIGITS = 18  # no id has more, and every number of so many fits into the database's


def id_of(text: object) -> int | None:
    """The id that a text of a request names; None for anything that cannot be one."""
    if isinstance(text, str) and text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS:
        return int(text)
    return None
