"""What colleagues are told, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from conversations.models.interactions import Interaction
from conversations.models.threads import Thread, ThreadEvent

if TYPE_CHECKING:
    from accounts.models import User


class Notification(models.Model):
    """Something a colleague should know. Read in the product, by mail, or both."""

    class Kind(models.TextChoices):
        MENTION = "mention", _("Somebody mentions me in a note")
        TEAM = "team", _("Somebody mentions a team of mine in a note")
        ASSIGNED = "assigned", _("A thread is assigned to me")
        GIVEN = "given", _("A thread is assigned to a team of mine (told in the product alone)")
        ANSWERED = "answered", _("A customer writes on my thread")
        PROMISE = "promise", _("A promise of mine is overdue")
        ASKED = "asked", _("An answer waits for approval")
        DECIDED = "decided", _("My answer was approved or refused")
        FAILED = "failed", _("My answer could not be sent")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notifications")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="+", db_index=False)
    interaction = models.ForeignKey(Interaction, null=True, on_delete=models.CASCADE, related_name="notifications")
    event = models.ForeignKey(ThreadEvent, null=True, on_delete=models.CASCADE, related_name="+", db_index=False)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    read_at = models.DateTimeField(null=True)
    mail_id = models.UUIDField(null=True)  # of the mail whose line it is, before that leaves
    mailed_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)  # of a push that is on its way
    pushed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("user", "kind", "interaction"),
                condition=Q(interaction__isnull=False),
                name="notification_once",
            ),
            models.UniqueConstraint(
                fields=("event", "user"), condition=Q(event__isnull=False), name="notification_event_once"
            ),
            models.UniqueConstraint(
                fields=("user", "interaction"),
                condition=Q(kind__in=("mention", "team")),
                name="notification_mention_once",
            ),
        )
        indexes = (
            models.Index(fields=("user", "-id"), name="notification_list"),
            models.Index(fields=("user", "thread"), condition=Q(read_at__isnull=True), name="notification_unread"),
            models.Index(fields=("user", "kind", "-id"), name="notification_kind"),
            models.Index(fields=("id",), condition=Q(mailed_at__isnull=True), name="notification_unmailed"),
            models.Index(
                fields=("mail_id",),
                condition=Q(mail_id__isnull=False, mailed_at__isnull=True),
                name="notification_mailing",
            ),
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
    silent_until = models.DateTimeField(null=True)  # its push server takes nothing before
    made_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"browser of {self.user_id}"
