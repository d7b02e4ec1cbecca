"""Times are stored in UTC and shown in the zone of whoever looks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils import timezone

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


def own_time_zone(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware; stands below authentication."""

    def answer(request: HttpRequest) -> HttpResponse:
        zone = _zone(request.user.time_zone) if request.user.is_authenticated else None
        with timezone.override(zone):
            return get_response(request)

    return answer


def _zone(name: str) -> ZoneInfo | None:
    """None, which means UTC, for a zone this machine does not know."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return None
