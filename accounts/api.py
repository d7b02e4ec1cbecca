"""API tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed

from accounts.models import ApiKey, User

if TYPE_CHECKING:
    from rest_framework.request import Request


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer scrm_...`"""

    keyword = "Bearer"

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != b"bearer":
            return None
        if len(words) != 2:
            raise AuthenticationFailed("Write the header as: Authorization: Bearer TOKEN.")
        user = ApiKey.holder(words[1].decode("latin-1"), timezone.now())
        if user is None:
            raise AuthenticationFailed("This token is unknown or revoked.")
        return user, None

    def authenticate_header(self, request: Request) -> str:
        return self.keyword
