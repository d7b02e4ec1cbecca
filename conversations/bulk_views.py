"""Steps on many threads at once, how far they came, and taking the last step back."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.html import escape
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts.access import requires
from accounts.choosing import tidied, words_typed
from accounts.ids import id_of
from accounts.models import Team, User
from accounts.roles import Permission
from conversations import bulk, inbox, macros
from conversations.actions import NotPossible
from conversations.forms import SnoozeForm, Whom, WhomField, usual_time
from conversations.models import BulkJob, Thread
from conversations.pages import Request, thread_of
from conversations.tabs import views_of
from conversations.wanted import Wanted

MOST_IDS = 2_000  # in one form; more go by "all in this view"
MOST_OFFERED = 8  # of a kind, in the palette


class BulkForm(forms.Form):
    """One step, and on which threads: those named, or all that the list holds."""

    verb = forms.ChoiceField(choices=[(verb, verb) for verb in bulk.VERBS])
    to = WhomField(required=False)
    tag = forms.CharField(max_length=50, required=False)
    usual = forms.ChoiceField(choices=SnoozeForm.USUAL, required=False)
    waive = forms.CharField(max_length=300, required=False)
    leave_out = forms.BooleanField(required=False)
    ids = forms.TypedMultipleChoiceField(coerce=int, required=False)
    whole = forms.BooleanField(required=False)

    def __init__(self, data: Any) -> None:
        super().__init__(data)
        self.given = given = [pk for pk in data.getlist("ids") if id_of(pk) is not None][:MOST_IDS]
        self.fields["ids"] = forms.TypedMultipleChoiceField(
            coerce=int, required=False, choices=[(pk, pk) for pk in given]
        )

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        needed = {"tag": "tag", "untag": "tag", "snooze": "usual"}.get(values.get("verb", ""))
        if needed and not values.get(needed):
            raise forms.ValidationError(gettext_lazy("Say which tag, or until when."))
        return values

    @property
    def step(self) -> bulk.Step:
        values = self.cleaned_data
        step: bulk.Step = {"verb": values["verb"]}
        match values["verb"]:
            case "assign":
                whom = values["to"]
                step["team" if isinstance(whom, Team) else "to"] = whom.pk if whom else None
            case "tag" | "untag":
                step["tag"] = " ".join(values["tag"].split()).lower()
            case "snooze":
                until: datetime = usual_time(values["usual"], timezone.localtime())
                step["until"] = until.isoformat()
            case "close" if values["waive"] and not values["leave_out"]:
                step["waive"] = values["waive"]
        return step


@requires(Permission.REPLY)
@require_POST
def bulk_steps(request: Request) -> HttpResponse:
    """Begins a step on many threads: those ticked, or all of the list that the query string names."""
    form = BulkForm(request.POST)
    if request.POST.get("verb") == "whom":
        return _ask_whom(request, form.given)
    if not form.is_valid():
        return _said(request, " ".join(str(error) for errors in form.errors.values() for error in errors), refused=True)
    ids = form.cleaned_data["ids"]
    if form.cleaned_data["whole"]:
        ids = _whole(request).ids
    if hanging := _to_ask_about(form, ids, request.user):
        return _ask(request, ids, hanging)
    try:
        job = bulk.begin(form.step, ids=ids, by=request.user)
    except NotPossible as refused:
        return _said(request, str(refused), refused=True)
    return _progress(request, job)


def _ask_whom(request: Request, ids: list[str]) -> HttpResponse:
    """A page of those to whom the threads can be assigned: without scripts the menu of the list names nobody."""
    words, whole = tidied(request.POST.get("find", "")), bool(request.POST.get("whole"))
    context: dict[str, Any] = {
        "section": "inbox",
        "whom": Whom(inbox.brand_ids(request.user), words),
        "words": words,
        "wanted": Wanted.read(request.GET.dict()),
        "ids": [] if whole else ids,
        "whole": whole,
        "back": _same_site(request),
    }
    return render(request, "conversations/whom.html", context)


def _to_ask_about(form: BulkForm, ids: list[int], user: User) -> int:
    """How many threads wait for a closing public word, where nothing was said yet of what becomes of them."""
    values = form.cleaned_data
    if values["verb"] != "close" or values["waive"] or values["leave_out"]:
        return 0
    return bulk.left_hanging(ids, by=user)


def _ask(request: Request, ids: list[int], hanging: int) -> HttpResponse:
    """Asks once, for all of them, why nothing more has to be said in public; or they are left out."""
    whole = bool(request.POST.get("whole"))
    context: dict[str, Any] = {
        "section": "inbox",
        "ids": [] if whole else ids,
        "whole": whole,
        "hanging": hanging,
        "others": max(len(ids) - hanging, 0),
        "list_query": Wanted.read(request.GET.dict()).query,
    }
    template = "_bulk_ask.html" if request.htmx else "bulk_ask.html"
    return render(request, f"conversations/{template}", context, status=422)


def _whole(request: Request) -> inbox.Selection:
    user, wanted = request.user, Wanted.read(request.GET.dict())
    return inbox.selection(user, wanted, inbox.brand_ids(user), bulk.MOST_THREADS)


@requires(Permission.REPLY)
@require_safe
def bulk_count(request: Request) -> HttpResponse:
    """How many threads "all in this view" are, asked for when somebody begins to select."""
    ids, whole = _whole(request)
    number = len(ids)
    words = ngettext("all %(count)d in this view", "all %(count)d in this view", number)
    if not whole:
        words = _("the first %(count)d of this view")
    return HttpResponse(escape(words % {"count": number}))


@requires(Permission.REPLY)
@require_safe
def bulk_whom(request: Request) -> HttpResponse:
    """To whom threads can be assigned: the field, or, once something is searched for, its choices."""
    words = words_typed(request, "find")
    template = "_whom_options" if words or request.htmx.target == "bulk-to" else "_bulk_whom"
    context = {"whom": Whom(inbox.brand_ids(request.user), words), "whole": not words}
    return render(request, f"conversations/{template}.html", context)


@requires(Permission.READ)
@require_safe
def bulk_job(request: Request, pk: int) -> HttpResponse:
    """How far a job of one's own came."""
    return _progress(request, get_object_or_404(BulkJob, pk=pk, by=request.user))


@requires(Permission.REPLY)
@require_POST
def bulk_undo(request: Request, pk: int) -> HttpResponse:
    """Takes a whole job back."""
    job = get_object_or_404(BulkJob, pk=pk, by=request.user)
    try:
        bulk.undo(job, by=request.user)
    except NotPossible as refused:
        return _said(request, str(refused), refused=True)
    return _progress(request, job)


@requires(Permission.REPLY)
@require_POST
def undo_last(request: Request) -> HttpResponse:
    """Takes one's last step back: assigning, tagging, snoozing, closing, on one thread or on many."""
    job = bulk.last_of(request.user)
    if job is None:
        return _said(request, _("There is nothing to take back."), refused=True)
    try:
        bulk.undo(job, by=request.user)
    except NotPossible as refused:  # pressed twice: the other one was faster
        return _said(request, str(refused), refused=True)
    if job.total > 1:
        return _progress(request, job)
    kept = job.items.filter(state="kept").exists()
    words = _("It was changed since, and stays as it is.") if kept else _("Taken back.")
    return _said(request, words, refused=kept, threads=list(job.items.values_list("thread_id", flat=True)))


@requires(Permission.READ)
@require_safe
def palette(request: Request) -> HttpResponse:
    """What matches the words typed into the palette: commands for the open thread, and threads. Or one's views."""
    if request.GET.get("views"):
        return render(request, "conversations/_palette_views.html", {"tabs": views_of(request.user)})
    words, asked = request.GET.get("q", ""), id_of(request.GET.get("thread"))
    wanted = Wanted.read({"view": "all", "q": words})
    rows = inbox.page(request.user, wanted, inbox.brand_ids(request.user)).rows[:MOST_OFFERED] if wanted.text else []
    context: dict[str, Any] = {"rows": rows}
    if request.user.may(Permission.REPLY) and asked is not None:
        context |= _commands(request, thread_of(request, asked), words[:100])
    return render(request, "conversations/_palette_found.html", context)


def _commands(request: Request, thread: Thread, words: str) -> dict[str, Any]:
    """Whom the thread can be assigned to, until when it can rest, and the macros; only those with all the words."""
    parts = words.casefold().split()

    def matches(*texts: object) -> bool:
        whole = " ".join(str(text) for text in texts).casefold()
        return all(part in whole for part in parts)

    whom = Whom([thread.brand_id])
    people, teams = whom.everybody.exclude(pk=request.user.pk), whom.every_team
    for part in parts:
        if part not in _("Assign to").casefold():
            people = people.filter(name__icontains=part)
        if part not in f"{_('Assign to')} {_('Team')}".casefold():
            teams = teams.filter(name__icontains=part)
    values = macros.values_for(thread, request.user)
    found = macros.usable_by(request.user, thread, words)[:MOST_OFFERED]
    return {
        "thread": thread,
        "people": people[:MOST_OFFERED],
        "teams": teams[:MOST_OFFERED],
        "snoozes": [(key, label) for key, label in SnoozeForm.USUAL if matches(_("Snooze:"), label)],
        "choice": [(one, macros.render(one.text, values), macros.told(one)) for one in found],
    }


def _progress(request: Request, job: BulkJob) -> HttpResponse:
    if not request.htmx:
        messages.info(request, told(job))
        return HttpResponseRedirect(_same_site(request))
    answer = render(request, "conversations/_bulk.html", {"job": job, "told": told(job)})
    if job.state not in BulkJob.UNSETTLED:
        answer["HX-Trigger"] = json.dumps({"live:changed": {"threads": [], "many": True}})
    return answer


def told(job: BulkJob) -> str:
    """How far a job came, in one sentence."""
    numbers = {"done": job.done, "total": job.total, "refused": job.refused}
    words = {
        BulkJob.State.RUNNING: _("%(done)d of %(total)d threads done…"),
        BulkJob.State.DONE: ngettext("%(done)d thread done.", "%(done)d threads done.", job.done),
        BulkJob.State.UNDOING: _("Taking it back…"),
        BulkJob.State.UNDONE: _("Taken back."),
    }[BulkJob.State(job.state)] % numbers
    if not job.refused:
        return words
    left = ngettext("%(refused)d was left as it is.", "%(refused)d were left as they are.", job.refused) % numbers
    return " ".join([words, left, *(f"{number}: {reason}" for reason, number in bulk.reasons(job))])


def _said(request: Request, words: str, *, refused: bool = False, threads: list[int] | None = None) -> HttpResponse:
    if not request.htmx:
        (messages.error if refused else messages.success)(request, words)
        return HttpResponseRedirect(_same_site(request))
    answer = HttpResponse(status=204)
    toast = {"text": words, "tags": "error" if refused else ""}
    changed = {"threads": threads or [], "many": False}
    answer["HX-Trigger"] = json.dumps({"toast": toast, "live:changed": changed})
    return answer


def _same_site(request: Request) -> str:
    """Back to the list that the form stood in."""
    query = Wanted.read(request.GET.dict()).query
    return f"/?{query}" if query else "/"
