"""The queue of answers that wait for a second pair of eyes."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access import requires
from accounts.ids import id_of
from accounts.keyset import page
from accounts.roles import Permission
from conversations import approval
from conversations.actions import NotPossible
from conversations.models import Approval
from conversations.pages import Request
from conversations.tree import newest_inbound

PAGE_SIZE = 50


@requires(Permission.APPROVE)
@require_safe
def approvals(request: Request) -> HttpResponse:
    """What waits, the longest first, with what it answers."""
    shown = page(_queue(request), by=("asked_at", "id"), after=request.GET.get("after", ""), size=PAGE_SIZE)
    rows = [(one, newest_inbound(one.delivery.thread) or "") for one in shown.rows]
    return render(request, "conversations/approvals.html", {"section": "approvals", "page": shown, "rows": rows})


@requires(Permission.APPROVE)
@require_POST
def approving(request: Request, pk: int) -> HttpResponse:
    """Lets an answer go, as it is or as it was changed in the form."""
    return _decide(request, pk, _("Approved: it is on its way."), seen=id_of(request.POST.get("seen")))


@requires(Permission.APPROVE)
@require_POST
def refusing(request: Request, pk: int) -> HttpResponse:
    """Keeps an answer back, with a reason."""
    return _decide(request, pk, _("Refused: the writer is told why."), refused=True)


def _decide(request: Request, pk: int, words: str, *, seen: int | None = None, refused: bool = False) -> HttpResponse:
    asked = get_object_or_404(_queue(request), pk=pk)
    try:
        if refused:
            approval.refuse(asked, by=request.user, reason=request.POST.get("reason", ""))
        else:
            approval.approve(asked, by=request.user, seen=seen, text=request.POST.get("text"))
    except NotPossible as error:
        messages.error(request, str(error))
    else:
        messages.success(request, words)
    return HttpResponseRedirect(reverse("approvals"))


def _queue(request: Request) -> QuerySet[Approval]:
    parts = ("delivery__interaction__sent_by", "delivery__thread__contact", "delivery__channel__app")
    return approval.waiting(request.user).select_related(*parts, "delivery__answers__author")
