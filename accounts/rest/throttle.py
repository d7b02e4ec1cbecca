"""How much one token may ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.throttling import SimpleRateThrottle

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.views import APIView


class TokenThrottle(SimpleRateThrottle):
    """`API_RATE` requests for each token, counted in each web process by itself."""

    scope = "user"

    def get_cache_key(self, request: Request, view: APIView) -> str | None:
        return self.cache_format % {"scope": self.scope, "ident": request.auth} if request.auth else None


class AddressThrottle(SimpleRateThrottle):
    """The same, for each address where no token is asked for."""

    scope = "user"

    def get_cache_key(self, request: Request, view: APIView) -> str | None:
        return self.cache_format % {"scope": "address", "ident": self.get_ident(request)}
