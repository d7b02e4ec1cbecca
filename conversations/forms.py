"""What agents send: one form for each intention."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django import forms
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.roles import Role
from channels_ingest.networks.base import Action

if TYPE_CHECKING:
    from conversations.models import Thread

NOTE = "note"
LANES = ((Action.REPLY.value, _("Public reply")), (Action.MESSAGE.value, _("Private message")), (NOTE, _("Note")))
TEXT_LIMIT = 20_000
MORNING = 9  # o'clock, in the agent's own time zone
MONDAY = 0
WEEK = 7


class ReplyForm(forms.Form):
    """What the composer sends. `seen` is the newest inbound item its writer saw."""

    lane = forms.ChoiceField(choices=LANES)
    text = forms.CharField(max_length=TEXT_LIMIT, error_messages={"required": _("Write something first.")}, strip=False)
    key = forms.UUIDField()
    seen = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1)
    confirmed = forms.BooleanField(required=False)

    def clean_text(self) -> str:
        text: str = self.cleaned_data["text"].replace("\r\n", "\n").strip()
        if not text:
            raise forms.ValidationError(_("Write something first."), code="required")
        return text


class AssignForm(forms.Form):
    """To whom a thread goes; empty for nobody. Whether this colleague serves the brand is for `assign` to say."""

    to = forms.ModelChoiceField(queryset=User.objects.filter(is_active=True), required=False)


def colleagues(thread: Thread) -> QuerySet[User]:
    """Who may work on the thread."""
    serve = Q(brands=thread.brand_id) | Q(role=Role.ADMIN)
    return User.objects.filter(serve, is_active=True).distinct().order_by("name", "pk")


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


def usual_time(name: str, now: datetime) -> datetime:
    """The moment that one of the usual names means (aware, as `now` is)."""
    if name in ("hour", "evening"):
        return now + timedelta(hours=1 if name == "hour" else 3)
    days = 1 if name == "tomorrow" else (MONDAY - now.weekday()) % WEEK or WEEK
    return (now + timedelta(days=days)).replace(hour=MORNING, minute=0, second=0, microsecond=0)
