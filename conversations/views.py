"""The inbox: the list, the thread beside it, and what an agent does there.

Every step is a plain form. With htmx the same views answer with fragments, or with 204 and a hint of what to fetch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access import requires
from accounts.choosing import words_typed
from accounts.ids import ids_of
from accounts.roles import Permission
from channels_ingest.models import Channel
from channels_ingest.networks import networks
from conversations import actions, bell, belongings, blocking, bulk, deliver, drafts, inbox
from conversations.actions import KeyUsed, NotPossible
from conversations.answering import answer
from conversations.belongings import NOT_ASKED, Belongings
from conversations.composer import Composer
from conversations.customer import customer_of
from conversations.facts import facts_of
from conversations.forms import AssignForm, CloseForm, ReplyForm, SnoozeForm, Whom
from conversations.mentions import mentions_on
from conversations.models import Delivery, Thread
from conversations.pages import Answer, Request, back, done, errors_of, hint, thread_of
from conversations.quoting import quoted
from conversations.tabs import tabs_and_unread, tabs_of
from conversations.tree import newest_inbound, public_around, tree_of
from conversations.wanted import ORDERS, Wanted

if TYPE_CHECKING:
    from accounts.models import Team, User

MOST_IDS = 200


# -- the list ---------------------------------------------------------------------------------------------------------


@requires(Permission.READ)
@require_safe
def inbox_page(request: Request) -> HttpResponse:
    """The list; with htmx only the rows that follow a cursor."""
    context = _list(request)
    if request.htmx and (request.htmx.target or "").startswith(("older", "t")):
        return render(request, "conversations/_rows.html", context)
    return render(request, "conversations/inbox.html", context)


@requires(Permission.READ)
@require_safe
def rows(request: Request) -> HttpResponse:
    """What became of some threads in the list that the query names: those that belong to it, and the counts."""
    user = request.user
    wanted, brands = Wanted.read(request.GET.dict()), inbox.brand_ids(user)
    ids = ids_of(request.GET.get("ids", "").split(","))
    context = {
        "wanted": wanted,
        "tabs": tabs_of(user, wanted, brands),
        "page": inbox.Page(inbox.still_there(user, wanted, brands, ids[:MOST_IDS]), ""),
    }
    return render(request, "conversations/_list_now.html", context)


def _list(request: Request) -> dict[str, Any]:
    user = request.user
    wanted, brands = Wanted.read(request.GET.dict()), inbox.brand_ids(user)
    page = inbox.page(user, wanted, brands)
    tabs, unread = tabs_and_unread(user, wanted, brands)
    return {
        "section": "inbox",
        "wanted": wanted,
        "tabs": tabs,
        "unread": bell.badge(unread),
        "page": page,
        "problems": inbox.problems(user, wanted, brands, page),
        "networks": networks(),
        "orders": ORDERS,
        "snooze_times": SnoozeForm.USUAL,
        "nothing_connected": lambda: not Channel.objects.visible_to(user).exists(),  # asked where nothing is shown
    }


# -- one thread -------------------------------------------------------------------------------------------------------


@requires(Permission.READ)
@require_safe
def thread_page(request: Request, pk: int) -> HttpResponse:
    """A thread beside the list; with htmx the thread alone, or what came before a cursor."""
    thread = thread_of(request, pk)
    if thread.joined_into_id is not None:
        return HttpResponseRedirect(reverse("thread", args=[thread.joined_into_id]))
    if request.htmx and request.htmx.target == "earlier":
        tree = tree_of(thread, before=request.GET.get("before", ""))
        return render(request, "conversations/_entries.html", {"thread": thread, "tree": tree})
    actions.mark_seen(thread, by=request.user)
    has = belongings.of(thread, request.user)
    composer = Composer.fresh(thread, request.user, request.GET.get("lane", ""), has)
    composer.text += quoted(thread, request.GET.get("quote", ""), request.GET.get("how", ""))
    return _show(request, thread, composer, has=has)


@requires(Permission.READ)
@require_safe
def around(request: Request, pk: int) -> HttpResponse:
    """The whole public conversation that the thread is a part of, page by page."""
    thread = thread_of(request, pk)
    tree = public_around(thread, before=request.GET.get("before", ""))
    return render(request, "conversations/around.html", {"section": "inbox", "thread": thread, "tree": tree})


@requires(Permission.READ)
@require_safe
def thread_now(request: Request, pk: int) -> HttpResponse:
    """The parts of an open thread as they are now; `seen=1` where somebody really looks at it."""
    thread = thread_of(request, pk)
    if request.GET.get("seen") == "1":
        actions.mark_seen(thread, by=request.user)
    has = belongings.of(thread, request.user)
    context = _open(request, thread, Composer.fresh(thread, request.user, has=has), has)
    return render(request, "conversations/_thread.html", context)


def _show(
    request: Request, thread: Thread, composer: Composer, status: int = 200, has: Belongings = NOT_ASKED
) -> HttpResponse:
    context = _open(request, thread, composer, has)
    if request.htmx and not request.htmx.history_restore_request:
        return render(request, "conversations/_thread.html", context, status=status)
    return render(request, "conversations/inbox.html", _list(request) | context, status=status)


def _open(request: Request, thread: Thread, composer: Composer, has: Belongings) -> dict[str, Any]:
    tree = tree_of(thread, has=has)
    composer.seen = composer.seen or tree.newest_inbound
    return {
        "thread": thread,
        "tree": tree,
        "composer": composer,
        "facts": facts_of(thread, composer.audience, has),
        "customer": customer_of(thread, request.user, has),
        "blocked": blocking.told(thread.identity_id, thread.brand_id) if thread.state == Thread.State.SPAM else [],
        "whom": Whom([thread.brand_id]),
        "mentions": mentions_on(thread, request.user) if has.mentions else [],
        "snoozes": SnoozeForm.USUAL,
        "wanted": Wanted.read(request.GET.dict()),
    }


# -- answering --------------------------------------------------------------------------------------------------------


@requires(Permission.REPLY)
@require_POST
def replies(request: Request, pk: int) -> HttpResponse:
    """Takes an answer or a note. Refused ones come back with their text and the reason, and nothing is written."""
    thread = thread_of(request, pk)
    form = ReplyForm(request.POST)
    if not form.is_valid():
        composer = Composer.again(thread, request.user, form.data, problem=errors_of(form))
        return compose(request, thread, composer, 422)
    try:
        left_undone = answer(thread, by=request.user, given=form.cleaned_data)
    except NotPossible as refused:
        composer = Composer.again(
            thread, request.user, form.data, refused=refused, fresh_key=isinstance(refused, KeyUsed)
        )
        return compose(request, thread, composer, 409)
    if left_undone:
        return _sent_but(request, thread, left_undone)
    if not request.htmx:
        return HttpResponseRedirect(back(request, thread))
    return compose(request, thread, Composer.fresh(thread, request.user))


def _sent_but(request: Request, thread: Thread, left_undone: str) -> HttpResponse:
    """The answer is written, a step of its macro could not be taken."""
    if not request.htmx:
        return done(request, thread, Answer(left_undone, refused=True))
    context = _composing(request, thread, Composer.fresh(thread, request.user))
    toast = {"text": left_undone, "tags": "error"}
    return hint(render(request, "conversations/_composer.html", context), thread, toast=toast)


def compose(request: Request, thread: Thread, composer: Composer, status: int = 200) -> HttpResponse:
    """The composer as it is now: alone for htmx, else on the thread's page."""
    if not request.htmx:
        return _show(request, thread, composer, status)
    context = _composing(request, thread, composer)
    answered = hint(render(request, "conversations/_composer.html", context, status=status), thread)
    if request.htmx.target != "composer":
        answered["HX-Retarget"], answered["HX-Reswap"] = "#composer", "outerHTML"
    return answered


def _composing(request: Request, thread: Thread, composer: Composer) -> dict[str, Any]:
    composer.seen = composer.seen or newest_inbound(thread)
    return {
        "thread": thread,
        "composer": composer,
        "wanted": Wanted.read(request.GET.dict()),
    }


# -- what became of our answers ---------------------------------------------------------------------------------------


@requires(Permission.READ)
@require_safe
def delivery(request: Request, pk: int) -> HttpResponse:
    """Leads to the thread of an answer of ours."""
    return HttpResponseRedirect(back(request, _delivery(request, pk).thread))


@requires(Permission.REPLY)
@require_POST
def undo(request: Request, pk: int) -> HttpResponse:
    """Takes a reply back before it leaves; its words return to the composer."""
    delivery = _delivery(request, pk)
    if not deliver.undo(delivery, by=request.user):
        return done(request, delivery.thread, Answer(_("It is too late: the reply is on its way."), refused=True))
    _return_words(request, delivery)
    if not request.htmx:
        messages.info(request, _("The reply was taken back."))
        return HttpResponseRedirect(back(request, delivery.thread, lane=delivery.action))
    return compose(request, delivery.thread, Composer.fresh(delivery.thread, request.user, delivery.action))


def _return_words(request: Request, delivery: Delivery) -> None:
    """The words of what was taken back are a draft again, before what its writer has begun since."""
    thread, by = delivery.thread, request.user
    drafts.keep_typed(thread, by=by, lane=request.POST.get("lane", ""), text=request.POST.get("text", ""))
    words = delivery.interaction.text
    drafts.put_back(thread, by=by, lane=delivery.action, text=words, purpose=delivery.purpose)


@requires(Permission.REPLY)
@require_POST
def retry(request: Request, pk: int) -> HttpResponse:
    """Sends a failed reply again."""
    delivery = _delivery(request, pk)
    try:
        deliver.retry(delivery, by=request.user)
    except NotPossible as refused:
        return done(request, delivery.thread, Answer(str(refused), refused=True))
    return done(request, delivery.thread, Answer(_("It is being sent again.")))


@requires(Permission.REPLY)
@require_POST
def decide(request: Request, pk: int) -> HttpResponse:
    """Settles a reply of which nobody but a person can say whether it arrived."""
    delivery = _delivery(request, pk)
    arrived = request.POST.get("arrived")
    if arrived not in ("yes", "no"):
        return done(request, delivery.thread, Answer(_("Say whether it arrived."), refused=True))
    try:
        deliver.decide(delivery, arrived=arrived == "yes", by=request.user)
    except NotPossible as refused:
        return done(request, delivery.thread, Answer(str(refused), refused=True))
    return done(request, delivery.thread, Answer(_("Thank you, noted.")))


# -- the thread's state -----------------------------------------------------------------------------------------------


@requires(Permission.REPLY)
@require_POST
def assignment(request: Request, pk: int) -> HttpResponse:
    thread = thread_of(request, pk)
    form = AssignForm(request.POST)
    if not form.is_valid():
        return done(request, thread, Answer(_("This colleague cannot take the thread."), refused=True))
    to: User | Team | None = form.cleaned_data["to"]
    try:
        with bulk.journal(thread, "assign", by=request.user):
            actions.assign(thread, to=to, by=request.user)
    except NotPossible as refused:
        return done(request, thread, Answer(str(refused), refused=True))
    return done(request, thread, Answer(_("Assigned to %(name)s.") % {"name": to} if to else _("Assigned to nobody.")))


@requires(Permission.REPLY)
@require_safe
def whom(request: Request, pk: int) -> HttpResponse:
    """Who can take the thread, of those whose names hold the words: as buttons of its menu, as options, or a page."""
    thread, words = thread_of(request, pk), words_typed(request, "find")
    context: dict[str, Any] = {"thread": thread, "whom": Whom([thread.brand_id], words), "no_teams": True}
    if not request.htmx:
        wanted = Wanted.read(request.GET.dict())
        page = {"section": "inbox", "words": words, "wanted": wanted, "back": back(request, thread)}
        return render(request, "conversations/whom.html", context | page)
    template = "_whom_options" if "options" in request.GET else "_whom"
    return render(request, f"conversations/{template}.html", context)


@requires(Permission.REPLY)
@require_POST
def claiming(request: Request, pk: int) -> HttpResponse:
    """Takes a thread that nobody has; whoever comes second is told who was faster."""
    thread = thread_of(request, pk)
    try:
        with bulk.journal(thread, "assign", by=request.user):
            won = actions.claim(thread, by=request.user)
    except NotPossible as refused:
        return done(request, thread, Answer(str(refused), refused=True))
    if won:
        return done(request, thread, Answer(_("It is yours.")))
    holder = thread_of(request, pk).assignee
    return done(request, thread, Answer(_("%(name)s was faster.") % {"name": holder or _("A colleague")}, refused=True))


@requires(Permission.REPLY)
@require_POST
def mentions(request: Request, pk: int) -> HttpResponse:
    """Puts aside that colleagues called one here."""
    thread = thread_of(request, pk)
    actions.settle_mentions(thread, by=request.user)
    return done(request, thread, Answer(_("Put aside.")))


@requires(Permission.REPLY)
@require_POST
def snooze(request: Request, pk: int) -> HttpResponse:
    thread = thread_of(request, pk)
    form = SnoozeForm(request.POST)
    if not form.is_valid():
        return done(request, thread, Answer(errors_of(form), refused=True))
    try:
        with bulk.journal(thread, "snooze", by=request.user):
            actions.snooze(thread, until=form.cleaned_data["until"], by=request.user)
    except NotPossible as refused:
        return done(request, thread, Answer(str(refused), refused=True))
    return done(request, thread, Answer(_("Snoozed.")))


@requires(Permission.REPLY)
@require_POST
def closing(request: Request, pk: int) -> HttpResponse:
    thread = thread_of(request, pk)
    form = CloseForm(request.POST)
    if not form.is_valid():
        return done(request, thread, Answer(errors_of(form), refused=True))
    try:
        with bulk.journal(thread, "close", by=request.user):
            actions.close(thread, by=request.user, waive=form.cleaned_data["waive"])
    except NotPossible as refused:
        return done(request, thread, Answer(str(refused), refused=True))
    return done(request, thread, Answer(_("Closed. It opens again when the customer writes.")))


@requires(Permission.REPLY)
@require_POST
def reopening(request: Request, pk: int) -> HttpResponse:
    thread = thread_of(request, pk)
    try:
        with bulk.journal(thread, "reopen", by=request.user):
            actions.reopen(thread, by=request.user)
    except NotPossible as refused:
        return done(request, thread, Answer(str(refused), refused=True))
    return done(request, thread, Answer(_("Open again.")))


# -- shared -----------------------------------------------------------------------------------------------------------


def _delivery(request: Request, pk: int) -> Delivery:
    visible = Thread.objects.visible_to(request.user).values("pk")
    delivery = get_object_or_404(Delivery.objects.select_related("interaction"), pk=pk, thread__in=visible)
    delivery.thread = thread_of(request, delivery.thread_id)
    return delivery
