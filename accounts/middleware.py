"""Times are stored in UTC and shown in the zone of whoever looks; words stand in the language of their choice."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from django.utils import timezone, translation

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


def own_time_zone(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware; stands below authentication."""

    def answer(request: HttpRequest) -> HttpResponse:
        zone = request.user.zone if request.user.is_authenticated else None
        with timezone.override(zone):
            return get_response(request)

    return answer


def own_language(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware; stands below authentication. Without a choice it stays what the browser asked for."""

    def answer(request: HttpRequest) -> HttpResponse:
        chosen = request.user.language if request.user.is_authenticated else ""
        if not chosen:
            return get_response(request)
        with translation.override(chosen):
            response = get_response(request)
            response.headers.setdefault("Content-Language", chosen)
            return response

    return answer
