"""What every page knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings

from accounts.roles import MATRIX
from scrm.shell import theme_of

if TYPE_CHECKING:
    from django.http import HttpRequest


def shell(request: HttpRequest) -> dict[str, Any]:
    """`may` holds the names of the signed-in user's permissions; `theme` is light, dark or auto."""
    role = getattr(getattr(request, "user", None), "role", "")  # nobody, or refused by an early middleware: none
    return {
        "sandbox_url": settings.SANDBOX_URL,
        "may": dict.fromkeys(MATRIX.get(role, ()), True),
        "theme": theme_of(request),
    }
