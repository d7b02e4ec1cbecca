"""Tokens and developer apps: what a token is, and where an app's webhooks go."""

from __future__ import annotations

import hmac

from aiohttp import web

from .. import acts
from ..ledger import now_ms
from ..sender import must_be_loopback
from ..site import SENDER, site_of
from ..things import App
from . import errors
from .call import JSON, NEWEST, parameters
from .errors import GraphError


async def debug_token(request: web.Request) -> web.Response:
    site = site_of(request)
    token = site.token(request.query.get("input_token", ""), "facebook")
    if token is None:
        raise errors.bad_parameter("The access token could not be decrypted")
    data: JSON = {
        "app_id": token.app, "type": "PAGE", "application": "Sandbox app", "expires_at": 0,
        "data_access_expires_at": now_ms() // 1000 + 7_776_000, "is_valid": token.dead is None,
        "profile_id": token.account, "scopes": token.scopes, "user_id": token.account,
    }  # fmt: skip
    if token.dead:
        dead = errors.dead_token(token.dead.get("subcode"))
        data["error"] = {"code": dead.code, "message": dead.message, "subcode": dead.subcode}
    return web.json_response({"data": data})


async def app_subscriptions(request: web.Request) -> web.Response:
    """`/{app-id}/subscriptions` with the app's token (`app-id|app-secret`): where the app's webhooks go."""
    site, app_id = site_of(request), request.match_info["app"]
    given = await parameters(request)
    app = site.world.apps.get(("facebook", app_id))
    if app is None or not hmac.compare_digest(_app_token(request, given).encode(), f"{app.id}|{app.secret}".encode()):
        raise errors.dead_token(None)
    if request.method == "POST":
        fields = given.get("fields", "").replace(" ", "").split(",")
        await set_callback(request, app, given.get("callback_url", ""), given.get("verify_token", ""), fields)
        return web.json_response({"success": True})
    if request.method == "DELETE":
        site.world.record("app.changed", network="facebook", id=app.id, changes={"webhook_url": "", "fields": []})
        return web.json_response({"success": True})
    fields_shown = [{"name": name, "version": f"v{NEWEST:.1f}"} for name in app.fields]
    shown = {"object": "page", "callback_url": app.webhook_url, "active": True, "fields": fields_shown}
    return web.json_response({"data": [shown] if app.webhook_url else []})


def _app_token(request: web.Request, given: dict[str, str]) -> str:
    return given.get("access_token", "") or request.headers.get("Authorization", "").removeprefix("Bearer ")


async def set_callback(request: web.Request, app: App, url: str, verify_token: str, fields: list[str]) -> None:
    """Shakes hands with the callback and keeps it. Raises GraphError where it does not answer."""
    try:
        must_be_loopback(url)
    except acts.Refused as refused:
        raise errors.bad_parameter(str(refused)) from None
    if not await request.config_dict[SENDER].verify(url, verify_token):
        words = "(#2200) Callback verification failed with the following errors: the challenge did not come back"
        raise GraphError(words, 2200)
    changes = {"webhook_url": url, "verify_token": verify_token, "fields": fields}
    site_of(request).world.record("app.changed", network="facebook", id=app.id, changes=changes)
