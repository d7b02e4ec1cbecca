"""Search: threads by the people in them (part of a name or handle, also misspelt) and by their words."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import TYPE_CHECKING

from django.contrib.postgres.search import SearchQuery
from django.db.models import Func, Q, Value
from django.db.models.functions import Upper

from contacts.models import Contact, Identity
from conversations.models import SearchEntry, Thread

if TYPE_CHECKING:
    from django.db.models import QuerySet

MOST_PEOPLE = 200
MOST_THREADS = 400  # of each kind: whoever looks for more narrows the search
SHORTEST_NAME = 2
SHORTEST_PREFIX = 3


def found_threads(text: str, brands: Collection[int]) -> set[int]:
    """Ids of the newest threads that match, in any state. At most a few hundred."""
    return _by_people(text, brands) | _by_words(text, brands)


def _by_people(text: str, brands: Collection[int]) -> set[int]:
    name = text.lstrip("@").strip()
    if len(name) < SHORTEST_NAME:
        return set()
    identities = list(_like(Identity.objects.order_by(), ("handle", "name"), name))
    contacts = list(_like(Contact.objects.order_by(), ("name",), name))
    threads = Thread.objects.filter(brand_id__in=brands)
    found = threads.filter(Q(identity_id__in=identities) | Q(contact_id__in=contacts))
    return set(found.order_by("-last_activity_at", "-pk").values_list("pk", flat=True)[:MOST_THREADS])


def _like(
    people: QuerySet[Identity] | QuerySet[Contact], fields: tuple[str, ...], name: str
) -> QuerySet[Identity, int] | QuerySet[Contact, int]:
    """Those whose field contains the name, or looks much like it (both by the trigram index on upper case)."""
    wanted = Q()
    for field in fields:
        people = people.alias(**{f"upper_{field}": Upper(field)})
        wanted |= Q(**{f"{field}__icontains": name}) | Q(**{f"upper_{field}__trigram_similar": name.upper()})
    return people.filter(wanted).values_list("pk", flat=True)[:MOST_PEOPLE]


def _by_words(text: str, brands: Collection[int]) -> set[int]:
    query = _query(text)
    if query is None:
        return set()
    entries = SearchEntry.objects.filter(brand_id__in=brands, document=query, thread__isnull=False)
    return set(entries.order_by("-posted_at").values_list("thread_id", flat=True)[:MOST_THREADS])


def _query(text: str) -> SearchQuery | None:
    """All words, each also as the beginning of a longer one; "in quotes" they must stand side by side."""
    if '"' in text:
        return SearchQuery(_plain(text), config="simple", search_type="websearch")
    words = re.findall(r"\w+", text)
    if not words:
        return None
    parts = [f"'{word}':*" if len(word) >= SHORTEST_PREFIX else f"'{word}'" for word in words]
    return SearchQuery(_plain(" & ".join(parts)), config="simple", search_type="raw")


def _plain(text: str) -> Func:
    """Without accents, as the index is."""
    return Func(Value(text), function="unaccent")
