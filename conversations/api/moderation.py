"""Moderating what was said, for programs."""

from __future__ import annotations

from typing import Any

from accounts.rest.fields import QueryChoice, Strict, Words
from accounts.roles import Permission
from conversations import moderation
from conversations.api.blockings import BlockingSerializer, blockings_of
from conversations.api.interactions import InteractionDeed, InteractionSerializer, interaction_told
from conversations.models import Interaction

DEEDS = ("hide", "show", "delete", "block", "let-in", "spam", "not-spam")


class ModerateBody(Strict):
    deed = QueryChoice(choices=DEEDS)
    why = Words(max_length=300, help_text="Written down with your name.")


class ModeratedSerializer(InteractionSerializer):
    """An interaction, and how far the networks came with blocking its author."""

    blockings = BlockingSerializer(many=True)


class Moderate(InteractionDeed):
    """Hide, show, delete or report an interaction, or block its author

    Hiding and deleting are done on the network itself, where it offers them; so is blocking, within a few seconds:
    read the `blockings` again to see how far it came.
    """

    needs = Permission.MODERATE
    operation = "moderate_interaction"
    body_class = ModerateBody
    answer_class = ModeratedSerializer

    def act(self, record: Interaction, asked: dict[str, Any]) -> None:
        moderation.moderate(record, deed=asked["deed"], by=self.user, why=asked["why"])

    def told(self, id: int) -> Any:
        item = self.rows().get(pk=id)
        rows = blockings_of(self.user).filter(identity=item.author_id, channel__brand=item.channel.brand_id)
        return {**interaction_told(id), "blockings": [BlockingSerializer(row).data for row in rows.order_by("pk")]}
