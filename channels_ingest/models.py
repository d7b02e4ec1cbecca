"""Where we are present: developer apps, channels with their credentials, cursors and health, and the ingest ledger."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Brand
from channels_ingest.networks import networks
from channels_ingest.networks.base import Account
from channels_ingest.networks.parts.retired import Retired
from channels_ingest.vault import Sealed, SealedField

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from accounts.models import User
    from channels_ingest.networks.base import Network


def _hook_id() -> str:
    return secrets.token_urlsafe(12)


class App(models.Model):
    """A developer app registered with a network: its secrets sign the webhooks of all channels connected by it."""

    network = models.CharField(max_length=32)
    key = models.CharField(max_length=255)
    secrets = SealedField(default=dict)
    hook_id = models.CharField(max_length=32, unique=True, default=_hook_id, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("network", "key"), name="app_once"),)

    def __str__(self) -> str:
        return f"{self.network} app {self.key}"


class ChannelQuerySet(models.QuerySet["Channel"]):
    def visible_to(self, user: User) -> ChannelQuerySet:
        return self if user.sees_all_brands else self.filter(brand__members=user)

    def pulling(self) -> ChannelQuerySet:
        """Channels that a worker may call the network for."""
        return self.filter(state__in=(Channel.State.ACTIVE, Channel.State.BROKEN))


class Channel(models.Model):
    """A brand's presence on a network: an account with its credentials, and how it fares."""

    class State(models.TextChoices):
        HISTORY = "history", _("history only")  # imported, not connected
        ACTIVE = "active", _("active")
        PAUSED = "paused", _("paused")
        BROKEN = "broken", _("broken")  # token or scope; probed at a slow pace

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="channels")
    network = models.CharField(max_length=32)
    external_id = models.CharField(max_length=255)
    handle = models.CharField(max_length=255)
    name = models.CharField(max_length=255, blank=True)
    avatar_url = models.URLField(max_length=2000, blank=True)
    app = models.ForeignKey(App, null=True, on_delete=models.PROTECT, related_name="channels")
    credentials = SealedField(default=dict, editable=False)
    base_url = models.URLField(max_length=500, blank=True)  # another origin than the vendor's: the sandbox
    settings = models.JSONField(default=dict, blank=True)
    state = models.CharField(max_length=16, choices=State.choices, default=State.HISTORY)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    last_success_at = models.DateTimeField(null=True, editable=False)
    last_item_at = models.DateTimeField(null=True, editable=False)  # when the newest item was stored
    last_error = models.CharField(max_length=1000, blank=True, editable=False)
    last_error_code = models.CharField(max_length=64, blank=True, editable=False)
    last_error_at = models.DateTimeField(null=True, editable=False)
    advice = models.CharField(max_length=500, blank=True, editable=False)
    limited_until = models.DateTimeField(null=True, editable=False)
    broken_since = models.DateTimeField(null=True, editable=False)
    outage_from = models.DateTimeField(null=True, editable=False)  # start of a hole that is still to be back-filled
    push_since = models.DateTimeField(null=True, editable=False)  # webhooks subscribed
    pushes_checked_at = models.DateTimeField(null=True, editable=False)
    token_expires_at = models.DateTimeField(null=True, editable=False)  # when only a person can renew the access
    access_checked_at = models.DateTimeField(null=True, editable=False)

    objects = ChannelQuerySet.as_manager()

    class Meta:
        ordering = ("brand", "network", "handle", "id")
        constraints = (models.UniqueConstraint(fields=("network", "external_id"), name="channel_once"),)

    def __str__(self) -> str:
        return f"{self.network_name} @{self.handle}"

    @property
    def adapter(self) -> type[Network]:
        """The network's class; a stand-in that can do nothing when this install no longer has it."""
        return networks().get(self.network, Retired)

    @property
    def network_name(self) -> str:
        return self.adapter.name if self.network in networks() else self.network

    @property
    def account(self) -> Account:
        """As it stands here; `channels_ingest.speaking` speaks for it."""
        app_secrets = self.app.secrets if self.app else {}
        return Account(
            external_id=self.external_id,
            handle=self.handle,
            credentials={**app_secrets, **self.credentials},
            settings=self.settings,
            base_url=self.base_url,
        )

    def keep_credentials(self, credentials: Mapping[str, str]) -> None:
        """Takes over what belongs to this one account; the app's own keys stay with the app. Not saved."""
        for_app = {field.name for field in self.adapter.fields if field.app}
        self.credentials = Sealed({name: one for name, one in credentials.items() if one and name not in for_app})


class Renewal(models.Model):
    """When the access of a channel is to be renewed, and who is at it (`channels_ingest/renewal.py`).

    `tries` counts the tries since the last success; `refused_at` says that only a person can go on.
    """

    channel = models.OneToOneField(Channel, on_delete=models.CASCADE, primary_key=True, related_name="renewal")
    due_at = models.DateTimeField(default=timezone.now, db_index=True)
    lease_until = models.DateTimeField(null=True)
    tries = models.PositiveIntegerField(default=0)
    renewed_at = models.DateTimeField(null=True)
    refused_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"renewal of {self.channel_id}"


class StreamCursor(models.Model):
    """How far one stream of a channel was pulled. The cursor moves in the transaction that stores its items."""

    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="cursors")
    stream = models.CharField(max_length=32)
    cursor = models.JSONField(default=dict)
    due_at = models.DateTimeField(default=timezone.now)
    pulled_at = models.DateTimeField(null=True)
    succeeded_at = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0)  # in a row

    class Meta:
        constraints = (models.UniqueConstraint(fields=("channel", "stream"), name="cursor_once"),)
        indexes = (models.Index(fields=("due_at",), name="cursor_due"),)

    def __str__(self) -> str:
        return f"{self.stream} of {self.channel_id}"


class WebhookEvent(models.Model):
    """A webhook body as it came, stored before it was answered. `external_ids` are the items it told of."""

    class State(models.TextChoices):
        RECEIVED = "received", _("received")
        STORED = "stored", _("stored")
        SET_ASIDE = "set_aside", _("set aside")

    app = models.ForeignKey(App, on_delete=models.CASCADE, related_name="events")
    digest = models.CharField(max_length=64)  # SHA-256 of the body
    body = models.BinaryField()
    received_at = models.DateTimeField(default=timezone.now)
    state = models.CharField(max_length=16, choices=State.choices, default=State.RECEIVED)
    tries = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(default=timezone.now)
    processed_at = models.DateTimeField(null=True)
    stored = models.PositiveIntegerField(default=0)
    known = models.PositiveIntegerField(default=0)
    dropped = models.JSONField(default=list)  # reasons, without content
    error = models.CharField(max_length=1000, blank=True)
    external_ids: ArrayField[Any, Any] = ArrayField(models.CharField(max_length=255), default=list)

    class Meta:
        ordering = ("-id",)
        constraints = (models.UniqueConstraint(fields=("app", "digest"), name="webhook_event_once"),)
        indexes = (
            models.Index(fields=("due_at",), condition=Q(state="received"), name="webhook_event_due"),
            models.Index(fields=("app", "-id"), name="webhook_event_recent"),
            models.Index(fields=("app", "state", "-id"), name="webhook_event_by_state"),
            models.Index(fields=("app", "-id"), condition=~Q(dropped=[]), name="webhook_event_dropped"),
            GinIndex(fields=("external_ids",), name="webhook_event_items"),
        )

    def __str__(self) -> str:
        return f"event {self.pk} of {self.app_id}"


class PulledPage(models.Model):
    """One line of the ingest ledger: what a page of a pull brought, and what became of it."""

    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="pages")
    stream = models.CharField(max_length=32)
    at = models.DateTimeField(default=timezone.now)
    received = models.PositiveIntegerField()
    stored = models.PositiveIntegerField()
    known = models.PositiveIntegerField()
    dropped = models.PositiveIntegerField()

    class Meta:
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("channel", "-id"), name="pulled_page_recent"),
            models.Index(fields=("channel", "-id"), condition=Q(dropped__gt=0), name="pulled_page_dropped"),
            models.Index(fields=("channel", "stream", "-id"), name="pulled_page_by_stream"),
        )

    def __str__(self) -> str:
        return f"{self.stream} of {self.channel_id}: {self.received}"


class SetAside(models.Model):
    """An item that could not become an interaction, with the reason; kept for replay until it is settled.

    Poison is what we could not store, and must be looked at. What was left out is no item of ours: no harm.
    """

    class Kind(models.TextChoices):
        LEFT_OUT = "left_out", _("left out")
        POISON = "poison", _("poison")

    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="set_aside")
    event = models.ForeignKey(WebhookEvent, null=True, on_delete=models.CASCADE, related_name="set_aside")
    stream = models.CharField(max_length=32, blank=True)
    at = models.DateTimeField(default=timezone.now)
    kind = models.CharField(max_length=16, choices=Kind.choices, default=Kind.LEFT_OUT)
    reason = models.CharField(max_length=500)
    digest = models.CharField(max_length=64)
    raw = models.JSONField(null=True)
    tries = models.PositiveSmallIntegerField(default=1)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-id",)
        constraints = (models.UniqueConstraint(fields=("channel", "digest"), name="set_aside_once"),)
        indexes = (
            models.Index(fields=("channel", "-id"), name="set_aside_recent"),
            models.Index(fields=("channel", "kind", "-id"), name="set_aside_by_kind"),
        )

    def __str__(self) -> str:
        return self.reason


class Notice(models.Model):
    """Something about a channel that its admins must know: one for each outage, from when until when.

    It stands in the product while it lasts, and is sent by mail once to each admin (`mailed_to`),
    until all were told (`mailed_at`).
    """

    class Kind(models.TextChoices):
        BROKEN = "broken", _("broken")
        SILENT = "silent", _("silent")
        EXPIRING = "expiring", _("its access ends soon")

    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="notices", db_index=False)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    began_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)
    words = models.CharField(max_length=1000)
    advice = models.CharField(max_length=500, blank=True)
    mailed_at = models.DateTimeField(null=True)
    mailed_to: ArrayField[Any, Any] = ArrayField(models.BigIntegerField(), default=list, db_default=[])  # ids of users

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=("channel", "kind"),
                condition=Q(ended_at__isnull=True),
                name="notice_one_open",
            ),
        )
        indexes = (models.Index(fields=("channel", "-id"), name="notice_recent"),)

    def __str__(self) -> str:
        return self.words


class Recheck(models.Model):
    """How far the stored posts of a channel were looked up again, to learn which of them were deleted meanwhile."""

    channel = models.OneToOneField(Channel, on_delete=models.CASCADE, primary_key=True, related_name="recheck")
    position = models.BigIntegerField(default=0)  # the id of the last interaction looked up in this round
    began_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)
    looked_up = models.PositiveIntegerField(default=0)
    removed = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"recheck of {self.channel_id}"


class Reconcile(models.Model):
    """One reading back of a channel over a window: what was missing here and is here now.

    While it is not finished, it is begun (again) from `due_at` on, where nobody is at it. `missing_ids` names the first
    thousand of the missing items.
    """

    class Cause(models.TextChoices):
        NIGHTLY = "nightly", _("nightly")
        ASKED = "asked", _("asked for")
        OUTAGE = "outage", _("after an outage")

    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="reconciles", db_index=False)
    cause = models.CharField(max_length=16, choices=Cause.choices)
    since = models.DateTimeField()
    began_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(default=timezone.now, db_default=Now())
    tries = models.PositiveSmallIntegerField(default=0, db_default=0)
    read = models.PositiveIntegerField(default=0)
    missing = models.PositiveIntegerField(default=0)
    repaired = models.PositiveIntegerField(default=0)
    missing_ids: ArrayField[Any, Any] = ArrayField(models.CharField(max_length=255), default=list)
    error = models.CharField(max_length=1000, blank=True)

    class Meta:
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("channel", "-id"), name="reconcile_recent"),
            models.Index(fields=("channel",), condition=Q(finished_at=None), name="reconcile_unfinished"),
        )

    def __str__(self) -> str:
        return f"{self.cause} of {self.channel_id}: {self.missing} missing"


def pull_times(channel: Channel) -> dict[str, datetime | None]:
    """When each stream of the channel was last pulled with success."""
    return dict(channel.cursors.values_list("stream", "succeeded_at"))


class PushKey(models.Model):
    """The key by which push servers know us: one for this installation, made when a browser first asks for it."""

    ONLY = 1

    secrets = SealedField()  # {"vapid": the private value, in hex}

    class Meta:
        constraints = (models.CheckConstraint(condition=models.Q(id=1), name="push_key_only_one"),)

    def __str__(self) -> str:
        return "key for push"
