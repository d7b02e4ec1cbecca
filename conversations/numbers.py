"""Numbers that belong to a person, in plain text: cards, bank accounts and phones; told apart from dates, prices,
sizes and articles. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

Span = tuple[int, int]

_GROUP = re.compile(r"\d+")
_BESIDE = re.compile(r"[\s./_,*|:-]{1,3}")  # what may stand between the groups of one number
_FIRST = re.compile(r"4|5|2[2-7]|3[04-8]|6")  # of the networks of cards
_USUAL = ((4, 6, 5), (4, 6, 4))
LEAST_CARD, MOST_CARD = 13, 19


def cards(text: str) -> Iterator[Span]:
    """Card numbers, however their groups are spaced, also behind other numbers."""
    end = 0
    for run in _runs(text):
        for number, first in enumerate(run):
            if first.start() < end or not _FIRST.match(first[0]):
                continue
            if found := _card_end(run[number : number + MOST_CARD]):
                end = found
                yield first.start(), end


def _runs(text: str) -> Iterator[list[re.Match[str]]]:
    """Groups of digits that may belong together, as far as they are long enough for a card."""
    run: list[re.Match[str]] = []
    for group in _GROUP.finditer(text):
        if run and not _BESIDE.fullmatch(text, run[-1].end(), group.start()):
            yield run
            run = []
        run.append(group)
    yield run


def _card_end(groups: list[re.Match[str]]) -> int:
    """Where the card number that begins with the first group ends; 0 where none does."""
    digits = ""
    for number, group in enumerate(groups, start=1):
        digits += group[0]
        if len(digits) > MOST_CARD:
            return 0
        if len(digits) >= LEAST_CARD and _is_card(digits, groups[:number]):
            return group.end()
    return 0


def _is_card(digits: str, groups: list[re.Match[str]]) -> bool:
    return _luhn(digits) and _evenly([len(one[0]) for one in groups]) and not _is_article(digits) and not _grows(groups)


def _evenly(sizes: list[int]) -> bool:
    """Whether groups of these lengths make one card number."""
    return len(sizes) == 1 or tuple(sizes) in _USUAL or (len({*sizes[:-1]}) == 1 and sizes[-1] <= sizes[0] <= 8)


def _grows(groups: list[re.Match[str]]) -> bool:
    """Sizes, pages and the like: small numbers that only grow."""
    values = [int(group[0]) for group in groups]
    return len(groups[0][0]) <= 2 < len(values) and values == sorted(set(values))


def _luhn(digits: str) -> bool:
    doubled = (int(digit) * 2 if place % 2 else int(digit) for place, digit in enumerate(reversed(digits)))
    return sum(digit - 9 if digit > 9 else digit for digit in doubled) % 10 == 0


def _is_article(digits: str) -> bool:
    """The number under a bar code (EAN-13), which books have, too."""
    weighed = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits))
    return len(digits) == 13 and weighed % 10 == 0


# -- bank accounts ----------------------------------------------------------------------------------------------------

_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?:[\s-]?[A-Z\d]{4}){2,7}(?:[\s-]?[A-Z\d]{1,4})?\b", re.I)


def ibans(text: str) -> Iterator[Span]:
    """Bank accounts: as they are printed, or in any writing where the check digits are right."""
    for match in _IBAN.finditer(text):
        end = _checked_end(match)
        if end or (match[0].isupper() and sum(map(str.isdigit, match[0])) > 10):
            yield match.start(), end or match.end()


def _checked_end(match: re.Match[str]) -> int | None:
    """Where the check digits come out right, words behind the number left out."""
    words = match[0]
    while len(words) >= 15:
        if _is_checked(re.sub(r"[\s-]", "", words)):
            return match.start() + len(words)
        words = words[: max(words.rfind(" "), words.rfind("-"), 0)]
    return None


def _is_checked(iban: str) -> bool:
    """ISO 13616: the first four signs moved behind, letters as 10 to 35, modulo 97."""
    return int("".join(str(int(sign, 36)) for sign in iban[4:] + iban[:4])) % 97 == 1


# -- phones -----------------------------------------------------------------------------------------------------------

_RUN = re.compile(r"(?<![\w#@+.,])[+(]{0,2}\d(?:[\s./_()-]{0,3}\d){6,24}(?!\w)")
_CALLED = re.compile(
    r"(?:\b(?:call|phone|telephone|tel|mobile?|cell|whatsapp|sms|text|number|dial|handy|telefon|ruf\w*|anruf\w*|nummer)\b"
    r"\W{0,3}(?:[^\W\d]+\W{1,2}){0,3})$",
    re.I,
)
_ARTICLE = re.compile(r"\b(?:isbn|ean|gtin|sku|art\.?|article|artikel|model|version)\W*(?:no|nr|num\w*)?\W*$", re.I)
_TIMES = re.compile(
    r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}(?:\D|$)"  # a date, whatever follows
    r"|(?:19|20)\d\d(?:\s?[/-]\s?(?:19|20)?\d\d)?$"  # a year or two
    r"|(?:(?:19|20)\d\d\s+)+(?:19|20)\d\d$|\d{1,2}-\d{1,2}(?:\s+\d{1,2}-\d{1,2})*(?:\s+\d{1,2})?$"
)
_COUNTED = re.compile(r"[1-9]\d{0,2}(?:[. ]\d{3})+$|[1-9]\d*000$")  # 1.200.000
_MACHINE = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}$")
_OPEN_LINES = re.compile(r"(?:\+?1[ -.]?)?\(?(?:800|888|877|866|855|844|833)\)?[ -.]|0?800[ -.]?|00800")
LEAST_PHONE, MOST_PHONE = 7, 15


def phones(text: str) -> Iterator[Span]:
    """Phone numbers; those of free service lines are everybody's."""
    for match in _RUN.finditer(text):
        before = text[max(match.start() - 40, 0) : match.start()]
        if _is_phone(match[0].strip("("), called=bool(_CALLED.search(before))) and not _ARTICLE.search(before):
            yield match.span()


def _is_phone(run: str, *, called: bool) -> bool:
    digits = re.sub(r"\D", "", run)
    if not LEAST_PHONE <= len(digits) <= MOST_PHONE or _OPEN_LINES.match(run) or _TIMES.match(run):
        return False
    if called or run[0] in "+0":
        return True
    return not (_COUNTED.match(run) or _MACHINE.match(run) or _is_article(digits) or _is_small(run))


def _is_small(run: str) -> bool:
    """Whether these are several small numbers one after the other, a year perhaps among them."""
    parts = _GROUP.findall(run)
    return len(parts) > 2 and all(len(part) <= 2 or re.fullmatch(r"(?:19|20)\d\d", part) for part in parts)
