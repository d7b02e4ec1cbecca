"""A text as a machine compares it: letters and digits of any width and script made plain, nothing that is invisible."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

_BULLETS = frozenset("•·∙‧⋅●")


@dataclass(frozen=True, slots=True)
class Plain:
    """`text` is the plain copy; the letter at a place of it stands at `places[place]` of what was written."""

    text: str
    places: range | list[int]

    def written(self, start: int, end: int) -> tuple[int, int]:
        """Where a part of the copy (not an empty one) begins and ends in what was written."""
        return self.places[start], self.places[end - 1] + 1


def plain(text: str) -> Plain:
    if text.isascii():
        return Plain(text, range(len(text)))
    letters: list[str] = []
    places: list[int] = []
    for place, letter in enumerate(text):
        for one in _plain(letter):
            letters.append(one)
            places.append(place)
    return Plain("".join(letters), places)


@lru_cache(maxsize=4096)
def _plain(letter: str) -> str:
    """One letter in its plain form; nothing for one that nobody sees."""
    match unicodedata.category(letter):
        case "Cf":
            return ""
        case "Zs":
            return " "
        case "Pd":
            return "-"
        case "Nd":
            return str(unicodedata.decimal(letter))
        case _:
            return "." if letter in _BULLETS else unicodedata.normalize("NFKC", letter)
