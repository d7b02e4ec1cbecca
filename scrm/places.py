"""Where the keys `g` and a letter lead, and the palette: the places of the product that a role may enter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.roles import MATRIX, Permission

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


@dataclass(frozen=True, slots=True)
class Place:
    """One place: the name of its route, the letter that follows `g`, and whoever may enter (None: all)."""

    route: str
    letter: str
    label: _StrPromise
    icon: str
    may: Permission | None = Permission.READ

    @property
    def url(self) -> str:
        return reverse(self.route)

    @property
    def keys(self) -> str:
        return f"g {self.letter}"


PLACES = (
    Place("inbox", "i", _("Go to the inbox"), "inbox"),
    Place("notices", "n", _("Go to what is for me"), "bell"),
    Place("contacts", "c", _("Go to the contacts"), "people"),
    Place("promises", "p", _("Go to the promises"), "clock"),
    Place("approvals", "a", _("Go to what waits for approval"), "checks", Permission.APPROVE),
    Place("macros", "m", _("Go to the macros"), "note", Permission.REPLY),
    Place("articles", "k", _("Go to the knowledge"), "file"),
    Place("channels", "h", _("Go to the channels"), "channels", Permission.CHANNELS),
    Place("outages", "o", _("Go to the outages"), "warning", Permission.CHANNELS),
    Place("people", "s", _("Go to the settings"), "settings", Permission.PEOPLE),
    Place("brands", "b", _("Go to brands and teams"), "globe", Permission.PEOPLE),
    Place("audit-log", "l", _("Go to the audit log"), "log", Permission.PEOPLE),
    Place("profile", "y", _("Go to your profile"), "user", None),
)


def places_of(role: str) -> list[Place]:
    """The places somebody of this role may enter."""
    allowed = MATRIX.get(role, frozenset())
    return [place for place in PLACES if place.may is None or place.may in allowed]
