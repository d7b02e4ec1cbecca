"""Reads a draft before it is public: what is personal is held back, what looks like a slip is pointed out. Pure."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _


class Kind(enum.StrEnum):
    EMAIL = "email"
    PHONE = "phone"
    CARD = "card"
    IBAN = "iban"
    ORDER = "order"
    ADDRESS = "address"
    NAME = "name"
    PASTED = "pasted"
    PROMISE = "promise"


BLOCKING = frozenset({Kind.EMAIL, Kind.PHONE, Kind.CARD, Kind.IBAN, Kind.ORDER, Kind.ADDRESS})


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found, at `start`..`end` of the draft. A blocking one holds the public answer back."""

    kind: Kind
    start: int
    end: int
    words: str

    @property
    def blocking(self) -> bool:
        return self.kind in BLOCKING


_EMAIL = re.compile(
    r"(?<![\w.+-])[\w.+-]{1,64}\s?(?:@|\(at\)|\[at\]|\s+at\s+(?=\w+\s+dot\s))\s?[\w-]{1,63}"
    r"(?:(?:\.|\s?\(dot\)\s?|\s+dot\s+)[\w-]{1,63}){1,8}",
    re.I,
)
_CARD = re.compile(r"(?<![\d-])(?:\d[ -]?){12,18}\d(?![\d-])")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?:\s?[A-Z0-9]{4}){2,7}(?:\s?[A-Z0-9]{1,4})?\b")
_PHONE = re.compile(r"(?<![\w#])(?:\+|00)?\(?\d{1,4}\)?(?:[\s./-]?\(?\d{2,5}\)?){2,5}(?!\w)")
_ORDER = re.compile(
    r"\b(?:order|booking|invoice|ticket|customer|tracking|reservation|account|ref(?:erence)?"
    r"|bestellung|bestell|auftrags?|kunden|rechnungs?|sendungs?)"
    r"(?:\s*[-.]?\s*(?:number|no|nr|num|id|code|nummer))?\.?\s*(?:is|ist|:|#|=)?\s*#?\s*"
    r"(?=[A-Z0-9-]*\d[A-Z0-9-]*\d[A-Z0-9-]*\d)[A-Z0-9][A-Z0-9-]{3,}",
    re.I,
)
_HASHED = re.compile(r"#(?=[A-Z-]*\d)[A-Z0-9-]{4,}\b", re.I)
_STREET = re.compile(
    r"\b\d{1,5}[a-z]?\s+(?:[A-Z][\w'.-]*\s+){1,4}(?i:street|st|road|rd|avenue|ave|lane|ln|drive|dr|boulevard|blvd|court|ct"
    r"|way|square|place|terrace|close)\b\.?"
    r"|\b[A-ZÄÖÜ][\wäöüß.-]*(?:straße|strasse|str\.|weg|allee|platz|gasse|ring|ufer)\s+\d{1,4}\s?[a-z]?\b"
    r"|\b\d{5}\s+[A-ZÄÖÜ][a-zäöüß]{2,}\b"
    r"|\b[A-Z]{1,2}\d[A-Z\d]?\s+\d[A-Z]{2}\b"
)
_STREET_LOWER = re.compile(r"\b\d{1,5}\s+[a-z][\w'-]*\s+(?:street|road|avenue|lane|boulevard|drive)\b", re.I)
_GREETING = re.compile(
    r"^\s*(?:@\w+\s+)*(?i:hi|hello|hey|dear|hallo|lieber?|guten tag|moin|sorry|thanks|thank you),?\s+([A-ZÄÖÜ][\w'-]+)"
)
_NOT_NAMES = frozenset({
    "there", "all", "everyone", "team", "folks", "again", "for", "to", "about", "that", "we", "you", "your", "i",
    "it", "this", "the", "so", "and", "but", "no", "sir", "madam", "zusammen",
})  # fmt: skip


def personal(text: str) -> list[Finding]:
    """What must not stand in public, in the order of the text; overlapping finds are told once."""
    found: list[Finding] = []
    for kind, start, end in _candidates(text):
        if not any(start < other.end and other.start < end for other in found):
            found.append(Finding(kind, start, end, _words(kind)))
    return sorted(found, key=lambda finding: finding.start)


def _candidates(text: str) -> Iterator[tuple[Kind, int, int]]:
    for match in _EMAIL.finditer(text):
        yield Kind.EMAIL, *match.span()
    for match in _CARD.finditer(text):
        if _luhn(match[0]):
            yield Kind.CARD, *match.span()
    for match in _IBAN.finditer(text):
        yield Kind.IBAN, *match.span()
    for pattern in (_STREET, _STREET_LOWER):
        for match in pattern.finditer(text):
            yield Kind.ADDRESS, *match.span()
    for pattern in (_ORDER, _HASHED):
        for match in pattern.finditer(text):
            yield Kind.ORDER, *match.span()
    for match in _PHONE.finditer(text):
        if _is_phone(match[0]):
            yield Kind.PHONE, *match.span()


def _luhn(text: str) -> bool:
    digits = [int(letter) for letter in text if letter.isdigit()]
    doubled = (digit * 2 if place % 2 else digit for place, digit in enumerate(reversed(digits)))
    return 13 <= len(digits) <= 19 and sum(digit - 9 if digit > 9 else digit for digit in doubled) % 10 == 0


_DATE = re.compile(r"^\d{1,4}[./-]\d{1,2}[./-]\d{1,4}$|^\d{1,2}:\d{2}")
_OPEN_LINES = re.compile(r"^(?:\+?1[ -.]?)?(?:800|888|877|866|855|844|833)[ -.]|^0?800[ -.]?")


def _is_phone(text: str) -> bool:
    digits = sum(letter.isdigit() for letter in text)
    return 7 <= digits <= 15 and not _DATE.match(text.strip()) and not _OPEN_LINES.match(text.strip())


def _words(kind: Kind) -> str:
    return {
        Kind.EMAIL: _("an e-mail address"),
        Kind.PHONE: _("a phone number"),
        Kind.CARD: _("a card number"),
        Kind.IBAN: _("a bank account"),
        Kind.ORDER: _("an order or customer number"),
        Kind.ADDRESS: _("an address"),
    }[kind]


def wrong_name(text: str, names: list[str]) -> Finding | None:
    """A greeting that names somebody else than the customer (`names`: what the customer is called, any of them)."""
    match = _GREETING.match(text)
    if match is None or not names or match[1].lower() in _NOT_NAMES:
        return None
    said = match[1].lower()
    known = {part for name in names for part in re.split(r"\W+", name.lower()) if part}
    if said in known or any(part.startswith(said) or said.startswith(part) for part in known if len(part) > 2):
        return None
    return Finding(Kind.NAME, *match.span(1), _("“%(said)s” is not this customer's name") % {"said": match[1]})
