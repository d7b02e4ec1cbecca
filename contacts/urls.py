"""The addresses of the people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import path

from contacts import views

if TYPE_CHECKING:
    from django.urls import URLPattern

urlpatterns: list[URLPattern] = [
    path("contacts/", views.contacts, name="contacts"),
    path("contacts/<int:pk>/", views.contact, name="contact"),
    path("contacts/<int:pk>/details/", views.details, name="contact-details"),
    path("contacts/<int:pk>/tags/", views.tags, name="contact-tags"),
    path("contacts/<int:pk>/tags/<int:tag_pk>/removal/", views.tag_remove, name="contact-tag-remove"),
    path("contacts/<int:pk>/notes/", views.notes, name="contact-notes"),
    path("contacts/<int:pk>/notes/<int:note_pk>/removal/", views.note_delete, name="contact-note-delete"),
    path("contacts/<int:pk>/merge/", views.merge_search, name="contact-merge-search"),
    path("contacts/<int:pk>/merge/<int:other_pk>/", views.merge, name="contact-merge"),
    path("contacts/<int:pk>/merges/<int:merge_pk>/undo/", views.merge_undo, name="contact-merge-undo"),
]
