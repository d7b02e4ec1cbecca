"""Who a token speaks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_framework import serializers
from rest_framework.response import Response

from accounts.models import Brand, User
from accounts.rest.views import Endpoint
from accounts.roles import MATRIX, Permission, Role

if TYPE_CHECKING:
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
