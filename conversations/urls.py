"""The addresses of the inbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import path

from conversations import (
    approval_views,
    article_views,
    bulk_views,
    composer_views,
    fact_views,
    group_views,
    item_views,
    macro_views,
    notice_views,
    saved_views,
    timeline_views,
    views,
)

if TYPE_CHECKING:
    from django.urls import URLPattern

urlpatterns: list[URLPattern] = [
    path("", views.inbox_page, name="inbox"),
    path("rows/", views.rows, name="rows"),
    path("bulk/", bulk_views.bulk_steps, name="bulk"),
    path("bulk/<int:pk>/", bulk_views.bulk_job, name="bulk-job"),
    path("bulk/<int:pk>/undo/", bulk_views.bulk_undo, name="bulk-undo"),
    path("views/new/", saved_views.new_view, name="saved-view"),
    path("views/<int:pk>/delete/", saved_views.drop_view, name="saved-view-drop"),
    path("palette/", bulk_views.palette, name="palette"),
    path("undo/", bulk_views.undo_last, name="undo-last"),
    path("threads/<int:pk>/", views.thread_page, name="thread"),
    path("threads/<int:pk>/now/", views.thread_now, name="thread-now"),
    path("threads/<int:pk>/replies/", views.replies, name="replies"),
    path("threads/<int:pk>/check/", composer_views.check, name="check"),
    path("threads/<int:pk>/draft/", composer_views.draft, name="draft"),
    path("threads/<int:pk>/macros/", composer_views.macro_choice, name="macro-choice"),
    path("threads/<int:pk>/macros/insert/", composer_views.insert_macro, name="insert-macro"),
    path("threads/<int:pk>/steps/", composer_views.steps, name="steps"),
    path("threads/<int:pk>/lane/", composer_views.move, name="move"),
    path("threads/<int:pk>/tags/", fact_views.tags, name="thread-tags"),
    path("threads/<int:pk>/reach/", composer_views.reachable, name="reach"),
    path("tags/", fact_views.known_tags, name="known-tags"),
    path("interactions/<int:pk>/reading/", fact_views.reading, name="reading"),
    path("promises/", fact_views.promises_page, name="promises"),
    path("promises/<int:pk>/", fact_views.settle, name="promise"),
    path("macros/", macro_views.macro_list, name="macros"),
    path("macros/new/", macro_views.new_macro, name="macro-new"),
    path("macros/<int:pk>/", macro_views.edit_macro, name="macro"),
    path("macros/<int:pk>/deletion/", macro_views.delete_macro, name="macro-delete"),
    path("threads/<int:pk>/assignment/", views.assignment, name="assignment"),
    path("threads/<int:pk>/claim/", views.claiming, name="claim"),
    path("threads/<int:pk>/snooze/", views.snooze, name="snooze"),
    path("threads/<int:pk>/close/", views.closing, name="close"),
    path("threads/<int:pk>/reopen/", views.reopening, name="reopen"),
    path("threads/<int:pk>/items/<int:item_pk>/", item_views.item_page, name="item"),
    path("threads/<int:pk>/items/<int:item_pk>/moderation/", item_views.moderation_of, name="moderation"),
    path("threads/<int:pk>/items/<int:item_pk>/fork/", group_views.forking, name="fork"),
    path("threads/<int:pk>/grouping/", group_views.grouping, name="grouping"),
    path("threads/<int:pk>/grouping/join/", group_views.joining, name="join"),
    path("threads/<int:pk>/grouping/<int:journal_pk>/undo/", group_views.grouping_undo, name="grouping-undo"),
    path("threads/<int:pk>/names/", notice_views.names, name="names"),
    path("notifications/", notice_views.notices, name="notices"),
    path("notifications/count/", notice_views.notice_count, name="notice-count"),
    path("notifications/read/", notice_views.notices_read, name="notices-read"),
    path("profile/notifications/", notice_views.notice_settings, name="notice-settings"),
    path("threads/<int:pk>/items/<int:item_pk>/credit/", article_views.crediting, name="credit"),
    path("articles/", article_views.articles, name="articles"),
    path("articles/<int:pk>/", article_views.article, name="article"),
    path("articles/<int:pk>/step/", article_views.article_step, name="article-step"),
    path("contacts/<int:pk>/credits/", article_views.contact_credits, name="contact-credits"),
    path("approvals/", approval_views.approvals, name="approvals"),
    path("approvals/<int:pk>/approval/", approval_views.approving, name="approve"),
    path("approvals/<int:pk>/refusal/", approval_views.refusing, name="refuse"),
    path("deliveries/<int:pk>/undo/", views.undo, name="undo"),
    path("deliveries/<int:pk>/retry/", views.retry, name="retry"),
    path("deliveries/<int:pk>/decision/", views.decide, name="decide"),
    path("contacts/<int:pk>/timeline/", timeline_views.contact_timeline, name="contact-timeline"),
]
