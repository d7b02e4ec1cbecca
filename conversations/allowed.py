"""What may be done with an item, and why not: the composer, the API and the worker all ask here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from channels_ingest import speaking
from channels_ingest.models import Channel
from channels_ingest.networks.base import Action, Situation, Verdict, Visibility
from conversations.models import Delivery, Interaction, Thread


@dataclass(frozen=True, slots=True)
class Possibility:
    """One way to answer: on which item, allowed or why not, and how much room there is."""

    action: Action
    item: Interaction | None
    verdict: Verdict
    limit: int | None
    private_reply: bool = False  # the message answers a public item and opens the private conversation


@dataclass(frozen=True, slots=True)
class Possibilities:
    reply: Possibility
    message: Possibility

    def of(self, action: Action) -> Possibility:
        return self.reply if action == Action.REPLY else self.message


def possibilities(thread: Thread, *, now: datetime | None = None, human: bool = True) -> Possibilities:
    """What the thread's composer may offer now. Costs a fixed number of queries."""
    moment = now or timezone.now()
    public = _latest_inbound(thread, Visibility.PUBLIC)
    private = _latest_inbound(thread, Visibility.PRIVATE)
    known: dict[int, Situation] = {}
    return Possibilities(
        reply=possibility(Action.REPLY, thread, public, now=moment, human=human, known=known),
        message=possibility(Action.MESSAGE, thread, private or public, now=moment, human=human, known=known),
    )


def _latest_inbound(thread: Thread, visibility: Visibility) -> Interaction | None:
    if not (thread.has_private if visibility == Visibility.PRIVATE else thread.has_public):
        return None
    item = (
        thread.interactions.filter(direction=Interaction.Direction.IN, visibility=visibility, removed_at=None)
        .select_related("author")
        .order_by("-posted_at", "-id")
        .first()
    )
    if item is not None and item.channel_id == thread.channel_id:
        item.channel = thread.channel
    return item


def possibility(
    action: Action,
    thread: Thread,
    item: Interaction | None,
    *,
    now: datetime,
    human: bool = True,
    delivery: Delivery | None = None,
    known: dict[int, Situation] | None = None,
) -> Possibility:
    """Whether `action` may be taken on this item of the thread; `delivery` is the one that is asking, if any.

    `known` holds the situations of items that were looked up at this moment, and is added to.
    """
    if item is None:
        words = _("There is nothing public to answer.") if action == Action.REPLY else _("There is nobody to write to.")
        return Possibility(action, None, Verdict(False, words), None)
    channel = item.channel
    verdict = _channel_verdict(channel)
    if verdict is None:
        known = {} if known is None else known
        if item.pk not in known:
            known[item.pk] = situation(item, now=now, human=human, delivery=delivery)
        verdict = speaking.speak_for(channel).verdict(action, known[item.pk])
    return Possibility(
        action,
        item,
        verdict,
        speaking.speak_for(channel).limit(action),
        private_reply=action == Action.MESSAGE and item.visibility == Visibility.PUBLIC,
    )


def _channel_verdict(channel: Channel) -> Verdict | None:
    match channel.state:
        case Channel.State.HISTORY:
            return Verdict(False, _("This channel holds imported history and is not connected."))
        case Channel.State.PAUSED:
            return Verdict(False, _("This channel is paused."))
    return None  # a broken channel takes replies and holds them until it is repaired


def situation(item: Interaction, *, now: datetime, human: bool = True, delivery: Delivery | None = None) -> Situation:
    """The item as its network wants to judge it."""
    facts: Mapping[str, object] = item.facts
    return Situation(
        external_id=item.external_id or "",
        visibility=Visibility(item.visibility),
        author_id=item.author.external_id if item.author else "",
        ours=item.is_ours,
        posted_at=item.posted_at,
        now=now,
        facts=facts,
        last_private_in=last_private_in(item),
        private_replied=_private_replied(item, but=delivery),
        removed=item.removed_at is not None,
        human=human,
    )


def last_private_in(item: Interaction) -> datetime | None:
    """When the item's author last wrote to this channel in private."""
    if item.author_id is None:
        return None
    latest: datetime | None = Interaction.objects.filter(
        author_id=item.author_id,
        channel_id=item.channel_id,
        visibility=Visibility.PRIVATE,
        direction=Interaction.Direction.IN,
    ).aggregate(at=Max("posted_at"))["at"]
    return latest


def _private_replied(item: Interaction, *, but: Delivery | None) -> bool:
    settled = (Delivery.State.FAILED, Delivery.State.CANCELLED)
    replies = Delivery.objects.filter(interaction__parent_id=item.pk, private_reply=True).exclude(state__in=settled)
    return (replies.exclude(pk=but.pk) if but else replies).exists()
