"""How the inbox writes texts, times and numbers."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from django import template
from django.utils import formats, timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from conversations.languages import language_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.utils.safestring import SafeString

    from accounts.models import User
    from conversations.models import Interaction
    from conversations.wanted import Wanted

register = template.Library()

_ADDRESS = re.compile(r"https?://[^\s<>\"'`\u0000-\u001f\u007f\u202a-\u202e\u2066-\u2069]+", re.IGNORECASE)
_ENDINGS = ".,:;!?…*_~،؛؟。，、！？：；»”’」』》"
LONGEST_SHOWN = 60
YEAR_IS_CLEAR = timedelta(days=300)  # which year a day without one is in
UNSURE = ("und", "unsure", "unknown", "zxx", "qme", "qst", "art")  # no language


@register.filter
def fields_without(wanted: Wanted, names: str) -> SafeString:
    """The list that is wanted as hidden fields of a form, without those that the form asks for itself."""
    fields = ((name, value) for name, value in wanted.fields.items() if name not in names.split())
    return format_html_join("", '<input type="hidden" name="{}" value="{}">', fields)


@register.filter
def said(text: str) -> SafeString:
    """A stranger's text: escaped, with its http and https addresses as links that give nothing away."""
    return format_html_join("", "{}", ((piece,) for piece in _pieces(text)))


def _pieces(text: str) -> Iterator[str | SafeString]:
    end = 0
    for match in _ADDRESS.finditer(text):
        address = _trimmed(match.group())
        if len(address) <= len("https://"):
            continue
        yield text[end : match.start()]
        yield _link(address)
        end = match.start() + len(address)
    yield text[end:]


def _trimmed(address: str) -> str:
    """Without the punctuation of the sentence around it, and without a bracket that it did not open."""
    while address and (address[-1] in _ENDINGS or _closes_nothing(address)):
        address = address[:-1]
    return address


def _closes_nothing(address: str) -> bool:
    opening = {")": "(", "]": "["}.get(address[-1])
    return opening is not None and address.count(opening) < address.count(address[-1])


def _link(address: str) -> SafeString:
    shown = address.split("//", 1)[1]
    if len(shown) > LONGEST_SHOWN:
        shown = shown[: LONGEST_SHOWN - 1] + "…"
    return format_html(
        '<a href="{}" title="{}" rel="nofollow noopener noreferrer ugc" target="_blank">{}</a>', address, address, shown
    )


# `language` in the next ones is the active language, for callers who draw much and know it: asking for it takes long.


@register.filter
def ago(moment: datetime | None, language: str | None = None) -> str:
    """How long ago, in one short word or two; the date after a week."""
    if moment is None:
        return ""
    passed = timezone.now() - moment
    if passed < timedelta(minutes=1):
        return _("now")
    if passed >= timedelta(days=7):
        day = timezone.localtime(moment).date()
        return _day(day, "DAY_FORMAT" if passed < YEAR_IS_CLEAR else "MONTH_FORMAT", language or get_language())
    return span(passed, language)


@lru_cache(maxsize=4_000)
def _day(day: date, how: str, _language: str | None) -> str:
    """In the active language, which is named so that each is kept apart."""
    return formats.date_format(day, how)


@register.filter
def until(moment: datetime, name: str) -> str:
    """Day and time in the format of this name, with the year where the nearest such day is another one."""
    far = abs(moment - timezone.now()) >= YEAR_IS_CLEAR
    return formats.date_format(timezone.localtime(moment), f"{name}_YEAR_TIME_FORMAT" if far else f"{name}_TIME_FORMAT")


@register.filter
def since(moment: datetime | None, language: str | None = None) -> str:
    """How much time has passed, never as a date."""
    return span(timezone.now() - moment, language) if moment else ""


def span(passed: timedelta, language: str | None = None) -> str:
    return _span(max(int(passed.total_seconds() // 60), 1), language or get_language())


@lru_cache(maxsize=10_000)
def _span(minutes: int, _language: str | None) -> str:
    """In the active language, which is named so that each is kept apart."""
    if minutes < 60:
        return _("%(count)d min") % {"count": minutes}
    if minutes < 24 * 60:
        return _("%(count)d h") % {"count": minutes // 60}
    return _("%(count)d d") % {"count": minutes // (24 * 60)}


@register.filter
def reach(count: int | None, language: str | None = None) -> str:
    """A number of people in at most five signs: 950, 18.2k, 1.3M; with the comma of the language."""
    return "" if count is None else _reach(count, language or get_language())


@lru_cache(maxsize=10_000)
def _reach(count: int, _language: str | None) -> str:
    for size, sign in ((1_000_000_000, "B"), (1_000_000, "M"), (1_000, "k")):
        if count >= size:
            value = count / size
            short = f"{value:.0f}" if value >= 100 else f"{value:.1f}".removesuffix(".0")
            return short.replace(".", formats.get_format("DECIMAL_SEPARATOR")) + sign
    return str(count)


@register.filter
def web_only(address: str) -> str:
    """The address if it leads to the web, `#` for any other (javascript:, data:...)."""
    return address if address.lower().startswith(("https://", "http://")) else "#"


register.filter("language", language_name)


@register.simple_tag
def foreign(item: Interaction, user: User) -> str:
    """The name of the language an item is written in, where its reader does not list that one; empty otherwise."""
    code = item.language.split("-")[0].lower()
    if not user.languages or not code or code in UNSURE or code in user.languages:
        return ""
    return language_name(code)
