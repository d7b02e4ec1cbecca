"""`{% load media %}{% proxied url as src %}`: a stranger's picture, by way of our own proxy."""

from __future__ import annotations

from django import template

from channels_ingest.media import proxied as address_of

register = template.Library()


@register.simple_tag
def proxied(url: str | None) -> str:
    """Our address of that picture; empty for what cannot be one."""
    return address_of(url or "")
