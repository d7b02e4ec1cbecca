"""Digits that are written as words, in English and German: "zero one seven six" is 0176. Pure."""

from __future__ import annotations

import re
from itertools import pairwise

from conversations.plain import Plain

_DIGITS = {
    "zero": 0, "oh": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
    "nine": 9, "null": 0, "eins": 1, "zwei": 2, "zwo": 2, "drei": 3, "vier": 4, "fünf": 5, "fuenf": 5, "sechs": 6,
    "sieben": 7, "acht": 8, "neun": 9,
}  # fmt: skip
_TIMES = {"double": 2, "triple": 3, "doppel": 2}
_WORD = rf"(?:(?:{'|'.join(_TIMES)})[\s-]?)?(?:{'|'.join(_DIGITS)}|\d)"
_RUN = re.compile(rf"(?<![^\W_]){_WORD}(?:(?:[\s/-]{{1,3}}|[,.]\s?){_WORD}){{2,39}}(?![^\W_])", re.I)
_ONE = re.compile(rf"(?:({'|'.join(_TIMES)})[\s-]?)?([^\W\d_]+|\d)", re.I)
LEAST_SPOKEN = 3  # of a run are words: figures alone are read as they are
LEAST_APART = 7  # digits with commas between them: fewer are a list
LEAST_DISTINCT = 4  # of such a long run: "one two, one two" tries a microphone


def in_figures(copy: Plain) -> Plain | None:
    """The text with its spelled numbers in figures, each without gaps; None where there is none."""
    letters: list[str] = []
    places: list[int] = []
    end = 0
    for run in _RUN.finditer(copy.text):
        if digits := _digits(run[0]):
            letters += [copy.text[end : run.start()], digits]
            places += copy.places[end : run.start()]
            places += _spread(copy, run, len(digits))
            end = run.end()
    return Plain("".join([*letters, copy.text[end:]]), [*places, *copy.places[end:]]) if end else None


def _spread(copy: Plain, run: re.Match[str], count: int) -> list[int]:
    """Where the digits of a run stand: all of them at its beginning, but the last, which holds its end."""
    return [copy.places[run.start()]] * (count - 1) + [copy.places[run.end() - 1]]


def _digits(run: str) -> str:
    """The figures of a run; empty for one that counts or lists."""
    parts = [(_TIMES.get(times.lower(), 1), word.lower()) for times, word in _ONE.findall(run)]
    spoken = sum(word in _DIGITS for _times, word in parts)
    values = [int(word) if word.isdigit() else _DIGITS[word] for times, word in parts for _again in range(times)]
    if spoken < LEAST_SPOKEN or _counts(values) or ("," in run and len(values) < LEAST_APART):
        return ""
    return "" if len(values) >= LEAST_APART and len(set(values)) < LEAST_DISTINCT else "".join(map(str, values))


def _counts(values: list[int]) -> bool:
    """Whether most steps go up by one, or most go down by one."""
    steps = [after - before for before, after in pairwise(values)]
    return max(steps.count(1), steps.count(-1)) * 4 >= len(steps) * 3
