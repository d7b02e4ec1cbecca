"""The two fragments that a page draws fifty times and more: a row of the list, and an item of a thread.

They are Jinja2 templates (`*.jinja`): compiled to Python, they cost a tenth of what Django's cost, and these two were
most of what the inbox cost. Everything else is Django's. The same filters are known in both.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.template.defaultfilters import date, floatformat, truncatechars
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from channels_ingest.media import proxied
from conversations.templatetags import inbox as words

if TYPE_CHECKING:
    from datetime import datetime


def draw(template: str, part: str, **values: Any) -> str:
    """What the macro `part` of a template makes of these values, and of no others. It is escaped, and knows that it is.

    Raises what Jinja2 raises for a value that is not there.
    """
    drawn: str = getattr(_environment().get_template(template).module, part)(**values)
    return drawn


@cache
def _environment() -> Environment:
    known = Environment(
        loader=FileSystemLoader(settings.BASE_DIR / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=settings.DEBUG,
    )
    known.globals.update(_=gettext, ngettext=ngettext, static=static, proxied=_proxied, foreign=words.foreign, url=_url)
    known.filters.update(
        ago=words.ago,
        since=words.since,
        reach=words.reach,
        said=words.said,
        web_only=words.web_only,
        iso=_iso,
        clock=_clock,
        moment=_moment,
        floatformat=floatformat,
        truncatechars=truncatechars,
    )
    return known


@lru_cache(maxsize=20_000)
def _url(name: str, *args: int) -> str:
    return reverse(name, args=args)


@lru_cache(maxsize=20_000)
def _proxied(address: str) -> str:
    return proxied(address)


def _iso(moment: datetime) -> str:
    return timezone.localtime(moment).isoformat()


def _clock(moment: datetime) -> str:
    return f"{timezone.localtime(moment):%H:%M}"


def _moment(moment: datetime, how: str = "j M H:i") -> str:
    return str(date(timezone.localtime(moment), how))
