"""From public to private and back: whether this person can be reached in private, from where, and what to say."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from channels_ingest.models import Channel
from channels_ingest.networks.base import Action, Verdict
from conversations import macros
from conversations.allowed import Possibility, possibility
from conversations.models import Interaction, Macro, Thread

MOST_CHANNELS = 5


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Another channel of the brand on the same network, and whether the person can be written to from there."""

    channel: Channel
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Reach:
    here: Verdict
    elsewhere: list[Elsewhere]
    profile: str  # where the person can be followed on the network; empty where it is not known


def reach(thread: Thread, message: Possibility) -> Reach:
    """`message` is what `possibilities(thread)` says of private messages from the thread's own channel."""
    others = Channel.objects.filter(brand=thread.brand_id, network=thread.channel.network).select_related("app")
    channels = list(others.exclude(pk=thread.channel_id).order_by("handle", "pk")[:MOST_CHANNELS])
    return Reach(
        here=message.verdict,
        elsewhere=[Elsewhere(channel, _verdict(thread, channel)) for channel in channels],
        profile=thread.identity.permalink,
    )


def _verdict(thread: Thread, channel: Channel) -> Verdict:
    said = Interaction.objects.filter(
        channel=channel, author_id=thread.identity_id, direction=Interaction.Direction.IN, removed_at=None
    )
    item = said.select_related("author", "channel", "channel__app").order_by("visibility", "-posted_at").first()
    if item is None:
        return Verdict(False, _("They have never written to this account."))
    return possibility(Action.MESSAGE, thread, item, now=timezone.now()).verdict


def proposal(thread: Thread, purpose: str, *, by: User) -> str:
    """The brand's own text for this purpose, else one for all brands, else the product's; variables filled in."""
    ours = Macro.objects.filter(Q(brand=thread.brand_id) | Q(brand=None), purpose=purpose, owner=None)
    macro = ours.order_by(F("brand_id").asc(nulls_last=True), "-id").first()
    text = macro.text if macro else usual_text(purpose)
    return macros.render(text, macros.values_for(thread, by))


def usual_text(purpose: str) -> str:
    return {
        Macro.Purpose.HANDOVER: _(
            "{first name|Hello}, we have just written to you in a private message to sort it out."
        ),
        Macro.Purpose.INVITE: _(
            "{first name|Hello}, please write to us in a private message so that we can look into it for you."
        ),
        Macro.Purpose.CLOSING: _("{first name|Hello}, glad that we could sort this out in private. Thank you!"),
    }[Macro.Purpose(purpose)]
