"""Reads a moment to come out of words: "by Friday", "within 24 hours", "morgen früh", "on 24 November at 3 pm". Pure.

Days end at six in the evening, mornings at noon, evenings at nine. English and German.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from itertools import product

END_OF_DAY, NOON, EVENING = time(18, 0), time(12, 0), time(21, 0)
FRIDAY, SATURDAY, SUNDAY = 4, 5, 6
SOON = timedelta(hours=4)  # what "shortly" is held to


def due(words: str, now: datetime) -> datetime | None:
    """When it falls due what was said at `now` (aware; its zone is that of the days); None where no moment is named."""
    said = _PAST.sub(" ", words.lower().replace("’", "'"))
    return _after_span(said, now) or _at_day(said, now) or (now + SOON if _SOON.search(said) else None)


# what is not to come, or only a wish
_PAST = re.compile(
    r"\b(?:last|since|from|of|vom|von|seit|letzte[nr]?)\s+(?:the\s+|dem\s+)?(?:today|tomorrow|heute|\w+day|\w+tag|\w+woch)\b"
    r"|\b(?:you|they|she|he|it|has|was)\s+\w+(?:ed|ght|nt|ot|ote)\s+(?:(?:us|it|this|that|them)\s+)?(?:on\s+)?\w+"
    r"|\b(?:have|enjoy|wish you)\s+an?\s+(?:\w+\s+)?(?:\w+day|weekend|evening|morning|afternoon|week)\b"
    r"|\b(?:schöne[nrs]?|gute[nr]?|happy|good)\s+(?:morgen|abend|\w+tag|woche\w*|morning|evening|afternoon|\w+day|weekend)\b"
)

# -- in so much time --------------------------------------------------------------------------------------------------

_NUMBERS = {
    "a": 1, "an": 1, "one": 1, "ein": 1, "eine": 1, "einer": 1, "einem": 1, "eines": 1, "two": 2, "zwei": 2,
    "couple of": 2, "a couple of": 2, "three": 3, "drei": 3, "few": 3, "a few": 3, "some": 3, "wenigen": 3,
    "einigen": 3, "four": 4, "vier": 4, "five": 5, "fünf": 5, "six": 6, "sechs": 6, "seven": 7, "sieben": 7, "ten": 10,
    "zehn": 10, "the": 1, "der": 1, "half an": 0.5, "einer halben": 0.5,
}  # fmt: skip
_COUNT = r"\d{1,3}|" + "|".join(sorted(map(re.escape, _NUMBERS), key=len, reverse=True))
_SPAN = re.compile(
    r"\b(?:in|within|innerhalb(?: von)?|binnen)\s+(?:the\s+|der\s+|den\s+|die\s+|des\s+)?"
    r"(?:next\s+|nächsten\s+|kommenden\s+|under\s+|less than\s+|about\s+|around\s+|approx\.?\s+|etwa\s+|ca\.?\s+"
    r"|maximal\s+)*"
    rf"(?:(?:\d{{1,3}}|one|two|three)\s*(?:-|–|to|or|bis|oder)\s*)?(?P<count>{_COUNT})?[\s-]*"
    r"(?P<unit>min(?:ute)?n?s?|h|hrs?|hours?|std|stunden?|(?:business|work(?:ing)?)[ -]?days?|(?:werk|arbeits)tag\w*"
    r"|days?|tage?[ns]?|weeks?|wochen?|months?|monat(?:e[ns]?|s)?)\b"
)


def _after_span(said: str, now: datetime) -> datetime | None:
    span = _SPAN.search(said)
    if span is None:
        return None
    words = span["count"] or "1"
    count = float(words) if words.isdecimal() else float(_NUMBERS[words])
    unit = span["unit"]
    if unit.startswith("min") or unit[0] == "h" or unit.startswith("st"):
        step = timedelta(minutes=1) if unit.startswith("min") else timedelta(hours=1)
        return (now.astimezone(UTC) + count * step).astimezone(now.tzinfo)
    if re.match(r"business|work|week.?day|werk|arbeit", unit):
        return _evening(now, _working_days(now.date(), int(count)))
    days = 30 if unit.startswith("mon") else 7 if unit[0] == "w" else 1
    return now + timedelta(days=count * days)


def _working_days(day: date, count: int) -> date:
    while count > 0:
        day += timedelta(days=1)
        count -= day.weekday() < SATURDAY
    return day


# -- on a day, at a time ----------------------------------------------------------------------------------------------


def _at_day(said: str, now: datetime) -> datetime | None:
    day, hour = _day(said, now), _hour(said)
    if day is None and hour is None:
        return None
    if day is None:
        later = datetime.combine(now.date(), hour or END_OF_DAY, tzinfo=now.tzinfo) > now
        day = now.date() if later else now.date() + timedelta(days=1)
    return _evening(now, day, hour or END_OF_DAY)


def _evening(now: datetime, day: date, hour: time = END_OF_DAY) -> datetime:
    moment = datetime.combine(day, hour, tzinfo=now.tzinfo)
    return moment if moment > now else now + timedelta(hours=2)


_CLOCK = re.compile(
    r"\b(?:at|by|until|till|before|around|um|bis|gegen|vor)\s+(?P<hour>[01]?\d|2[0-4])"
    r"(?:(?:[:.h](?P<minute>[0-5]\d))?\s*(?P<half>[ap]\.?m\b|uhr\b|o'clock)|:(?P<minutes>[0-5]\d))"
)
_END = r"eod|cob|end of (?:the )?(?:business )?day|(?:end|close) of business|feierabend"
_HOURS = (
    (re.compile(r"\b(?:noon|midday|mittags?)\b|\b(?:morning|vormittags?)\b|\b\w+vormittag\b|\bmorgen früh\b"), NOON),
    (re.compile(r"\bheute morgen\b|\b(?:mon|diens|donners|frei|sams|sonn)tag\s?morgen\b|\bmittwochmorgen\b"), NOON),
    (re.compile(r"\b(?:tonight|evening|abends?|midnight|mitternacht)\b|\b\w+abend\b"), EVENING),
    (re.compile(rf"\b(?:{_END})\b"), END_OF_DAY),
)


def _hour(said: str) -> time | None:
    if clock := _CLOCK.search(said):
        hour = int(clock["hour"]) % 24
        half = (clock["half"] or "")[:1]
        if half in ("a", "p") and hour <= 12:
            hour = hour % 12 + (12 if half == "p" else 0)
        return time(hour, int(clock["minute"] or clock["minutes"] or 0))
    return next((hour for pattern, hour in _HOURS if pattern.search(said)), None)


_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan januar jänner", "february feb februar", "march mar märz", "april apr", "may mai",
            "june jun juni", "july jul juli", "august aug", "september sept sep", "october oct oktober okt",
            "november nov", "december dec dezember dez",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
MONTHS = 12
LEAP_DAYS_APART = 8  # years at most
# where "5/6" is the sixth of May: the zones of the United States (tz database)
_MONTH_FIRST = frozenset({
    *(f"America/{city}" for city in (
        "New_York", "Detroit", "Chicago", "Menominee", "Denver", "Boise", "Phoenix", "Los_Angeles", "Anchorage",
        "Juneau", "Sitka", "Metlakatla", "Yakutat", "Nome", "Adak", "Kentucky/Louisville", "Kentucky/Monticello",
        "Indiana/Indianapolis", "Indiana/Vincennes", "Indiana/Winamac", "Indiana/Marengo", "Indiana/Petersburg",
        "Indiana/Vevay", "Indiana/Tell_City", "Indiana/Knox", "North_Dakota/Center", "North_Dakota/New_Salem",
        "North_Dakota/Beulah",
    )),
    "Pacific/Honolulu",
})  # fmt: skip
_GERMAN = re.compile(r"\b(?:ich|wir|bis|am|zum|vor|spätestens|uhr|sie|du|ihnen)\b")
_MONTH = rf"(?P<month>{'|'.join(sorted(_MONTHS, key=len, reverse=True))})\b"
_UNTIL = (
    r"(?:by|on|until|till|before|bis(?: zum)?|am|zum|vor(?: dem)?|spätestens"
    r"|(?:mon|tues|wednes|thurs|fri|satur|sun)day,?|(?:mon|diens|donners|frei|sams|sonn)tag,?|mittwoch,?)"
)
# "5/6 of them", "5.6 kg": a part, a rating or a measure
_NO_COUNT = (
    r"(?!\s*-?\s*(?:%|€|\$|£|(?:of|von|der|stars?|sterne\w*|points?|punkte\w*|parts?|teile\w*|times|mal|out|eur|euros?|usd"
    r"|gbp|chf|k?g|[kmc]?m|l|ml|in|inch\w*|zoll|h|hours?|stunden?|min\w*|days?|tage?n?|degrees?|grad|units?|stück"
    r"|people|leute\w*)\b(?!\s+\d))|\d)"
)
_DATES = (
    re.compile(r"\b(?P<year>20\d\d)-(?P<number>\d{1,2})-(?P<day>\d{1,2})\b"),
    re.compile(r"\b(?P<day>\d{1,2})\.\s?(?P<number>\d{1,2})\.(?P<year>20\d\d)?"),
    re.compile(rf"\b(?P<day>\d{{1,2}})(?:st|nd|rd|th|\.)?\s+(?:of\s+)?{_MONTH}(?:\s+(?P<year>20\d\d))?"),
    re.compile(rf"\b{_MONTH}\.?\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\b(?:,?\s+(?P<year>20\d\d))?"),
    re.compile(r"\b(?:by|on|until|till|before)\s+the\s+(?P<day>\d{1,2})(?:st|nd|rd|th)\b"),
    re.compile(rf"\b{_UNTIL}\s+(?P<day>\d{{1,2}})\.(?P<number>\d{{1,2}})\b{_NO_COUNT}"),
    re.compile(r"\b(?:am|zum)\s+(?P<day>\d{1,2})\.(?!\d)"),
)
_SLASHED = (
    re.compile(r"\b(?P<day>\d{1,2})/(?P<number>\d{1,2})/(?P<year>(?:20)?\d\d)\b(?!/)"),
    re.compile(rf"\b{_UNTIL}\s+(?!24/7\b)(?P<day>\d{{1,2}})/(?P<number>\d{{1,2}})\b(?![/.]\d){_NO_COUNT}"),
)


def _day(said: str, now: datetime) -> date | None:
    today = now.date()
    for pattern in _DATES:
        if (match := pattern.search(said)) and (found := _date(match.groupdict(), today)):
            return found
    for pattern in _SLASHED:
        if (match := pattern.search(said)) and (found := _date(_ordered(match, said, now), today)):
            return found
    return next((today + timedelta(days=days(today)) for name, days in _DAYS if name.search(said)), None)


def _ordered(match: re.Match[str], said: str, now: datetime) -> dict[str, str | None]:
    """The parts of "5/6": the month stands first where that is the custom, or where it can only be so."""
    parts: dict[str, str | None] = match.groupdict()
    custom = getattr(now.tzinfo, "key", "") in _MONTH_FIRST and not _GERMAN.search(said)
    last_is_day, first_is_day = int(match["number"]) > MONTHS, int(match["day"]) > MONTHS
    if last_is_day or (custom and not first_is_day):
        parts["day"], parts["number"] = parts["number"], parts["day"]
    if year := parts.get("year"):
        parts["year"] = f"20{year[-2:]}"
    return parts


def _date(parts: dict[str, str | None], today: date) -> date | None:
    """The next day of that name; None where there is none, or it has been."""
    name = parts.get("month")
    month = _MONTHS[name] if name else int(parts.get("number") or 0)
    year, day = int(parts.get("year") or 0), int(parts["day"] or 0)
    years = (year,) if year else range(today.year, today.year + LEAP_DAYS_APART + 1)
    for within, number in product(years, (month,) if month else range(1, MONTHS + 1)):
        if number <= MONTHS and 1 <= day <= monthrange(within, number)[1]:
            found = date(within, number, day)
            if found >= today:
                return found
    return None


def _on(weekday: int) -> Callable[[date], int]:
    """Days to the next `weekday`, never today."""
    return lambda today: (weekday - today.weekday()) % 7 or 7


def _left_until(weekday: int) -> Callable[[date], int]:
    """Days to the `weekday`, none on the day itself."""
    return lambda today: (weekday - today.weekday()) % 7


def _of_next_week(weekday: int) -> Callable[[date], int]:
    return lambda today: 7 + weekday - today.weekday()


def _end_of_month(today: date) -> int:
    return monthrange(today.year, today.month)[1] - today.day


_WEEKDAYS = tuple(
    f"{name}|\\b(?:by|on|until|till|before|bis|am) (?:{short})"
    for name, short in (
        (r"monday|montag(?:morgen|mittag|vormittag|nachmittag|abend)?", "mon|mo"),
        (r"tuesday|dienstag(?:morgen|mittag|vormittag|nachmittag|abend)?", "tues?|di"),
        (r"wednesday|mittwoch(?:morgen|mittag|vormittag|nachmittag|abend)?", "wed|mi"),
        (r"thursday|donnerstag(?:morgen|mittag|vormittag|nachmittag|abend)?", "thu(?:rs?)?|do"),
        (r"friday|freitag(?:morgen|mittag|vormittag|nachmittag|abend)?", "fri|fr"),
        (r"saturday|samstag|sonnabend", "sat|sa"),
        (r"sunday|sonntag", "sun|so"),
    )
)
_NEXT_WEEK = r"next week|nächste[rn]? woche|kommende[rn]? woche"
_DAYS: tuple[tuple[re.Pattern[str], Callable[[date], int]], ...] = (
    (re.compile(r"\b(?:day after tomorrow|übermorgen)\b"), lambda _: 2),
    (re.compile(r"\b(?:today|tonight|this (?:morning|afternoon|evening)|heute)\b"), lambda _: 0),
    *(
        (re.compile(rf"\b(?:{day})\b.*\b(?:{_NEXT_WEEK})\b|\b(?:{_NEXT_WEEK})\b.*\b(?:{day})\b"), _of_next_week(number))
        for number, day in enumerate(_WEEKDAYS)
    ),
    *(
        (re.compile(rf"\b(?:next|nächste[rn]?) (?:{day})\b"), _of_next_week(number))
        for number, day in enumerate(_WEEKDAYS)
    ),
    *((re.compile(rf"\b(?:{day})\b"), _on(number)) for number, day in enumerate(_WEEKDAYS)),
    (re.compile(r"\b(?:tomorrow|morgen)\b"), lambda _: 1),
    (re.compile(rf"\b(?:{_END})\b"), lambda _: 0),
    (re.compile(rf"\b(?:{_NEXT_WEEK})\b"), _of_next_week(FRIDAY)),
    (re.compile(r"\b(?:weekend|wochenende)\b"), _left_until(SUNDAY)),
    (re.compile(r"\b(?:end of (?:the )?week|this week|diese[rn]? woche)\b"), _left_until(FRIDAY)),
    (re.compile(r"\b(?:(?:end of (?:the|this)|this) month|ende des monats|monatsende|diesen monat)\b"), _end_of_month),
)

_SOON = re.compile(
    r"\b(?:shortly|soon(?! as (?!possible))|in a (?:moment|minute|bit)|asap|right away|immediately|straight away|gleich"
    r"|bald|umgehend|sofort|in kürze|so schnell wie möglich|zeitnah)\b"
)
