"""What was said, what matter it belongs to, and what became of our answers."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F, Func, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import Brand, Team
from channels_ingest.models import Channel
from channels_ingest.networks.base import Action, Visibility
from contacts.models import Contact, Identity, Tag

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.models import User


class ThreadQuerySet(models.QuerySet["Thread"]):
    def visible_to(self, user: User) -> ThreadQuerySet:
        return self if user.sees_all_brands else self.filter(brand__members=user)

    def open(self) -> ThreadQuerySet:
        return self.filter(state=Thread.State.OPEN)

    def waiting(self) -> ThreadQuerySet:
        """Open threads whose customer waits for an answer, the longest first."""
        return self.open().filter(waiting_since__isnull=False).order_by("waiting_since", "id")


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
    # when we last answered in private what began in public, null once a public word (or a waiver) followed
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

    @property
    def is_waiting(self) -> bool:
        return self.waiting_since is not None


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


class InteractionQuerySet(models.QuerySet["Interaction"]):
    def visible_to(self, user: User) -> InteractionQuerySet:
        return self if user.sees_all_brands else self.filter(channel__brand__members=user)

    def timeline(self, contact: Contact) -> InteractionQuerySet:
        """All of one contact's interactions, newest first."""
        return self.filter(contact=contact).order_by("-posted_at", "-id")

    def due_for_index(self) -> InteractionQuerySet:
        return self.filter(indexed=False)


class Interaction(models.Model):
    """One thing said or done. `posted_at` is the network's own time, `received_at` ours.

    `contact` is on whose timeline it stands: the contact of its thread. A removed item keeps its place and loses its
    content. `sent_by` is the colleague who wrote it; an outbound item without one was made outside.
    """

    class Direction(models.TextChoices):
        IN = "in", _("inbound")
        OUT = "out", _("outbound")
        NOTE = "note", _("note")

    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, related_name="interactions", db_index=False)
    # null until the network gave one; always null for notes
    external_id = models.CharField(max_length=255, null=True)  # noqa: DJ001 (unique where it is known)
    kind = models.CharField(max_length=16)
    direction = models.CharField(max_length=4, choices=Direction.choices)
    visibility = models.CharField(max_length=8, choices=[(v.value, v.value) for v in Visibility])
    author = models.ForeignKey(Identity, null=True, on_delete=models.PROTECT, related_name="interactions")
    sent_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    thread = models.ForeignKey(Thread, null=True, on_delete=models.PROTECT, related_name="interactions", db_index=False)
    contact = models.ForeignKey(
        Contact, null=True, on_delete=models.PROTECT, related_name="interactions", db_index=False
    )
    parent = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="children")
    parent_external_id = models.CharField(max_length=255, blank=True)
    root_external_id = models.CharField(max_length=255, blank=True)
    text = models.TextField(blank=True)
    language = models.CharField(max_length=16, blank=True)
    permalink = models.CharField(max_length=2000, blank=True)
    media = models.JSONField(default=list)
    metrics = models.JSONField(default=dict)
    facts = models.JSONField(default=dict)
    posted_at = models.DateTimeField()
    received_at = models.DateTimeField(default=timezone.now)
    version = models.BigIntegerField(default=1)
    edited_at = models.DateTimeField(null=True)
    removed_at = models.DateTimeField(null=True)
    removed_reason = models.CharField(max_length=32, blank=True)
    hidden_at = models.DateTimeField(null=True)
    indexed = models.BooleanField(default=False)  # its text stands in the search index
    understood = models.BooleanField(default=False, db_default=False)  # what it means was read (inbound items only)

    objects = InteractionQuerySet.as_manager()

    class Meta:
        constraints = (
            # external_id first: the same index also finds the twins of a post that two channels saw
            models.UniqueConstraint(fields=("external_id", "channel"), name="interaction_once"),
        )
        indexes = (
            models.Index(fields=("contact", "-posted_at", "-id"), name="interaction_timeline"),
            models.Index(fields=("thread", "posted_at", "id"), name="interaction_thread"),
            models.Index(fields=("channel", "root_external_id", "posted_at", "id"), name="interaction_tree"),
            models.Index(
                fields=("channel", "parent_external_id"),
                condition=Q(parent__isnull=True) & ~Q(parent_external_id=""),
                name="interaction_orphan",
            ),
            models.Index(fields=("id",), condition=Q(indexed=False), name="interaction_unindexed"),
            models.Index(
                fields=("id",),
                condition=Q(understood=False, direction="in", removed_at__isnull=True),
                name="interaction_unread",
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.external_id or self.pk}"

    @property
    def is_inbound(self) -> bool:
        return self.direction == self.Direction.IN

    @property
    def is_ours(self) -> bool:
        return self.direction == self.Direction.OUT

    @property
    def is_note(self) -> bool:
        return self.direction == self.Direction.NOTE

    @property
    def is_private(self) -> bool:
        return self.visibility == Visibility.PRIVATE


class RawPayload(models.Model):
    """What the network sent for an interaction. Kept apart so that the table everybody reads stays narrow."""

    interaction = models.OneToOneField(Interaction, on_delete=models.CASCADE, primary_key=True, related_name="raw")
    payload = models.JSONField()

    def __str__(self) -> str:
        return f"payload of {self.pk}"


class Alias(models.Model):
    """Another id of an interaction: X gives every edit a new one."""

    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="+", db_index=False)
    external_id = models.CharField(max_length=255)
    interaction = models.ForeignKey(Interaction, on_delete=models.CASCADE, related_name="aliases")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("external_id", "channel"), name="alias_once"),)

    def __str__(self) -> str:
        return self.external_id


class Tombstone(models.Model):
    """A removal that came before its item, or an item erased for good: it is never stored again with content."""

    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="+", db_index=False)
    external_id = models.CharField(max_length=255)
    reason = models.CharField(max_length=32)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("external_id", "channel"), name="tombstone_once"),)

    def __str__(self) -> str:
        return self.external_id


class SearchEntry(models.Model):
    """The search index, written after the commit: a GIN index beside the hot table, not on it."""

    interaction = models.OneToOneField(Interaction, on_delete=models.CASCADE, primary_key=True, related_name="search")
    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+", db_index=False)
    thread = models.ForeignKey(Thread, null=True, on_delete=models.CASCADE, related_name="+", db_index=False)
    posted_at = models.DateTimeField()
    document = SearchVectorField()

    class Meta:
        indexes = (
            GinIndex(
                F("document"),
                Func(
                    F("posted_at"),
                    output_field=models.DateField(),
                    template="((%(expressions)s AT TIME ZONE 'UTC')::date)",
                ),
                name="search_by_day",
            ),
            models.Index(fields=("brand", "-posted_at", "-interaction"), name="search_recent"),
            models.Index(fields=("-posted_at", "-interaction"), name="search_latest"),
            models.Index(fields=("thread", "-posted_at"), name="search_of_thread"),
        )

    def __str__(self) -> str:
        return f"search entry {self.pk}"


class Reading(models.Model):
    """What was understood of an inbound item. `sources` names model and version, or the colleague who knew better;
    `why` says what spoke for it; `corrections` are the kinds a person set: {kind: user id}. They are kept for good."""

    interaction = models.OneToOneField(Interaction, on_delete=models.CASCADE, primary_key=True, related_name="reading")
    language = models.CharField(max_length=16, blank=True)
    mood = models.CharField(max_length=16, blank=True)
    urgency = models.CharField(max_length=16, blank=True)
    sources = models.JSONField(default=dict)
    why = models.JSONField(default=dict)
    corrections = models.JSONField(default=dict)
    version = models.PositiveSmallIntegerField()
    at = models.DateTimeField()

    class Meta:
        indexes = (models.Index(fields=("version", "interaction"), name="reading_version"),)

    def __str__(self) -> str:
        return f"reading of {self.pk}"


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
    def may_be_undone(self) -> bool:
        return self.state in (self.State.QUEUED, self.State.HELD) and self.attempts == 0


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


class Macro(models.Model):
    """A text colleagues use again and again. Shared when it has no owner, for all brands when it has no brand.

    One with a purpose is what the product itself proposes at that point: the brand's own before one for all brands.
    `steps`: {"tags": [names], "assign": "me", "snooze_hours": n, "close": true}, each of them optional.
    """

    class Purpose(models.TextChoices):
        HANDOVER = "handover", _("hand-over line: going on in private")
        INVITE = "invite", _("invitation: the customer has to write to us first")
        CLOSING = "closing", _("closing public word: solved in private")

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
    saved_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("user", "thread", "lane"), name="draft_once"),)

    def __str__(self) -> str:
        return f"draft of {self.user_id} on {self.thread_id}"


class ThreadEvent(models.Model):
    """A change of a thread whose history matters: assigned, snoozed, closed, reopened..."""

    class Verb(models.TextChoices):
        ASSIGNED = "assigned", _("assigned")
        UNASSIGNED = "unassigned", _("unassigned")
        SNOOZED = "snoozed", pgettext_lazy("somebody", "snoozed")
        WOKEN = "woken", _("woken")
        CLOSED = "closed", pgettext_lazy("somebody", "closed")
        REOPENED = "reopened", pgettext_lazy("somebody", "reopened")
        CONFIRMED = "confirmed", _("confirmed")
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


class SavedViewQuerySet(models.QuerySet["SavedView"]):
    def visible_to(self, user: User) -> SavedViewQuerySet:
        """One's own, and those that colleagues share."""
        return self.filter(Q(owner=user) | Q(shared=True))


class SavedView(models.Model):
    """A question to the list under a name. `asks` is {"q": the question as the search box takes it}, checked."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_views")
    name = models.CharField(_("name"), max_length=60)
    shared = models.BooleanField(_("shared with colleagues"), default=False)
    asks = models.JSONField(default=dict)
    order = models.CharField(_("order"), max_length=16, default="newest")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = SavedViewQuerySet.as_manager()

    class Meta:
        ordering = ("name", "id")
        constraints = (models.UniqueConstraint(fields=("owner", "name"), name="saved_view_name_once"),)
        indexes = (models.Index(fields=("name",), condition=Q(shared=True), name="saved_view_shared"),)

    def __str__(self) -> str:
        return self.name

    @property
    def text(self) -> str:
        return str(self.asks.get("q", ""))

    @property
    def query(self) -> str:
        """The query string of its list."""
        return urlencode({"view": "all", "q": self.text, "order": self.order, "saved": self.pk})


class BulkJob(models.Model):
    """One step on many threads (or on one, to be undone with one key), and how far it came.

    `step` is checked JSON of `conversations.bulk`. Its threads stand in `BulkItem` before it begins, so that it can be
    resumed and repeated.
    """

    class State(models.TextChoices):
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        UNDOING = "undoing", _("undoing")
        UNDONE = "undone", _("undone")

    UNSETTLED = (State.RUNNING, State.UNDOING)

    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="bulk_jobs", db_index=False)
    step = models.JSONField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.RUNNING)
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (
            models.Index(fields=("by", "-id"), name="bulk_of_user"),
            models.Index(fields=("id",), condition=Q(state__in=("running", "undoing")), name="bulk_unsettled"),
        )

    def __str__(self) -> str:
        return f"bulk {self.pk}"


class BulkItem(models.Model):
    """One thread of a bulk job: how it was before, how the step left it, and why it was refused where it was."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        DONE = "done", _("done")
        REFUSED = "refused", _("refused")
        UNDONE = "undone", _("undone")
        KEPT = "kept", _("changed since, left as it is")

    job = models.ForeignKey(BulkJob, on_delete=models.CASCADE, related_name="items", db_index=False)
    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="+")
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("job", "thread"), name="bulk_item_once"),)
        indexes = (models.Index(fields=("job", "state", "id"), name="bulk_item_next"),)

    def __str__(self) -> str:
        return f"{self.thread_id} in {self.job_id}"


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


class Notification(models.Model):
    """Something a colleague should know. Read in the product, by mail, or both."""

    class Kind(models.TextChoices):
        MENTION = "mention", _("Somebody mentions me in a note")
        ASSIGNED = "assigned", _("A thread is assigned to me")
        ANSWERED = "answered", _("A customer writes on my thread")
        PROMISE = "promise", _("A promise of mine is overdue")
        ASKED = "asked", _("An answer waits for approval")
        DECIDED = "decided", _("My answer was approved or refused")
        FAILED = "failed", _("My answer could not be sent")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notifications")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="+", db_index=False)
    interaction = models.ForeignKey(Interaction, null=True, on_delete=models.CASCADE, related_name="notifications")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    read_at = models.DateTimeField(null=True)
    mailed_at = models.DateTimeField(null=True)
    pushed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("user", "kind", "interaction"),
                condition=Q(interaction__isnull=False),
                name="notification_once",
            ),
        )
        indexes = (
            models.Index(fields=("user", "-id"), name="notification_list"),
            models.Index(fields=("user", "thread"), condition=Q(read_at__isnull=True), name="notification_unread"),
            models.Index(fields=("user", "kind", "-id"), name="notification_kind"),
            models.Index(fields=("id",), condition=Q(mailed_at__isnull=True), name="notification_unmailed"),
            models.Index(fields=("at",), condition=Q(pushed_at__isnull=True), name="notification_unpushed"),
        )

    def __str__(self) -> str:
        return f"{self.kind} for {self.user_id}"


class MentionQuerySet(models.QuerySet["Mention"]):
    def of(self, user: User) -> MentionQuerySet:
        """Those that this colleague has neither answered nor put aside."""
        return self.filter(user=user, settled_at=None)


class Mention(models.Model):
    """A note calls a colleague, alone or with their team. Settled when they write on the thread, or put it aside."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    interaction = models.ForeignKey(Interaction, on_delete=models.CASCADE, related_name="mentions")
    settled_at = models.DateTimeField(null=True)

    objects = MentionQuerySet.as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("user", "interaction"), name="mention_once"),)
        indexes = (
            models.Index(fields=("user", "-id"), condition=Q(settled_at__isnull=True), name="mention_unsettled"),
        )

    def __str__(self) -> str:
        return f"{self.user_id} in note {self.interaction_id}"


class PushSubscription(models.Model):
    """A browser that shows somebody's notifications while nobody looks. It ends with the session it was made in."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="push_subscriptions")
    endpoint = models.CharField(max_length=1000, unique=True)
    p256dh = models.CharField(max_length=120)
    auth = models.CharField(max_length=40)
    session_key = models.CharField(max_length=40)
    failures = models.PositiveSmallIntegerField(default=0)  # in a row
    made_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"browser of {self.user_id}"


class HelperCredit(models.Model):
    """An answer of another person that solved the matter of a thread."""

    interaction = models.ForeignKey(Interaction, on_delete=models.CASCADE, related_name="credits", db_index=False)
    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="credits")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("interaction", "thread"), name="helper_credit_once"),)

    def __str__(self) -> str:
        return f"{self.interaction_id} helped {self.thread_id}"


class Article(models.Model):
    """Knowledge made of a helper's answer. It is published only with their consent."""

    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        ASKED = "asked", _("consent asked")
        CONSENTED = "consented", _("consent given")
        PUBLISHED = "published", _("published")
        WITHDRAWN = "withdrawn", _("consent withdrawn")

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="articles", db_index=False)
    source = models.OneToOneField(Interaction, null=True, on_delete=models.SET_NULL, related_name="article")
    title = models.CharField(_("title"), max_length=160)
    text = models.TextField(_("text"), max_length=20_000)
    state = models.CharField(max_length=9, choices=State.choices, default=State.DRAFT)
    consent = models.ForeignKey(Interaction, null=True, on_delete=models.PROTECT, related_name="+")
    consent_at = models.DateTimeField(null=True)
    consent_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=~Q(state__in=("consented", "published")) | Q(consent__isnull=False, consent_at__isnull=False),
                name="article_published_with_consent",
            ),
        )
        indexes = (models.Index(fields=("brand", "-id"), name="article_of_brand"),)

    def __str__(self) -> str:
        return self.title
