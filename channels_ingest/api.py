"""Channels and how they fare, for programs. Credentials never leave."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework import serializers

from accounts.rest.fields import NetworkKey, QueryChoice
from accounts.rest.views import Kind, ListEndpoint, PageOfBrandQuery, RecordEndpoint
from channels_ingest.models import Channel

if TYPE_CHECKING:
    from django.db.models import QuerySet


class ChannelSerializer(serializers.Serializer[Channel]):
    id = serializers.IntegerField()
    brand = serializers.IntegerField(source="brand_id", help_text="Id of the brand.")
    network = serializers.CharField()
    external_id = serializers.CharField()
    handle = serializers.CharField()
    name = serializers.CharField()
    avatar_url = serializers.CharField(help_text="On the network's own server.")
    state = serializers.ChoiceField(choices=Channel.State.values)
    created_at = serializers.DateTimeField()
    last_success_at = serializers.DateTimeField(allow_null=True, help_text="The last pull that worked.")
    last_item_at = serializers.DateTimeField(allow_null=True, help_text="When the newest item was stored.")
    last_error = serializers.CharField(help_text="The network's own words; empty while it works.")
    last_error_code = serializers.CharField()
    last_error_at = serializers.DateTimeField(allow_null=True)
    advice = serializers.CharField(help_text="What an admin can do about the error.")
    limited_until = serializers.DateTimeField(allow_null=True, help_text="The network takes no calls until then.")
    broken_since = serializers.DateTimeField(allow_null=True)
    push_since = serializers.DateTimeField(allow_null=True, help_text="Since when the network pushes to us.")
    token_expires_at = serializers.DateTimeField(allow_null=True)


class ChannelQuery(PageOfBrandQuery):
    network = NetworkKey(required=False)
    state = QueryChoice(required=False, choices=Channel.State.values)


class Channels(Kind):
    tag = "channels"
    answer_class = ChannelSerializer

    def rows(self) -> QuerySet[Channel]:
        return Channel.objects.visible_to(self.user)


class ChannelList(Channels, ListEndpoint):
    """List channels

    The channels of the brands you see, the newest record first, with their health.
    """

    operation = "list_channels"
    query_class = ChannelQuery
    filters = {"brand": "brand", "network": "network", "state": "state"}


class ChannelRecord(Channels, RecordEndpoint):
    """Read a channel"""

    operation = "read_channel"
