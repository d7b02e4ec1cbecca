"""Saved views: a question to the list under a name, built from a form that reads as a sentence."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from accounts.access import form_page, requires
from accounts.choosing import MOST_LISTED, MOST_PROPOSED, Proposing, words_typed
from accounts.ids import id_of
from accounts.keyset import page
from accounts.models import Brand, Team, User
from accounts.roles import Permission
from channels_ingest.models import Channel
from channels_ingest.networks import networks
from conversations import inbox
from conversations.choosing import looked_at
from conversations.counting import count_in_time, up_to
from conversations.forms import Whom
from conversations.languages import heard
from conversations.models import SavedView
from conversations.pages import Request
from conversations.query import parse
from conversations.question import Asker
from conversations.readings import CHOICES
from conversations.tabs import COUNT_LIMIT
from conversations.wanted import ORDERS, QUERY_LENGTH, Wanted
from conversations.words import READINGS

ANY = ("", gettext_lazy("any"))
PARTS = (
    "in",
    "brand",
    "assignee",
    "team",
    "tag",
    "lang",
    "mood",
    "urgency",
    "audience",
    "waiting",
    "due",
    "reach",
    "age",
)
# Where the names come from when there are more than a select holds.
PROPOSED = {
    "channel": "known-channels",
    "brand": "known-brands",
    "assignee": "known-colleagues",
    "team": "known-team-names",
}
SHORT = forms.TextInput(attrs={"size": 8, "autocomplete": "off"})


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
            ("hanging", gettext_lazy("left hanging in public")),
            ("mentioned", gettext_lazy("waiting for my word")),
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
    audience = forms.ChoiceField(
        label=gettext_lazy("held"),
        required=False,
        choices=[
            ANY,
            ("one-to-one", gettext_lazy("one to one")),
            ("one-to-many", gettext_lazy("one to many")),
            ("one-to-one-to-many", gettext_lazy("one to one to many")),
        ],
    )
    network = forms.ChoiceField(label=gettext_lazy("on"), required=False)
    channel = forms.ChoiceField(label=gettext_lazy("in the channel"), required=False)
    brand = forms.ChoiceField(label=gettext_lazy("of the brand"), required=False)
    assignee = forms.ChoiceField(label=gettext_lazy("assigned to"), required=False)
    team = forms.ChoiceField(label=gettext_lazy("and worked on by the team"), required=False)
    tag = forms.CharField(
        label=gettext_lazy("tagged"),
        required=False,
        max_length=50,
        widget=Proposing("known-tags", attrs={"placeholder": ANY[1]}),
    )
    lang = forms.ChoiceField(label=gettext_lazy("in the language"), required=False)
    mood = forms.ChoiceField(
        label=gettext_lazy("in the mood"),
        required=False,
        choices=[ANY, *((one, READINGS[one]) for one in CHOICES["mood"])],
    )
    urgency = forms.ChoiceField(
        label=gettext_lazy("with the priority"),
        required=False,
        choices=[ANY, *((one, READINGS[one]) for one in CHOICES["urgency"])],
    )
    waiting = forms.CharField(
        label=gettext_lazy("waiting for longer than"), required=False, max_length=8, help_text="4h", widget=SHORT
    )
    due = forms.CharField(
        label=gettext_lazy("with a promise due within"), required=False, max_length=8, help_text="1d", widget=SHORT
    )
    reach = forms.CharField(
        label=gettext_lazy("from people with at least so many followers"),
        required=False,
        max_length=8,
        help_text="10k",
        widget=SHORT,
    )
    age = forms.CharField(
        label=gettext_lazy("begun longer ago than"), required=False, max_length=8, help_text="2w", widget=SHORT
    )
    text = forms.CharField(
        label=gettext_lazy("and with the words or further filters"), required=False, max_length=QUERY_LENGTH
    )
    order = forms.ChoiceField(label=gettext_lazy("in the order"), choices=list(ORDERS.items()))
    name = forms.CharField(label=gettext_lazy("Name of the view"), max_length=60)
    shared = forms.BooleanField(label=gettext_lazy("Colleagues see it too"), required=False)

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, choices in _choices(by).items():
            field = self.fields[name]
            if name in PROPOSED and len(choices) > MOST_LISTED:
                asking = Proposing(PROPOSED[name], attrs={"placeholder": ANY[1]})
                self.fields[name] = forms.CharField(label=field.label, required=False, max_length=100, widget=asking)
            elif isinstance(field, forms.ChoiceField):
                field.choices = [ANY, *choices]
        for name in ("waiting", "due", "reach", "age"):
            self.fields[name].widget.attrs["placeholder"] = self.fields[name].help_text

    @property
    def sentence(self) -> list[forms.BoundField]:
        """The parts of the sentence."""
        return [field for field in self if field.name not in ("name", "shared")]

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
        if len(values["q"]) > QUERY_LENGTH:
            self.add_error(None, _("This is too long."))
        return values


def _choices(by: User) -> dict[str, list[tuple[str, str]]]:
    """What there is in the brands that the user sees."""
    brands = Brand.objects.visible_to(by)
    ids = list(brands.values_list("pk", flat=True))
    most = MOST_LISTED + 1
    channels = Channel.objects.filter(brand__in=ids).exclude(handle="").order_by("network", "handle")[:most]
    teams = _team_names(ids)[:most]
    people = User.objects.serving(ids)[:most]
    return {
        "network": [(key, str(network.name)) for key, network in networks().items()],
        "channel": [(one.handle, f"{one.network_name} · @{one.handle}") for one in channels],
        "brand": [(brand.slug, brand.name) for brand in brands[:most]],
        "team": [(name, name) for name in teams],
        "assignee": [("me", _("me")), ("nobody", _("nobody")), *((one.email, one.name) for one in people)],
        "lang": heard(),
    }


def _team_names(brands: list[int]) -> QuerySet[Team, str]:
    """Names that several teams bear are told once."""
    return Team.objects.filter(brand__in=brands).order_by("name").values_list("name", flat=True).distinct()


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
@form_page
def new_view(request: Request) -> HttpResponse:
    """The form of a view: a new one, begun with what the search box holds, or one's own to be changed (`edit`)."""
    own, words = SavedView.objects.filter(owner=request.user), words_typed(request, "find")
    edit = id_of(request.GET.get("edit"))
    view = get_object_or_404(own, pk=edit) if edit is not None else None
    form = SavedViewForm(request.POST or None, initial=_begun(request, view), by=request.user)
    if request.method == "POST" and form.is_valid():
        saved = _save(request, form, view)
        if saved is not None:
            return HttpResponseRedirect(f"/?{saved.query}")
        form.add_error("name", _("You have a view of this name."))
    every = SavedView.objects.visible_to(request.user).filter(name__icontains=words).select_related("owner")
    shown = page(every, by=("name", "id"), after=request.GET.get("after", ""))
    context = {"section": "inbox", "form": form, "page": shown, "words": words, "view": view}
    return render(request, "conversations/saved_view.html", context, status=422 if form.errors else 200)


def _begun(request: Request, view: SavedView | None) -> dict[str, Any]:
    if view is None:
        return _list_shown(request)
    parts = view.asks.get("parts", {"text": view.text, "state": ""})
    return {**parts, "order": view.order, "name": view.name, "shared": view.shared}


def _list_shown(request: Request) -> dict[str, Any]:
    """The parts of the sentence that tell the list somebody comes from."""
    wanted = Wanted.read(request.GET.dict())
    usual = {"state": "open", **_OF_VIEW.get(request.GET.get("view", ""), {})}
    parts = {"state": "", "text": wanted.text} if wanted.text else usual
    order = "newest" if wanted.searching else wanted.order
    return {**parts, "network": wanted.network, "visibility": wanted.visibility, "order": order}


_OF_VIEW = {
    "mine": {"assignee": "me"},
    "unassigned": {"assignee": "nobody"},
    "mentions": {"state": "mentioned"},
    "waiting": {"state": "waiting"},
    "hanging": {"state": "hanging"},
    "snoozed": {"state": "snoozed"},
    "closed": {"state": "closed"},
}


def _save(request: Request, form: SavedViewForm, view: SavedView | None) -> SavedView | None:
    """The view as the form says; None where another one bears its name."""
    values = form.cleaned_data
    view = view or SavedView(owner=request.user)
    view.name, view.shared, view.order = " ".join(values["name"].split()), values["shared"], values["order"]
    parts = {field.name: values[field.name] for field in form.sentence if field.name != "order" and values[field.name]}
    view.asks = {"q": values["q"], "parts": {"state": "", **parts}}
    try:
        with transaction.atomic():
            view.save()
    except IntegrityError:
        return None
    return view


@requires(Permission.READ)
@require_safe
def view_count(request: Request) -> HttpResponse:
    """How many threads the sentence holds as it stands; nothing while it cannot be understood."""
    form = SavedViewForm(request.GET, by=request.user)
    form.is_valid()
    understood = not form.errors.keys() - {"name"}
    counted = _counted(request.user, form.cleaned_data["q"]) if understood else None
    return render(request, "conversations/_view_count.html", {"counted": counted, "limit": COUNT_LIMIT})


def _counted(user: User, text: str) -> int | None:
    """Up to COUNT_LIMIT; None where counting takes too long."""
    threads = looked_at(Asker(user, inbox.brand_ids(user)), Wanted(view="any", text=text))
    return count_in_time({"sentence": up_to(threads, COUNT_LIMIT)}).get("sentence")


@requires(Permission.READ)
@require_safe
def known_channels(request: Request) -> HttpResponse:
    """The channels one sees whose handle or name holds the words."""
    words = words_typed(request).lstrip("@")
    mine = Channel.objects.visible_to(request.user).exclude(handle="")
    found = mine.filter(Q(handle__icontains=words) | Q(name__icontains=words)).order_by("handle", "pk")
    options = [(one.handle, one.network_name) for one in found[:MOST_PROPOSED]]
    return render(request, "forms/_options.html", {"options": options})


@requires(Permission.READ)
@require_safe
def known_colleagues(request: Request) -> HttpResponse:
    """Who serves the brands one sees and has the words in name or address."""
    found = Whom(inbox.brand_ids(request.user), words_typed(request)).people[:MOST_PROPOSED]
    options = [("me", _("me")), ("nobody", _("nobody")), *((one.email, one.name) for one in found)]
    return render(request, "forms/_options.html", {"options": options})


@requires(Permission.READ)
@require_safe
def known_team_names(request: Request) -> HttpResponse:
    """The names of teams that hold the words."""
    names = _team_names(inbox.brand_ids(request.user)).filter(name__icontains=words_typed(request))
    return render(request, "forms/_options.html", {"options": [(name, "") for name in names[:MOST_PROPOSED]]})


@requires(Permission.READ)
@require_POST
def drop_view(request: Request, pk: int) -> HttpResponse:
    """Forgets a view of one's own."""
    view = get_object_or_404(SavedView, pk=pk, owner=request.user)
    view.delete()
    messages.success(request, _("The view “%(name)s” is gone.") % {"name": view.name})
    return redirect("saved-view")
