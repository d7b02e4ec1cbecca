"""What was said, where it stands, and what became of it on its network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F, Func, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Brand
from channels_ingest.models import Channel
from channels_ingest.networks.base import Visibility
from contacts.models import Contact, Identity
from conversations.models.threads import Thread

if TYPE_CHECKING:
    from accounts.models import User


class InteractionQuerySet(models.QuerySet["Interaction"]):
    def visible_to(self, user: User) -> InteractionQuerySet:
        return self if user.sees_all_brands else self.filter(channel__brand__members=user)


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
                    output_field=ArrayField(models.DateField()),
                    template="(ARRAY[(%(expressions)s AT TIME ZONE 'UTC')::date])",
                ),
                name="search_by_days",
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
