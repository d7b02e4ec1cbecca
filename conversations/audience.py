"""Who hears what is said on a thread: computed from who spoke under its public roots, never typed in."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from django.utils.translation import gettext as _

from channels_ingest.networks.base import Visibility
from contacts.models import Identity
from conversations.models import Interaction, Thread
from conversations.record import PRIVATE_LANE

NEWEST = 500  # of so many public items the speakers are counted
MOST_NAMES = 3


class Mode(enum.StrEnum):
    ONE_TO_ONE = "one_to_one"  # in private
    ONE_TO_MANY = "one_to_many"  # in public, where only we and the customer speak so far: the others read
    ONE_TO_ONE_TO_MANY = "one_to_one_to_many"  # in public, and others have joined in


@dataclass(frozen=True, slots=True)
class Audience:
    """How the thread is held. `names` are the first few of the `others` who joined; `reach` is how many people follow
    those who spoke: at least the largest following, at most the sum (followings overlap)."""

    mode: Mode
    others: int = 0
    names: tuple[str, ...] = ()
    reach_least: int = 0
    reach_most: int = 0

    @property
    def label(self) -> str:
        return {
            Mode.ONE_TO_ONE: _("one to one"),
            Mode.ONE_TO_MANY: _("one to many"),
            Mode.ONE_TO_ONE_TO_MANY: _("one to one to many"),
        }[self.mode]

    @property
    def hint(self) -> str:
        """How to write for these readers."""
        return {
            Mode.ONE_TO_ONE: _("Only the customer reads this."),
            Mode.ONE_TO_MANY: _("Everybody can read this."),
            Mode.ONE_TO_ONE_TO_MANY: _("Others have joined in: answer so that it helps them too."),
        }[self.mode]


def audience_of(thread: Thread) -> Audience:
    """One query; what is said in private never counts."""
    if not thread.has_public:
        return Audience(Mode.ONE_TO_ONE)
    speakers = _speakers(thread)
    others = [one for one in speakers if not _is_customer(one, thread)]
    followings = [one.followers or 0 for one in speakers]
    return Audience(
        mode=Mode.ONE_TO_ONE_TO_MANY if others else Mode.ONE_TO_MANY,
        others=len(others),
        names=tuple(str(one) for one in others[:MOST_NAMES]),
        reach_least=max(followings, default=0),
        reach_most=sum(followings),
    )


def _speakers(thread: Thread) -> list[Identity]:
    """Who spoke under the thread's public roots and still stands there, ourselves left out."""
    lanes = thread.lanes.filter(visibility=Visibility.PUBLIC).exclude(root_external_id=PRIVATE_LANE)
    said = Interaction.objects.filter(
        channel_id=thread.channel_id,
        root_external_id__in=lanes.values("root_external_id"),
        visibility=Visibility.PUBLIC,
        removed_at=None,
        author__isnull=False,
    )
    newest = said.order_by("-posted_at", "-pk").values("author_id")[:NEWEST]
    return list(Identity.objects.filter(pk__in=newest, ours=False).order_by("pk"))


def _is_customer(identity: Identity, thread: Thread) -> bool:
    return identity.pk == thread.identity_id
