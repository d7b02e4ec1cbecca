"""Fork, join and taking back, as plain forms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access import requires
from accounts.ids import id_of
from accounts.roles import Permission
from conversations import regroup
from conversations.actions import NotPossible
from conversations.item_views import load_item
from conversations.models import Regrouping, Thread
from conversations.pages import Request, thread_of, visible_threads

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import QuerySet

MOST_OTHERS = 50


@requires(Permission.REPLY)
@require_safe
def grouping(request: Request, pk: int) -> HttpResponse:
    """The other threads of the person, and what was split or joined here."""
    thread = thread_of(request, pk)
    others = _others(request, thread).order_by("-last_activity_at", "-pk")[:MOST_OTHERS]
    context = {"section": "inbox", "thread": thread, "others": others, "journals": regroup.standing_of(thread)}
    return render(request, "conversations/grouping.html", context)


@requires(Permission.REPLY)
@require_POST
def forking(request: Request, pk: int, item_pk: int) -> HttpResponse:
    """Makes an item the beginning of a thread of its own."""
    thread, item = load_item(request, pk, item_pk)
    try:
        forked = regroup.forked_at(item, off=thread) or regroup.fork(item, off=thread, by=request.user)
    except NotPossible as refused:
        messages.error(request, str(refused))
        return HttpResponseRedirect(reverse("item", args=[thread.pk, item.pk]))
    messages.success(request, _("This is a thread of its own now."))
    return HttpResponseRedirect(reverse("thread", args=[forked.pk]))


@requires(Permission.REPLY)
@require_POST
def joining(request: Request, pk: int) -> HttpResponse:
    """Takes another thread of the same person into this one."""
    thread = thread_of(request, pk)
    other = get_object_or_404(_same(request, thread), pk=id_of(request.POST.get("other")))
    if other.joined_into_id == thread.pk:  # sent twice
        return HttpResponseRedirect(reverse("thread", args=[thread.pk]))
    return _step(request, thread, lambda: regroup.join(other, into=thread, by=request.user), _("The two are one now."))


@requires(Permission.REPLY)
@require_POST
def grouping_undo(request: Request, pk: int, journal_pk: int) -> HttpResponse:
    """Takes a fork or a join back."""
    journals = Regrouping.objects.select_related("source", "target")
    thread = thread_of(request, pk)
    journal = get_object_or_404(journals.filter(Q(source=thread) | Q(target=thread)), pk=journal_pk)
    return _step(request, thread, lambda: regroup.take_back(journal, by=request.user), _("All is as it was."))


def _others(request: Request, thread: Thread) -> QuerySet[Thread]:
    others = _same(request, thread).exclude(pk=thread.pk).exclude(state__in=Thread.PUT_AWAY)
    return others.select_related("latest", "channel")


def _same(request: Request, thread: Thread) -> QuerySet[Thread]:
    """All of the person with this brand, also what is put away."""
    return visible_threads(request).filter(contact=thread.contact_id, brand=thread.brand_id)


def _step(request: Request, thread: Thread, do: Callable[[], object], words: str) -> HttpResponse:
    try:
        do()
    except NotPossible as refused:
        messages.error(request, str(refused))
        return HttpResponseRedirect(reverse("grouping", args=[thread.pk]))
    messages.success(request, words)
    return HttpResponseRedirect(reverse("thread", args=[thread.pk]))
