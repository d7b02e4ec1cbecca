"""Our own words coming back from the network: they bind to the row we wrote, never to a second one."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from channels_ingest.models import Channel
from channels_ingest.networks.base import Post, Visibility
from contacts.people import Person
from conversations.models import Delivery, Interaction

MARGIN = timedelta(minutes=5)  # the network's clock against ours
DOUBTED_FOR = timedelta(days=1)  # how long an id that a network answered may still prove to be wrong

_LINK = re.compile(r"https?://\S+")
_LEADING_MENTIONS = re.compile(r"^(?:\s*@\w+)+\s*")


def same_words(text: str) -> str:
    """A text reduced to what survives a network: without links, leading mentions, and differences of spacing."""
    plain = unicodedata.normalize("NFC", _LEADING_MENTIONS.sub("", text))
    return " ".join(_LINK.sub("", plain).split())


def bind(channel: Channel, posts: Sequence[Post], *, touched: set[int], people: Mapping[str, Person]) -> list[Post]:
    """Binds echoes of replies whose sending is not settled to their rows; returns the posts that are left.

    So are those of a reply that the network accepted under an id which nothing ever came with: the id was wrong.
    """
    own = [post for post in posts if post.author.external_id == channel.external_id]
    if not own:
        return list(posts)
    unsettled = Q(state__in=Delivery.UNSETTLED, interaction__external_id=None)
    unseen = Q(state=Delivery.State.SENT, settled_at__gt=timezone.now() - DOUBTED_FOR)
    waiting = list(
        Delivery.objects.filter(unsettled | unseen, channel=channel, attempts__gt=0)
        .select_related("interaction")
        .order_by("id")
    )
    waiting.sort(key=lambda delivery: delivery.state == Delivery.State.SENT)
    bound: set[str] = set()
    for post in own:
        delivery = next((one for one in waiting if _is_echo(post, one)), None)
        if delivery is not None:
            waiting.remove(delivery)
            _settle(delivery, post, people)
            bound.add(post.external_id)
            touched.add(delivery.thread_id)
    return [post for post in posts if post.external_id not in bound]


def _is_echo(post: Post, delivery: Delivery) -> bool:
    if post.echo_key:
        return post.echo_key == str(delivery.key)
    said = delivery.interaction
    if delivery.started_at is None or post.posted_at < delivery.started_at - MARGIN:
        return False
    if not said.text:
        return False  # a picture alone is nobody's by its look: its key, its id or reading back tell
    if same_words(post.text) != same_words(said.text) or post.visibility != said.visibility:
        return False
    if post.visibility == Visibility.PRIVATE:
        addressee = post.addressee.external_id if post.addressee else ""
        return addressee in ("", delivery.recipient_external_id)
    return (post.parent_id or "") == said.parent_external_id


def _settle(delivery: Delivery, post: Post, people: Mapping[str, Person]) -> None:
    now = timezone.now()
    Interaction.objects.filter(pk=delivery.interaction_id).update(
        external_id=post.external_id,
        author_id=people[post.author.external_id].identity_id,
        permalink=post.permalink[:2000],
        posted_at=post.posted_at,
        root_external_id=post.root_id,
    )
    Delivery.objects.filter(pk=delivery.pk).update(
        state=Delivery.State.VERIFIED, settled_at=now, lease_until=None, error="", advice=""
    )


def verify(interaction_ids: Collection[int]) -> None:
    """Replies already known as sent were now seen on the network."""
    if interaction_ids:
        Delivery.objects.filter(
            Q(interaction_id__in=interaction_ids) & Q(state__in=(Delivery.State.SENT, Delivery.State.UNKNOWN))
        ).update(state=Delivery.State.VERIFIED, settled_at=timezone.now(), lease_until=None)
