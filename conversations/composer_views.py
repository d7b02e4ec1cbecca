"""What the composer asks the server while somebody writes: checks, drafts, macros, and the ways between the lanes."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access import requires
from accounts.ids import id_of
from accounts.roles import Permission
from channels_ingest import speaking
from channels_ingest.networks.base import Action
from conversations import attachments, bulk, drafts, macros
from conversations.actions import NotPossible
from conversations.allowed import possibilities
from conversations.composer import Asked, Composer, found_in
from conversations.forms import TEXT_LIMIT, pictures_in
from conversations.going_private import proposal, reach
from conversations.lint import seal
from conversations.models import Macro, Thread
from conversations.pages import Answer, Request, back, done, thread_of
from conversations.proofread import proofread
from conversations.views import compose
from conversations.wanted import Wanted

MOST_MACROS = 8
PROPOSED = (Macro.Purpose.HANDOVER, Macro.Purpose.CLOSING)


@requires(Permission.REPLY)
@require_POST
def check(request: Request, pk: int) -> JsonResponse:
    """How long the network counts a draft, what may not stand in public, and what it seems to promise."""
    thread = thread_of(request, pk)
    text = request.POST.get("text", "")[:TEXT_LIMIT].replace("\r\n", "\n")
    proof = proofread(thread, text, lane=request.POST.get("lane", ""), by=request.user)
    context = {
        "composer": {
            "findings": found_in(text, proof.findings),
            "blocked": proof.blocked,
            "seal": seal(text),
            "sealed": request.POST.get("override") == seal(text),
            "promise": proof.promise and Asked.of(proof.promise, request.POST, thread.brand_id),
        },
        "thread": thread,
        "wanted": Wanted.read(request.GET.dict()),
    }
    told = render_to_string("conversations/_proof.html", context, request)
    length = speaking.speak_for(thread.channel).length(text.strip())
    return JsonResponse({"length": length, "blocked": proof.blocked, "html": told.strip()})


@requires(Permission.REPLY)
@require_POST
def owners(request: Request, pk: int) -> HttpResponse:
    """Finds who could own the promise, among more colleagues than its list shows; what was typed stays."""
    thread = thread_of(request, pk)
    return compose(request, thread, Composer.again(thread, request.user, request.POST))


@requires(Permission.REPLY)
@require_POST
def entered(request: Request, pk: int) -> HttpResponseBase:
    """What Enter in a field of the composer does without scripts: inserts the macro that was named, or finds the owner
    who was looked for, or keeps what was typed. It sends nothing.
    """
    if request.POST.get("insert", "").strip():
        return insert_macro(request, pk)
    if request.POST.get("find", "").strip():
        return owners(request, pk)
    return draft(request, pk)


@requires(Permission.REPLY)
@require_POST
def draft(request: Request, pk: int) -> HttpResponse:
    """Keeps what was typed so far."""
    thread = thread_of(request, pk)
    text = request.POST.get("text", "").replace("\r\n", "\n")
    key = _key(request.POST.get("key", ""))
    attachments.describe(thread, by=request.user, words=pictures_in(request.POST))
    try:
        drafts.keep(thread, by=request.user, lane=request.POST.get("lane", ""), text=text, key=key)
    except NotPossible as refused:
        return done(request, thread, Answer(str(refused), refused=True))
    if request.POST.get("quietly"):
        return HttpResponse(status=204)
    messages.success(request, _("Your draft is kept."))
    return HttpResponseRedirect(back(request, thread))


def _key(given: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(given)
    except ValueError:
        return None


@requires(Permission.REPLY)
@require_safe
def macro_choice(request: Request, pk: int) -> HttpResponse:
    """The macros that match what was typed after the slash, with their texts filled in."""
    thread = thread_of(request, pk)
    found = macros.usable_by(request.user, thread, request.GET.get("q", "")[:100])[:MOST_MACROS]
    values = macros.values_for(thread, request.user)
    context = {"choice": [(macro, macros.render(macro.text, values), macros.told(macro)) for macro in found]}
    return render(request, "conversations/_macro_choice.html", context)


@requires(Permission.REPLY)
@require_POST
def insert_macro(request: Request, pk: int) -> HttpResponse:
    """Puts a macro's text behind what was typed; its steps wait for Send."""
    thread = thread_of(request, pk)
    macro = macros.usable_by(request.user, thread, request.POST.get("insert", "")[:100]).first()
    if macro is None:
        return done(request, thread, Answer(_("No macro matches."), refused=True))
    text = macros.render(macro.text, macros.values_for(thread, request.user))
    given = request.POST.dict() | {"macro": str(macro.pk), "text": drafts.joined(request.POST.get("text", ""), text)}
    return compose(request, thread, Composer.again(thread, request.user, given))


@requires(Permission.REPLY)
@require_POST
def steps(request: Request, pk: int) -> HttpResponse:
    """Takes the steps of a macro at once, without its text."""
    thread = thread_of(request, pk)
    macro = get_object_or_404(macros.usable_by(request.user, thread), pk=id_of(request.POST.get("macro")))
    try:
        with bulk.journal(thread, "macro", by=request.user):
            taken = macros.take_steps(macro, thread, by=request.user)
    except NotPossible as refused:
        return done(request, thread, Answer(str(refused), refused=True))
    return done(request, thread, Answer(", ".join(taken).capitalize() or _("This macro has no steps.")))


@requires(Permission.REPLY)
@require_safe
def reachable(request: Request, pk: int) -> HttpResponse:
    """Whether the customer can be reached in private, from this and from our other accounts, and how to get there."""
    thread = thread_of(request, pk)
    found = reach(thread, possibilities(thread).message)
    return render(request, "conversations/_reach.html", {"thread": thread, "reach": found})


@requires(Permission.REPLY)
@require_POST
def move(request: Request, pk: int) -> HttpResponse:
    """To private and back: writes the hand-over line (or the closing word) into the public lane, not sent yet, and
    opens the private one; where the person cannot be reached in private, the public lane gets an invitation."""
    thread = thread_of(request, pk)
    purpose = request.POST.get("purpose", "")
    if purpose not in PROPOSED:
        return done(request, thread, Answer(_("This cannot be proposed."), refused=True))
    message = possibilities(thread).message
    drafts.keep_typed(thread, by=request.user, lane=request.POST.get("lane", ""), text=request.POST.get("text", ""))
    if purpose == Macro.Purpose.CLOSING:
        lane, notice = Action.REPLY, _("Say in public how it ended, then close.")
    elif message.verdict.allowed:
        lane, notice = Action.MESSAGE, _("The hand-over line waits in the public lane. It is not sent yet.")
    else:
        purpose, lane, notice = Macro.Purpose.INVITE, Action.REPLY, message.verdict.reason
    _propose(request, thread, purpose)
    composer = Composer.fresh(thread, request.user, lane)
    composer.notice = notice
    return compose(request, thread, composer)


def _propose(request: Request, thread: Thread, purpose: str) -> None:
    """Adds the proposal to the public draft, once."""
    words = proposal(thread, purpose, by=request.user)
    drafts.add(thread, by=request.user, lane=Action.REPLY.value, words=words, purpose=purpose)
