"""What was said, for programs: read, taken back, sent again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_framework import serializers

from accounts.api import ColleagueSerializer
from accounts.rest.errors import Conflict
from accounts.rest.fields import BodyFlag, Instant, NetworkKey, QueryChoice, QueryFlag, QueryId, Strict, Told, Words
from accounts.rest.keyset import Keyset
from accounts.rest.views import Kind, ListEndpoint, PageOfBrandQuery, RecordEndpoint, brand_ids
from channels_ingest.models import Channel
from channels_ingest.networks.base import Action, Visibility
from contacts.api import HandleSerializer
from conversations import deliver
from conversations.actions import NotPossible
from conversations.api.deeds import Deed, NoBody
from conversations.models import Delivery, Interaction

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from accounts.models import User

ANSWERS = (Action.REPLY.value, Action.MESSAGE.value)


class DeliverySerializer(serializers.Serializer[Delivery]):
    """What became of a reply of ours."""

    key = serializers.UUIDField()
    action = serializers.ChoiceField(choices=ANSWERS)
    state = serializers.ChoiceField(choices=Delivery.State.values)
    answers = serializers.IntegerField(source="answers_id", allow_null=True, help_text="Id of the interaction.")
    error = serializers.CharField(help_text="The network's own words.")
    advice = serializers.CharField()
    not_before = serializers.DateTimeField(help_text="It leaves at this moment or later.")
    settled_at = serializers.DateTimeField(allow_null=True)


class MediaSerializer(serializers.Serializer[Any]):
    kind = serializers.CharField()
    url = serializers.CharField(help_text="On the network's own server.")
    alt = serializers.CharField()
    preview_url = serializers.CharField()


class InteractionSerializer(Told[Interaction]):
    """One thing said or done. A removed one keeps its place and has lost its content."""

    id = serializers.IntegerField()
    brand = serializers.IntegerField(source="channel.brand_id", help_text="Id of the brand.")
    channel = serializers.IntegerField(source="channel_id", help_text="Id of the channel.")
    network = serializers.CharField(source="channel.network")
    external_id = serializers.CharField(allow_null=True, help_text="The network's own id; null until it gave one.")
    kind = serializers.CharField()
    direction = serializers.ChoiceField(choices=Interaction.Direction.values)
    visibility = serializers.ChoiceField(choices=[v.value for v in Visibility])
    author = HandleSerializer(allow_null=True)
    sent_by = ColleagueSerializer(allow_null=True, help_text="The colleague who wrote it here.")
    thread = serializers.IntegerField(source="thread_id", allow_null=True, help_text="Id of the thread.")
    contact = serializers.IntegerField(
        source="contact_id", allow_null=True, help_text="Id of the contact on whose timeline it stands."
    )
    parent_ = serializers.IntegerField(source="parent_id", allow_null=True, help_text="Id of the interaction above.")
    parent_external_id = serializers.CharField()
    root_external_id = serializers.CharField()
    text = serializers.CharField()
    language = serializers.CharField()
    permalink = serializers.CharField()
    media = MediaSerializer(many=True)
    metrics = serializers.DictField(child=serializers.JSONField())
    posted_at = serializers.DateTimeField(help_text="The network's own time.")
    received_at = serializers.DateTimeField(help_text="When it was stored here.")
    version = serializers.IntegerField()
    edited_at = serializers.DateTimeField(allow_null=True)
    removed_at = serializers.DateTimeField(allow_null=True)
    removed_reason = serializers.CharField()
    hidden_at = serializers.DateTimeField(allow_null=True)
    delivery = DeliverySerializer(allow_null=True, help_text="Null for all but the answers written here.")


# -- reading -----------------------------------------------------------------------------------------------------------


class InteractionQuery(PageOfBrandQuery):
    channel = QueryId(required=False)
    network = NetworkKey(required=False)
    thread = QueryId(required=False)
    contact = QueryId(required=False)
    author = QueryId(required=False, help_text="Id of the identity.")
    external_id = Words(required=False, max_length=255, help_text="The network's own id.")
    direction = QueryChoice(required=False, choices=Interaction.Direction.values)
    visibility = QueryChoice(required=False, choices=[v.value for v in Visibility])
    removed = QueryFlag(required=False, allow_null=False)
    since = Instant(required=False, help_text="Posted at this moment or later.")
    until = Instant(required=False, help_text="Posted before this moment.")


class Interactions(Kind):
    tag = "interactions"
    answer_class = InteractionSerializer

    def rows(self) -> QuerySet[Interaction]:
        return interactions_of(self.user)


class InteractionList(Interactions, ListEndpoint):
    """List interactions

    With `thread` or `contact`: by the network's time, the newest first. Otherwise in the order they were stored,
    the last one first. A post that two of your channels saw is one record for each.
    """

    operation = "list_interactions"
    query_class = InteractionQuery
    filters = {
        "brand": "channel__brand_id",
        "channel": "channel_id",
        "network": "channel__network",
        "thread": "thread_id",
        "contact": "contact_id",
        "author": "author_id",
        "external_id": "external_id",
        "direction": "direction",
        "visibility": "visibility",
        "since": "posted_at__gte",
        "until": "posted_at__lt",
    }

    def narrowed(self, rows: QuerySet[Interaction], asked: dict[str, Any]) -> QuerySet[Interaction]:
        brands = brand_ids(asked, self.user)
        if brands is not None and not asked.keys() & {"thread", "contact", "external_id"}:
            channels = list(Channel.objects.filter(brand__in=brands).values_list("pk", flat=True))
            rows = rows.filter(channel_id__in=channels)
        return rows.filter(removed_at__isnull=not asked["removed"]) if "removed" in asked else rows

    def order(self, asked: dict[str, Any]) -> Keyset:
        return Keyset(self.tag, by="posted_at" if "thread" in asked or "contact" in asked else "")


class InteractionRecord(Interactions, RecordEndpoint):
    """Read an interaction"""

    operation = "read_interaction"


# -- doing -------------------------------------------------------------------------------------------------------------


class InteractionDeed(Interactions, Deed):
    """Base of what is done with one interaction."""

    answers = {200: "The interaction as it is now."}


class Undo(InteractionDeed):
    """Take an answer back that has not left yet"""

    operation = "undo_reply"
    body_class = NoBody
    answers = {200: "The answer, taken back."}
    refusals = {409: "It is on its way already, or it was never an answer of ours."}

    def act(self, record: Interaction, asked: dict[str, Any]) -> None:
        delivery = getattr(record, "delivery", None)
        if delivery is None or not deliver.undo(delivery, by=self.user):
            raise Conflict("It can no longer be taken back.", "too_late")


class Retry(InteractionDeed):
    """Send an answer again that failed"""

    operation = "retry_reply"
    body_class = NoBody

    def act(self, record: Interaction, asked: dict[str, Any]) -> None:
        deliver.retry(_delivery(record), by=self.user)


class DecideBody(Strict):
    arrived = BodyFlag(help_text="Whether the answer stands on the network.")


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


# -- queries -----------------------------------------------------------------------------------------------------------


def interactions_of(user: User) -> QuerySet[Interaction]:
    return _with_all(Interaction.objects.visible_to(user))


def interaction_told(id: int) -> Any:
    """An interaction as the API shows it."""
    return InteractionSerializer(_with_all(Interaction.objects.all()).get(pk=id)).data


def _with_all(rows: QuerySet[Interaction]) -> QuerySet[Interaction]:
    return rows.select_related("channel", "author", "sent_by", "delivery")
