"""The queue of answers that wait for a second pair of eyes."""

from __future__ import annotations

from dataclasses import dataclass

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
from conversations.models import Approval, Interaction
from conversations.pages import Request
from conversations.tree import newest_inbound_of

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class Failed:
    """A decision that could not be taken: why, and what was typed."""

    asked: Approval
    why: str
    text: str | None
    reason: str


@requires(Permission.APPROVE)
@require_safe
def approvals(request: Request) -> HttpResponse:
    """What waits, the longest first, with what it answers."""
    return _show(request)


def _show(request: Request, failed: Failed | None = None) -> HttpResponse:
    """The queue; what could not be decided stands first, with what was typed and why."""
    shown = page(_queue(request), by=("asked_at", "id"), after=request.GET.get("after", ""), size=PAGE_SIZE)
    rest = [one for one in shown.rows if failed is None or one.pk != failed.asked.pk]
    asked = [failed.asked, *rest] if failed else rest
    context = {"section": "approvals", "page": shown, "rows": _beside(asked), "failed": failed}
    return render(request, "conversations/approvals.html", context, status=409 if failed else 200)


def _beside(asked: list[Approval]) -> list[tuple[Approval, int | str, Interaction | None]]:
    """Each with the newest of what its customer wrote: its id, and itself where it came after what is answered."""
    newest = newest_inbound_of({one.delivery.thread_id for one in asked})
    told = [(one, newest[one.delivery.thread_id]) for one in asked]
    since = {pk for one, pk in told if pk not in (None, one.delivery.answers_id)}
    items = Interaction.objects.in_bulk(since) if since else {}
    return [(one, pk or "", items.get(pk)) for one, pk in told]


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
    asked = _queue(request).filter(pk=pk).first()
    if asked is None:
        return _decided_before(request, pk)
    text, reason = request.POST.get("text"), request.POST.get("reason", "")
    try:
        if refused:
            approval.refuse(asked, by=request.user, reason=reason)
        else:
            approval.approve(asked, by=request.user, seen=seen, text=text)
    except NotPossible as error:
        return _show(request, Failed(asked, str(error), text, reason))
    messages.success(request, words)
    return HttpResponseRedirect(reverse("approvals"))


def _decided_before(request: Request, pk: int) -> HttpResponse:
    """The form is old, or was sent twice: whoever decided themselves has been told already."""
    theirs = approval.seen_by(request.user).exclude(delivery__interaction__sent_by=request.user)
    if get_object_or_404(theirs, pk=pk).by_id != request.user.pk:
        messages.error(request, _("Somebody decided on this meanwhile."))
    return HttpResponseRedirect(reverse("approvals"))


def _queue(request: Request) -> QuerySet[Approval]:
    parts = ("delivery__interaction__sent_by", "delivery__thread__contact", "delivery__channel__app")
    return approval.waiting(request.user).select_related(*parts, "delivery__answers__author")
