"""One call of X's API: who calls, under which limits, what is asked for, and how it is answered."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from aiohttp import web

from ..ledger import now_ms
from ..site import TOKEN, Site, site_of
from ..things import Member, Token
from . import asking, problems
from .asking import Ask, ask
from .limits import Window
from .problems import Problem
from .render import Renderer

JSON = dict[str, Any]
USER_AUTH_ONLY = (
    "Authenticating with OAuth 2.0 Application-Only is forbidden for this endpoint.  Supported authentication types "
    "are [OAuth 1.0a User Context, OAuth 2.0 User Context]."
)


class Call:
    """One call of an endpoint: who calls, under which limits, what is asked for. Raises Problem."""

    def __init__(self, request: web.Request, family: str, *, scope: str = "", user_only: bool = False) -> None:
        self.request = request
        self.site: Site = site_of(request)
        self.world = self.site.world
        self.settings = self.world.settings["x"]
        self.query = request.query
        self.token = self._admit(scope, user_only)
        self.me = self.site.account(self.token)
        self.window = self._limit(family)

    def _admit(self, scope: str, user_only: bool) -> Token:
        token = self.request[TOKEN]
        if token is None or not token.works(now_ms()):
            raise problems.unauthorized()
        if user_only and token.kind == "app":
            raise Problem(403, "Unsupported Authentication", USER_AUTH_ONLY, kind="unsupported-authentication")
        account = self.site.account(token)
        if account is not None and account.suspended:
            raise problems.forbidden("Your account is suspended and is not permitted to access this feature.")
        if scope and token.kind == "user" and scope not in token.scopes:
            raise problems.forbidden(f"Your token lacks the scope {scope}.")
        return token

    def _limit(self, family: str) -> Window:
        window = self.site.limits.count(family, self.token.label, app=self.token.kind == "app")
        if window.remaining < 0 and self.settings["rate_limits"]:
            raise Problem(429, "Too Many Requests", "Too Many Requests", headers=window.headers)
        return window

    @property
    def account(self) -> Member:
        """Whom a user-context call speaks for."""
        if self.me is None:
            raise problems.unauthorized()
        return self.me

    def ask(self, expansions: frozenset[str]) -> Ask:
        return ask(self.query, self.settings["dialect"], expansions)

    def renderer(self, asked: Ask) -> Renderer:
        return Renderer(self.world, asked, self.site.base_url, self.me)

    def answer(self, body: JSON, status: int = 200) -> web.Response:
        return web.json_response(body, status=status, headers=self.window.headers)

    async def body(self) -> JSON:
        try:
            parsed = json.loads(await self.request.text() or "{}")
        except ValueError:
            raise problems.invalid("body", "", "The request body is not valid JSON") from None
        if not isinstance(parsed, dict):
            raise problems.invalid("body", "", "The request body is not a JSON object")
        return parsed

    def user(self, user_id: str, name: str = "id") -> Member:
        """Raises Problem as X does for a user that is not there."""
        member = self.world.member("x", asking.numeric_id(name, user_id))
        if member is None:
            raise NothingThere(problems.not_found(name, user_id, "user", self.dialect))
        return member

    @property
    def dialect(self) -> problems.Dialect:
        return asking.dialect_of(self.query, self.settings["dialect"])


class NothingThere(Exception):
    """Answered 200 with `errors` only, as X does for a single thing that is not there."""

    def __init__(self, error: JSON) -> None:
        super().__init__(error["detail"])
        self.error = error


Endpoint = Callable[[Call], Any]


def endpoint(family: str, *, scope: str = "", user_only: bool = False) -> Callable[[Endpoint], Any]:
    """Turns a function of a Call into a handler."""

    def wrap(function: Endpoint) -> Any:
        async def handle(request: web.Request) -> web.Response:
            call = Call(request, family, scope=scope, user_only=user_only)
            try:
                response: web.Response = await function(call)
            except NothingThere as nothing:
                response = call.answer({"errors": [nothing.error]})
            except Problem as problem:
                problem.headers = {**call.window.headers, **problem.headers}
                raise
            return response

        return handle

    return wrap


def list_of(call: Call, name: str) -> list[str]:
    values = [value for value in call.query.get(name, "").split(",") if value]
    if not 1 <= len(values) <= 100:
        raise problems.invalid(
            name, call.query.get(name, ""), f"The number of values in `{name}` is not between 1 and 100"
        )
    return values
