"""`{% load networks %}`: a network's name, badge and icon by its key. A network this install lost keeps its key."""

from __future__ import annotations

from django import template
from django.templatetags.static import static
from django.utils.translation import gettext, gettext_noop

from channels_ingest.checks import icon_path
from channels_ingest.networks import networks

register = template.Library()
# the names of the streams that networks have; another one is called by its key
STREAMS = {
    "comments": gettext_noop("comments"),
    "conversations": gettext_noop("conversations"),
    "mentions": gettext_noop("mentions"),
    "messages": gettext_noop("messages"),
    "posts": gettext_noop("posts"),
    "search": gettext_noop("search"),
}


@register.filter
def stream_name(key: str) -> str:
    return gettext(STREAMS[key]) if key in STREAMS else key


@register.filter
def network_name(key: str) -> str:
    found = networks().get(key)
    return found.name if found else key


@register.filter
def network_badge(key: str) -> str:
    found = networks().get(key)
    return found.badge if found else key[:2]


@register.filter
def network_icon(key: str) -> str:
    """The icon's address; empty for a network that has none here."""
    return static(icon_path(key)) if key in networks() else ""
