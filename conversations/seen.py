"""Whose threads somebody sees: what every list and every open browser begins with."""

from __future__ import annotations

from functools import cache

from accounts.models import Brand, User
from conversations import prepared
from conversations.statements import ANYBODY, statement_of


def brand_ids(user: User) -> list[int]:
    """The brands whose threads the user sees."""
    if user.sees_all_brands:  # nothing in it to prepare a statement for
        return list(Brand.objects.visible_to(user).values_list("pk", flat=True))
    return [pk for (pk,) in prepared.rows(_brands_seen_by_anybody(), [user.pk])]


@cache
def _brands_seen_by_anybody() -> str:
    return statement_of(Brand.objects.visible_to(User(pk=ANYBODY)).values_list("pk", flat=True), [ANYBODY])
