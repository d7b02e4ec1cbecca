"""X's OAuth 2.0 token door: a refresh token is good once and brings the next pair.

https://docs.x.com/resources/fundamentals/authentication/oauth-2-0/authorization-code (refresh tokens)
"""

from __future__ import annotations

import base64
import binascii
import hmac

from aiohttp import hdrs, web

from .. import acts
from ..ledger import now_ms
from ..site import Site, site_of
from ..things import App


async def token(request: web.Request) -> web.Response:
    """`grant_type=refresh_token`, of a client that proves itself by its secret."""
    site = site_of(request)
    given = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
    app = _client(site, request)
    if app is None:
        return _refusal(401, "unauthorized_client", "Missing valid authorization header")
    if given.get("grant_type") != "refresh_token":
        return _refusal(400, "unsupported_grant_type", "Only refresh_token is known here.")
    old = site.world.refreshes.get(given.get("refresh_token", ""))
    if old is None or old.app != app.id or old.spent or old.dead is not None:
        return _refusal(400, "invalid_request", "Value passed for the token was invalid.")
    new = acts.issue_pair(site.world, old.account, old.app, spend=old)
    body = {
        "token_type": "bearer",
        "expires_in": (new.expires - now_ms()) // 1000,
        "access_token": new.value,
        "scope": " ".join(new.scopes),
        "refresh_token": new.refresh,
    }
    return web.json_response(body)


def _client(site: Site, request: web.Request) -> App | None:
    scheme, _, value = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    try:
        client_id, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    for app in site.world.apps.values():
        if app.network == "x" and app.client_id == client_id and scheme == "Basic":
            return app if hmac.compare_digest(app.client_secret.encode(), secret.encode()) else None
    return None


def _refusal(status: int, error: str, words: str) -> web.Response:
    return web.json_response({"error": error, "error_description": words}, status=status)
