"""Where an address leads that only takes forms, when somebody opens or reloads it: to the page above it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import Resolver404, get_script_prefix, resolve

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse


def lead_to_pages(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware; stands below authentication. Programs and htmx, which ask wrongly then, are told so by 405."""

    def answer(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if not isinstance(response, HttpResponseNotAllowed) or not _is_opened(request):
            return response
        query = request.META.get("QUERY_STRING", "")
        return HttpResponseRedirect(page_above(request.path_info) + (f"?{query}" if query else ""))

    return answer


def _is_opened(request: HttpRequest) -> bool:
    return request.method in ("GET", "HEAD") and request.user.is_authenticated and "HX-Request" not in request.headers


def page_above(path: str) -> str:
    """The nearest address above this one that there is. It may take only forms itself, and leads on then."""
    parts = path.strip("/").split("/")
    above = ("/".join(["", *parts[:length], ""]) for length in range(len(parts) - 1, 0, -1))
    return get_script_prefix().rstrip("/") + next(filter(_is_there, above), "/")


def _is_there(path: str) -> bool:
    try:
        resolve(path)
    except Resolver404:
        return False
    return True
