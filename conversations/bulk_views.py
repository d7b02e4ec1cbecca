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
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from accounts.access import requires
from accounts.models import User
from accounts.roles import Permission
from conversations import bulk, inbox
from conversations.actions import NotPossible
from conversations.forms import SnoozeForm, usual_time
from conversations.models import BulkJob
from conversations.pages import Request

MOST_IDS = 2_000  # in one form; more go by "all in this view"


class BulkForm(forms.Form):
    """One step, and on which threads: those named, or all that the list holds."""

    verb = forms.ChoiceField(choices=[(verb, verb) for verb in bulk.VERBS])
    to = forms.ModelChoiceField(queryset=User.objects.filter(is_active=True), required=False)
    tag = forms.CharField(max_length=50, required=False)
    usual = forms.ChoiceField(choices=SnoozeForm.USUAL, required=False)
    ids = forms.TypedMultipleChoiceField(coerce=int, required=False)
    whole = forms.BooleanField(required=False)

    def __init__(self, data: Any) -> None:
        super().__init__(data)
        given = [pk for pk in data.getlist("ids") if pk.isdecimal() and len(pk) < 19][:MOST_IDS]
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
                step["to"] = values["to"].pk if values["to"] else None
            case "tag" | "untag":
                step["tag"] = " ".join(values["tag"].split()).lower()
            case "snooze":
                until: datetime = usual_time(values["usual"], timezone.localtime())
                step["until"] = until.isoformat()
        return step


@requires(Permission.REPLY)
@require_POST
def bulk_steps(request: Request) -> HttpResponse:
    """Begins a step on many threads: those ticked, or all of the list that the query string names."""
    form = BulkForm(request.POST)
    if not form.is_valid():
        return _said(request, " ".join(str(error) for errors in form.errors.values() for error in errors), refused=True)
    ids = form.cleaned_data["ids"]
    if form.cleaned_data["whole"]:
        user = request.user
        wanted = inbox.Wanted.read(request.GET.dict())
        ids = inbox.selection(user, wanted, inbox.brand_ids(user), bulk.MOST_THREADS)
    try:
        job = bulk.begin(form.step, ids=ids, by=request.user)
    except NotPossible as refused:
        return _said(request, str(refused), refused=True)
    return _progress(request, job)


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
    bulk.undo(job, by=request.user)
    if job.total > 1:
        return _progress(request, job)
    kept = job.items.filter(state="kept").exists()
    words = _("It was changed since, and stays as it is.") if kept else _("Taken back.")
    return _said(request, words, refused=kept, threads=list(job.items.values_list("thread_id", flat=True)))


@requires(Permission.READ)
@require_safe
def palette(request: Request) -> HttpResponse:
    """The first threads that match what is typed into the palette."""
    wanted = inbox.Wanted.read({"view": "all", "q": request.GET.get("q", "")})
    rows = inbox.page(request.user, wanted, inbox.brand_ids(request.user)).rows[:8] if wanted.text else []
    return render(request, "conversations/_palette_found.html", {"rows": rows})


def _progress(request: Request, job: BulkJob) -> HttpResponse:
    if not request.htmx and request.method == "POST":
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
        BulkJob.State.DONE: _("%(done)d threads done."),
        BulkJob.State.UNDOING: _("Taking it back…"),
        BulkJob.State.UNDONE: _("Taken back."),
    }[BulkJob.State(job.state)] % numbers
    return words + (" " + _("%(refused)d were left as they are.") % numbers if job.refused else "")


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
    query = inbox.Wanted.read(request.GET.dict()).query
    return f"/?{query}" if query else "/"
