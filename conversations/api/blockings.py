"""How far the networks came with keeping people from writing, for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_framework import serializers

from accounts.api import ColleagueSerializer
from accounts.rest.fields import QueryChoice, QueryFlag, QueryId
from accounts.rest.views import Kind, ListEndpoint, PageOfBrandQuery, RecordEndpoint
from channels_ingest.models import Channel
from contacts.api import HandleSerializer
from contacts.models import IdentityLink
from conversations.models import Blocking

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from accounts.models import User


class BlockingSerializer(serializers.Serializer[Blocking]):
    """That a handle be blocked on the network of a channel, or let in again, and how far that came."""

    id = serializers.IntegerField()
    brand = serializers.IntegerField(source="channel.brand_id", help_text="Id of the brand.")
    channel = serializers.IntegerField(source="channel_id", help_text="Id of the channel.")
    identity = HandleSerializer()
    wanted = serializers.BooleanField(help_text="True: to be blocked. False: to be let in again.")
    state = serializers.ChoiceField(choices=Blocking.State.values)
    there = serializers.BooleanField(
        allow_null=True, help_text="Whether the network is known to block them; null while that is not known."
    )
    tries = serializers.IntegerField(help_text="How often the network was asked for this.")
    next_try_at = serializers.DateTimeField(
        allow_null=True, help_text="It is asked (again) at this moment or later; null unless `waiting`."
    )
    error = serializers.CharField(help_text="The network's own words.")
    advice = serializers.CharField()
    by = ColleagueSerializer(allow_null=True)
    why = serializers.CharField()
    at = serializers.DateTimeField(help_text="When it was wanted.")
    done_at = serializers.DateTimeField(allow_null=True)


class BlockingQuery(PageOfBrandQuery):
    channel = QueryId(required=False)
    identity = QueryId(required=False)
    contact = QueryId(required=False, help_text="The handles of this contact.")
    state = QueryChoice(required=False, choices=Blocking.State.values)
    wanted = QueryFlag(required=False, allow_null=False, help_text="Whether they are to be blocked.")


class Blockings(Kind):
    tag = "blockings"
    answer_class = BlockingSerializer

    def rows(self) -> QuerySet[Blocking]:
        return blockings_of(self.user)


class BlockingList(Blockings, ListEndpoint):
    """List blockings

    How far the networks came with blocking people and letting them in again, one record for each handle and channel,
    the last one made first. Block and let in with `moderate`.
    """

    operation = "list_blockings"
    query_class = BlockingQuery
    filters = {
        "brand": "channel__brand",
        "channel": "channel",
        "identity": "identity",
        "state": "state",
        "wanted": "wanted",
    }

    def narrowed(self, rows: QuerySet[Blocking], asked: dict[str, Any]) -> QuerySet[Blocking]:
        if "contact" in asked:
            handles = IdentityLink.objects.filter(contact=asked["contact"], ended_at=None)
            rows = rows.filter(identity__in=handles.values("identity"))
        return rows


class BlockingRecord(Blockings, RecordEndpoint):
    """Read a blocking"""

    operation = "read_blocking"


def blockings_of(user: User) -> QuerySet[Blocking]:
    """What the caller may see, with all that the answer shows."""
    rows = Blocking.objects.select_related("channel", "identity", "by")
    return rows if user.sees_all_brands else rows.filter(channel__in=Channel.objects.visible_to(user))
