"""Saved views: a question to the list under a name, built from a form that reads as a sentence."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import requires
from accounts.roles import Permission
from channels_ingest.networks import networks
from conversations import inbox
from conversations.models import SavedView
from conversations.pages import Request
from conversations.query import parse
from conversations.readings import CHOICES

ANY = ("", gettext_lazy("any"))
PARTS = ("in", "brand", "assignee", "team", "tag", "lang", "mood", "urgency", "waiting", "reach", "age")


class SavedViewForm(forms.Form):
    """Every field is one part of a sentence; together they make a question in the language of the search box."""

    state = forms.ChoiceField(
        label=gettext_lazy("Threads that are"),
        required=False,
        initial="open",
        choices=[
            ANY,
            ("open", gettext_lazy("open")),
            ("waiting", gettext_lazy("waiting for an answer")),
            ("unread", gettext_lazy("unread")),
            ("overdue", gettext_lazy("overdue by a promise")),
            ("snoozed", gettext_lazy("snoozed")),
            ("closed", gettext_lazy("closed")),
        ],
    )
    visibility = forms.ChoiceField(
        label=gettext_lazy("and"),
        required=False,
        choices=[ANY, ("public", gettext_lazy("public")), ("private", gettext_lazy("private"))],
    )
    network = forms.ChoiceField(label=gettext_lazy("on"), required=False)
    channel = forms.CharField(label=gettext_lazy("in the channel"), required=False, max_length=80)
    brand = forms.CharField(label=gettext_lazy("of the brand"), required=False, max_length=80)
    assignee = forms.CharField(
        label=gettext_lazy("assigned to"),
        required=False,
        max_length=80,
        help_text=gettext_lazy("A name, “me” or “nobody”."),
    )
    team = forms.CharField(label=gettext_lazy("and worked on by the team"), required=False, max_length=80)
    tag = forms.CharField(label=gettext_lazy("tagged"), required=False, max_length=50)
    lang = forms.CharField(label=gettext_lazy("in the language"), required=False, max_length=8)
    mood = forms.ChoiceField(
        label=gettext_lazy("in the mood"), required=False, choices=[ANY, *((one, one) for one in CHOICES["mood"])]
    )
    urgency = forms.ChoiceField(
        label=gettext_lazy("with the urgency"),
        required=False,
        choices=[ANY, *((one, one) for one in CHOICES["urgency"])],
    )
    waiting = forms.CharField(
        label=gettext_lazy("waiting for longer than"), required=False, max_length=8, help_text="30m, 4h, 3d, 2w"
    )
    reach = forms.CharField(
        label=gettext_lazy("from people with at least so many followers"),
        required=False,
        max_length=8,
        help_text="500, 10k, 2m",
    )
    age = forms.CharField(label=gettext_lazy("begun longer ago than"), required=False, max_length=8)
    text = forms.CharField(label=gettext_lazy("and with the words or further filters"), required=False, max_length=150)
    order = forms.ChoiceField(label=gettext_lazy("in the order"), choices=list(inbox.ORDERS.items()))
    name = forms.CharField(label=gettext_lazy("Name of the view"), max_length=60)
    shared = forms.BooleanField(label=gettext_lazy("Colleagues see it too"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["network"]
        if isinstance(field, forms.ChoiceField):
            field.choices = [ANY, *((key, network.name) for key, network in networks().items())]

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        values["q"] = question(values)
        asked = parse(values["q"], now=timezone.localtime())
        for problem in asked.problems:
            self.add_error(None, problem)
        if not asked and not asked.problems:
            self.add_error(None, _("Say what the view is to hold."))
        if asked.words and values.get("order") != "newest":
            self.add_error("order", _("With words, the newest match comes first."))
        if len(values["q"]) > inbox.QUERY_LENGTH:
            self.add_error(None, _("This is too long."))
        return values


def question(values: dict[str, Any]) -> str:
    """The question that the parts of the sentence make."""
    parts = [f"is:{values[key]}" for key in ("state", "visibility") if values.get(key)]
    named = {**values, "in": values.get("network")}
    parts += [_part(key, str(named[key])) for key in PARTS if named.get(key)]
    if values.get("channel"):
        parts.append(_part("in" if not values.get("network") else "channel", str(values["channel"])))
    return " ".join([*parts, str(values.get("text") or "")]).strip()


def _part(key: str, value: str) -> str:
    plain = value.replace('"', " ").strip()
    return f'{key}:"{plain}"' if " " in plain else f"{key}:{plain}"


@requires(Permission.READ)
@require_http_methods(["GET", "POST"])
def new_view(request: Request) -> HttpResponse:
    """The form of a new view, begun with what the search box holds."""
    begun = {"text": request.GET.get("q", "")[:150], "state": "" if request.GET.get("q") else "open"}
    form = SavedViewForm(request.POST or None, initial=begun)
    if request.method == "POST" and form.is_valid():
        view = _save(request, form)
        if view is not None:
            return HttpResponseRedirect(f"/?{view.query}")
        form.add_error("name", _("You have a view of this name."))
    own = SavedView.objects.filter(owner=request.user)
    context = {"section": "inbox", "form": form, "own": own}
    return render(request, "conversations/saved_view.html", context, status=422 if form.errors else 200)


def _save(request: Request, form: SavedViewForm) -> SavedView | None:
    values = form.cleaned_data
    try:
        with transaction.atomic():
            return SavedView.objects.create(
                owner=request.user,
                name=" ".join(values["name"].split()),
                shared=values["shared"],
                asks={"q": values["q"]},
                order=values["order"],
            )
    except IntegrityError:
        return None


@requires(Permission.READ)
@require_POST
def drop_view(request: Request, pk: int) -> HttpResponse:
    """Forgets a view of one's own."""
    view = get_object_or_404(SavedView, pk=pk, owner=request.user)
    view.delete()
    messages.success(request, _("The view “%(name)s” is gone.") % {"name": view.name})
    return redirect("saved-view")
