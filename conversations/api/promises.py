"""Promises, for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_framework import serializers

from accounts.api import ColleagueSerializer
from accounts.rest.fields import QueryChoice, QueryFlag, QueryId, Strict, Words
from accounts.rest.views import Kind, ListEndpoint, PageQuery, RecordEndpoint
from conversations import promises
from conversations.api.deeds import Deed
from conversations.models import Promise

if TYPE_CHECKING:
    from django.db.models import QuerySet

ENDINGS = [state for state in Promise.State.values if state != Promise.State.OPEN]


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


class Promises(Kind):
    tag = "promises"
    answer_class = PromiseSerializer

    def rows(self) -> QuerySet[Promise]:
        return Promise.objects.visible_to(self.user).select_related("owner", "settled_by", "thread")


class PromiseList(Promises, ListEndpoint):
    """List promises

    The last one made first.
    """

    operation = "list_promises"
    query_class = PromiseQuery
    filters = {"thread": "thread", "state": "state"}

    def narrowed(self, rows: QuerySet[Promise], asked: dict[str, Any]) -> QuerySet[Promise]:
        if "mine" in asked:
            rows = rows.filter(owner=self.user) if asked["mine"] else rows.exclude(owner=self.user)
        return rows


class PromiseRecord(Promises, RecordEndpoint):
    """Read a promise"""

    operation = "read_promise"


class SettleBody(Strict):
    state = QueryChoice(choices=ENDINGS)
    reason = Words(required=False, max_length=300, help_text="Needed for a promise that is withdrawn.")


class SettlePromise(Promises, Deed):
    """Say how a promise ended

    While one is open, its thread cannot be closed.
    """

    operation = "settle_promise"
    body_class = SettleBody
    answers = {200: "The promise as it is now."}

    def act(self, record: Promise, asked: dict[str, Any]) -> None:
        promises.settle(record, state=asked["state"], by=self.user, reason=asked.get("reason", ""))
