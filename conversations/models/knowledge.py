"""What peers have solved, and what was written down of it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Brand
from conversations.models.interactions import Interaction
from conversations.models.threads import Thread

if TYPE_CHECKING:
    pass


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

    @property
    def version(self) -> str:
        """Stands for its words: the same as long as they are."""
        return hashlib.sha256(f"{self.title}\0{self.text}".encode()).hexdigest()[:32]
