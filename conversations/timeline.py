"""All that one contact said and was told, over all networks and threads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Exists, OuterRef, QuerySet

from accounts.keyset import Page, page
from channels_ingest.models import Channel
from conversations.models import Interaction

if TYPE_CHECKING:
    from accounts.models import User
    from contacts.models import Contact

MOMENTS_PER_PAGE = 30


def timeline(contact: Contact, user: User, *, after: str = "", size: int = MOMENTS_PER_PAGE) -> Page[Interaction]:
    """What this user may see of it, newest first. A post that several of their channels saw stands there once."""
    channels = Channel.objects.visible_to(user)
    moments = Interaction.objects.filter(contact=contact, channel__in=channels.values("pk"))
    return page(
        moments.filter(~Exists(_twin(channels))).select_related(
            "channel__brand", "author", "sent_by", "delivery", "thread"
        ),
        by=("-posted_at", "-id"),
        after=after,
        size=size,
    )


def _twin(channels: QuerySet[Channel]) -> QuerySet[Interaction]:
    """An earlier row of the same post, by another channel of the same network that the user sees too."""
    return Interaction.objects.filter(
        external_id=OuterRef("external_id"),
        channel__network=OuterRef("channel__network"),
        contact=OuterRef("contact"),
        pk__lt=OuterRef("pk"),
        channel__in=channels.values("pk"),
    )
