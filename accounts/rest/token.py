"""API tokens, as a request shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed

from accounts.models import ApiKey, User

if TYPE_CHECKING:
    from rest_framework.request import Request


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer scrm_...`. The request's `auth` becomes the token's digest."""

    keyword = "Bearer"

    def authenticate(self, request: Request) -> tuple[User, str] | None:
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != b"bearer":
            return None
        if len(words) != 2:
            raise AuthenticationFailed("Write the header as: Authorization: Bearer TOKEN.")
        token = words[1].decode("latin-1")
        user = ApiKey.holder(token, timezone.now())
        if user is None:
            raise AuthenticationFailed("This token is unknown or revoked.")
        return user, ApiKey.digest_of(token)

    def authenticate_header(self, request: Request) -> str:
        return self.keyword
