"""Who is called in a note: colleagues and teams by name, among those who see the brand."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
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


@dataclass(frozen=True, slots=True)
class Called:
    """Ids of those whom a note calls by their own name, and of the people of the teams it calls."""

    people: frozenset[int] = frozenset()
    of_teams: frozenset[int] = frozenset()

    @property
    def everybody(self) -> frozenset[int]:
        return self.people | self.of_teams


def mentioned(text: str, brand_id: int) -> Called:
    """Whom a note calls by "@name". Two of one name are both meant, also a team and a colleague."""
    if "@" not in text:
        return Called()
    seeing = dict(User.objects.serving([brand_id]).values_list("pk", "name"))
    people = _by_name((name, pk) for pk, name in seeing.items())
    members = Team.objects.filter(brand=brand_id, members__in=seeing).values_list("name", "members")
    teams = _by_name(members)
    names = [*_called(text[:LONGEST_NOTE].casefold(), {*people, *teams})]
    return Called(_all_of(people, names), _all_of(teams, names))


def _by_name(named: Iterable[tuple[str, int]]) -> dict[str, set[int]]:
    found: dict[str, set[int]] = {}
    for name, pk in named:
        found.setdefault(name.casefold(), set()).add(pk)
    return found


def _all_of(found: Mapping[str, set[int]], names: Iterable[str]) -> frozenset[int]:
    return frozenset().union(*(found.get(name, ()) for name in names))


def _called(text: str, names: Collection[str]) -> Iterator[str]:
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
