"""Graph's field lists: `id,message,from{name},comments.limit(5).order(chronological){id,message}`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from .errors import GraphError

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
DEEPEST = 8


@dataclass(slots=True)
class Field:
    """One asked field: its modifiers (`.limit(5)`) and the fields wanted inside."""

    name: str
    modifiers: dict[str, str] = field(default_factory=dict)
    inside: list[Field] = field(default_factory=list)


def parse(text: str) -> list[Field]:
    """Raises GraphError (2500) for a list that cannot be read."""
    found, rest = _list(text.replace(" ", ""), 0)
    if rest:
        raise _syntax(rest)
    return found


def _list(text: str, depth: int) -> tuple[list[Field], str]:
    if depth > DEEPEST:
        raise _syntax(text)
    found: list[Field] = []
    while text and not text.startswith("}"):
        one, text = _field(text, depth)
        found.append(one)
        if text.startswith(","):
            text = text[1:]
        elif text and not text.startswith("}"):
            raise _syntax(text)
    return found, text


def _field(text: str, depth: int) -> tuple[Field, str]:
    match = NAME.match(text)
    if match is None:
        raise _syntax(text)
    one, text = Field(match[0]), text[match.end() :]
    while text.startswith("."):
        modifier = re.match(r"\.([a-z_]+)\(([^)]*)\)", text)
        if modifier is None:
            raise _syntax(text)
        one.modifiers[modifier[1]] = modifier[2]
        text = text[modifier.end() :]
    if text.startswith("{"):
        one.inside, text = _list(text[1:], depth + 1)
        if not text.startswith("}"):
            raise _syntax(text)
        text = text[1:]
    return one, text


def _syntax(rest: str) -> GraphError:
    return GraphError(f'Syntax error "Expected name." at: {rest[:30]}', 2500)
