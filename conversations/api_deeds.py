"""Tags, promises and single interactions, for programs: what colleagues do with them on the pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_framework import serializers

from accounts.api import ColleagueSerializer
from accounts.rest.fields import BodyFlag, QueryChoice, QueryFlag, QueryId, Strict, Words
from accounts.rest.views import Endpoint, ListEndpoint, PageQuery, RecordEndpoint
from accounts.roles import Permission
from conversations import deliver, macros, moderation, promises
from conversations.actions import NotPossible
from conversations.api import Deed, InteractionSerializer, NoBody, ThreadDeed, interaction_told, interactions_of
from conversations.api_blocking import BlockingSerializer, blockings_of
from conversations.models import Delivery, Interaction, Promise, Thread

if TYPE_CHECKING:
    from django.db.models import QuerySet

DEEDS = ("hide", "show", "delete", "block", "let-in", "spam", "not-spam")
ENDINGS = [state for state in Promise.State.values if state != Promise.State.OPEN]


# -- tags --------------------------------------------------------------------------------------------------------------


class TagBody(Strict):
    name = Words(max_length=50, help_text="One tag; it is made where it is not there yet.")
    on = BodyFlag(required=False, default=True, help_text="False takes it off.")


class TagThread(ThreadDeed):
    """Put a tag on a thread, or take it off"""

    operation = "tag_thread"
    body_class = TagBody

    def act(self, record: Thread, asked: dict[str, Any]) -> None:
        if asked["on"]:
            macros.tag_thread(record, names=[asked["name"]], by=self.user)
        else:
            macros.untag_thread(record, name=" ".join(asked["name"].split()).lower(), by=self.user)


# -- promises ----------------------------------------------------------------------------------------------------------


class PromiseSerializer(serializers.Serializer[Promise]):
    """Something we told a customer we would do, until when, and what became of it."""

    id = serializers.IntegerField()
    thread = serializers.IntegerField(source="thread_id", help_text="Id of the thread.")
    interaction = serializers.IntegerField(source="interaction_id", help_text="Id of the answer that holds it.")
    owner = ColleagueSerializer()
    words = serializers.CharField()
    due_at = serializers.DateTimeField()
    state = serializers.ChoiceField(choices=Promise.State.values)
    overdue = serializers.BooleanField(source="is_overdue")
    reason = serializers.CharField(help_text="Why it was withdrawn.")
    created_at = serializers.DateTimeField()
    settled_at = serializers.DateTimeField(allow_null=True)
    settled_by = ColleagueSerializer(allow_null=True)


class PromiseQuery(PageQuery):
    thread = QueryId(required=False)
    state = QueryChoice(required=False, choices=Promise.State.values)
    mine = QueryFlag(required=False, allow_null=False, help_text="Whether you owe it.")


class SettleBody(Strict):
    state = QueryChoice(choices=ENDINGS)
    reason = Words(required=False, max_length=300, help_text="Needed for a promise that is withdrawn.")


class PromiseList(ListEndpoint):
    """List promises

    The last one made first.
    """

    tag = "promises"
    operation = "list_promises"
    query_class = PromiseQuery
    row_class = PromiseSerializer
    filters = {"thread": "thread", "state": "state"}

    def visible(self, asked: dict[str, Any]) -> QuerySet[Promise]:
        rows = promises_of(self)
        if "mine" in asked:
            rows = rows.filter(owner=self.user) if asked["mine"] else rows.exclude(owner=self.user)
        return rows


class PromiseRecord(RecordEndpoint):
    """Read a promise"""

    tag = "promises"
    operation = "read_promise"
    answer_class = PromiseSerializer

    def rows(self) -> QuerySet[Promise]:
        return promises_of(self)


class SettlePromise(Deed):
    """Say how a promise ended

    While one is open, its thread cannot be closed.
    """

    tag = "promises"
    operation = "settle_promise"
    body_class = SettleBody
    answer_class = PromiseSerializer
    answers = {200: "The promise as it is now."}

    def rows(self) -> QuerySet[Promise]:
        return promises_of(self)

    def act(self, record: Promise, asked: dict[str, Any]) -> None:
        promises.settle(record, state=asked["state"], by=self.user, reason=asked.get("reason", ""))


def promises_of(endpoint: Endpoint) -> QuerySet[Promise]:
    """What the caller may see, with all that the answer shows."""
    return Promise.objects.visible_to(endpoint.user).select_related("owner", "settled_by", "thread")


# -- single interactions -----------------------------------------------------------------------------------------------


class ModerateBody(Strict):
    deed = QueryChoice(choices=DEEDS)
    why = Words(max_length=300, help_text="Written down with your name.")


class ModeratedSerializer(InteractionSerializer):
    """An interaction, and how far the networks came with blocking its author."""

    blockings = BlockingSerializer(many=True)


class DecideBody(Strict):
    arrived = BodyFlag(help_text="Whether the answer stands on the network.")


class InteractionDeed(Deed):
    """Base of what is done with one interaction."""

    tag = "interactions"
    answer_class = InteractionSerializer
    answers = {200: "The interaction as it is now."}

    def rows(self) -> QuerySet[Interaction]:
        return interactions_of(self.user)


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


class Retry(InteractionDeed):
    """Send an answer again that failed"""

    operation = "retry_reply"
    body_class = NoBody

    def act(self, record: Interaction, asked: dict[str, Any]) -> None:
        deliver.retry(_delivery(record), by=self.user)


class Decide(InteractionDeed):
    """Say whether an answer arrived that only a person can look up"""

    operation = "decide_reply"
    body_class = DecideBody

    def act(self, record: Interaction, asked: dict[str, Any]) -> None:
        deliver.decide(_delivery(record), arrived=asked["arrived"], by=self.user)


def _delivery(item: Interaction) -> Delivery:
    """Raises NotPossible for what is no answer of ours."""
    found = Delivery.objects.select_related("thread").filter(interaction=item).first()
    if found is None:
        raise NotPossible("This is no answer that was written here.")
    return found
