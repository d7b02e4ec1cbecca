"""The product's addresses and one more: a page that does as little as a Django view can."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpResponse
from django.urls import path

from accounts.access import public
from scrm.urls import handler500
from scrm.urls import urlpatterns as all_addresses

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.urls import URLPattern, URLResolver

__all__ = ["handler500", "urlpatterns"]


@public
def bare(_request: HttpRequest) -> HttpResponse:
    return HttpResponse("Well.\n", content_type="text/plain")


urlpatterns: list[URLPattern | URLResolver] = [path("bench/bare/", bare, name="bench-bare"), *all_addresses]
