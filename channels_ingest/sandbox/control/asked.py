"""A call of the control API: its JSON body, read with clear complaints."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from .. import ids
from ..acts import Refused
from ..ledger import now_ms
from ..site import SENDER, Site, site_of
from ..things import Item, Member, Network
from ..weather import BadFault

JSON = dict[str, Any]
CHANGEABLE = {
    "name": str, "followers": int, "verified": bool, "protected": bool, "suspended": bool, "dm_open": bool,
    "lang": str, "bio": str, "location": str,
}  # fmt: skip


class Asked:
    """The JSON body of a call, read with clear complaints."""

    def __init__(self, request: web.Request, body: JSON) -> None:
        self.site = site = site_of(request)
        self.sender = request.config_dict[SENDER]
        path = dict(request.match_info)
        self.world = site.world
        self.body = body
        self.path = path

    def text(self, name: str, default: str | None = None) -> str:
        value = self.body.get(name, default)
        if not isinstance(value, str):
            raise Refused(f"{name} must be given as text.")
        return value

    @property
    def network(self) -> Network:
        value = self.path.get("network") or self.text("network")
        if value == "x":
            return "x"
        if value == "facebook":
            return "facebook"
        raise Refused("network is x or facebook.")

    def member(self, name: str, network: Network | None = None) -> Member:
        """A member named by id, by user name (with or without @) or by person."""
        return find_member(self.site, network or self.network, self.path.get(name) or self.text(name))

    def item(self, name: str, network: Network | None = None) -> Item:
        value = self.path.get(name) or self.text(name)
        item = self.world.items[network or self.network].get(value)
        if item is None:
            raise Refused(f"There is no item {value}.")
        return item

    def maybe_item(self, name: str, network: Network) -> Item | None:
        return self.item(name, network) if self.body.get(name) else None

    @property
    def at(self) -> int | None:
        """`at`: UTC, milliseconds since 1970."""
        value = self.body.get("at")
        if value is not None and not isinstance(value, int):
            raise Refused("at is a time in milliseconds since 1970.")
        return value

    @property
    def media(self) -> list[JSON] | None:
        return [sample_picture()] if self.body.get("picture") else None


def sample_picture() -> JSON:
    number = ids.digits("picture", str(now_ms()), ids.secret(), length=18)
    url = f"/media/{number}.png"
    return {
        "media_key": f"3_{number}", "type": "photo", "url": url, "alt_text": "A picture", "width": 480, "height": 320,
    }  # fmt: skip


def find_member(site: Site, network: Network, name: str) -> Member:
    """Raises Refused."""
    member = site.world.member(network, name) or site.world.by_username(network, name.lstrip("@"))
    if member is None:
        raise Refused(f"There is no account {name} on {network}.")
    return member


Action = Callable[[Asked], Any]


def endpoint(action: Action) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Runs an action on the JSON body; a refusal is answered 400 with its reason."""

    async def handle(request: web.Request) -> web.Response:
        try:
            body = json.loads(await request.text() or "{}")
            if not isinstance(body, dict):
                raise Refused("The body must be a JSON object.")
            query = {name: value for name, value in request.query.items() if name not in body}
            answer = action(Asked(request, {**query, **body}))
            if isinstance(answer, Awaitable):
                answer = await answer
        except (Refused, BadFault) as refused:
            return web.json_response({"error": str(refused)}, status=400)
        except json.JSONDecodeError as error:
            return web.json_response({"error": f"The body is not JSON: {error}"}, status=400)
        return web.json_response(answer)

    return handle
