"""Threads, what was said in them, and what colleagues do with them, for programs."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Any

from django.db.models import Q
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.response import Response

from accounts.api import ColleagueSerializer
from accounts.models import User
from accounts.rest.errors import Conflict, Unprocessable
from accounts.rest.fields import (
    BodyFlag,
    BodyId,
    Instant,
    NetworkKey,
    QueryChoice,
    QueryFlag,
    QueryId,
    Strict,
    Told,
    Words,
)
from accounts.rest.keyset import Keyset
from accounts.rest.views import Endpoint, ListEndpoint, PageOfBrandQuery, RecordEndpoint, brand_ids, load
from accounts.roles import Permission
from channels_ingest.models import Channel
from channels_ingest.networks.base import Action, Visibility
from contacts.api import HandleSerializer
from conversations import actions, attachments, deliver
from conversations.actions import KeyUsed, NotPossible
from conversations.allowed import Possibility, possibilities
from conversations.models import Delivery, Interaction, Thread
from conversations.reply import AlreadyAnswered, SomethingNewer, reply

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from rest_framework.request import Request

LONGEST_TEXT = 25_000  # characters; each network's own limit is checked besides
ANSWERS = (Action.REPLY.value, Action.MESSAGE.value)


# -- what is told ------------------------------------------------------------------------------------------------------


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


class WayToAnswerSerializer(serializers.Serializer[Possibility]):
    """A way to answer: on which interaction, whether it is allowed now, or why not."""

    action = serializers.ChoiceField(choices=ANSWERS)
    allowed = serializers.BooleanField(source="verdict.allowed")
    reason = serializers.CharField(source="verdict.reason", help_text="Why not, or what to mind.")
    until = serializers.DateTimeField(source="verdict.until", allow_null=True, help_text="When the window closes.")
    answers = serializers.IntegerField(source="item.id", default=None, allow_null=True, help_text="Id of the item.")
    limit = serializers.IntegerField(allow_null=True, help_text="How long the text may be, as the network counts.")
    private_reply = serializers.BooleanField(help_text="It answers a public item in private.")


class PossibilitiesSerializer(serializers.Serializer[Any]):
    reply = WayToAnswerSerializer(help_text="In public.")
    message = WayToAnswerSerializer(help_text="In private.")


# -- what is asked -----------------------------------------------------------------------------------------------------


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


class ReplyBody(Strict):
    text = Words(required=False, max_length=LONGEST_TEXT, help_text="Needed, but where a picture can go alone.")
    action = QueryChoice(
        required=False, default=Action.REPLY.value, choices=ANSWERS, help_text="In public or in private."
    )
    seen = BodyId(
        required=False,
        help_text="Id of the newest inbound interaction you know. Where the customer wrote again, the answer is "
        "refused with 409.",
    )
    pictures = serializers.ListField(
        child=BodyId(),
        required=False,
        default=list,
        max_length=attachments.MOST_BEGUN,
        help_text="Ids of pictures that you uploaded for this thread. Each network takes so many with an answer; where "
        "it takes them only alone (Messenger), each becomes an answer of its own after the words.",
    )
    confirmed = BodyFlag(
        required=False, default=False, help_text="Send although something newer came or a colleague answered."
    )


class AssignBody(Strict):
    assignee = BodyId(allow_null=True, help_text="Id of a colleague who sees the brand; null for nobody.")


class SnoozeBody(Strict):
    until = Instant(help_text="A moment to come.")


class NoteBody(Strict):
    text = Words(max_length=LONGEST_TEXT)


class CloseBody(Strict):
    waive = Words(
        required=False, max_length=300, help_text="Why what went on in private needs no closing word in public."
    )


class NoBody(Strict):
    """Nothing to say."""


# -- reading -----------------------------------------------------------------------------------------------------------


class ThreadList(ListEndpoint):
    """List threads

    The threads of the brands you see, by their last activity, the newest first.
    """

    tag = "threads"
    operation = "list_threads"
    query_class = ThreadQuery
    row_class = ThreadSerializer
    filters = {
        "brand": "brand_id",
        "channel": "channel_id",
        "contact": "contact_id",
        "network": "channel__network",
        "state": "state",
        "since": "last_activity_at__gte",
        "until": "last_activity_at__lt",
    }

    def visible(self, asked: dict[str, Any]) -> QuerySet[Thread]:
        return narrowed_threads(threads_of(self.user), asked, self.user)

    def order(self, asked: dict[str, Any]) -> Keyset:
        return Keyset(self.tag, by="last_activity_at")

    def branches(self, asked: dict[str, Any]) -> list[dict[str, Any]]:
        return thread_branches(asked, self.user)


class ThreadRecord(RecordEndpoint):
    """Read a thread"""

    tag = "threads"
    operation = "read_thread"
    answer_class = ThreadSerializer

    def rows(self) -> QuerySet[Thread]:
        return threads_of(self.user)


class ThreadPossibilities(Endpoint):
    """See how a thread may be answered

    In public and in private: whether it is allowed now, on which item, and why not.
    """

    tag = "threads"
    operation = "read_possibilities"
    answer_class = PossibilitiesSerializer
    answers = {200: "The ways to answer."}

    def get(self, request: Request, id: int) -> Response:
        return Response(PossibilitiesSerializer(possibilities(load(threads_of(self.user), id))).data)


class InteractionList(ListEndpoint):
    """List interactions

    With `thread` or `contact`: by the network's time, the newest first. Otherwise in the order they were stored,
    the last one first. A post that two of your channels saw is one record for each.
    """

    tag = "interactions"
    operation = "list_interactions"
    query_class = InteractionQuery
    row_class = InteractionSerializer
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

    def visible(self, asked: dict[str, Any]) -> QuerySet[Interaction]:
        return narrowed_interactions(interactions_of(self.user), asked, self.user)

    def order(self, asked: dict[str, Any]) -> Keyset:
        return Keyset(self.tag, by="posted_at" if "thread" in asked or "contact" in asked else "")


class InteractionRecord(RecordEndpoint):
    """Read an interaction"""

    tag = "interactions"
    operation = "read_interaction"
    answer_class = InteractionSerializer

    def rows(self) -> QuerySet[Interaction]:
        return interactions_of(self.user)


# -- doing -------------------------------------------------------------------------------------------------------------

CANNOT = {422: "It is well formed and still cannot be done; the message says why."}


class Deed(Endpoint):
    """Base of what is done to one record: answers with it as it is then."""

    needs = Permission.REPLY
    refusals = CANNOT

    def post(self, request: Request, id: int) -> Response:
        record = load(self.rows(), id)
        try:
            self.act(record, self.body())
        except NotPossible as error:
            raise Unprocessable(str(error), "not_possible") from error
        return Response(self.told(id))

    def rows(self) -> QuerySet[Any]:
        """The records the user may see, with all that the answer shows."""
        raise NotImplementedError

    def act(self, record: Any, asked: dict[str, Any]) -> None:
        """Raises NotPossible."""
        raise NotImplementedError

    def told(self, id: int) -> Any:
        return self.answer_class(load(self.rows(), id)).data


class ThreadDeed(Deed):
    """Base of what is done to a thread."""

    tag = "threads"
    answer_class = ThreadSerializer
    answers = {200: "The thread as it is now."}

    def rows(self) -> QuerySet[Thread]:
        return threads_of(self.user)


class Assign(ThreadDeed):
    """Give a thread to a colleague, or to nobody"""

    operation = "assign_thread"
    body_class = AssignBody

    def act(self, record: Thread, asked: dict[str, Any]) -> None:
        actions.assign(record, to=_colleague(record, asked["assignee"]), by=self.user)


class Snooze(ThreadDeed):
    """Let a thread rest until a moment"""

    operation = "snooze_thread"
    body_class = SnoozeBody

    def act(self, record: Thread, asked: dict[str, Any]) -> None:
        actions.snooze(record, until=asked["until"], by=self.user)


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


class WriteNote(Endpoint):
    """Write a note that only colleagues read"""

    needs = Permission.REPLY
    tag = "threads"
    operation = "write_note"
    body_class = NoteBody
    answer_class = InteractionSerializer
    answers = {201: "The note."}
    refusals = CANNOT
    headers_taken = (
        OpenApiParameter(
            "Idempotency-Key",
            {"type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[!-~]{1,64}$"},
            OpenApiParameter.HEADER,
            description="Your own name for this note: repeated with it, the note is written once.",
        ),
    )

    def post(self, request: Request, id: int) -> Response:
        thread = load(threads_of(self.user), id)
        try:
            note = actions.write_note(thread, by=self.user, text=self.body()["text"], key=self._key())
        except KeyUsed as error:
            raise Unprocessable(str(error), "key_used") from error
        except NotPossible as error:
            raise Unprocessable(str(error), "not_possible") from error
        return Response(interaction_told(note.pk), status=201)

    def _key(self) -> uuid.UUID | None:
        header = self.request.headers.get("Idempotency-Key")
        return None if header is None else idempotency_key(header, self.user)


class Reply(Endpoint):
    """Answer a thread

    The answer is queued and sent by a worker; read the interaction again to see what became of it. The same
    `Idempotency-Key` gives the same answer back and sends nothing twice, so repeat a request whose response was lost.
    """

    needs = Permission.REPLY
    tag = "threads"
    operation = "reply_to_thread"
    body_class = ReplyBody
    answer_class = InteractionSerializer
    answers = {200: "The answer that this key already made.", 201: "The answer, queued."}
    refusals = {
        409: "The customer wrote again (`something_newer`) or a colleague answered (`already_answered`); "
        "read it, then send with `confirmed`.",
        422: "The network or the privacy of the thread forbids it (`not_possible`), or the key was used for another "
        "request (`key_used`).",
    }
    headers_taken = (
        OpenApiParameter(
            "Idempotency-Key",
            {"type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[!-~]{1,64}$"},
            OpenApiParameter.HEADER,
            required=True,
            description="Your own name for this answer, made once and repeated with it: a UUID, or any other word "
            "of at most 64 visible ASCII characters.",
        ),
    )

    def post(self, request: Request, id: int) -> Response:
        thread = load(threads_of(self.user), id)
        key, asked = idempotency_key(request.headers.get("Idempotency-Key"), self.user), self.body()
        known = Delivery.objects.filter(key=key).exists()
        said = self._reply(thread, key, asked)
        return Response(interaction_told(said.pk), status=200 if known else 201)

    def _reply(self, thread: Thread, key: uuid.UUID, asked: dict[str, Any]) -> Interaction:
        action = Action(asked["action"])
        try:
            said = reply(
                thread,
                by=self.user,
                text=asked.get("text", ""),
                action=action,
                key=key,
                seen=asked.get("seen"),
                confirmed=asked["confirmed"],
                pictures=attachments.described(thread, by=self.user, ids=asked["pictures"]),
            )
        except SomethingNewer as error:
            raise Conflict(str(error), "something_newer") from error
        except AlreadyAnswered as error:
            raise Conflict(str(error), "already_answered") from error
        except KeyUsed as error:
            raise Unprocessable(str(error), "key_used") from error
        except NotPossible as error:
            raise Unprocessable(str(error), "not_possible") from error
        if said.delivery.action != action or said.sent_by_id != self.user.pk:
            raise Unprocessable("This key was used for another answer.", "key_used")
        return said


class Undo(Endpoint):
    """Take an answer back that has not left yet"""

    needs = Permission.REPLY
    tag = "interactions"
    operation = "undo_reply"
    body_class = NoBody
    answer_class = InteractionSerializer
    answers = {200: "The answer, taken back."}
    refusals = {409: "It is on its way already, or it was never an answer of ours."}

    def post(self, request: Request, id: int) -> Response:
        said = load(interactions_of(self.user), id)
        self.body()
        delivery = getattr(said, "delivery", None)
        if delivery is None or not deliver.undo(delivery, by=self.user):
            raise Conflict("It can no longer be taken back.", "too_late")
        return Response(interaction_told(id))


# -- queries -----------------------------------------------------------------------------------------------------------


def threads_of(user: User) -> QuerySet[Thread]:
    return (
        Thread.objects.visible_to(user)
        .select_related("channel", "identity", "contact", "assignee")
        .prefetch_related("tags")
    )


def interactions_of(user: User) -> QuerySet[Interaction]:
    return _with_all(Interaction.objects.visible_to(user))


def _with_all(rows: QuerySet[Interaction]) -> QuerySet[Interaction]:
    return rows.select_related("channel", "author", "sent_by", "delivery")


def interaction_told(id: int) -> Any:
    """An interaction as the API shows it."""
    return InteractionSerializer(_with_all(Interaction.objects.all()).get(pk=id)).data


def narrowed_threads(rows: QuerySet[Thread], asked: dict[str, Any], user: User) -> QuerySet[Thread]:
    if "assignee" in asked:
        rows = rows.filter(_assigned_to(asked["assignee"], user))
    if "visibility" in asked:
        rows = rows.filter(**{f"has_{asked['visibility']}": True})
    if "waiting" in asked:
        rows = rows.filter(waiting_since__isnull=not asked["waiting"])
    return rows


def thread_branches(asked: dict[str, Any], user: User) -> list[dict[str, Any]]:
    """The indexes of threads begin with the state, the assignee and the state, or the brand and the state."""
    states = [asked["state"]] if "state" in asked else Thread.State.values
    brands = brand_ids(asked, user)
    if "contact" in asked:
        return []
    if brands is None or asked.get("assignee", "none") != "none":
        return [{"state": state} for state in states]
    return [{"brand_id": brand, "state": state} for brand in brands for state in states]


def narrowed_interactions(rows: QuerySet[Interaction], asked: dict[str, Any], user: User) -> QuerySet[Interaction]:
    brands = brand_ids(asked, user)
    if brands is not None and not asked.keys() & {"thread", "contact", "external_id"}:
        channels = list(Channel.objects.filter(brand__in=brands).values_list("pk", flat=True))
        rows = rows.filter(channel_id__in=channels)
    return rows.filter(removed_at__isnull=not asked["removed"]) if "removed" in asked else rows


def _assigned_to(whom: str, user: User) -> Q:
    if whom == "none":
        return Q(assignee=None)
    return Q(assignee_id=user.pk if whom == "me" else int(whom))


def _colleague(thread: Thread, id: int | None) -> User | None:
    """The colleague of that id who sees the thread's brand. Raises NotPossible, the same for an id that is nobody's."""
    if id is None:
        return None
    colleague = User.objects.serving([thread.brand_id]).filter(pk=id).first()
    if colleague is None:
        raise NotPossible("No such colleague works for this brand.")
    return colleague


def idempotency_key(header: str | None, user: User) -> uuid.UUID:
    """A UUID as it is; any other word as a UUID of this user's own. Raises ValidationError."""
    if header is None or not re.fullmatch(r"[!-~]{1,64}", header):
        raise serializers.ValidationError({"Idempotency-Key": ["Give a UUID or another word of 1 to 64 characters."]})
    if re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", header):
        return uuid.UUID(header)
    return uuid.uuid5(uuid.NAMESPACE_URL, f"scrm:{user.pk}:{header}")
