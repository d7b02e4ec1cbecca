"""`{% load networks %}`: a network's name, badge and icon by its key. A network this install lost keeps its key."""

from __future__ import annotations

from django import template
from django.templatetags.static import static

from channels_ingest.checks import icon_path
from channels_ingest.networks import networks

register = template.Library()


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
