"""The customer beside a thread: who it is on which network, and what else was said lately."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from channels_ingest.networks import networks
from contacts.models import Contact, Identity, IdentityLink, Tag
from conversations.belongings import NOT_ASKED, Belongings
from conversations.models import Interaction, Thread
from conversations.timeline import timeline

if TYPE_CHECKING:
    from accounts.models import User

TIMELINE_SIZE = 10
OTHERS_SIZE = 5


@dataclass(frozen=True, slots=True)
class KnownAs:
    network: str
    identity: Identity


@dataclass(frozen=True, slots=True)
class Customer:
    contact: Contact
    known_as: list[KnownAs]
    tags: list[Tag]
    others: list[Thread]  # other threads of the same person that are not closed
    lately: list[Interaction]
    reach: int  # followers over all networks


def customer_of(thread: Thread, user: User, has: Belongings = NOT_ASKED) -> Customer:
    """What this user may know of the person behind the thread. Five queries at most."""
    contact = thread.contact
    links = IdentityLink.objects.filter(contact=contact, ended_at=None).select_related("identity").order_by("pk")
    identities = [link.identity for link in links] or [thread.identity]
    return Customer(
        contact=contact,
        known_as=[KnownAs(_network_name(identity.network), identity) for identity in identities],
        tags=list(contact.tags.all()) if has.tags_of_contact else [],
        others=list(
            Thread.objects.visible_to(user)
            .filter(contact=contact)
            .exclude(pk=thread.pk)
            .exclude(state__in=(Thread.State.CLOSED, *Thread.PUT_AWAY))
            .select_related("channel", "latest")
            .only("last_activity_at", "channel__network", "latest__text", "latest__removed_at")
            .order_by("-last_activity_at")[:OTHERS_SIZE]
        ),
        lately=timeline(contact, user, size=TIMELINE_SIZE, outline=True).rows,
        reach=sum(identity.followers or 0 for identity in identities),
    )


def _network_name(key: str) -> str:
    adapter = networks().get(key)
    return adapter.name if adapter else key
