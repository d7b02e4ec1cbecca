"""What every page knows."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from django.conf import settings

from accounts.roles import MATRIX, Permission
from channels_ingest.models import Notice
from channels_ingest.notices import MOST_IN_BANNER, open_notices
from conversations import bell
from scrm.shell import theme_of

if TYPE_CHECKING:
    from django.http import HttpRequest


def shell(request: HttpRequest) -> dict[str, Any]:
    """`may` holds the names of the signed-in user's permissions; `theme` is light, dark or auto; `standing` asks for
    the outages that an admin must know of, and `unread` for the number on the bell, where a page shows them."""
    role = getattr(getattr(request, "user", None), "role", "")  # nobody, or refused by an early middleware: none
    return {
        "sandbox_url": settings.SANDBOX_URL,
        "may": dict.fromkeys(MATRIX.get(role, ()), True),
        "theme": theme_of(request),
        "standing": partial(_standing, role),
        "unread": partial(_unread, request),
    }


def _standing(role: str) -> list[Notice]:
    return list(open_notices()[:MOST_IN_BANNER]) if Permission.CHANNELS in MATRIX.get(role, ()) else []


def _unread(request: HttpRequest) -> str:
    return bell.badge_for(request.user) if request.user.is_authenticated else ""
