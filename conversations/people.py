"""People by a part of their name or handle, also misspelt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.postgres.search import TrigramSimilarity
from django.db.models import Q, Subquery
from django.db.models.functions import Greatest, Upper

from contacts.models import Contact, Identity

if TYPE_CHECKING:
    from django.db.models import QuerySet

MOST_PEOPLE = 200
MOST_COMPARED = 2_000
SHORTEST_NAME = 2
SHORTEST_PART = 3  # letters that are found inside a word


def threads_of(name: str, *, misspelt: bool = True) -> Q:
    """The threads of people whose name or handle contains the text; where none does, of those much like it."""
    name = name.lstrip("@").strip()
    if len(name) < SHORTEST_NAME:
        return Q(pk__in=())
    identities = _like(Identity.objects.order_by(), ("handle", "name"), name, misspelt=misspelt)
    contacts = _like(Contact.objects.order_by(), ("name",), name, misspelt=misspelt)
    return Q(identity_id__in=identities) | Q(contact_id__in=contacts)


def _like(
    people: QuerySet[Identity] | QuerySet[Contact], fields: tuple[str, ...], name: str, *, misspelt: bool
) -> list[int]:
    """The nearest of those who hold it in their name; where nobody does, of those whose name looks like it.

    All conditions are met by the trigram index on upper case. Of very many only some are compared.
    """
    upper = name.upper()
    for field in fields:
        people = people.alias(**{f"upper_{field}": Upper(field)})
    nearness = [TrigramSimilarity(f"upper_{field}", upper) for field in fields]
    nearest = Greatest(*nearness) if len(nearness) > 1 else nearness[0]
    for condition in (_holding(fields, name), *([_looking_like(fields, upper)] if misspelt else [])):
        some = Subquery(people.filter(condition).values("pk")[:MOST_COMPARED])
        nearby = people.filter(Q(pk__in=some)).order_by(nearest.desc(), "-pk")
        if found := list(nearby.values_list("pk", flat=True)[:MOST_PEOPLE]):
            return found
    return []


def _holding(fields: tuple[str, ...], name: str) -> Q:
    """Two letters are looked for where words begin: anywhere else no index finds them."""
    condition = Q()
    for field in fields:
        if len(name) < SHORTEST_PART:
            condition |= Q(**{f"{field}__istartswith": name}) | Q(**{f"{field}__icontains": f" {name}"})
        else:
            condition |= Q(**{f"{field}__icontains": name})
    return condition


def _looking_like(fields: tuple[str, ...], upper: str) -> Q:
    condition = Q()
    for field in fields:
        condition |= Q(**{f"upper_{field}__trigram_similar": upper})
    return condition
