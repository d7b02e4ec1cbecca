"""Reads a draft before it is public: what is personal is held back, what looks like a slip is pointed out. Pure."""

from __future__ import annotations

import enum
import hashlib
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _

from conversations import numbers
from conversations.plain import plain
from conversations.spelled import in_figures


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

MOST = 50  # findings are told


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


def personal(text: str) -> list[Finding]:
    """What must not stand in public, in the order of the text; overlapping finds are told once."""
    found: list[Finding] = []
    for kind, start, end in _written(text):
        if len(found) == MOST:
            break
        if not any(start < other.end and other.start < end for other in found):
            found.append(Finding(kind, start, end, _words(kind)))
    return sorted(found, key=lambda finding: finding.start)


def seal(text: str) -> str:
    """What stands for these very words: whoever lets them out knowingly lets out no others."""
    words = text.replace("\x00", "").replace("\r\n", "\n").strip()
    return hashlib.sha256(words.encode(errors="surrogatepass")).hexdigest()[:32]


def _written(text: str) -> Iterator[tuple[Kind, int, int]]:
    """What might be held back, by its place in what was written: first as it stands, then with spelled numbers read."""
    copy = plain(text)
    for kind, *span in _candidates(copy.text):
        yield kind, *copy.written(*span)
    if read := in_figures(copy):
        for kind, *span in _candidates(read.text):
            yield kind, *read.written(*span)


# -- e-mail addresses -------------------------------------------------------------------------------------------------

_LOCAL = r"(?<![\w.+-])(?P<local>[\w.+-]{1,64})"
_SIGN = r"\s?[(\[{<]\s?(?:at|ät|a|@|arroba)\s?[)\]}>]\s?"  # "(at)"
_DOT = r"(?:\.|\s?[(\[{<]\s?(?:dot|punkt|point|punto|\.)\s?[)\]}>]\s?|\s+(?:dot|punkt|punto)\s+|-dot-)"
_DOMAIN = rf"[\w-]{{1,63}}?(?:{_DOT}[\w-]{{1,63}})"
_ENDS = r"(?:com|net|org|info|biz|de|at|ch|uk|eu|fr|es|it|nl|be|pl|io|co|me|app|dev|shop|example)\b"
_NO_ENDS = r"(?:the|your|our|all|every|each|an?|any|these|those|his|her|their|and)\b"  # "at work dot the i's"
_BOXES = r"(?:gmail|googlemail|outlook|hotmail|yahoo|icloud|gmx|proton(?:mail)?|aol|live|msn|t-online|posteo)"
_SITE = r"(?:[a-z\d-]{1,63}\.){1,8}[a-z]{2,20}\b"
# "maya at keller.com" may be a site that somebody is at: it is an address where one is spoken of
_MAILING = r"(?:e-?mail(?:s|ed|ing)?|mail(?:s|ed|ing)?|write|wrote|schreib(?:e|en|t|st)?|(?:e-?mail-?)?adresse)"
_LEADS = r"(?:address|adresse|is|was|ist|it|him|her|them|me|bitte|please)"
_LEAD = r"(?:to|an|is|was|ist|lautet|still|him|her|them)\s{1,3}|:\s{0,3}"
_NO_MAILBOX = (
    r"(?:us|me|it|we|you|them|him|her|to|forms?|formular|pages?|seite|(?:web)?site|chat|support|team|service|(?:help)?desk"
    r"|help|list|newsletter|more|here|now|only|online|shop|store)\b(?![.+-])"
)
_EMAILS = (
    re.compile(rf"{_LOCAL}(?:@\s?|{_SIGN}){_DOMAIN}{{1,8}}", re.I),
    re.compile(rf"{_LOCAL}\s?@\s?[\w-]{{1,63}}\s?\.\s?{_ENDS}", re.I),
    re.compile(
        rf"{_LOCAL}(?:\s+(?:at|ät|arroba)\s+|-at-)[\w-]{{1,63}}?"
        rf"(?:\s+(?:dot|punkt|punto)\s+(?!{_NO_ENDS})|-dot-)\w+",
        re.I,
    ),
    re.compile(r"(?<![\w.+-])(?P<local>[a-z\d._+-]{1,64})\s+AT\s+[a-z\d-]{1,63}(?:\.[a-z\d-]{1,63}){1,8}"),
    re.compile(rf"{_LOCAL}\s+(?:at|ät)\s+{_BOXES}\b(?:{_DOT}\w+)?", re.I),
    re.compile(rf"{_LOCAL}\s+ät\s+{_SITE}", re.I),
    re.compile(
        r"(?<![\w.+-])(?P<local>[a-z\d]{3,40}(?:[._+][a-z\d]{1,40}){1,3}|[a-z\d]{1,2}[._+][a-z\d]{3,40})"
        rf"\s+at\s+{_SITE}",
        re.I,
    ),
    re.compile(
        rf"\b{_MAILING}(?:\s{{1,3}}{_LEADS}){{0,3}}(?:\s{{1,3}}|(?=:))(?:{_LEAD})(?!{_NO_MAILBOX})"
        rf"(?P<local>[\w.+-]{{2,64}})\s+at\s+{_SITE}",
        re.I,
    ),
)
_NO_BOXES = frozenset({
    "us", "me", "look", "looking", "find", "more", "here", "available", "only", "online", "shop", "store", "is", "are",
    "visit", "now", "read", "buy", "out",
})  # fmt: skip


def _emails(text: str) -> Iterator[tuple[int, int]]:
    for pattern in _EMAILS:
        for match in pattern.finditer(text):
            if "@" in match[0] or match["local"].lower() not in _NO_BOXES:
                yield match.span()


# -- orders -----------------------------------------------------------------------------------------------------------

_MATTER = (
    r"(?:orders?|booking|invoice|ticket|customer|tracking|reservation|account|ref(?:erence)?|case|parcel|shipment"
    r"|consignment|return|rma|contract|member(?:ship)?|bestell(?:ung)?s?|auftrags?|kunden|kd\.?|rechnungs?|sendungs?"
    r"|paket|vertrags?|buchungs?|vorgangs?|commande|facture|pedido|factura|cliente?|ordine|fattura)"
)
_LABEL = r"(?:numbers?|nummer|num|no|nr|id|code|numéro|número|numero|n°|nº|#)(?![^\W\d_])"
_BETWEEN = r"\.?\s*(?:is|was|ist|war|lautet|es|est)?\s*[:=]?\s*#?\s*"
_CODE = r"[A-Z]{0,4}[ -]?[A-Z\d]*\d[A-Z\d/-]*(?: \d[A-Z\d-]*){0,6}"
_ORDERS = (
    re.compile(rf"\b{_MATTER}\s*[-.]?\s*{_LABEL}{_BETWEEN}(?P<code>{_CODE})", re.I),
    re.compile(rf"\b(?:numéro|número|numero)\s+(?:de\s+|di\s+|d')(?:la\s+)?{_MATTER}{_BETWEEN}(?P<code>{_CODE})", re.I),
    re.compile(rf"\b{_MATTER}(?![^\W\d_])\.?\s*(?:is|ist|:|=|-)?\s*(?P<code>#?\s*(?=[A-Z-]*\d)[A-Z\d-]{{4,}})", re.I),
    re.compile(r"(?P<code>#[A-Z\d-]{4,})\b", re.I),
)
_NO_ORDER = re.compile(
    r"(?:19|20)\d\d(?:-\d\d(?:-\d\d)?)?$"  # a year, a month, a day
    r"|#(?:19|20)\d\d$|#?[A-Z]{3,}(?:19|20)\d\d$|#[A-Z]{4,}\d{1,4}$",  # "#BlackFriday2026", "#Ridge2000"
    re.I,
)
_MEASURED = re.compile(r"\s?(?:€|\$|£|%|(?:eur|euros?|usd|gbp|chf|[kmc]?m|k?g|ml|l)\b)", re.I)


def _orders(text: str) -> Iterator[tuple[int, int]]:
    for number, pattern in enumerate(_ORDERS):
        for match in pattern.finditer(text):
            code = match["code"]
            named = number < 2  # "order number": what follows is one, whatever it looks like
            if sum(map(str.isdigit, code)) < 3 or (not named and _NO_ORDER.match(code)):
                continue
            if not _MEASURED.match(text, match.end()):
                yield match.span()


# -- addresses --------------------------------------------------------------------------------------------------------

_STATES = (
    "A[LKZR]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|RI|S[CD]|T[NX]|UT|V[AT]|W[AIVY]"
)
_NAMED = r"(?:[A-Z][\w'.-]*|\d{1,3}(?:st|nd|rd|th))\s+"
_MEASURES = (
    r"(?:min(?:ute)?s?|h(?:ou)?rs?|days?|weeks?|miles?|kms?|kilomet\w+|met\w+|yards?|lanes?|way|person|people|easy"
    r"|steps?|x)\b"
)
_HOUSE = rf"\b(?!(?:19|20)\d\d\s)\d{{1,5}}[a-zA-Z]?\s+(?![-\s]*(?i:{_MEASURES}))"
_END = r"\.?(?=\s*(?:[,;\n)!?]|\.|$))"
_TOWN = (
    r"(?!(?i:eur|euros?|usd|chf|gb|meter|met(?:er|re)s|kilometer|stück|kunden|zelte|leute|gäste|punkte|sterne|wörter|seiten"
    r"|gramm|watt|tage|stunden|personen|units?|pieces|people|orders|customers|points|words|tents|edition)\b)"
    r"[A-ZÄÖÜ](?:[a-zäöüß]{2,30}|[A-ZÄÖÜß]{2,30})\b"
)
_PLACE = r"(?<![\w-])(?!(?:Order|Model|Size|Page|Seite|Größe|Modell|Artikel)\b)[A-ZÄÖÜ][\w'.-]{1,40}"
_MONTHS = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
_ADDRESSES = (
    re.compile(rf"{_HOUSE}(?:{_NAMED}){{1,4}}(?i:street|st|road|rd|avenue|ave|lane|ln|boulevard|blvd)\b\.?"),
    re.compile(rf"{_HOUSE}(?:{_NAMED}){{1,3}}(?i:drive|dr|court|ct|way|square|place|terrace|close){_END}"),
    re.compile(rf"{_HOUSE}[a-z][\w'-]*\s+(?:(?:street|road|avenue|lane|boulevard|drive)\b|(?:st|rd|ave){_END})", re.I),
    re.compile(r"(?<![\w.-])[a-zäöüß][\w.-]{0,40}? ?(?:straße|strasse|str\.|allee|gasse)\s*\d{1,4}\s?[a-z]?\b", re.I),
    re.compile(r"(?<![\w-])[A-ZÄÖÜ][\w-]{0,40}?(?:[- ]?(?:Weg|Platz|Ring|Ufer)|weg|platz|ring|ufer) \d{1,3} ?[a-z]?\b"),
    re.compile(
        r"(?:^|[,;(\n]\s*|\b(?:in|nach|aus|to|from|is|ist)\s+)(?:(?:D|A|CH|F|I|E)-)?"
        r"\d{2}(?!000)\d{3}\s+[A-ZÄÖÜ](?:[a-zäöüß]{2,}|[A-ZÄÖÜß]{2,})\b",
        re.M,
    ),
    re.compile(rf"\b(?:{_STATES})\s+\d{{5}}(?:-\d{{4}})?\b"),
    re.compile(r"\b[A-Z]{1,2}\d[A-Z\d]?\s+\d[A-Z]{2}\b"),
    re.compile(r"(?:^|[,\n]\s*|\bpost\s?code\W+(?:is\W+)?)[a-z]{1,2}\d[a-z\d]?\s+\d(?!st|nd|rd|th)[a-z]{2}\b", re.I),
    re.compile(r"\b(?:p\.?\s?o\.?\s?box|postfach)\s+\d[\d ]{1,8}", re.I),
    re.compile(r"\b\d{1,4}(?:\s?(?:bis|ter))?,?\s+(?:rue|avenue|boulevard|chemin|impasse|quai|allée)\s+(?:de|du|des|la|le|d'|l'|[A-Z])"),
    re.compile(r"\b(?:Calle|Avenida|Avda\.?|Plaza|Paseo|Piazza|Viale)\s+(?:[\w']+\s+){1,4}?\d{1,4}\b"),
    # a house number, a postal code and a town, whatever the street is called
    re.compile(rf"{_PLACE} \d{{1,4}} ?[a-z]?(?:,\s?|\s)(?:[A-Z]{{1,2}}-)?\d{{2}}(?!000)\d{{3}} {_TOWN}"),
    re.compile(
        rf"{_PLACE} \d{{1,3}} ?[a-z]?(?:,\s?|\n)(?:[A-Z]{{1,2}}-)?(?!19|20)\d{{4}}(?: [A-Z]{{2}})? {_TOWN}{_END}"
    ),
    re.compile(rf"\b\d{{2}}(?!000)\d{{3}} {_TOWN},\s?{_PLACE} \d{{1,4}}\b"),
    re.compile(
        rf"{_HOUSE}(?!(?i:{_MONTHS}))(?:{_NAMED}){{0,2}}[A-Z][\w'-]{{1,40}},\s?"
        r"(?:[A-Z][\w'-]{1,40},? ){1,3}\d{2}(?!000)\d{3}\b"
    ),
)  # fmt: skip


def _addresses(text: str) -> Iterator[tuple[int, int]]:
    for pattern in _ADDRESSES:
        for match in pattern.finditer(text):
            yield match.span()


# -- all of it --------------------------------------------------------------------------------------------------------

_WEB = re.compile(r"\b(?:https?://|www\.)\S+", re.I)
_HOLE = "\ufffd"  # no letter, no digit, no space: nothing reaches across it


def _candidates(text: str) -> Iterator[tuple[Kind, int, int]]:
    """What might be held back; of several that overlap the first counts. In web addresses numbers mean pages, unless
    they are somebody's money."""
    spoken = _WEB.sub(lambda match: _HOLE * len(match[0]), text)
    finders = (
        (Kind.EMAIL, _emails, text),
        (Kind.CARD, numbers.cards, text),
        (Kind.IBAN, numbers.ibans, text),
        (Kind.ADDRESS, _addresses, spoken),
        (Kind.ORDER, _orders, spoken),
        (Kind.PHONE, numbers.phones, spoken),
    )
    for kind, find, where in finders:
        for start, end in find(where):
            yield kind, start, end


def _words(kind: Kind) -> str:
    return {
        Kind.EMAIL: _("an e-mail address"),
        Kind.PHONE: _("a phone number"),
        Kind.CARD: _("a card number"),
        Kind.IBAN: _("a bank account"),
        Kind.ORDER: _("an order or customer number"),
        Kind.ADDRESS: _("an address"),
    }[kind]


# -- the name ---------------------------------------------------------------------------------------------------------

_GREETING = re.compile(
    r"^\s*(?:@\w+\s+)*(?i:hi|hello|hey|dear|hallo|lieber?|guten (?:tag|morgen|abend)|good (?:morning|afternoon|evening)"
    r"|sehr geehrter?|moin|servus|bonjour|hola|ciao|sorry|thanks|thank you),?"
    r"(?:\s+(?i:mr|mrs|ms|mx|miss|mister|dr|prof|frau|herrn?|señora?|madame|monsieur)\b\.?)*\s+([^\W\d_][\w'’-]+)"
)
_NOT_NAMES = frozenset({
    "there", "all", "everyone", "team", "folks", "again", "for", "to", "about", "that", "we", "you", "your", "i",
    "it", "this", "the", "so", "and", "but", "no", "sir", "madam", "zusammen", "guys", "friend", "customer", "kunde",
    "kundin", "kunden", "ihr", "du", "liebe", "lieber", "wir", "das", "dass", "danke", "thanks", "sorry",
})  # fmt: skip


def wrong_name(text: str, names: list[str]) -> Finding | None:
    """A greeting that names somebody else than the customer (`names`: what the customer is called, any of them)."""
    match = _GREETING.match(text)
    if match is None or not names or not match[1][0].isupper() or match[1].lower() in _NOT_NAMES:
        return None
    said = _bare(match[1])
    known = {part for name in names for part in re.split(r"[\W_]+", _bare(name)) if part}
    if said in known or any(part.startswith(said) or said.startswith(part) for part in known if len(part) > 2):
        return None
    return Finding(Kind.NAME, *match.span(1), _("“%(said)s” is not this customer's name") % {"said": match[1]})


def _bare(name: str) -> str:
    """A name without its accents, in small letters: "José" and "jose" are one."""
    apart = unicodedata.normalize("NFKD", name.casefold())
    return "".join(letter for letter in apart if not unicodedata.combining(letter))
