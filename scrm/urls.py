"""Every address of the product."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import include, path

from scrm.health import health, live
from scrm.shell import choose_theme

if TYPE_CHECKING:
    from django.urls import URLPattern, URLResolver

urlpatterns: list[URLPattern | URLResolver] = [
    path("health/", health, name="health"),
    path("health/ready/", health, name="ready"),
    path("health/live/", live, name="live"),
    path("api/v1/", include("scrm.api")),
    path("theme/", choose_theme, name="theme"),
    path("", include("accounts.urls")),
    path("", include("channels_ingest.urls")),
    path("", include("contacts.urls")),
    path("", include("conversations.urls")),
]

handler500 = "scrm.api.server_error"
