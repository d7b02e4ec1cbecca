"""The door of both networks: weather before and after, the ledger of calls, and what was served."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import hdrs, web

from . import ids
from .graph import errors as graph_errors
from .site import SERVED, TOKEN, Site, holder, site_of
from .things import Network, Token
from .weather import Fault
from .x import asking, problems

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
OAUTH1 = "OAuth "
HTML_ERROR = (
    "<html><head><title>{0}</title></head><body><h1>{0} Service trouble</h1><p>Try again later.</p></body></html>"
)


@dataclass(slots=True)
class Visit:
    """One call: whose, on which network, and what struck it."""

    site: Site
    network: Network
    request: web.Request
    token: Token | None
    struck: str = ""

    def strikes(self, name: str) -> Fault | None:
        account = self.token.account if self.token else ""
        request = self.request
        fault = self.site.weather.strikes(name, self.network, method=request.method, path=request.path, account=account)
        if fault is not None:
            self.struck = name
        return fault


@web.middleware
async def door(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Everything that happens to a call besides its handler."""
    network = _network(request.path)
    if network is None:
        return await handler(request)
    site = site_of(request)
    whole = request.post if request.content_type == "multipart/form-data" else request.read
    await whole()  # now: what is carried out late must not depend on a connection that is cut by then
    token = _token(request, site, network, await _posted_token(request, network))
    request[TOKEN] = token
    visit = Visit(site, network, request, token)
    started = time.monotonic()
    status = 0
    try:
        response = await _pass(visit, handler)
        status = response.status if visit.struck not in ("cut_before", "cut_after", "hang_after", "late_accept") else 0
        return response
    finally:
        site.calls.append(_call(visit, status, time.monotonic() - started))


def _network(path: str) -> Network | None:
    if path.startswith("/x/"):
        return "x"
    return "facebook" if path.startswith("/graph/") else None


async def _posted_token(request: web.Request, network: Network) -> str:
    """Graph takes the token in a form too."""
    if network != "facebook" or request.content_type != "application/x-www-form-urlencoded":
        return ""
    value = (await request.post()).get("access_token", "")
    return value if isinstance(value, str) else ""


def _token(request: web.Request, site: Site, network: Network, posted: str) -> Token | None:
    scheme, _, value = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    if scheme.lower() == "oauth" and "oauth_token=" in value:
        value = value.split('oauth_token="', 1)[-1].split('"', 1)[0]
    if not value and network == "facebook":
        value = request.query.get("access_token", "") or posted
    return site.token(value, network)


def _call(visit: Visit, status: int, seconds: float) -> dict[str, Any]:
    query = {name: value for name, value in visit.request.query.items() if "token" not in name or "page" in name}
    query = {name: value for name, value in query.items() if "secret" not in name}
    call = {
        "network": visit.network,
        "method": visit.request.method,
        "path": visit.request.path,
        "query": query,
        "by": holder(visit.request),
        "status": status,
        "ms": round(seconds * 1000, 1),
    }
    return call | ({"fault": visit.struck} if visit.struck else {})


async def _pass(visit: Visit, handler: Handler) -> web.StreamResponse:
    if fault := visit.strikes("latency"):
        await asyncio.sleep(float(fault.args.get("ms", 1000)) / 1000)
    if visit.strikes("cut_before"):
        return _cut(visit.request)
    refused = _refusal(visit)
    if refused is not None:
        return refused
    if fault := visit.strikes("late_accept"):
        _cut(visit.request)
        await _lateness(visit, fault)
        return await _handle(visit, handler)
    response = await _handle(visit, handler)
    response = await _spoil(visit, response)
    _note_served(visit)
    return response


async def _lateness(visit: Visit, fault: Fault) -> None:
    """For as long as was asked; a fault that is `held` ends when its switch is removed."""
    if fault.args.get("held"):
        await visit.site.weather.end_of(fault)
    else:
        await asyncio.sleep(float(fault.args.get("ms", 2000)) / 1000)


def _cut(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def _handle(visit: Visit, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(visit.request)
    except problems.Problem as problem:
        return problem.response(_dialect(visit))
    except graph_errors.GraphError as error:
        return error.response()
    except web.HTTPException as error:
        if visit.network == "x":
            return problems.Problem(error.status, error.reason, error.reason).response(_dialect(visit))
        return graph_errors.GraphError(f"Unknown path components: {visit.request.path}", 2500).response()


def _dialect(visit: Visit) -> problems.Dialect:
    return asking.dialect_of(visit.request.query, visit.site.world.settings["x"]["dialect"])


def _refusal(visit: Visit) -> web.Response | None:
    for name, refuse in (_X_REFUSALS if visit.network == "x" else _GRAPH_REFUSALS).items():
        if fault := visit.strikes(name):
            answer = refuse(fault)
            if isinstance(answer, problems.Problem):
                return answer.response(_dialect(visit))
            return answer.response() if isinstance(answer, graph_errors.GraphError) else answer
    return None


def _server_error(fault: Fault) -> web.Response:
    status = int(fault.args.get("status", 503))
    if fault.args.get("json"):
        return web.json_response(
            {"title": "Service Unavailable", "status": status, "type": "about:blank"}, status=status
        )
    return web.Response(status=status, text=HTML_ERROR.format(status), content_type="text/html")


def _x_rate_limited(fault: Fault) -> problems.Problem:
    headers = {"x-rate-limit-limit": "15", "x-rate-limit-remaining": "0"}
    if not fault.args.get("no_reset"):
        headers["x-rate-limit-reset"] = str(
            fault.args.get("reset", int(time.time()) + int(fault.args.get("reset_in_s", 60)))
        )
    if "retry_after" in fault.args:
        headers["retry-after"] = str(fault.args["retry_after"])
    return problems.Problem(429, "Too Many Requests", "Too Many Requests", headers=headers)


def usage_capped() -> problems.Problem:
    return problems.Problem(
        429, "UsageCapExceeded", "Usage cap exceeded: Monthly product cap",
        kind="usage-capped", period="Monthly", scope="Product",
    )  # fmt: skip


def _graph_throttled(fault: Fault) -> graph_errors.GraphError:
    error = graph_errors.throttled(int(fault.args.get("code", 32)))
    usage = {"call_count": 100, "total_cputime": 25, "total_time": 25}
    minutes = fault.args.get("regain_min", 1)
    business = {"0": [{"type": "pages", **usage, "estimated_time_to_regain_access": minutes}]}
    error.headers |= {"X-App-Usage": json.dumps(usage), "X-Business-Use-Case-Usage": json.dumps(business)}
    return error


SUSPENDED = "Your account is suspended and is not permitted to access this feature."
Refusal = Callable[[Fault], problems.Problem | graph_errors.GraphError | web.Response]
_X_REFUSALS: dict[str, Refusal] = {
    "server_error": _server_error,
    "rate_limited": _x_rate_limited,
    "usage_capped": lambda _: usage_capped(),
    "token_revoked": lambda _: problems.unauthorized(),
    "scope_removed": lambda _: problems.forbidden(
        "Your client app is not configured with the appropriate oauth1 app permissions for this endpoint."
    ),
    "suspended": lambda _: problems.forbidden(SUSPENDED),
}
_GRAPH_REFUSALS: dict[str, Refusal] = {
    "server_error": _server_error,
    "rate_limited": _graph_throttled,
    "usage_capped": lambda _: graph_errors.throttled(80001),
    "token_revoked": lambda fault: graph_errors.dead_token(fault.args.get("subcode", 460)),
    "scope_removed": lambda fault: graph_errors.no_permission(fault.args.get("scope", "pages_manage_engagement")),
    "suspended": lambda _: graph_errors.GraphError(
        "(#368) The action attempted has been deemed abusive or is otherwise disallowed", 368
    ),
}


async def _spoil(visit: Visit, response: web.StreamResponse) -> web.StreamResponse:
    """What happens to an answer after the network has acted."""
    if not isinstance(response, web.Response) or response.status >= 400:
        return response
    if visit.strikes("wrong_id"):
        _give_wrong_id(response)
    if visit.strikes("broken_body"):
        text = response.text or ""
        response.text = text[: len(text) // 2]
        response.set_status(200)
    if fault := visit.strikes("hang_after"):
        await asyncio.sleep(float(fault.args.get("s", 60)))
        return _cut(visit.request)
    if visit.strikes("cut_after"):
        return _cut(visit.request)
    return response


def _give_wrong_id(response: web.Response) -> None:
    body = json.loads(response.text or "null")
    inner = body.get("data", body) if isinstance(body, dict) else None
    if not isinstance(inner, dict):
        return
    for name in ("id", "dm_event_id", "message_id"):
        if name in inner:
            inner[name] = ids.digits("wrong", str(inner[name]), length=18)
    response.text = json.dumps(body)


def _note_served(visit: Visit) -> None:
    served = visit.request.get(SERVED)
    if served is not None and served["ids"]:
        line = {"network": visit.network, "to": holder(visit.request), **served}
        visit.site.served.append(line | ({"fault": visit.struck} if visit.struck else {}))
