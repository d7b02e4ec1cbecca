"""Who a token speaks for, and the teams they see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Prefetch
from rest_framework import serializers
from rest_framework.response import Response

from accounts.models import Brand, Team, User
from accounts.rest.views import Endpoint, Kind, ListEndpoint, PageOfBrandQuery, RecordEndpoint, of_brands
from accounts.roles import MATRIX, Permission, Role

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from rest_framework.request import Request


class BrandSerializer(serializers.Serializer[Brand]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    slug = serializers.CharField()


class ColleagueSerializer(serializers.Serializer[User]):
    """A user as others see them."""

    id = serializers.IntegerField()
    name = serializers.CharField()


class MeSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    email = serializers.CharField()
    role = serializers.ChoiceField(choices=Role.values)
    permissions = serializers.ListField(child=serializers.ChoiceField(choices=Permission.values))
    brands = BrandSerializer(many=True)


class Me(Endpoint):
    """See who this token speaks for

    What they may do, and which brands they see.
    """

    tag = "me"
    operation = "me"
    answer_class = MeSerializer
    answers = {200: "The user."}

    def get(self, request: Request) -> Response:
        user = self.user
        return Response(
            MeSerializer(
                {
                    "id": user.pk,
                    "name": user.name,
                    "email": user.email,
                    "role": user.role,
                    "permissions": sorted(MATRIX[user.role]),
                    "brands": Brand.objects.visible_to(user),
                }
            ).data
        )


class TeamSerializer(serializers.Serializer[Team]):
    """People of a brand to whom threads can be given together."""

    id = serializers.IntegerField()
    brand = serializers.IntegerField(source="brand_id", help_text="Id of the brand.")
    name = serializers.CharField()
    members = ColleagueSerializer(many=True, source="working")


class Teams(Kind):
    tag = "teams"
    answer_class = TeamSerializer

    def rows(self) -> QuerySet[Team]:
        working = User.objects.filter(is_active=True).order_by("name", "pk")
        return of_brands(Team.objects.prefetch_related(Prefetch("members", working, "working")), self.user)


class TeamList(Teams, ListEndpoint):
    """List teams

    The last one made first.
    """

    operation = "list_teams"
    query_class = PageOfBrandQuery
    filters = {"brand": "brand"}


class TeamRecord(Teams, RecordEndpoint):
    """Read a team"""

    operation = "read_team"
