"""Small parts that every page uses."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django import template
from django.conf import settings
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language

from scrm.places import places_of

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.utils.safestring import SafeString

MOST_KEPT = 1_000
Plain = str | int | dict[str, bool] | None
_PLAIN = (str, int, bool, dict, type(None))  # whose values are equal where they read alike

register = template.Library()
_kept: dict[tuple[str, str | None, str], SafeString] = {}


@register.simple_tag
@cache
def icon(name: str) -> SafeString:
    """A drawing of the sprite `static/img/icons.svg`, silent for screen readers."""
    return format_html(
        '<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        static("img/icons.svg"),
        name,
    )


register.simple_tag(places_of)


@register.filter
def came_from(request: HttpRequest) -> str:
    """The page of ours that the request was made on, as far as the browser tells; empty for any other."""
    told = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(told, {request.get_host()}, require_https=request.is_secure()):
        return ""
    path, query = urlsplit(told).path, urlsplit(told).query
    return "/" + path.lstrip("/") + (f"?{query}" if query else "")


@register.filter
def words_sent(request: HttpRequest) -> str:
    """The text that was typed into a form of ours; nothing of what another site sends in somebody's name."""
    return request.POST.get("text", "") if came_from(request) else ""


@register.simple_tag
def kept(name: str, **values: Plain) -> SafeString:
    """A template drawn with these values and nothing else: no request, no user, no token. So it is the same for
    everybody who has the same values, is drawn once for each of them and each language, and kept in memory.

    Raises TypeError for a value that is not plain.
    """
    if any(type(value) not in _PLAIN for value in values.values()):
        raise TypeError(f"{name} can be kept for plain values alone.")
    key = name, get_language(), repr(sorted(values.items()))
    drawn = _kept.get(key)
    if drawn is None or settings.DEBUG:
        if len(_kept) >= MOST_KEPT:
            _kept.clear()
        drawn = _kept[key] = render_to_string(name, values)
    return drawn
