"""The two fragments that a page draws fifty times and more: a row of the list, and an item of a thread.

They are Jinja2 templates (`*.jinja`): compiled to Python, they cost a tenth of what Django's cost, and these two were
most of what the inbox cost. Everything else is Django's. The same filters are known in both.
"""

from __future__ import annotations

from functools import cache, lru_cache, partial
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.template.defaultfilters import date, floatformat, truncatechars
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import get_language, gettext, ngettext
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from channels_ingest.media import proxied
from conversations.templatetags import inbox as words

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from django.utils.safestring import SafeString


def draw(template: str, part: str, **values: Any) -> str:
    """What the macro `part` of a template makes of these values, and of no others. It is escaped, and knows that it is.

    Raises what Jinja2 raises for a value that is not there.
    """
    drawn: str = _macro(get_language(), template, part)(**values)
    return drawn


class _Words(dict[str, str]):
    """The product's words in one language, each looked up once. That language must be the active one."""

    def __missing__(self, text: str) -> str:
        self[text] = said = gettext(text)
        return said


def _macro(language: str | None, template: str, part: str) -> Callable[..., str]:
    drawing: Callable[..., str] = getattr(_environment(language).get_template(template).module, part)
    return drawing


@cache
def _environment(language: str | None) -> Environment:
    """The templates in a language."""
    known = Environment(
        loader=FileSystemLoader(settings.BASE_DIR / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=settings.DEBUG,
    )
    known.globals.update(
        _=_Words().__getitem__, ngettext=ngettext, icon=_icon, proxied=_proxied, foreign=words.foreign, url=_url
    )  # fmt: skip
    known.filters.update(
        ago=partial(words.ago, language=language),
        since=partial(words.since, language=language),
        reach=partial(words.reach, language=language),
        said=words.said,
        web_only=words.web_only,
        iso=_iso,
        clock=_clock,
        moment=_moment,
        floatformat=floatformat,
        truncatechars=truncatechars,
    )
    return known


@cache
def _icon(name: str) -> SafeString:
    return format_html(
        '<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        static("img/icons.svg"),
        name,
    )


@lru_cache(maxsize=20_000)
def _url(name: str, *args: int) -> str:
    return reverse(name, args=args)


@lru_cache(maxsize=20_000)
def _proxied(address: str) -> str:
    return proxied(address)


def _iso(moment: datetime) -> str:
    return moment.isoformat()


def _clock(moment: datetime) -> str:
    return f"{timezone.localtime(moment):%H:%M}"


def _moment(moment: datetime, how: str = "j M H:i") -> str:
    return str(date(timezone.localtime(moment), how))
