"""What may be done with one item of a thread beyond answering it: a page of plain forms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access import requires
from accounts.roles import Permission
from conversations import blocking, helpers, moderation
from conversations.actions import NotPossible
from conversations.models import Interaction, Thread
from conversations.pages import Request

if TYPE_CHECKING:
    from collections.abc import Callable


@requires(Permission.REPLY)
@require_safe
def item_page(request: Request, pk: int, item_pk: int) -> HttpResponse:
    """The item, and each step that may be taken with it, or why it may not."""
    thread, item = load_item(request, pk, item_pk)
    may_moderate = request.user.may(Permission.MODERATE)
    context = {
        "section": "inbox",
        "thread": thread,
        "item": item,
        "may_help": helpers.may_help(item, thread),
        "deeds": moderation.deeds(item) if may_moderate else [],
        "blocked": blocking.told(item.author_id, thread.brand_id) if may_moderate and item.author_id else [],
    }
    return render(request, "conversations/item.html", context)


@requires(Permission.READ)
@require_safe
def interaction(request: Request, pk: int) -> HttpResponse:
    """Leads to where it stands in its thread."""
    items = Interaction.objects.visible_to(request.user).filter(thread__isnull=False)
    item = get_object_or_404(items, pk=pk)
    return HttpResponseRedirect(reverse("thread", args=[item.thread_id]) + f"#i{item.pk}")


@requires(Permission.MODERATE)
@require_POST
def moderation_of(request: Request, pk: int, item_pk: int) -> HttpResponse:
    """Hides, deletes or reports the item."""
    thread, item = load_item(request, pk, item_pk)
    why = request.POST.get("why", "")
    if moderation.is_done(item, request.POST.get("deed", "")):
        messages.info(request, _("This is done already."))
        return HttpResponseRedirect(reverse("item", args=[thread.pk, item.pk]))
    return _step(
        request,
        thread,
        item,
        lambda: moderation.moderate(item, deed=request.POST.get("deed", ""), by=request.user, why=why),
    )


def _step(request: Request, thread: Thread, item: Interaction, do: Callable[[], str]) -> HttpResponse:
    """Takes the step and goes back to the thread, or to the page of the item with the reason why not."""
    try:
        words = do()
    except NotPossible as refused:
        messages.error(request, str(refused))
        return HttpResponseRedirect(reverse("item", args=[thread.pk, item.pk]))
    messages.success(request, words)
    return HttpResponseRedirect(reverse("thread", args=[thread.pk]))


def load_item(request: Request, pk: int, item_pk: int) -> tuple[Thread, Interaction]:
    """A thread that the user sees, and an item of the same brand."""
    parts = Thread.objects.select_related("brand", "channel", "identity", "contact")
    thread = get_object_or_404(parts.visible_to(request.user), pk=pk)
    items = Interaction.objects.visible_to(request.user).filter(channel__brand=thread.brand_id)
    related = ("author", "sent_by", "thread", "channel__app")
    return thread, get_object_or_404(items.select_related(*related), pk=item_pk)
