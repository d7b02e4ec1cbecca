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
    user = getattr(request, "user", None)  # a request refused by an early middleware has none
    signed_in = user is not None and user.is_authenticated
    return {
        "sandbox_url": settings.SANDBOX_URL,
        "may": {permission.value: True for permission in MATRIX.get(user.role, ())} if signed_in else {},
        "theme": theme_of(request),
    }
