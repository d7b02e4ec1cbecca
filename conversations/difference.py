"""What is different between two texts, word by word. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import NamedTuple

_WORD = re.compile(r"\s+|\S+")


class Part(NamedTuple):
    """A part of both texts (`kind` is "same"), of the first alone ("gone") or of the second alone ("new")."""

    kind: str
    words: str


def difference(first: str, second: str) -> list[Part]:
    """The parts of both texts, one after the other."""
    return list(_parts(_WORD.findall(first), _WORD.findall(second)))


def _parts(first: list[str], second: list[str]) -> Iterator[Part]:
    for kind, start, end, begin, stop in SequenceMatcher(None, first, second).get_opcodes():
        if kind == "equal":
            yield Part("same", "".join(first[start:end]))
            continue
        if end > start:
            yield Part("gone", "".join(first[start:end]))
        if stop > begin:
            yield Part("new", "".join(second[begin:stop]))
