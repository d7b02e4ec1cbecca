"""All that one contact said and was told, over all networks and threads."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from django.db.models import Exists, OuterRef, QuerySet

from accounts.keyset import Page, page
from channels_ingest.models import Channel
from conversations.models import Interaction

if TYPE_CHECKING:
    from accounts.models import User
    from contacts.models import Contact

MOMENTS_PER_PAGE = 30
MOST_CHANNELS = 100  # named one by one; of more, a query is asked
_OUTLINE = ("channel", "direction", "visibility", "text", "posted_at", "removed_at", "delivery__state")


def timeline(
    contact: Contact, user: User, *, after: str = "", size: int = MOMENTS_PER_PAGE, outline: bool = False
) -> Page[Interaction]:
    """What this user may see of it, newest first. A post that several of their channels saw stands there once.

    An `outline` holds the texts, when they were said and whether ours were sent, and not who said them.
    """
    visible = Channel.objects.visible_to(user).select_related("brand")
    few = {channel.pk: channel for channel in visible.order_by()[: MOST_CHANNELS + 1]}
    is_crowd = len(few) > MOST_CHANNELS
    channels: Collection[int] | QuerySet[Channel, Any] = visible.order_by().values("pk") if is_crowd else few
    moments = Interaction.objects.filter(contact=contact, channel__in=channels).filter(~Exists(_twin(channels)))
    # Channels are looked up first and not joined: with them the planning alone took ten times as long as the query.
    beside = ("delivery",) if outline else ("author", "sent_by", "delivery")
    shown = moments.select_related(*beside)
    shown = shown.only(*_OUTLINE) if outline else shown
    found = page(shown, by=("-posted_at", "-id"), after=after, size=size)
    known = visible.in_bulk({moment.channel_id for moment in found.rows}) if is_crowd else few
    for moment in found.rows:
        moment.channel = known[moment.channel_id]
    return found


def _twin(channels: Collection[int] | QuerySet[Channel, Any]) -> QuerySet[Interaction]:
    """An earlier row of the same post, by another channel that the user sees too. The same author is the same
    network."""
    return Interaction.objects.filter(
        external_id=OuterRef("external_id"),
        author=OuterRef("author"),
        contact=OuterRef("contact"),
        pk__lt=OuterRef("pk"),
        channel__in=channels,
    )
