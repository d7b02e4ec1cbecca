"""The addresses of the inbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import path

from conversations import group_views, item_views, timeline_views, views

if TYPE_CHECKING:
    from django.urls import URLPattern

urlpatterns: list[URLPattern] = [
    path("", views.inbox_page, name="inbox"),
    path("rows/", views.rows, name="rows"),
    path("threads/<int:pk>/", views.thread_page, name="thread"),
    path("threads/<int:pk>/now/", views.thread_now, name="thread-now"),
    path("threads/<int:pk>/replies/", views.replies, name="replies"),
    path("threads/<int:pk>/length/", views.length, name="length"),
    path("threads/<int:pk>/assignment/", views.assignment, name="assignment"),
    path("threads/<int:pk>/snooze/", views.snooze, name="snooze"),
    path("threads/<int:pk>/close/", views.closing, name="close"),
    path("threads/<int:pk>/reopen/", views.reopening, name="reopen"),
    path("threads/<int:pk>/items/<int:item_pk>/", item_views.item_page, name="item"),
    path("threads/<int:pk>/items/<int:item_pk>/moderation/", item_views.moderation_of, name="moderation"),
    path("threads/<int:pk>/items/<int:item_pk>/fork/", group_views.forking, name="fork"),
    path("threads/<int:pk>/grouping/", group_views.grouping, name="grouping"),
    path("threads/<int:pk>/grouping/join/", group_views.joining, name="join"),
    path("threads/<int:pk>/grouping/<int:journal_pk>/undo/", group_views.grouping_undo, name="grouping-undo"),
    path("deliveries/<int:pk>/undo/", views.undo, name="undo"),
    path("deliveries/<int:pk>/retry/", views.retry, name="retry"),
    path("deliveries/<int:pk>/decision/", views.decide, name="decide"),
    path("contacts/<int:pk>/timeline/", timeline_views.contact_timeline, name="contact-timeline"),
]
