"""Builds HTML that is escaped by construction: whatever is not `Markup` is text."""

from __future__ import annotations

import html
from collections.abc import Iterable

VOID = frozenset({"meta", "link", "input", "img", "br"})


class Markup(str):
    """Text that is HTML already. Made by `tag` and `join` only."""

    __slots__ = ()


def tag(name: str, /, *children: object, **attributes: str | int | bool | None) -> Markup:
    """One element. `class_` and `for_` lose their underscore, `data_x` becomes `data-x`; True is a bare attribute,
    None and False leave it out."""
    written = "".join(_attribute(key, value) for key, value in attributes.items() if value is not None)
    if name in VOID:
        return Markup(f"<{name}{written}>")
    return Markup(f"<{name}{written}>{join(*children)}</{name}>")


def join(*children: object) -> Markup:
    return Markup("".join(_child(child) for child in children))


def _child(child: object) -> str:
    if child is None or child is False:
        return ""
    if isinstance(child, Markup):
        return child
    if isinstance(child, str):
        return html.escape(child)
    if isinstance(child, Iterable):
        return join(*child)
    return html.escape(str(child))


def _attribute(key: str, value: str | int | bool) -> str:
    name = key.rstrip("_").replace("_", "-")
    if value is True:
        return f" {name}"
    return "" if value is False else f' {name}="{html.escape(str(value))}"'
