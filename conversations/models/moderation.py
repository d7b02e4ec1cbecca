"""Whom a brand wants to hear no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Brand
from channels_ingest.models import Channel
from contacts.models import Identity

if TYPE_CHECKING:
    from datetime import datetime


class SpamReport(models.Model):
    """A handle that a brand wants to hear nothing more of. `before` holds what its threads were: {id: state...}."""

    identity = models.ForeignKey(Identity, on_delete=models.CASCADE, related_name="spam_reports")
    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+", db_index=False)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    why = models.CharField(max_length=300)
    before = models.JSONField(default=dict)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("identity", "brand"), name="spam_report_once"),)

    def __str__(self) -> str:
        return f"{self.identity_id} is spam"


class Blocking(models.Model):
    """The wish that a handle be kept from writing to a channel's account, or be let in again, and how far that came.

    `there` is what is known to hold on the network: None while a call is under way or ended without a clear answer.
    `claims` counts all calls, `tries` those for this wish.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="blockings", db_index=False)
    identity = models.ForeignKey(Identity, on_delete=models.CASCADE, related_name="blockings")
    wanted = models.BooleanField(default=False)
    there = models.BooleanField(null=True, default=False)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    why = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField(default=timezone.now)
    state = models.CharField(max_length=8, choices=State.choices, default=State.DONE)
    tries = models.PositiveSmallIntegerField(default=0)
    claims = models.PositiveIntegerField(default=0)
    not_before = models.DateTimeField(default=timezone.now)
    lease_until = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=1000, blank=True)
    advice = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("channel", "identity"), name="blocking_once"),)
        indexes = (models.Index(fields=("not_before", "id"), condition=Q(state="waiting"), name="blocking_due"),)

    def __str__(self) -> str:
        return f"{self.identity_id} on {self.channel_id}: {self.state}"

    @property
    def next_try_at(self) -> datetime | None:
        """The network is asked at this moment or later; None where nothing is left to ask for."""
        if self.state != self.State.WAITING:
            return None
        return max(self.not_before, self.channel.limited_until or self.not_before)
