"""All that one contact said and was told, over all networks and threads."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from django.db.models import Exists, OuterRef, QuerySet

from accounts.keyset import Page, page
from channels_ingest.models import Channel
from conversations.models import Interaction

if TYPE_CHECKING:
    from accounts.models import User
    from contacts.models import Contact

MOMENTS_PER_PAGE = 30
_OUTLINE = ("channel", "direction", "visibility", "text", "posted_at", "removed_at")


def timeline(
    contact: Contact, user: User, *, after: str = "", size: int = MOMENTS_PER_PAGE, outline: bool = False
) -> Page[Interaction]:
    """What this user may see of it, newest first. A post that several of their channels saw stands there once.

    An `outline` holds the texts and when they were said, and not who said them.
    """
    channels = Channel.objects.visible_to(user).select_related("brand").in_bulk()
    moments = Interaction.objects.filter(contact=contact, channel__in=channels).filter(~Exists(_twin(channels)))
    # Channels are looked up first and not joined: with them the planning alone took ten times as long as the query.
    shown = moments.only(*_OUTLINE) if outline else moments.select_related("author", "sent_by", "delivery")
    found = page(shown, by=("-posted_at", "-id"), after=after, size=size)
    for moment in found.rows:
        moment.channel = channels[moment.channel_id]
    return found


def _twin(channels: Collection[int]) -> QuerySet[Interaction]:
    """An earlier row of the same post, by another channel that the user sees too. The same author is the same
    network."""
    return Interaction.objects.filter(
        external_id=OuterRef("external_id"),
        author=OuterRef("author"),
        contact=OuterRef("contact"),
        pk__lt=OuterRef("pk"),
        channel__in=channels,
    )
