"""Lists under a name, and steps on many threads at once."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from conversations.models.threads import Thread

if TYPE_CHECKING:
    from accounts.models import User


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
