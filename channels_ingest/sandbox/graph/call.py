"""One call of Graph: its parameters, its token, the Page it speaks for, and how it is answered."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from ..site import TOKEN, site_of
from ..things import Item, Member, Token
from . import errors
from .errors import GraphError
from .fields import Field, parse
from .render import Renderer

JSON = dict[str, Any]
OLDEST_LIVING, NEWEST = 21.0, 26.0  # calls to dead versions are answered by the oldest living one


class Call:
    """One call: parameters from query and body, the token, the Page it speaks for. Raises GraphError."""

    def __init__(self, request: web.Request, given: dict[str, str]) -> None:
        self.request = request
        self.site = site_of(request)
        self.world = self.site.world
        self.given = given
        self.version = _version(request.match_info["version"])
        self.token = self._admit()
        self.page = self._page()

    def _admit(self) -> Token:
        token = self.request[TOKEN] or self.site.token(self.given.get("access_token", ""), "facebook")
        if token is None:
            raise errors.dead_token(None)
        if token.dead:
            raise errors.dead_token(token.dead.get("subcode"))
        self.request[TOKEN] = token
        return token

    def _page(self) -> Member:
        page = self.site.account(self.token)
        if page is None:
            raise errors.dead_token(None)
        if page.suspended:
            raise GraphError("(#368) The action attempted has been deemed abusive or is otherwise disallowed", 368)
        return page

    def need(self, scope: str) -> None:
        if scope not in self.token.scopes:
            raise errors.no_permission(scope)

    @property
    def fields(self) -> list[Field]:
        return parse(self.given.get("fields", ""))

    @property
    def options(self) -> dict[str, str]:
        kept = ("fields", "limit", "after", "before", "since", "until", "filter", "order", "summary")
        return {name: self.given[name] for name in kept if name in self.given}

    def renderer(self) -> Renderer:
        return Renderer(self.site, self.page, f"{self.site.base_url}/graph/v{self.version:.1f}")

    def answer(self, body: Any) -> web.Response:
        return web.json_response(body, headers=self._usage())

    def _usage(self) -> dict[str, str]:
        calls = min(99, self.site.calls.count % 100)
        usage = {"call_count": calls, "total_cputime": calls // 4, "total_time": calls // 4}
        business = {self.page.id: [{"type": "pages", **usage, "estimated_time_to_regain_access": 0}]}
        return {
            "X-App-Usage": json.dumps(usage),
            "X-Business-Use-Case-Usage": json.dumps(business),
            "facebook-api-version": f"v{self.version:.1f}",
        }

    def member(self, node: str) -> Member | None:
        """A Page by id, a person by page-scoped id."""
        member = self.world.member("facebook", node)
        if member is not None and member.brand:
            return member
        page, user = self.world.psids.get(node, ("", ""))
        return self.world.member("facebook", user) if page == self.page.id else None

    def item(self, node: str) -> Item:
        """Raises GraphError (100/33) for one that is not there, or not on our Page."""
        item = self.world.items["facebook"].get(node)
        if item is None or not self.world.visible(item) or item.page != self.page.id:
            raise errors.gone(node)
        return item


def _version(given: str) -> float:
    number = float(given.removeprefix("v"))
    if number > NEWEST:
        raise GraphError(f"(#2635) You are calling an unknown version of the Graph API ({given}).", 2635)
    return max(number, OLDEST_LIVING)


Handler = Callable[[Call, str], Awaitable[Any]]


async def parameters(request: web.Request) -> dict[str, str]:
    given = dict(request.query)
    uploads_a_file = request.content_type == "multipart/form-data"  # which can be read once only
    if request.method == "GET" or not (uploads_a_file or await request.read()):
        return given
    if request.content_type == "application/json":
        try:
            parsed = await request.json()
        except ValueError:
            raise errors.bad_parameter("Invalid JSON in body") from None
        body = parsed if isinstance(parsed, dict) else {}
        return given | {name: one if isinstance(one, str) else json.dumps(one) for name, one in body.items()}
    return given | {name: str(value) for name, value in (await request.post()).items()}


def endpoint(function: Handler) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        call = Call(request, await parameters(request))
        node = request.match_info.get("node", "me")
        body = await function(call, call.page.id if node == "me" else node)
        return call.answer(body)

    return handle
