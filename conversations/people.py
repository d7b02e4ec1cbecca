"""People by a part of their name or handle, also misspelt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.postgres.search import TrigramSimilarity
from django.db.models import Q
from django.db.models.functions import Greatest, Upper

from contacts.models import Contact, Identity

if TYPE_CHECKING:
    from django.db.models import QuerySet

MOST_PEOPLE = 200
SHORTEST_NAME = 2


def threads_of(name: str) -> Q:
    """The threads of people whose name or handle contains the text, or looks much like it."""
    name = name.lstrip("@").strip()
    if len(name) < SHORTEST_NAME:
        return Q(pk__in=())
    identities = list(_like(Identity.objects.order_by(), ("handle", "name"), name))
    contacts = list(_like(Contact.objects.order_by(), ("name",), name))
    return Q(identity_id__in=identities) | Q(contact_id__in=contacts)


def _like(
    people: QuerySet[Identity] | QuerySet[Contact], fields: tuple[str, ...], name: str
) -> QuerySet[Identity, int] | QuerySet[Contact, int]:
    """The nearest of them (both conditions by the trigram index on upper case)."""
    wanted, upper = Q(), name.upper()
    for field in fields:
        people = people.alias(**{f"upper_{field}": Upper(field)})
        wanted |= Q(**{f"{field}__icontains": name}) | Q(**{f"upper_{field}__trigram_similar": upper})
    nearness = [TrigramSimilarity(f"upper_{field}", upper) for field in fields]
    nearest = Greatest(*nearness) if len(nearness) > 1 else nearness[0]
    return people.filter(wanted).order_by(nearest.desc(), "-pk").values_list("pk", flat=True)[:MOST_PEOPLE]
