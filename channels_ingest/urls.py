from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import path

from channels_ingest import webhooks

if TYPE_CHECKING:
    from django.urls import URLPattern

urlpatterns: list[URLPattern] = [
    path("hooks/<slug:network_key>/<str:hook_id>/", webhooks.hook, name="hook"),
]
