from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import path

from channels_ingest import ledger_views, media, views, webhooks

if TYPE_CHECKING:
    from django.urls import URLPattern

urlpatterns: list[URLPattern] = [
    path("hooks/<slug:network_key>/<str:hook_id>/", webhooks.hook, name="hook"),
    path("media/", media.show, name="media"),
    path("channels/", views.channels, name="channels"),
    path("channels/outages/", ledger_views.outages, name="outages"),
    path("channels/outages/banner/", ledger_views.banner, name="outage-banner"),
    path("channels/new/", views.choose_network, name="channel-new"),
    path("channels/new/sandbox/", views.connect_sandbox, name="connect-sandbox"),
    path("channels/new/<slug:key>/", views.connect_network, name="connect-network"),
    path("channels/<int:pk>/", views.channel, name="channel"),
    path("channels/<int:pk>/keys/", views.renew_keys, name="channel-keys"),
    path("channels/<int:pk>/pause/", views.pause, name="channel-pause"),
    path("channels/<int:pk>/resumption/", views.resume, name="channel-resume"),
    path("channels/<int:pk>/pull/", views.pull_now, name="channel-pull"),
    path("channels/<int:pk>/pushes/", views.ask_for_pushes, name="channel-pushes"),
    path("channels/<int:pk>/pages/", ledger_views.pulled_pages, name="channel-pages"),
    path("channels/<int:pk>/set-aside/", ledger_views.set_aside, name="channel-set-aside"),
    path("channels/<int:pk>/set-aside/<int:item_pk>/settlement/", ledger_views.settle, name="set-aside-settle"),
    path("channels/<int:pk>/events/", ledger_views.events, name="channel-events"),
    path("channels/<int:pk>/events/replay/", ledger_views.replay, name="event-replay"),
    path("channels/<int:pk>/set-aside/<int:item_pk>/try/", ledger_views.try_again, name="set-aside-try"),
]
