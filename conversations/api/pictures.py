"""Pictures for answers, for programs: put in, listed, removed; `pictures` of a reply sends them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework import serializers
from rest_framework.response import Response

from accounts.rest.errors import Unprocessable
from accounts.rest.fields import Query, QueryId, Words
from accounts.rest.parser import PictureParser
from accounts.rest.views import Kind, ListEndpoint, PageQuery, load
from accounts.roles import Permission
from conversations import attachments
from conversations.api.deeds import NoBody, possible
from conversations.api.threads import threads_of
from conversations.models import Attachment, Thread

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from rest_framework.request import Request


class PictureSerializer(serializers.Serializer[Attachment]):
    """A picture that you put in and did not send yet."""

    id = serializers.IntegerField()
    thread = serializers.IntegerField(source="thread_id", help_text="Id of the thread.")
    name = serializers.CharField()
    content_type = serializers.CharField(help_text="What its first bytes say.")
    size = serializers.IntegerField(help_text="In bytes.")
    alt = serializers.CharField(help_text="Description for those who do not see it.")
    added_at = serializers.DateTimeField()


class Pictures(Kind):
    needs = Permission.REPLY
    tag = "pictures"
    answer_class = PictureSerializer

    def rows(self) -> QuerySet[Attachment]:
        """What this user put in and did not send, on threads they (still) see; without the bytes."""
        seen = Thread.objects.visible_to(self.user)
        return Attachment.objects.filter(by=self.user, interaction=None, thread__in=seen).defer("content")


class UploadQuery(Query):
    name = Words(required=False, max_length=120, help_text="The name of the file.")
    alt = Words(
        required=False,
        max_length=attachments.LONGEST_ALT,
        help_text="Description for those who do not see it.",
    )


class UploadPicture(Pictures):
    """Put a picture in for an answer on a thread

    The body is the file itself. Send it once with `pictures` of a reply; until then it waits here and in your composer.
    """

    operation = "upload_picture"
    query_class = UploadQuery
    upload_types = tuple(attachments.KINDS)
    parser_classes = [PictureParser]
    answers = {201: "The picture."}
    refusals = {
        413: "No network takes a picture of that size.",
        415: "The body is no picture.",
        422: "The body is empty; or the network of the thread takes no such picture, or none of that size; or too many "
        "wait already.",
    }

    def post(self, request: Request, id: int) -> Response:
        thread: Thread = load(threads_of(self.user), id)
        given = request.FILES.get("file")
        if given is None:
            raise Unprocessable("The body is empty.", "empty")
        with possible():
            kept = attachments.keep(thread, by=self.user, given=given, **self.query)
        return Response(PictureSerializer(kept).data, status=201)


class PictureQuery(PageQuery):
    thread = QueryId(required=False)


class PictureList(Pictures, ListEndpoint):
    """List the pictures that you put in and did not send yet

    The last one first.
    """

    operation = "list_pictures"
    query_class = PictureQuery
    filters = {"thread": "thread"}


class RemovePicture(Pictures):
    """Remove a picture that was not sent"""

    operation = "remove_picture"
    body_class = NoBody
    answers = {200: "What it was."}

    def post(self, request: Request, id: int) -> Response:
        found: Attachment = self.record(id)
        self.body()
        attachments.drop(found.thread, by=self.user, pk=found.pk)
        return Response(PictureSerializer(found).data)
