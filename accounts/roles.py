"""The one matrix of what each role may do. Pages, API and tasks all ask `allows`."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    AGENT = "agent", _("Agent")
    MANAGER = "manager", _("Manager")
    ADMIN = "admin", _("Admin")


class Permission(models.TextChoices):
    READ = "read", _("Read the inbox, contacts and timelines of their brands")
    REPLY = "reply", _("Answer, write notes, assign, snooze, close and reopen")
    MODERATE = "moderate", _("Hide and delete on the network")
    APPROVE = "approve", _("Approve the public answers of colleagues")
    MERGE = "merge", _("Merge and split contacts")
    OVERRIDE = "override", _("Send in public what the privacy check holds back")
    MACROS = "macros", _("Write the macros that everybody uses")
    REPORTS = "reports", _("See how the channels and teams are doing")
    CHANNELS = "channels", _("Connect, pause and repair channels")
    PEOPLE = "people", _("Manage users, roles, brands and teams")


_AGENT = frozenset({Permission.READ, Permission.REPLY})
_MANAGER = _AGENT | {
    Permission.MODERATE,
    Permission.APPROVE,
    Permission.MERGE,
    Permission.OVERRIDE,
    Permission.MACROS,
    Permission.REPORTS,
}

MATRIX: dict[str, frozenset[str]] = {
    Role.AGENT: _AGENT,
    Role.MANAGER: _MANAGER,
    Role.ADMIN: frozenset(Permission),
}


def allows(role: str, permission: Permission) -> bool:
    return permission in MATRIX.get(role, frozenset())
