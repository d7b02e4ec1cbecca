"""Bugs planted on purpose, each by a switch: the suite must catch every one of them, or it proves nothing."""

from __future__ import annotations

from collections.abc import Callable

BUGS: dict[str, Callable[[], None]] = {}


def plant(name: str) -> None:
    """Makes this process a broken one. Raises KeyError for a bug that is not known."""
    if name:
        BUGS[name]()
