"""How a thread may be answered, answers and notes, for programs."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.response import Response

from accounts.rest.errors import Conflict, Unprocessable
from accounts.rest.fields import BodyFlag, BodyId, QueryChoice, Strict, Words
from accounts.roles import Permission
from channels_ingest.networks.base import Action
from conversations import actions, attachments
from conversations.allowed import Possibility, possibilities
from conversations.api.deeds import CANNOT, possible
from conversations.api.interactions import ANSWERS, InteractionSerializer, interaction_told
from conversations.api.threads import Threads
from conversations.models import Delivery, Interaction, Thread
from conversations.reply import AlreadyAnswered, SomethingNewer, reply

if TYPE_CHECKING:
    from rest_framework.request import Request

    from accounts.models import User

LONGEST_TEXT = 25_000  # characters; each network's own limit is checked besides


def key_header(words: str, *, required: bool = False) -> OpenApiParameter:
    word = {"type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[!-~]{1,64}$"}
    return OpenApiParameter("Idempotency-Key", word, OpenApiParameter.HEADER, required=required, description=words)


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


class ThreadPossibilities(Threads):
    """See how a thread may be answered

    In public and in private: whether it is allowed now, on which item, and why not.
    """

    operation = "read_possibilities"
    answer_class = PossibilitiesSerializer
    answers = {200: "The ways to answer."}

    def get(self, request: Request, id: int) -> Response:
        return Response(PossibilitiesSerializer(possibilities(self.record(id))).data)


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


class Reply(Threads):
    """Answer a thread

    The answer is queued and sent by a worker; read the interaction again to see what became of it. The same
    `Idempotency-Key` gives the same answer back and sends nothing twice, so repeat a request whose response was lost.
    """

    needs = Permission.REPLY
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
        key_header(
            "Your own name for this answer, made once and repeated with it: a UUID, or any other word of at most 64 "
            "visible ASCII characters.",
            required=True,
        ),
    )

    def post(self, request: Request, id: int) -> Response:
        thread = self.record(id)
        key, asked = idempotency_key(request.headers.get("Idempotency-Key"), self.user), self.body()
        known = Delivery.objects.filter(key=key).exists()
        said = self._reply(thread, key, asked)
        return Response(interaction_told(said.pk), status=200 if known else 201)

    def _reply(self, thread: Thread, key: uuid.UUID, asked: dict[str, Any]) -> Interaction:
        with possible():
            said = self._said(thread, key, asked)
        if said.delivery.action != asked["action"] or said.sent_by_id != self.user.pk:
            raise Unprocessable("This key was used for another answer.", "key_used")
        return said

    def _said(self, thread: Thread, key: uuid.UUID, asked: dict[str, Any]) -> Interaction:
        """Raises NotPossible, Conflict."""
        try:
            return reply(
                thread,
                by=self.user,
                text=asked.get("text", ""),
                action=Action(asked["action"]),
                key=key,
                seen=asked.get("seen"),
                confirmed=asked["confirmed"],
                pictures=attachments.described(thread, by=self.user, ids=asked["pictures"]),
            )
        except SomethingNewer as error:
            raise Conflict(str(error), "something_newer") from error
        except AlreadyAnswered as error:
            raise Conflict(str(error), "already_answered") from error


class NoteBody(Strict):
    text = Words(max_length=LONGEST_TEXT)


class WriteNote(Threads):
    """Write a note that only colleagues read"""

    needs = Permission.REPLY
    operation = "write_note"
    body_class = NoteBody
    answer_class = InteractionSerializer
    answers = {201: "The note."}
    refusals = CANNOT
    headers_taken = (key_header("Your own name for this note: repeated with it, the note is written once."),)

    def post(self, request: Request, id: int) -> Response:
        thread = self.record(id)
        with possible():
            note = actions.write_note(thread, by=self.user, text=self.body()["text"], key=self._key())
        return Response(interaction_told(note.pk), status=201)

    def _key(self) -> uuid.UUID | None:
        header = self.request.headers.get("Idempotency-Key")
        return None if header is None else idempotency_key(header, self.user)


def idempotency_key(header: str | None, user: User) -> uuid.UUID:
    """A UUID as it is; any other word as a UUID of this user's own. Raises ValidationError."""
    if header is None or not re.fullmatch(r"[!-~]{1,64}", header):
        raise serializers.ValidationError({"Idempotency-Key": ["Give a UUID or another word of 1 to 64 characters."]})
    if re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", header):
        return uuid.UUID(header)
    return uuid.uuid5(uuid.NAMESPACE_URL, f"scrm:{user.pk}:{header}")
