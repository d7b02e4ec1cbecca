"""The inbox and the thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.access import requires
from accounts.roles import Permission

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


@requires(Permission.READ)
@require_safe
def inbox(request: HttpRequest) -> HttpResponse:
    """The list of threads."""
    return render(request, "conversations/inbox.html", {"section": "inbox"})
