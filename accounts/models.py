"""Who works here: users with a role, the brands they serve, their teams, API keys and the audit log."""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING, Any, ClassVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.audit_words import DETAILS, FIELDS, KINDS, VERBS
from accounts.roles import Permission, Role, allows

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime


class BrandQuerySet(models.QuerySet["Brand"]):
    def visible_to(self, user: User) -> BrandQuerySet:
        """The brands this user may see: all of them for an admin."""
        return self if user.sees_all_brands else self.filter(members=user)


class Brand(models.Model):
    """A label whose customers are served."""

    name = models.CharField(_("name"), max_length=120)
    slug = models.SlugField(_("short name"), unique=True)
    undo_seconds = models.PositiveSmallIntegerField(
        _("undo window"), default=10, help_text=_("Seconds before a public reply leaves; 0 sends at once.")
    )
    reach_cap = models.PositiveIntegerField(
        _("cap of reach"),
        default=100_000,
        db_default=100_000,
        help_text=_("Followers beyond this number bring nobody further up in the list; 1 makes everybody equal."),
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = BrandQuerySet.as_manager()

    class Meta:
        ordering = ("name", "id")

    def __str__(self) -> str:
        return self.name


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Raises ValueError without an e-mail address."""
        if not email:
            raise ValueError("A user needs an e-mail address.")
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(email, password, **{"role": Role.ADMIN, **fields})

    def admins(self) -> models.QuerySet[User]:
        """The active users who may do everything, for all brands."""
        return self.filter(role=Role.ADMIN, is_active=True)

    def serving(self, brands: Collection[int]) -> models.QuerySet[User]:
        """The active users who see one of these brands and may work for it, by name."""
        members = User.brands.through.objects.filter(brand__in=brands).values("user")
        return self.filter(models.Q(pk__in=members) | models.Q(role=Role.ADMIN), is_active=True).order_by("name", "pk")

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email__iexact=username)


class Digest(models.TextChoices):
    """How often somebody gets mail about what happened."""

    OFF = "off", _("never")
    INSTANT = "instant", _("at once")
    DAILY = "daily", _("every morning at eight")


class User(AbstractBaseUser, PermissionsMixin):
    """Someone who signs in. What the role may do stands in `accounts.roles`."""

    email = models.EmailField(_("e-mail address"))
    name = models.CharField(_("name"), max_length=120)
    role = models.CharField(_("role"), max_length=16, choices=Role.choices, default=Role.AGENT)
    brands: models.ManyToManyField[Brand, Any] = models.ManyToManyField(
        Brand, verbose_name=_("brands"), related_name="members", blank=True
    )
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC")
    language = models.CharField(_("language"), max_length=8, blank=True, default="", db_default="")  # of the pages
    is_active = models.BooleanField(_("may sign in"), default=True)
    needs_approval = models.BooleanField(_("public answers wait for approval"), default=False, db_default=False)
    languages = models.JSONField(_("languages"), default=list, db_default=[], blank=True)  # two-letter codes
    muted = models.JSONField(default=list, db_default=[], blank=True)  # kinds of notification that are switched off
    digest = models.CharField(
        _("mail about what happened"), max_length=8, choices=Digest.choices, default=Digest.OFF, db_default="off"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    objects = UserManager()

    class Meta:
        ordering = ("name", "id")
        constraints = (models.UniqueConstraint(Lower("email"), name="user_email_once"),)

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def zone(self) -> ZoneInfo | None:
        """The time zone; None, which means UTC, for one this machine does not know."""
        try:
            return ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError):
            return None

    @property
    def sees_all_brands(self) -> bool:
        return self.role == Role.ADMIN

    @property
    def initials(self) -> str:
        return initials(self.name or self.email)

    def may(self, permission: Permission) -> bool:
        return self.is_active and allows(self.role, permission)


def initials(name: str) -> str:
    """One or two letters that stand for a name."""
    words = [word for word in name.split() if word[0].isalnum()]
    return "".join(word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words)).upper() or "?"


class Team(models.Model):
    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="teams")
    name = models.CharField(_("name"), max_length=80)
    members: models.ManyToManyField[User, Any] = models.ManyToManyField(User, related_name="teams", blank=True)

    class Meta:
        ordering = ("name", "id")
        constraints = (models.UniqueConstraint("brand", Lower("name"), name="team_name_once_per_brand"),)

    def __str__(self) -> str:
        return self.name


class ApiKey(models.Model):
    """A token for the API. Only its hash is kept; the token itself is shown once."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(_("what for"), max_length=80)
    prefix = models.CharField(max_length=8, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    last_used_at = models.DateTimeField(null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ("-created_at", "-id")

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @classmethod
    def issue(cls, *, user: User, name: str) -> tuple[ApiKey, str]:
        """A new key and its token, which can never be read again."""
        token = "scrm_" + secrets.token_urlsafe(32)
        key = cls.objects.create(user=user, name=name, prefix=token[5:11], digest=cls.digest_of(token))
        return key, token

    @staticmethod
    def digest_of(token: str) -> str:
        return hashlib.sha256(token.encode()).hexdigest()

    @classmethod
    def holder(cls, token: str, now: datetime) -> User | None:
        """The active user a token speaks for; None for a wrong or revoked one."""
        key = (
            cls.objects.select_related("user")
            .filter(digest=cls.digest_of(token), revoked_at=None, user__is_active=True)
            .first()
        )
        if key is None:
            return None
        if key.last_used_at is None or (now - key.last_used_at).total_seconds() > 60:
            cls.objects.filter(pk=key.pk).update(last_used_at=now)
        return key.user


class AuditEntry(models.Model):
    """Who did what to what, and when. Written in the transaction of the deed; never holds secrets or post texts."""

    at = models.DateTimeField(default=timezone.now, editable=False)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    verb = models.CharField(max_length=64)
    kind = models.CharField(max_length=64)
    object_id = models.CharField(max_length=64)
    brand = models.ForeignKey(Brand, null=True, on_delete=models.SET_NULL, related_name="+")
    details = models.JSONField(default=dict)

    class Meta:
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("kind", "object_id", "-id"), name="audit_by_object"),
            models.Index(fields=("brand", "-id"), name="audit_by_brand", condition=Q(brand__isnull=False)),
            models.Index(fields=("by", "-id"), name="audit_by_person", condition=Q(by__isnull=False)),
        )

    def __str__(self) -> str:
        return f"{self.verb} {self.kind} {self.object_id}"

    @property
    def deed(self) -> str:
        """The verb as people say it."""
        return gettext(VERBS.get(self.verb, self.verb))

    @property
    def thing(self) -> str:
        """What it was done to: its kind and number."""
        return f"{gettext(KINDS.get(self.kind, self.kind))} {self.object_id}"

    @property
    def told(self) -> list[tuple[str, str]]:
        """The details in words, those without anything left out."""
        known = [(str(name), _in_words(str(name), value)) for name, value in self.details.items()]
        return [(gettext(DETAILS.get(name, name)), words) for name, words in known if words]


def _in_words(name: str, value: Any) -> str:
    match name, value:
        case _, bool():
            return gettext("yes") if value else gettext("no")
        case "fields", list():
            return ", ".join(gettext(FIELDS.get(str(field), str(field))) for field in value)
        case _, list():
            return ", ".join(str(one) for one in value)
        case "role", _ if value in Role.values:
            return str(Role(value).label)
        case _, None:
            return ""
    return str(value)
