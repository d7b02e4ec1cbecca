"""What a thread is, who has read it, and what happened to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import Brand, Team
from channels_ingest.models import Channel
from channels_ingest.networks.base import Visibility
from contacts.models import Contact, Identity, Tag

if TYPE_CHECKING:
    from collections.abc import Collection

    from accounts.models import User


class ThreadQuerySet(models.QuerySet["Thread"]):
    def visible_to(self, user: User) -> ThreadQuerySet:
        return self if user.sees_all_brands else self.filter(brand__members=user)

    def with_ids(self, ids: Collection[int]) -> ThreadQuerySet:
        """As `pk__in`, with all ids as one value. Hundreds take longer to spell than to ask."""
        values = models.Value(list(ids), output_field=ArrayField(models.BigIntegerField()))
        return self.filter(
            models.Func(
                models.F("pk"),
                values,
                template="(%(expressions)s))",
                arg_joiner=" = ANY(",
                output_field=models.BooleanField(),
            )
        )


class Thread(models.Model):
    """One customer's matter: what an agent is assigned, answers and closes. It may run in public and in private.

    `identity` is the handle whose matter it is, `contact` the person behind it now (derived from the identity links).
    `waiting_since` is when the oldest unanswered inbound item was posted, null while nobody waits for us.
    """

    class State(models.TextChoices):
        OPEN = "open", _("open")
        SNOOZED = "snoozed", _("snoozed")
        CLOSED = "closed", _("closed")
        SPAM = "spam", _("spam")  # kept out of every view, and not opened by what its author writes
        JOINED = "joined", _("joined")  # empty: its items stand in `joined_into`

    PUT_AWAY = (State.SPAM, State.JOINED)  # what no view shows

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="threads", db_index=False)
    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, related_name="threads")
    identity = models.ForeignKey(Identity, on_delete=models.PROTECT, related_name="threads")
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="threads")
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="threads", db_index=False
    )
    team = models.ForeignKey(Team, null=True, on_delete=models.SET_NULL, related_name="threads", db_index=False)
    tags: models.ManyToManyField[Tag, Any] = models.ManyToManyField(Tag, blank=True, related_name="threads")
    has_public = models.BooleanField(default=False)
    has_private = models.BooleanField(default=False)
    opening = models.ForeignKey("Interaction", null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    latest = models.ForeignKey("Interaction", null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    waiting_since = models.DateTimeField(null=True)
    last_inbound_at = models.DateTimeField(null=True)
    last_outbound_at = models.DateTimeField(null=True)
    last_activity_at = models.DateTimeField()
    inbound_count = models.PositiveIntegerField(default=0)
    outbound_count = models.PositiveIntegerField(default=0)
    # when we last answered in private what began in public, null once a closing word in public (or a waiver)
    # followed: see conversations.summaries
    hanging_since = models.DateTimeField(null=True)
    snoozed_until = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    joined_into = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    # what the newest inbound item that was read says
    mood = models.CharField(max_length=16, blank=True, default="", db_default="")
    language = models.CharField(max_length=16, blank=True, default="", db_default="")
    urgency = models.CharField(max_length=16, blank=True, default="", db_default="")
    # how many hear the customer, as a step of `conversations.exposure`; and the public post the matter stands under
    reach_step = models.PositiveSmallIntegerField(default=0, db_default=0)
    root_external_id = models.CharField(max_length=255, blank=True, default="", db_default="")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ThreadQuerySet.as_manager()

    class Meta:
        indexes = (
            models.Index(fields=("brand", "state", "-last_activity_at", "-id"), name="thread_of_brand"),
            models.Index(fields=("state", "-last_activity_at", "-id"), name="thread_of_all"),
            models.Index(fields=("assignee", "state", "-last_activity_at", "-id"), name="thread_of_assignee"),
            models.Index(
                fields=("team", "state", "-last_activity_at", "-id"),
                condition=Q(team__isnull=False),
                name="thread_of_team",
            ),
            models.Index(
                fields=("brand", "waiting_since", "id"),
                condition=Q(state="open", waiting_since__isnull=False),
                name="thread_waiting",
            ),
            models.Index(fields=("snoozed_until",), condition=Q(state="snoozed"), name="thread_snoozed"),
            models.Index(
                fields=("brand", "-last_activity_at", "-id"),
                condition=Q(hanging_since__isnull=False) & ~Q(state="closed"),
                name="thread_hanging",
            ),
            # one short walk for each step of reach and mood: see conversations.exposure
            models.Index(
                fields=("brand", "reach_step", "mood", "waiting_since", "id"),
                condition=Q(state="open", waiting_since__isnull=False),
                name="thread_exposure",
            ),
            models.Index(fields=("brand", "reach_step"), name="thread_of_reach"),  # the few whom very many hear
            models.Index(
                fields=("channel", "root_external_id", "-last_activity_at", "-id"),
                condition=~Q(root_external_id=""),
                name="thread_of_root",
            ),
            models.Index(fields=("brand", "-last_activity_at", "-id"), name="thread_recent"),
            # a language may be rare, and what is urgent should be: else a list walks through everything to find it
            models.Index(fields=("brand", "language", "-last_activity_at", "-id"), name="thread_of_language"),
            models.Index(
                fields=("brand", "-last_activity_at", "-id"), condition=Q(urgency="high"), name="thread_urgent"
            ),
        )
        constraints = (
            models.CheckConstraint(
                condition=~Q(state="snoozed") | Q(snoozed_until__isnull=False), name="thread_snoozed_until"
            ),
        )

    def __str__(self) -> str:
        return f"thread {self.pk}"


class Lane(models.Model):
    """Where what an identity writes under a root (or in a private conversation) goes: to one thread."""

    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="lanes")
    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, related_name="+", db_index=False)
    root_external_id = models.CharField(max_length=255)
    identity = models.ForeignKey(Identity, on_delete=models.PROTECT, related_name="+")
    visibility = models.CharField(max_length=8, choices=[(v.value, v.value) for v in Visibility])

    class Meta:
        constraints = (models.UniqueConstraint(fields=("channel", "root_external_id", "identity"), name="lane_once"),)

    def __str__(self) -> str:
        return f"{self.root_external_id} of {self.identity_id}"


class ThreadEvent(models.Model):
    """A change of a thread whose history matters: assigned, snoozed, closed, reopened..."""

    class Verb(models.TextChoices):
        ASSIGNED = "assigned", _("assigned")
        UNASSIGNED = "unassigned", _("unassigned")
        SNOOZED = "snoozed", pgettext_lazy("somebody", "snoozed")
        WOKEN = "woken", _("woken")
        CLOSED = "closed", pgettext_lazy("somebody", "closed")
        REOPENED = "reopened", pgettext_lazy("somebody", "reopened")
        TAGGED = "tagged", pgettext_lazy("somebody", "tagged")
        UNTAGGED = "untagged", pgettext_lazy("somebody", "untagged")
        WAIVED = "waived", _("closed without a public word")
        PROMISED = "promised", _("made a promise")
        SETTLED = "settled", _("settled a promise")
        HIDDEN = "hidden", _("hid an item on the network")
        UNHIDDEN = "unhidden", _("showed an item again")
        DELETED = "deleted", _("deleted an item on the network")
        SPAM = "spam", _("reported as spam")
        NOT_SPAM = "not_spam", _("took the spam report back")
        BLOCKED = "blocked", _("blocked the person")
        LET_IN = "let_in", _("let the person in again")
        FORKED = "forked", _("split off a matter of its own")
        JOINED = "joined", _("joined another thread")
        PARTED = "parted", _("took a split or a joining back")
        HELPED = "helped", _("marked an answer of another person as solving")
        HELD = "held", _("asked for approval")
        APPROVED = "approved", _("approved an answer")
        REFUSED = "refused", _("refused an answer")

    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="events", db_index=False)
    at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    verb = models.CharField(max_length=16, choices=Verb.choices)
    details = models.JSONField(default=dict)

    class Meta:
        ordering = ("at", "id")
        indexes = (models.Index(fields=("thread", "at", "id"), name="thread_event_log"),)

    def __str__(self) -> str:
        return f"{self.verb} {self.thread_id}"


class ThreadSeen(models.Model):
    """Up to when a colleague has read a thread."""

    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="seen")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    seen_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("user", "thread"), name="thread_seen_once"),)

    def __str__(self) -> str:
        return f"{self.user_id} saw {self.thread_id}"


class Regrouping(models.Model):
    """A fork or a join, with all that is needed to take it back.

    Items, lanes and promises went from `source` to `target`; `moved` lists the ids ({"items", "lanes"}) and `before`
    how both threads stood.
    """

    class Kind(models.TextChoices):
        FORK = "fork", _("fork")
        JOIN = "join", _("join")

    kind = models.CharField(max_length=4, choices=Kind.choices)
    source = models.ForeignKey(Thread, on_delete=models.PROTECT, related_name="given")
    target = models.ForeignKey(Thread, on_delete=models.PROTECT, related_name="taken")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    moved = models.JSONField(default=dict)
    before = models.JSONField(default=dict)
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    def __str__(self) -> str:
        return f"{self.kind} of {self.source_id} into {self.target_id}"
