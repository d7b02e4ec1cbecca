"""What people change below the head of a thread: tags, promises, and what was understood."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access import requires
from accounts.choosing import MOST_PROPOSED, words_typed
from accounts.keyset import page
from accounts.roles import Permission
from contacts.models import Tag
from conversations import bulk, macros, promises, readings
from conversations.actions import NotPossible
from conversations.forms import PromiseForm, TagForm
from conversations.models import Interaction, Promise
from conversations.pages import Answer, Request, done, errors_of, thread_of


@requires(Permission.REPLY)
@require_POST
def tags(request: Request, pk: int) -> HttpResponse:
    """Adds a tag, or takes the one named in `remove` off."""
    thread = thread_of(request, pk)
    if removed := request.POST.get("remove"):
        with bulk.journal(thread, "untag", by=request.user):
            macros.untag_thread(thread, name=removed[:50], by=request.user)
        return done(request, thread, Answer(_("The tag is off.")))
    form = TagForm(request.POST)
    if not form.is_valid():
        return done(request, thread, Answer(errors_of(form), refused=True))
    try:
        with bulk.journal(thread, "tag", by=request.user):
            macros.tag_thread(thread, names=[form.cleaned_data["name"]], by=request.user)
    except NotPossible as refused:
        return done(request, thread, Answer(str(refused), refused=True))
    return done(request, thread, Answer(_("Tagged.")))


@requires(Permission.READ)
@require_safe
def known_tags(request: Request) -> HttpResponse:
    """The tags whose names hold the words, as choices of an input."""
    found = Tag.objects.filter(name__icontains=words_typed(request)).order_by("name")[:MOST_PROPOSED]
    return render(request, "forms/_options.html", {"options": [(tag.name, "") for tag in found]})


@requires(Permission.REPLY)
@require_POST
def reading(request: Request, pk: int) -> HttpResponse:
    """Corrects what was understood of an inbound item."""
    items = Interaction.objects.visible_to(request.user).filter(thread__isnull=False).select_related("channel")
    item = get_object_or_404(items, pk=pk)
    thread = thread_of(request, item.thread_id or 0)
    kind, value = request.POST.get("kind", ""), request.POST.get("value", "")
    try:
        readings.correct(item, kind=kind, value=value, by=request.user)
    except NotPossible as refused:
        return done(request, thread, Answer(str(refused), refused=True))
    return done(request, thread, Answer(_("Thank you, noted.")))


@requires(Permission.REPLY)
@require_POST
def settle(request: Request, pk: int) -> HttpResponse:
    """A promise was kept, broken, or is withdrawn with a reason."""
    promise = get_object_or_404(Promise.objects.visible_to(request.user).select_related("thread"), pk=pk)
    thread = thread_of(request, promise.thread_id)
    form = PromiseForm(request.POST)
    if not form.is_valid():
        return done(request, thread, Answer(errors_of(form), refused=True))
    try:
        promises.settle(promise, by=request.user, **form.cleaned_data)
    except NotPossible as refused:
        return done(request, thread, Answer(str(refused), refused=True))
    return done(request, thread, Answer(_("Noted.")))


@requires(Permission.READ)
@require_safe
def promises_page(request: Request) -> HttpResponse:
    """All open promises of the brands somebody sees, the next due first; how many were kept, for those with reports."""
    visible = Promise.objects.visible_to(request.user)
    still_open = visible.filter(state=Promise.State.OPEN)
    whose = "mine" if request.GET.get("whose") == "mine" else "all"
    shown = still_open.filter(owner=request.user) if whose == "mine" else still_open
    rows = shown.select_related("owner", "thread__contact", "thread__identity", "thread__channel", "thread__brand")
    rate = promises.kept_rate(visible) if request.user.may(Permission.REPORTS) else None
    context = {
        "section": "promises",
        "whose": whose,
        "page": page(rows, by=("due_at", "id"), after=request.GET.get("after", "")),
        "kept_percent": None if rate is None else round(100 * rate),
        "rated_days": promises.RATED_DAYS,
    }
    return render(request, "conversations/promises.html", context)
