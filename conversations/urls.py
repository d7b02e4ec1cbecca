"""The addresses of the inbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import path

from conversations import views

if TYPE_CHECKING:
    from django.urls import URLPattern

urlpatterns: list[URLPattern] = [
    path("", views.inbox, name="inbox"),
]
