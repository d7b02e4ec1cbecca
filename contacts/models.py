"""People: contacts, the handles they use, and the ledger of which handle belongs to whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Upper
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Brand, initials

if TYPE_CHECKING:
    from accounts.models import User


class Tag(models.Model):
    name = models.CharField(_("name"), max_length=50, unique=True)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class ContactQuerySet(models.QuerySet["Contact"]):
    def visible_to(self, user: User) -> ContactQuerySet:
        """Contacts that spoke to one of the user's brands. Merged ones are kept out."""
        living = self.filter(merged_into=None)
        if user.sees_all_brands:
            return living
        known = Acquaintance.objects.filter(contact=OuterRef("pk"), brand__members=user)
        return living.filter(Exists(known))

    def named_like(self, words: str) -> ContactQuerySet:
        """Contacts whose name, or one of whose handles, holds these words. Both halves read a trigram index."""
        by_handle = IdentityLink.objects.filter(ended_at=None).filter(
            Q(identity__handle__icontains=words.removeprefix("@")) | Q(identity__name__icontains=words)
        )
        by_name = Contact.objects.filter(name__icontains=words)
        return self.filter(pk__in=by_name.values("pk").union(by_handle.values("contact")))


class Contact(models.Model):
    """A person: a customer, or anyone who speaks. `merged_into` marks the tombstone that a merge leaves."""

    name = models.CharField(_("name"), max_length=200, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    phone = models.CharField(_("phone"), max_length=40, blank=True)
    organisation = models.CharField(_("organisation"), max_length=120, blank=True)
    location = models.CharField(_("place"), max_length=120, blank=True)
    language = models.CharField(_("language"), max_length=16, blank=True)
    tags: models.ManyToManyField[Tag, Any] = models.ManyToManyField(Tag, blank=True, related_name="contacts")
    merged_into = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="absorbed")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ContactQuerySet.as_manager()

    class Meta:
        indexes = (
            GinIndex(OpClass(Upper("name"), name="gin_trgm_ops"), name="contact_name_trgm"),
            models.Index(fields=("merged_into",), name="contact_merged", condition=Q(merged_into__isnull=False)),
        )
        constraints = (
            models.CheckConstraint(
                condition=Q(merged_into__isnull=True) | ~Q(merged_into=models.F("id")),
                name="contact_not_into_itself",
            ),
        )

    def __str__(self) -> str:
        return self.name or str(_("Unnamed"))

    @property
    def initials(self) -> str:
        return initials(self.name)


class Acquaintance(models.Model):
    """That a contact spoke with a brand: what makes the contact visible to the brand's people."""

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="acquaintances")
    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+")
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("contact", "brand"), name="acquaintance_once"),)
        indexes = (
            models.Index(fields=("brand", "-last_at", "-contact"), name="acquaintance_recent"),
            models.Index(fields=("-last_at", "-contact"), name="acquaintance_latest"),
        )

    def __str__(self) -> str:
        return f"{self.contact_id} with {self.brand_id}"


class IdentityQuerySet(models.QuerySet["Identity"]):
    def visible_to(self, user: User) -> IdentityQuerySet:
        """The handles of contacts that the user may see. Our own accounts belong to nobody and are kept out."""
        links = IdentityLink.objects.filter(
            identity=OuterRef("pk"), ended_at=None, contact__in=Contact.objects.visible_to(user)
        )
        return self.filter(Exists(links))


class Identity(models.Model):
    """One handle of a person on one network. `ours` marks an account of our own: it has no contact.

    `gone` says why its content may no longer be kept (protected, suspended, deleted), empty while it may.
    """

    network = models.CharField(max_length=32)
    external_id = models.CharField(max_length=255)
    handle = models.CharField(max_length=255, blank=True)
    name = models.CharField(max_length=255, blank=True)
    avatar_url = models.URLField(max_length=2000, blank=True)
    permalink = models.URLField(max_length=2000, blank=True)
    followers = models.BigIntegerField(null=True)
    verified = models.BooleanField(null=True)
    ours = models.BooleanField(default=False)
    gone = models.CharField(max_length=32, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = IdentityQuerySet.as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("network", "external_id"), name="identity_once"),)
        indexes = (
            GinIndex(OpClass(Upper("handle"), name="gin_trgm_ops"), name="identity_handle_trgm"),
            GinIndex(OpClass(Upper("name"), name="gin_trgm_ops"), name="identity_name_trgm"),
        )

    def __str__(self) -> str:
        return self.name or self.handle or self.external_id

    @property
    def initials(self) -> str:
        return initials(self.name or self.handle)


class IdentityLink(models.Model):
    """Which contact an identity belongs to, on what proof, from when until when. Rows are ended, never changed."""

    class Proof(models.TextChoices):
        FIRST_SEEN = "first_seen", _("first seen")  # the contact was made for this handle
        CLAIMED = "claimed", _("claimed by the customer")
        SAME_EMAIL = "same_email", _("same verified e-mail")
        JUDGEMENT = "judgement", _("an agent's judgement")
        IMPORTED = "imported", _("imported")

    identity = models.ForeignKey(Identity, on_delete=models.CASCADE, related_name="links")
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="links")
    proof = models.CharField(max_length=16, choices=Proof.choices)
    note = models.CharField(max_length=500, blank=True)
    linked_at = models.DateTimeField(default=timezone.now)
    linked_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    merge = models.ForeignKey("Merge", null=True, on_delete=models.PROTECT, related_name="links")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("identity",), condition=Q(ended_at__isnull=True), name="identity_link_one_open"
            ),
        )
        indexes = (models.Index(fields=("contact",), condition=Q(ended_at__isnull=True), name="identity_link_open"),)

    def __str__(self) -> str:
        return f"{self.identity_id} is {self.contact_id}"


class Merge(models.Model):
    """Two contacts made one. `journal` holds what the undo needs: the identities moved and the fields filled."""

    kept = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="merges")
    dropped = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="merged_away")
    proof = models.CharField(max_length=16, choices=IdentityLink.Proof.choices)
    note = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    journal = models.JSONField(default=dict)

    class Meta:
        constraints = (
            models.CheckConstraint(condition=~Q(kept=models.F("dropped")), name="merge_not_with_itself"),
            models.UniqueConstraint(
                fields=("dropped",), condition=Q(undone_at__isnull=True), name="merge_dropped_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.dropped_id} into {self.kept_id}"


class ContactNoteQuerySet(models.QuerySet["ContactNote"]):
    def visible_to(self, user: User) -> ContactNoteQuerySet:
        """Notes for the people of the user's brands, and those for everybody."""
        if user.sees_all_brands:
            return self
        return self.filter(Q(brand=None) | Q(brand__in=user.brands.values("pk")))


class ContactNote(models.Model):
    """What a colleague wants the others to know about a person. Seen by the people of its brand."""

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="notes")
    brand = models.ForeignKey(Brand, null=True, on_delete=models.CASCADE, related_name="+")
    text = models.TextField(_("note"), max_length=5000)
    at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    objects = ContactNoteQuerySet.as_manager()

    class Meta:
        ordering = ("-at", "-id")
        indexes = (models.Index(fields=("contact", "-at", "-id"), name="contact_note_recent"),)

    def __str__(self) -> str:
        return self.text[:60]
