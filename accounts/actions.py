"""What admins do to people, brands, teams and keys. Each deed and its audit line stand in one transaction."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from accounts.audit import audit
from accounts.models import ApiKey, Brand, Team, User
from accounts.roles import Role

if TYPE_CHECKING:
    from collections.abc import Iterable


class LastAdmin(Exception):
    """Somebody must remain who can manage people."""


@transaction.atomic
def add_person(
    *,
    by: User | None,
    email: str,
    name: str,
    role: str,
    brands: Iterable[Brand],
    teams: Iterable[Team],
    needs_approval: bool = False,
) -> User:
    """A new user. Nobody knows the password: the person sets one by mail."""
    person = User.objects.create_user(
        email, secrets.token_urlsafe(32), name=name, role=role, needs_approval=needs_approval
    )
    person.brands.set(brands)
    person.teams.set(teams)
    audit(by=by, verb="created", on=person, role=role)
    return person


@transaction.atomic
def change_person(
    *,
    person: User,
    by: User,
    email: str,
    name: str,
    role: str,
    is_active: bool,
    brands: Iterable[Brand],
    teams: Iterable[Team],
    needs_approval: bool = False,
) -> User:
    """Raises LastAdmin when nobody could manage people any more."""
    admins = set(_active_admins())
    if person.pk in admins and len(admins) == 1 and not (is_active and role == Role.ADMIN):
        raise LastAdmin
    person = User.objects.select_for_update().get(pk=person.pk)
    wanted = {
        "email": User.objects.normalize_email(email),
        "name": name,
        "role": role,
        "is_active": is_active,
        "needs_approval": needs_approval,
    }
    changed = [field for field, value in wanted.items() if getattr(person, field) != value]
    for field in changed:
        setattr(person, field, wanted[field])
    person.save(update_fields=changed)
    person.brands.set(brands)
    person.teams.set(teams)
    verb = "deactivated" if "is_active" in changed and not is_active else "changed"
    audit(by=by, verb=verb, on=person, fields=changed, role=role)
    return person


def _active_admins() -> list[int]:
    """Locked, so that two admins cannot put each other out at the same moment."""
    return list(User.objects.admins().order_by("pk").select_for_update().values_list("pk", flat=True))


@transaction.atomic
def change_own_profile(*, user: User, name: str, time_zone: str, language: str) -> None:
    """`language` is one of the install's, or empty for what the browser asks for."""
    user.name, user.time_zone, user.language = name, time_zone, language
    user.save(update_fields=["name", "time_zone", "language"])
    audit(by=user, verb="changed profile", on=user)


@transaction.atomic
def save_brand(*, brand: Brand, by: User, name: str, slug: str, undo_seconds: int, reach_cap: int | None) -> Brand:
    """Makes the brand or changes it; without a cap of reach it keeps the one it has."""
    verb = "changed" if brand.pk else "created"
    brand.name, brand.slug, brand.undo_seconds = name, slug, undo_seconds
    brand.reach_cap = reach_cap or brand.reach_cap
    brand.save()
    audit(by=by, verb=verb, on=brand, brand=brand, undo_seconds=undo_seconds, reach_cap=brand.reach_cap)
    return brand


@transaction.atomic
def save_team(*, team: Team, by: User, name: str, members: Iterable[User]) -> Team:
    """Makes the team or changes it."""
    verb = "changed" if team.pk else "created"
    team.name = name
    team.save()
    team.members.set(members)
    audit(by=by, verb=verb, on=team, brand=team.brand_id, name=name)
    return team


@transaction.atomic
def remove_team(*, team: Team, by: User) -> None:
    audit(by=by, verb="removed", on=team, brand=team.brand_id, name=team.name)
    team.delete()


@transaction.atomic
def issue_key(*, user: User, name: str) -> tuple[ApiKey, str]:
    """A new API key and its token, which is shown this once."""
    key, token = ApiKey.issue(user=user, name=name)
    audit(by=user, verb="issued", on=key, name=name)
    return key, token


@transaction.atomic
def revoke_key(*, key: ApiKey, by: User) -> None:
    """Ends a key for good. Harmless when it was revoked before."""
    if ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now()):
        audit(by=by, verb="revoked", on=key, name=key.name)


def note_password_change(*, user: User) -> None:
    audit(by=user, verb="changed password", on=user)
