"""What we promised, and the public word that a matter ends with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from conversations.models.interactions import Interaction
from conversations.models.threads import Thread

if TYPE_CHECKING:
    from accounts.models import User


class PromiseQuerySet(models.QuerySet["Promise"]):
    def owed_by(self, user: User) -> PromiseQuerySet:
        return self.filter(owner=user, state=Promise.State.OPEN)

    def visible_to(self, user: User) -> PromiseQuerySet:
        return self if user.sees_all_brands else self.filter(thread__brand__members=user)


class Promise(models.Model):
    """Something we told a customer we would do, until when, and what became of it."""

    class State(models.TextChoices):
        OPEN = "open", _("open")
        KEPT = "kept", _("kept")
        BROKEN = "broken", _("broken")
        WITHDRAWN = "withdrawn", _("withdrawn")

    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="promises", db_index=False)
    interaction = models.OneToOneField(Interaction, on_delete=models.CASCADE, related_name="promise")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    words = models.CharField(max_length=300)
    due_at = models.DateTimeField()
    state = models.CharField(max_length=16, choices=State.choices, default=State.OPEN)
    reason = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    settled_at = models.DateTimeField(null=True)
    settled_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    objects = PromiseQuerySet.as_manager()

    class Meta:
        indexes = (
            models.Index(fields=("thread", "due_at"), name="promise_of_thread"),
            models.Index(fields=("owner", "due_at"), condition=Q(state="open"), name="promise_open"),
            models.Index(fields=("due_at",), include=("state", "settled_at", "thread"), name="promise_due"),
        )

    def __str__(self) -> str:
        return self.words

    @property
    def is_overdue(self) -> bool:
        return self.state == self.State.OPEN and self.due_at < timezone.now()


class Waiver(models.Model):
    """Why a matter that began in public and went on in private needs no closing public word."""

    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="waivers")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    reason = models.CharField(max_length=300)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.CheckConstraint(condition=~Q(reason=""), name="waiver_has_reason"),)

    def __str__(self) -> str:
        return self.reason
