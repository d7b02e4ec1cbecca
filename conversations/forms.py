"""What agents send: one form for each intention."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from django import forms
from django.db.models import Q
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.choosing import MOST_LISTED, one_of
from accounts.ids import id_of, ids_of
from accounts.models import Brand, Digest, Team, User
from accounts.roles import Permission
from channels_ingest.networks.base import Action
from conversations import macros
from conversations.actions import NotPossible
from conversations.languages import heard, others
from conversations.lint import seal
from conversations.models import Macro, Notification, Promise

NOTE = "note"
LANES = ((Action.REPLY.value, _("Public reply")), (Action.MESSAGE.value, _("Private message")), (NOTE, _("Note")))
TEXT_LIMIT = 20_000
MOST_PICTURES = 20  # that one form may name
MORNING = 9  # o'clock, in the agent's own time zone
MONDAY = 0
WEEK = 7


class ReplyForm(forms.Form):
    """What the composer sends. `seen` is the newest inbound item its writer saw."""

    lane = forms.ChoiceField(choices=LANES)
    text = forms.CharField(max_length=TEXT_LIMIT, required=False, strip=False)  # needed unless there is a picture
    key = forms.UUIDField()
    seen = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1)
    confirmed = forms.BooleanField(required=False)
    override = forms.CharField(required=False)  # the seal of the words that may go out all the same
    # `promise_words` is the promise its writer was asked about
    promise = forms.BooleanField(required=False)
    promise_words = forms.CharField(required=False, max_length=1000)
    promise_due = forms.DateTimeField(required=False)
    promise_owner = forms.ModelChoiceField(queryset=User.objects.filter(is_active=True), required=False)
    macro = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1)
    steps = forms.BooleanField(required=False)

    def clean_text(self) -> str:
        text: str = self.cleaned_data["text"].replace("\r\n", "\n").strip()
        return text

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        read = ReadForm(self.data, prefix=values.get("lane", ""))
        values["override"] = values.get("override") == seal(values.get("text", ""))
        values["read"] = read.cleaned_data if read.is_valid() else None
        values["pictures"] = {} if values.get("lane") == NOTE else pictures_in(self.data)
        if values.get("text") == "" and not values["pictures"]:
            self.add_error("text", forms.ValidationError(_("Write something first."), code="required"))
        return values


def pictures_in(data: Mapping[str, Any]) -> dict[int, str]:
    """The begun pictures that a form names, with the descriptions typed for them."""
    named = data.getlist("picture") if isinstance(data, QueryDict) else data.get("picture", [])
    ids = ids_of(map(str, named))[:MOST_PICTURES]
    return {pk: str(data.get(f"alt-{pk}", "")) for pk in ids}


class ReadForm(forms.Form):
    """The item that a lane answers, as its writer read it."""

    item = forms.IntegerField(min_value=1, max_value=2**63 - 1)
    version = forms.IntegerField(min_value=1, max_value=2**63 - 1)
    text = forms.CharField(required=False, strip=False)


class WhomField(forms.Field):
    """A colleague ("5"), a team ("team-3"), or nobody (""). Whether they serve the brand is for `assign` to say."""

    def to_python(self, value: Any) -> User | Team | None:
        if value in self.empty_values:
            return None
        kind, _dash, number = str(value).rpartition("-")
        pk = id_of(number)
        found: User | Team | None = None
        if pk is not None and kind == "team":
            found = Team.objects.filter(pk=pk).first()
        elif pk is not None and not kind:
            found = User.objects.filter(pk=pk, is_active=True).first()
        if found is None:
            raise forms.ValidationError(_("There is no such colleague or team."))
        return found


class AssignForm(forms.Form):
    """To whom a thread goes."""

    to = WhomField(required=False)


class Whom:
    """Who can take threads of these brands: those whose names hold the words, as many as a list shows."""

    def __init__(self, brands: Collection[int], words: str = "") -> None:
        self.everybody, self.every_team = User.objects.serving(brands), Team.objects.filter(brand__in=brands)
        if words:
            self.everybody = self.everybody.filter(Q(name__icontains=words) | Q(email__icontains=words))
            self.every_team = self.every_team.filter(name__icontains=words)

    @cached_property
    def _people(self) -> list[User]:
        return list(self.everybody[: MOST_LISTED + 1])

    @cached_property
    def _teams(self) -> list[Team]:
        return list(self.every_team[: MOST_LISTED + 1])

    @property
    def people(self) -> list[User]:
        return self._people[:MOST_LISTED]

    @property
    def teams(self) -> list[Team]:
        return self._teams[:MOST_LISTED]

    @property
    def more_people(self) -> bool:
        """Whether there are more than the list shows: then it can be searched."""
        return len(self._people) > MOST_LISTED

    @property
    def more(self) -> bool:
        return self.more_people or len(self._teams) > MOST_LISTED


class ArticleForm(forms.Form):
    """The words of an article; `read` is the version that its writer began with."""

    read = forms.CharField(required=False, max_length=32, widget=forms.HiddenInput)
    title = forms.CharField(label=_("Title"), max_length=160)
    text = forms.CharField(label=_("Text"), max_length=20_000, widget=forms.Textarea(attrs={"rows": 12, "dir": "auto"}))


class NoticeForm(forms.Form):
    """What somebody wants to hear of, and how."""

    kinds = forms.MultipleChoiceField(
        label=_("Tell me when"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    digest = forms.ChoiceField(
        label=_("By mail"), choices=Digest.choices, help_text=_("What you have read in the product is not mailed.")
    )
    languages = forms.MultipleChoiceField(
        label=_("Languages I read"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("What is written in another language is marked. Without a choice nothing is."),
    )

    def __init__(self, *args: Any, kinds: Sequence[Notification.Kind], reads: Sequence[str], **kwargs: Any) -> None:
        """`kinds` can come; `reads` are the codes chosen before: one that has no name stays on offer."""
        super().__init__(*args, **kwargs)
        self.usual, rest = heard(), others()
        nameless = set(reads) - {code for code, _name in (*self.usual, *rest)}
        rest += [(code, code) for code in sorted(nameless)]
        self._offer("kinds", [(kind.value, kind.label) for kind in kinds])
        self._offer("languages", [*self.usual, *rest])
        self.rest_opens = bool(set(reads) & {code for code, _name in rest})

    def _offer(self, name: str, choices: Sequence[tuple[str, Any]]) -> None:
        field = self.fields[name]
        if isinstance(field, forms.MultipleChoiceField):
            field.choices = choices

    @property
    def usual_languages(self) -> list[Any]:
        return list(self["languages"])[: len(self.usual)]

    @property
    def other_languages(self) -> list[Any]:
        return list(self["languages"])[len(self.usual) :]


class SnoozeForm(forms.Form):
    """Until when a thread rests: one of the usual times, or an own one (in the agent's time zone)."""

    USUAL = (
        ("hour", _("One hour")),
        ("evening", _("Three hours")),
        ("tomorrow", _("Tomorrow at nine")),
        ("monday", _("Monday at nine")),
    )

    usual = forms.ChoiceField(choices=USUAL, required=False)
    until = forms.DateTimeField(
        required=False, widget=forms.DateTimeInput(attrs={"type": "datetime-local"}), label=_("Another time")
    )

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if values.get("usual"):
            values["until"] = usual_time(values["usual"], timezone.localtime())
        if not values.get("until") and not self.errors:
            raise forms.ValidationError(_("Choose until when."))
        return values


class TagForm(forms.Form):
    """One tag, by name."""

    name = forms.CharField(max_length=50)


class PromiseForm(forms.Form):
    """How a promise ended."""

    state = forms.ChoiceField(choices=[choice for choice in Promise.State.choices if choice[0] != Promise.State.OPEN])
    reason = forms.CharField(required=False, max_length=300)


class CloseForm(forms.Form):
    """`waive` says why a matter that went on in private needs no closing public word."""

    waive = forms.CharField(required=False, max_length=300)


class MacroForm(forms.ModelForm[Macro]):
    """A macro with its steps. Shared ones and the product's proposals are for those who may write them."""

    shared = forms.BooleanField(required=False, label=_("For everybody"))
    tags = forms.CharField(required=False, max_length=200, label=_("Add tags"), help_text=_("Separated by commas."))
    assign_me = forms.BooleanField(required=False, label=_("Assign to whoever uses it"))
    snooze_hours = forms.IntegerField(
        required=False, min_value=1, max_value=24 * 90, label=_("Snooze for so many hours")
    )
    close = forms.BooleanField(required=False, label=_("Close the thread"))

    class Meta:
        model = Macro
        fields = ("name", "text", "purpose", "brand", "language")
        widgets = {"text": forms.Textarea(attrs={"rows": 5, "dir": "auto"})}

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.by = by
        steps = self.instance.steps
        asked = {
            "shared": self.instance.pk is not None and self.instance.owner_id is None,
            "tags": ", ".join(steps.get("tags", [])),
            "assign_me": steps.get("assign") == "me",
            "snooze_hours": steps.get("snooze_hours"),
            "close": bool(steps.get("close")),
        }
        self.initial = {**self.initial, **asked}
        self.fields["brand"] = one_of(
            Brand.objects.visible_to(by),
            by="slug",
            route="known-brands",
            required=False,
            label=_("Brand"),
            empty_label=_("All brands"),
        )
        languages = [("", _("Any language")), *heard()]
        self.fields["language"] = forms.ChoiceField(choices=languages, required=False, label=_("Language"))
        self.fields["text"].help_text = _("Variables: %(all)s. With a fall-back: {first name|there}.") % {
            "all": ", ".join(f"{{{name}}}" for name in macros.VARIABLES)
        }
        self.fields["purpose"] = forms.ChoiceField(
            choices=[("", _("nothing: people choose it")), *Macro.Purpose.choices],
            required=False,
            label=_("Proposed as"),
        )
        if not by.may(Permission.MACROS):
            del self.fields["shared"], self.fields["purpose"]

    def clean_text(self) -> str:
        text: str = self.cleaned_data["text"].replace("\r\n", "\n").strip()
        try:
            macros.check(text)
        except NotPossible as wrong:
            raise forms.ValidationError(str(wrong)) from wrong
        return text

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if values.get("close") and values.get("snooze_hours"):
            raise forms.ValidationError(_("A thread is either closed or snoozed."))
        if values.get("purpose") and not values.get("shared"):
            raise forms.ValidationError(_("What the product proposes is for everybody."))
        return values

    def save(self, commit: bool = True) -> Macro:
        given = self.cleaned_data
        steps = {
            "tags": [name for part in given["tags"].split(",") if (name := " ".join(part.split()).lower())],
            "assign": "me" if given["assign_me"] else "",
            "snooze_hours": given["snooze_hours"],
            "close": given["close"],
        }
        self.instance.steps = {name: value for name, value in steps.items() if value}
        self.instance.owner = None if given.get("shared") else self.by
        return super().save(commit)


def usual_time(name: str, now: datetime) -> datetime:
    """The moment that one of the usual names means (aware, as `now` is)."""
    if name in ("hour", "evening"):
        return now + timedelta(hours=1 if name == "hour" else 3)
    days = 1 if name == "tomorrow" else (MONDAY - now.weekday()) % WEEK or WEEK
    return (now + timedelta(days=days)).replace(hour=MORNING, minute=0, second=0, microsecond=0)
