"""A language in which every string that is marked for translation stands in ⟦brackets⟧, and is longer.

What a page shows outside of them was not marked. Customers and colleagues write in Cyrillic there: what is Latin is
ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from gettext import NullTranslations
from html.parser import HTMLParser

from django.utils import translation
from django.utils.translation import trans_real

from conversations import fragments
from conversations.templatetags import inbox
from scrm.templatetags import shell

LANGUAGE = "de"  # any that may be asked for
_CONTEXT = "\x04"
_BETWEEN = "\x1f"
_WRAPPED = re.compile(r"⟦[^⟦⟧]*⟧")
_LETTERS = re.compile(r"[A-Za-z][A-Za-z']*")
SEEN = ("alt", "aria-label", "aria-description", "placeholder", "title")  # attributes that people see or hear
QUIET = ("script", "style", "kbd", "code", "pre")  # nothing of the language: keys, addresses, what machines said
VOID = ("area", "br", "col", "hr", "img", "input", "link", "meta", "source", "track", "use", "wbr")


def wrapped(text: str) -> str:
    """The text as the language has it: forty per cent longer."""
    return f"⟦{text}{'~' * (2 * len(text) // 5 + 1)}⟧" if text.strip() else text


class Pseudo(NullTranslations):
    """Notes every message that it is asked for in `asked`."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: set[str] = set()

    def gettext(self, message: str) -> str:
        self.asked.add(message)
        return wrapped(message.rsplit(_CONTEXT, maxsplit=1)[-1])

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if n == 1 else msgid2)

    @staticmethod
    def language() -> str:
        return LANGUAGE

    @staticmethod
    def to_language() -> str:
        return LANGUAGE


def _forget() -> None:
    """What was drawn in the language that bears the name otherwise, and is kept."""
    shell._kept.clear()
    fragments._environment.cache_clear()
    inbox._day.cache_clear()


@contextmanager
def pseudo_language(spoken: Pseudo | None = None) -> Iterator[dict[str, str]]:
    """While it lasts, whoever asks for that language gets this one; the headers to ask with."""
    known: dict[str, object] = trans_real._translations  # type: ignore[attr-defined]
    before = known.get(LANGUAGE)
    known[LANGUAGE] = spoken or Pseudo()
    _forget()
    try:
        with translation.override(translation.get_language()):
            yield {"Accept-Language": LANGUAGE}
    finally:
        _forget()
        known.pop(LANGUAGE)
        if before is not None:
            known[LANGUAGE] = before


class _Seen(HTMLParser):
    """Collects what people see or hear of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._quiet: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        foreign = tag in QUIET or (tag != "html" and "lang" in dict(attrs))  # a part in a language of its own
        if (foreign and not self._quiet) or (self._quiet and tag not in VOID):
            self._quiet.append(tag)
        for name, value in attrs:
            # what scripts show stands in data attributes: those that hold sentences
            told = name in SEEN or (name.startswith("data-") and " " in (value or "") and _LETTERS.search(value or ""))
            if told and value:
                self.texts.append(value)

    def handle_endtag(self, tag: str) -> None:
        if self._quiet and tag not in VOID:
            self._quiet.pop()

    def handle_data(self, data: str) -> None:
        if not self._quiet:
            self.texts.append(data)


def unmarked(page: str, allowed: re.Pattern[str]) -> list[str]:
    """The pieces of a page that hold Latin letters of ours outside of the brackets."""
    seen = _Seen()
    seen.feed(page)
    rest, more = _BETWEEN.join(seen.texts), 1  # a marked sentence may have a link inside
    while more:  # from the inside out
        rest, more = _WRAPPED.subn("", rest)
    pieces = [" ".join(piece.split()) for piece in rest.split(_BETWEEN)]
    return [piece for piece in pieces if _LETTERS.search(allowed.sub("", piece))]
