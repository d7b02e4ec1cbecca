"""The addresses of the inbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import path

from conversations import timeline_views, views

if TYPE_CHECKING:
    from django.urls import URLPattern

urlpatterns: list[URLPattern] = [
    path("", views.inbox, name="inbox"),
    path("contacts/<int:pk>/timeline/", timeline_views.contact_timeline, name="contact-timeline"),
]
