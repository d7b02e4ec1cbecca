"""Pictures of answers: put in, taken out, looked at."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access import requires
from accounts.ids import id_of
from accounts.roles import Permission
from conversations import attachments
from conversations.actions import NotPossible
from conversations.composer import Composer
from conversations.forms import pictures_in
from conversations.models import Attachment, Thread
from conversations.pages import Request, thread_of
from conversations.views import compose

KEPT_SECONDS = 3600  # by the browser


@requires(Permission.REPLY)
@require_POST
def put_in(request: Request, pk: int) -> HttpResponse:
    """Takes a picture in; it stands below the text until it is sent or removed."""
    thread = thread_of(request, pk)
    attachments.describe(thread, by=request.user, words=pictures_in(request.POST))
    given = request.FILES.get("file")
    if given is None:
        return _again(request, thread, _("Choose a picture first."))
    try:
        attachments.keep(thread, by=request.user, given=given)
    except NotPossible as refused:
        return _again(request, thread, str(refused))
    return _again(request, thread)


@requires(Permission.REPLY)
@require_POST
def take_out(request: Request, pk: int) -> HttpResponse:
    """Removes a picture that was not sent."""
    thread = thread_of(request, pk)
    attachments.describe(thread, by=request.user, words=pictures_in(request.POST))
    if unwanted := id_of(request.POST.get("unwanted")):
        attachments.drop(thread, by=request.user, pk=unwanted)
    return _again(request, thread)


def _again(request: Request, thread: Thread, problem: str = "") -> HttpResponse:
    """The pictures alone for htmx, so that typing goes on; else the page with all that was typed."""
    if not request.htmx:
        return compose(request, thread, Composer.again(thread, request.user, request.POST, problem=problem))
    composer = Composer.fresh(thread, request.user)
    context: dict[str, Any] = {"thread": thread, "composer": composer, "picture_problem": problem}
    return render(request, "conversations/_pictures.html", context)


@requires(Permission.READ)
@require_safe
def picture(request: Request, pk: int) -> HttpResponse:
    """The bytes of a picture of a thread that the user may see: as a picture, and as nothing else."""
    visible = Thread.objects.visible_to(request.user).values("pk")
    found = get_object_or_404(Attachment, pk=pk, thread__in=visible, content_type__in=attachments.KINDS)
    response = HttpResponse(bytes(found.content), content_type=found.content_type)
    response.headers["Cache-Control"] = f"private, max-age={KEPT_SECONDS}"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers["Content-Disposition"] = "inline"
    return response
