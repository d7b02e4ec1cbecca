from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import path

from accounts import views

if TYPE_CHECKING:
    from django.urls import URLPattern

urlpatterns: list[URLPattern] = [
    path("sign-in/", views.sign_in, name="sign-in"),
    path("sign-out/", views.sign_out, name="sign-out"),
    path("password/change/", views.password_change, name="password-change"),
    path("password/reset/", views.password_reset, name="password-reset"),
    path("password/reset/sent/", views.password_reset_sent, name="password-reset-sent"),
    path("password/set/<uidb64>/<token>/", views.password_set, name="password-set"),
    path("profile/", views.profile, name="profile"),
    path("profile/keys/", views.api_keys, name="api-keys"),
    path("profile/keys/<int:pk>/revocation/", views.revoke_api_key, name="api-key-revoke"),
    path("roles/", views.roles, name="roles"),
    path("people/", views.people, name="people"),
    path("people/new/", views.person_new, name="person-new"),
    path("people/<int:pk>/", views.person, name="person"),
    path("people/<int:pk>/invitation/", views.person_invite, name="person-invite"),
    path("brands/", views.brands, name="brands"),
    path("brands/new/", views.brand, name="brand-new"),
    path("brands/<int:pk>/", views.brand, name="brand"),
    path("brands/<int:brand_pk>/teams/new/", views.team, name="team-new"),
    path("brands/<int:brand_pk>/teams/<int:pk>/", views.team, name="team"),
    path("brands/<int:brand_pk>/teams/<int:pk>/removal/", views.team_remove, name="team-remove"),
    path("known/brands/", views.known_brands, name="known-brands"),
    path("known/teams/", views.known_teams, name="known-teams"),
    path("known/people/", views.known_people, name="known-people"),
    path("audit/", views.audit_log, name="audit-log"),
]
