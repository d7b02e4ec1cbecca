"""What we answer: drafts, pictures, the way to the network, and a second pair of eyes."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Brand
from channels_ingest.models import Channel
from channels_ingest.networks.base import Action
from conversations.models.interactions import Interaction
from conversations.models.threads import Thread

if TYPE_CHECKING:
    pass


class Purpose(models.TextChoices):
    """What the product itself proposes to say in public around a matter that goes on in private."""

    HANDOVER = "handover", _("hand-over line: going on in private")
    INVITE = "invite", _("invitation: the customer has to write to us first")
    CLOSING = "closing", _("closing public word: solved in private")


class Delivery(models.Model):
    """What became of one reply of ours. `key` is made where Send is pressed: the same key is the same reply.

    queued -> sending (under a lease on the database's clock) -> sent -> verified, or failed, or unknown.
    Unknown is never sent again before the network was read back. A held one waits for a colleague's approval: no
    sender takes it up, and the customer still waits.
    """

    class State(models.TextChoices):
        HELD = "held", _("waiting for approval")
        QUEUED = "queued", _("waiting to be sent")
        SENDING = "sending", _("sending")
        SENT = "sent", _("sent")
        VERIFIED = "verified", _("seen on the network")
        FAILED = "failed", _("failed")
        UNKNOWN = "unknown", _("not sure it arrived")
        CANCELLED = "cancelled", _("taken back")

    IN_FLIGHT = (State.SENDING, State.UNKNOWN)
    UNSETTLED = (State.QUEUED, State.SENDING, State.UNKNOWN)
    OUT = (State.SENT, State.VERIFIED)

    key = models.UUIDField(unique=True, default=uuid.uuid4)
    interaction = models.OneToOneField(Interaction, on_delete=models.CASCADE, related_name="delivery")
    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, related_name="deliveries", db_index=False)
    thread = models.ForeignKey(Thread, on_delete=models.PROTECT, related_name="deliveries")
    answers = models.ForeignKey(
        Interaction, null=True, on_delete=models.SET_NULL, related_name="answers", db_index=False
    )
    second = models.BooleanField(default=False)  # knowingly written although a colleague answered the same item
    action = models.CharField(max_length=16, choices=[(a.value, a.value) for a in (Action.REPLY, Action.MESSAGE)])
    private_reply = models.BooleanField(default=False)
    # of the draft it was written from: a hand-over line is no closing word, whatever its writer made of it
    purpose = models.CharField(max_length=16, choices=Purpose.choices, blank=True, default="", db_default="")
    recipient_external_id = models.CharField(max_length=255, blank=True)
    state = models.CharField(max_length=16, choices=State.choices, default=State.QUEUED)
    not_before = models.DateTimeField(default=timezone.now)  # undo window, rate limit, settle time
    lease_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    reads = models.PositiveSmallIntegerField(default=0)  # read-backs while unknown
    started_at = models.DateTimeField(null=True)  # first attempt
    settled_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=1000, blank=True)  # the network's own words
    advice = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("thread",),
                condition=Q(state__in=("sending", "unknown")),
                name="delivery_one_in_flight",
            ),
            models.UniqueConstraint(
                fields=("answers",),
                condition=Q(answers__isnull=False, second=False) & ~Q(state__in=("failed", "cancelled")),
                name="delivery_one_answer",
            ),
        )
        indexes = (
            models.Index(
                fields=("not_before", "id"),
                condition=Q(state__in=("queued", "sending", "unknown")),
                name="delivery_unsettled",
            ),
            models.Index(fields=("channel", "-id"), name="delivery_of_channel"),
        )

    def __str__(self) -> str:
        return f"delivery {self.key}"

    @property
    def is_out(self) -> bool:
        """It is certain that the network has it."""
        return self.state in self.OUT

    @property
    def may_be_undone(self) -> bool:
        return self.state in (self.State.QUEUED, self.State.HELD) and self.attempts == 0


class Macro(models.Model):
    """A text colleagues use again and again. Shared when it has no owner, for all brands when it has no brand.

    One with a purpose is what the product itself proposes at that point: the brand's own before one for all brands.
    `steps`: {"tags": [names], "assign": "me", "snooze_hours": n, "close": true}, each of them optional.
    """

    Purpose = Purpose

    name = models.CharField(_("name"), max_length=80)
    text = models.TextField(_("text"), max_length=5000, blank=True)
    purpose = models.CharField(
        _("proposed as"), max_length=16, choices=Purpose.choices, blank=True, default="", db_default=""
    )
    brand = models.ForeignKey(Brand, null=True, blank=True, on_delete=models.CASCADE, related_name="macros")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="macros"
    )
    language = models.CharField(_("language"), max_length=16, blank=True)
    steps = models.JSONField(default=dict, blank=True)
    used = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("name", "id")

    def __str__(self) -> str:
        return self.name


class Attachment(models.Model):
    """A picture that a colleague puts into an answer: begun like a draft without an interaction, then said with it.

    Its bytes stand here, beside the answer they belong to: every web process and every worker finds them, a dump holds
    them, and they are gone when the answer is. `content_type` is what its first bytes say, never what was claimed.
    """

    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="attachments", db_index=False)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    interaction = models.ForeignKey(Interaction, null=True, on_delete=models.CASCADE, related_name="attachments")
    name = models.CharField(max_length=120)
    content_type = models.CharField(max_length=32)
    size = models.PositiveIntegerField()
    alt = models.CharField(max_length=1000, blank=True)
    content = models.BinaryField()
    added_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = (models.Index(fields=("thread", "by", "id"), name="attachment_of_thread"),)

    def __str__(self) -> str:
        return self.name


class NoteKey(models.Model):
    """The key of the composer a note was written in: the same key is the same note."""

    key = models.UUIDField(primary_key=True)
    note = models.OneToOneField(Interaction, on_delete=models.CASCADE, related_name="note_key")

    def __str__(self) -> str:
        return str(self.key)


class Draft(models.Model):
    """What a colleague has begun to write on a thread; others see that it is there."""

    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="drafts")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    lane = models.CharField(max_length=8)  # reply, message or note
    text = models.TextField(max_length=10_000)
    purpose = models.CharField(max_length=16, choices=Purpose.choices, blank=True, default="", db_default="")
    saved_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("user", "thread", "lane"), name="draft_once"),)

    def __str__(self) -> str:
        return f"draft of {self.user_id} on {self.thread_id}"


class Approval(models.Model):
    """The second pair of eyes on an answer: what was asked, and what was decided."""

    class Verdict(models.TextChoices):
        APPROVED = "approved", _("approved")
        EDITED = "edited", _("approved with changes")
        REFUSED = "refused", _("refused")

    delivery = models.OneToOneField(Delivery, on_delete=models.CASCADE, related_name="approval")
    asked_at = models.DateTimeField(default=timezone.now)
    text = models.TextField()  # as its writer wanted it
    verdict = models.CharField(max_length=8, choices=Verdict.choices, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    decided_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=~Q(verdict="refused") | ~Q(reason=""), name="approval_refused_with_reason"
            ),
        )
        indexes = (models.Index(fields=("asked_at", "id"), condition=Q(verdict=""), name="approval_waiting"),)

    def __str__(self) -> str:
        return f"approval of {self.delivery_id}"
