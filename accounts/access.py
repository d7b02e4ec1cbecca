"""Every route says who may use it: a permission of the role matrix, anybody signed in, or the public."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.views.decorators.http import require_http_methods

if TYPE_CHECKING:
    from django.http import HttpResponseBase

    from accounts.models import User
    from accounts.roles import Permission

View = TypeVar("View", bound=Callable[..., Any])


def requires(
    permission: Permission,
) -> Callable[[Callable[..., HttpResponseBase]], Callable[..., HttpResponseBase]]:
    """Lets in only users whose role has the permission; others get 403 (strangers the sign-in page)."""

    def decorate(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        @wraps(view)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated or not request.user.may(permission):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return declared(checked, permission.value)

    return decorate


def signed_in(view: View) -> View:
    """Any user who is signed in (the login middleware sees to it)."""
    return declared(view, "signed in")


def public(view: View) -> View:
    """Anybody: sign-in pages, health, webhooks (which prove themselves by signature)."""
    return declared(login_not_required(view), "public")


# A page with a form that is sent back to it.
form_page = require_http_methods(["GET", "HEAD", "POST"])


def declared(view: View, access: str) -> View:
    view.access = access  # type: ignore[attr-defined]
    return view


class SignedIn(HttpRequest):
    """A request whose user is known, which every view has that is not declared public."""

    user: User
