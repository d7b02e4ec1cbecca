"""Articles made of helpers' answers, for programs: drafted, edited, and published with consent alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_framework import serializers

from accounts.api import ColleagueSerializer
from accounts.rest.errors import Conflict
from accounts.rest.fields import BodyId, QueryChoice, Strict, Words
from accounts.rest.views import Kind, ListEndpoint, PageOfBrandQuery, RecordEndpoint, load, of_brands
from accounts.roles import Permission
from conversations import helpers
from conversations.actions import NotPossible
from conversations.api.deeds import CANNOT, Deed
from conversations.api.interactions import interactions_of
from conversations.api.threads import threads_of
from conversations.models import Article, Interaction

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from accounts.models import User

STEPS = ["ask", "consent", "publish", "withdraw"]


class ArticleSerializer(serializers.Serializer[Article]):
    """Knowledge made of a helper's answer."""

    id = serializers.IntegerField()
    brand = serializers.IntegerField(source="brand_id", help_text="Id of the brand.")
    interaction = serializers.IntegerField(
        source="source_id", allow_null=True, help_text="Id of the answer that it quotes."
    )
    title = serializers.CharField()
    text = serializers.CharField()
    state = serializers.ChoiceField(choices=Article.State.values)
    consent = serializers.IntegerField(
        source="consent_id", allow_null=True, help_text="Id of the interaction that shows the helper's consent."
    )
    consent_at = serializers.DateTimeField(allow_null=True)
    version = serializers.CharField(help_text="Stands for its title and text: another one when they are changed.")
    made_by = ColleagueSerializer(allow_null=True)
    changed_at = serializers.DateTimeField()


class ArticleQuery(PageOfBrandQuery):
    state = QueryChoice(required=False, choices=Article.State.values)


class Articles(Kind):
    tag = "articles"
    answer_class = ArticleSerializer

    def rows(self) -> QuerySet[Article]:
        return articles_of(self.user)


class ArticleList(Articles, ListEndpoint):
    """List articles

    The last one made first.
    """

    operation = "list_articles"
    query_class = ArticleQuery
    filters = {"brand": "brand", "state": "state"}


class ArticleRecord(Articles, RecordEndpoint):
    """Read an article"""

    needs = Permission.REPLY
    operation = "read_article"


class DraftBody(Strict):
    thread = BodyId(help_text="Id of the thread whose matter the answer solved.")


class DraftArticle(Deed):
    """Draft an article of another person's answer

    The answer is marked as solving the matter of the thread. Where there is an article of it, that one is given back.
    """

    tag = "articles"
    operation = "draft_article"
    body_class = DraftBody
    answer_class = ArticleSerializer
    answers = {200: "The article."}

    def rows(self) -> QuerySet[Interaction]:
        return interactions_of(self.user)

    def act(self, record: Interaction, asked: dict[str, Any]) -> None:
        helpers.credit(record, thread=load(threads_of(self.user), asked["thread"]), by=self.user)
        helpers.draft(record, by=self.user)

    def told(self, id: int) -> Any:
        return ArticleSerializer(articles_of(self.user).get(source=id)).data


class ArticleDeed(Articles, Deed):
    """Base of what is done with an article."""

    answers = {200: "The article as it is now."}


class EditBody(Strict):
    title = Words(max_length=160)
    text = Words(max_length=20_000)
    version = Words(
        required=False,
        max_length=32,
        help_text="The one that you read. Where somebody saved other words since, yours are refused with 409; without "
        "it they take the place of any.",
    )


class EditArticle(ArticleDeed):
    """Change the words of an article

    Send the `version` that you read. Without it, yours take the place of what somebody saved since, and nobody is told.
    """

    operation = "edit_article"
    body_class = EditBody
    refusals = {409: "Somebody saved other words meanwhile (`changed`): read it again.", **CANNOT}

    def act(self, record: Article, asked: dict[str, Any]) -> None:
        try:
            helpers.edit(record, title=asked["title"], text=asked["text"], by=self.user, read=asked.get("version"))
        except helpers.Changed as error:
            raise Conflict(str(error), "changed") from error


class StepBody(Strict):
    step = QueryChoice(choices=STEPS)
    interaction = BodyId(
        required=False, help_text="With `consent`: what the helper wrote after the answer, which shows the consent."
    )


class StepArticle(ArticleDeed):
    """Take an article one step on

    Say that the helper was asked, that they consented (with the interaction that shows it), publish it (only with
    consent), or withdraw it.
    """

    operation = "step_article"
    body_class = StepBody

    def act(self, record: Article, asked: dict[str, Any]) -> None:
        match asked["step"]:
            case "ask":
                helpers.ask(record, by=self.user)
            case "consent":
                if "interaction" not in asked:
                    raise NotPossible("Name the interaction that shows the consent.")
                shown = load(helpers.said_since(record), asked["interaction"])
                helpers.consent(record, shown_by=shown, by=self.user)
            case "publish":
                helpers.publish(record, by=self.user)
            case _withdraw:
                helpers.withdraw(record, by=self.user)


def articles_of(user: User) -> QuerySet[Article]:
    """What the caller may see, with all that the answer shows."""
    return of_brands(Article.objects.select_related("made_by", "source__author"), user)
