"""Ids as requests name them: text that anybody may have typed."""

from __future__ import annotations

from collections.abc import Iterable

MOST_DIGITS = 18  # no id has more, and every number of so many fits into the database's


def id_of(text: object) -> int | None:
    """The id that a text of a request names; None for anything that cannot be one."""
    if isinstance(text, str) and text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS:
        return int(text)
    return None


def ids_of(texts: Iterable[object]) -> list[int]:
    """The ids among the texts of a request, in their order."""
    return [pk for text in texts if (pk := id_of(text)) is not None]
