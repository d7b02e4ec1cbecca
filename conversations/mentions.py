"""Who is called in a note: colleagues and teams by name, among those who see the brand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.db.models import Q

from accounts.models import Team, User
from conversations.models import Interaction, Mention, Thread

LONGEST_NOTE = 20_000
MOST_NAMES = 200  # told at once


@dataclass(frozen=True, slots=True)
class Nameable:
    """A name that can be called, and whether it is a team's."""

    name: str
    team: bool = False


def names_in(brand_id: int, words: str = "") -> list[Nameable]:
    """The first names that a note of this brand may call, of those in which a word begins so; people first."""
    begins = Q(name__istartswith=words) | Q(name__icontains=f" {words}") if words else ~Q(name="")
    people = User.objects.serving([brand_id]).filter(begins).values_list("name", flat=True)[:MOST_NAMES]
    teams = Team.objects.filter(begins, brand=brand_id).values_list("name", flat=True)[:MOST_NAMES]
    named = [*dict.fromkeys(map(Nameable, people)), *(Nameable(name, team=True) for name in teams)]
    return named[:MOST_NAMES]


def mentioned(text: str, brand_id: int) -> set[int]:
    """Ids of the colleagues that a note calls by "@name", alone or with their team. Two of one name are both meant."""
    if "@" not in text:
        return set()
    seeing = dict(User.objects.serving([brand_id]).values_list("pk", "name"))
    names: dict[str, set[int]] = {}
    for pk, name in seeing.items():
        names.setdefault(name.casefold(), set()).add(pk)
    members = Team.objects.filter(brand=brand_id, members__isnull=False).values_list("name", "members")
    for name, pk in members:
        names.setdefault(name.casefold(), set()).add(pk)
    called = [names[name] for name in _called(text[:LONGEST_NOTE].casefold(), names)]
    return set().union(*called) & seeing.keys()


def _called(text: str, names: Mapping[str, object]) -> Iterator[str]:
    """At each "@" the longest known name that stands there as whole words."""
    longest_first = sorted((name for name in names if name), key=len, reverse=True)
    for at, sign in enumerate(text):
        if sign != "@" or (at and text[at - 1].isalnum()):
            continue
        rest = text[at + 1 :]
        for name in longest_first:
            if rest.startswith(name) and not rest[len(name) : len(name) + 1].isalnum():
                yield name
                break


def mentions_on(thread: Thread, user: User) -> list[Interaction]:
    """The notes of a thread that call this colleague and wait for their word, the oldest first."""
    called = Mention.objects.of(user).filter(interaction__thread=thread).select_related("interaction__sent_by")
    return [one.interaction for one in called.order_by("pk")]
