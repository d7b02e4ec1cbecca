"""Threads, for programs: read, given away, let rest, closed, tagged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.db.models import Q
from rest_framework import serializers

from accounts.api import ColleagueSerializer
from accounts.models import User
from accounts.rest.fields import BodyFlag, BodyId, Instant, NetworkKey, QueryChoice, QueryFlag, QueryId, Strict, Words
from accounts.rest.keyset import Keyset
from accounts.rest.views import Kind, ListEndpoint, PageOfBrandQuery, RecordEndpoint, brand_ids
from channels_ingest.networks.base import Visibility
from contacts.api import HandleSerializer
from conversations import actions, macros
from conversations.actions import NotPossible
from conversations.api.deeds import Deed, NoBody
from conversations.models import Thread

if TYPE_CHECKING:
    from django.db.models import QuerySet


class PersonSerializer(serializers.Serializer[Any]):
    """A contact in a few words."""

    id = serializers.IntegerField()
    name = serializers.CharField()


class ThreadSerializer(serializers.Serializer[Thread]):
    """One customer's matter."""

    id = serializers.IntegerField()
    brand = serializers.IntegerField(source="brand_id", help_text="Id of the brand.")
    channel = serializers.IntegerField(source="channel_id", help_text="Id of the channel.")
    network = serializers.CharField(source="channel.network")
    identity = HandleSerializer()
    contact = PersonSerializer()
    state = serializers.ChoiceField(choices=Thread.State.values)
    assignee = ColleagueSerializer(allow_null=True)
    has_public = serializers.BooleanField()
    has_private = serializers.BooleanField()
    opening = serializers.IntegerField(source="opening_id", allow_null=True, help_text="Id of the first interaction.")
    latest = serializers.IntegerField(source="latest_id", allow_null=True, help_text="Id of the newest interaction.")
    waiting_since = serializers.DateTimeField(allow_null=True, help_text="Null while the customer waits for nothing.")
    last_inbound_at = serializers.DateTimeField(allow_null=True)
    last_outbound_at = serializers.DateTimeField(allow_null=True)
    last_activity_at = serializers.DateTimeField()
    inbound_count = serializers.IntegerField()
    outbound_count = serializers.IntegerField()
    snoozed_until = serializers.DateTimeField(allow_null=True)
    closed_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    tags = serializers.SerializerMethodField(help_text="By name.")

    def get_tags(self, thread: Thread) -> list[str]:
        return sorted(tag.name for tag in thread.tags.all())


# -- reading -----------------------------------------------------------------------------------------------------------


class ThreadQuery(PageOfBrandQuery):
    channel = QueryId(required=False)
    contact = QueryId(required=False)
    network = NetworkKey(required=False)
    state = QueryChoice(required=False, choices=Thread.State.values)
    assignee = serializers.RegexField(
        r"^(me|none|[1-9][0-9]{0,17})$", required=False, help_text="`me`, `none` or the id of a colleague."
    )
    visibility = QueryChoice(
        required=False, choices=[v.value for v in Visibility], help_text="Threads that run (also) there."
    )
    waiting = QueryFlag(required=False, allow_null=False, help_text="Whether the customer waits for an answer.")
    since = Instant(required=False, help_text="Last activity at this moment or later.")
    until = Instant(required=False, help_text="Last activity before this moment.")


class Threads(Kind):
    tag = "threads"
    answer_class: ClassVar[type[serializers.BaseSerializer[Any]]] = ThreadSerializer

    def rows(self) -> QuerySet[Thread]:
        return threads_of(self.user)


class ThreadList(Threads, ListEndpoint):
    """List threads

    The threads of the brands you see, by their last activity, the newest first.
    """

    operation = "list_threads"
    query_class = ThreadQuery
    filters = {
        "brand": "brand_id",
        "channel": "channel_id",
        "contact": "contact_id",
        "network": "channel__network",
        "state": "state",
        "since": "last_activity_at__gte",
        "until": "last_activity_at__lt",
    }

    def narrowed(self, rows: QuerySet[Thread], asked: dict[str, Any]) -> QuerySet[Thread]:
        if "assignee" in asked:
            rows = rows.filter(_assigned_to(asked["assignee"], self.user))
        if "visibility" in asked:
            rows = rows.filter(**{f"has_{asked['visibility']}": True})
        if "waiting" in asked:
            rows = rows.filter(waiting_since__isnull=not asked["waiting"])
        return rows

    def order(self, asked: dict[str, Any]) -> Keyset:
        return Keyset(self.tag, by="last_activity_at")

    def branches(self, asked: dict[str, Any]) -> list[dict[str, Any]]:
        """The indexes of threads begin with the state, the assignee and the state, or the brand and the state."""
        states = [asked["state"]] if "state" in asked else Thread.State.values
        brands = brand_ids(asked, self.user)
        if "contact" in asked:
            return []
        if brands is None or asked.get("assignee", "none") != "none":
            return [{"state": state} for state in states]
        return [{"brand_id": brand, "state": state} for brand in brands for state in states]


class ThreadRecord(Threads, RecordEndpoint):
    """Read a thread"""

    operation = "read_thread"


# -- doing -------------------------------------------------------------------------------------------------------------


class ThreadDeed(Threads, Deed):
    """Base of what is done to a thread."""

    answers = {200: "The thread as it is now."}


class AssignBody(Strict):
    assignee = BodyId(allow_null=True, help_text="Id of a colleague who sees the brand; null for nobody.")


class Assign(ThreadDeed):
    """Give a thread to a colleague, or to nobody"""

    operation = "assign_thread"
    body_class = AssignBody

    def act(self, record: Thread, asked: dict[str, Any]) -> None:
        actions.assign(record, to=_colleague(record, asked["assignee"]), by=self.user)


def _colleague(thread: Thread, id: int | None) -> User | None:
    """The colleague of that id who sees the thread's brand. Raises NotPossible, the same for an id that is nobody's."""
    if id is None:
        return None
    colleague = User.objects.serving([thread.brand_id]).filter(pk=id).first()
    if colleague is None:
        raise NotPossible("No such colleague works for this brand.")
    return colleague


class SnoozeBody(Strict):
    until = Instant(help_text="A moment to come.")


class Snooze(ThreadDeed):
    """Let a thread rest until a moment"""

    operation = "snooze_thread"
    body_class = SnoozeBody

    def act(self, record: Thread, asked: dict[str, Any]) -> None:
        actions.snooze(record, until=asked["until"], by=self.user)


class CloseBody(Strict):
    waive = Words(
        required=False, max_length=300, help_text="Why what went on in private needs no closing word in public."
    )


class Close(ThreadDeed):
    """Close a thread

    A new inbound interaction opens it again. While a promise is open it cannot be closed; a matter that began in
    public and was answered in private last needs a closing public reply first, or `waive`.
    """

    operation = "close_thread"
    body_class = CloseBody

    def act(self, record: Thread, asked: dict[str, Any]) -> None:
        actions.close(record, by=self.user, waive=asked.get("waive", ""))


class Reopen(ThreadDeed):
    """Open a thread again"""

    operation = "reopen_thread"
    body_class = NoBody

    def act(self, record: Thread, asked: dict[str, Any]) -> None:
        actions.reopen(record, by=self.user)


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


# -- queries -----------------------------------------------------------------------------------------------------------


def threads_of(user: User) -> QuerySet[Thread]:
    return (
        Thread.objects.visible_to(user)
        .select_related("channel", "identity", "contact", "assignee")
        .prefetch_related("tags")
    )


def _assigned_to(whom: str, user: User) -> Q:
    if whom == "none":
        return Q(assignee=None)
    return Q(assignee_id=user.pk if whom == "me" else int(whom))
