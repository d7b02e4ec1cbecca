"""What every door shares: the world, the weather, the ledgers, who is calling."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from aiohttp import web

from .ledger import Ledger, Record
from .things import App, Member, Network, Token, Webhook
from .weather import Weather
from .world import World
from .x.limits import Limits


class Site:
    def __init__(self, directory: Path, base_url: str) -> None:
        self.base_url = base_url
        self.world = World(directory)
        self.weather = Weather()
        self.limits = Limits()
        self.served = Ledger(directory / "served.jsonl")
        self.webhooks = Ledger(directory / "webhooks.jsonl")
        self.calls = Ledger(directory / "calls.jsonl", durable=False)

    def token(self, value: str, network: Network) -> Token | None:
        token = self.world.tokens.get(value)
        return token if token is not None and token.network == network else None

    def account(self, token: Token) -> Member | None:
        return self.world.member(token.network, token.account) if token.account else None

    @property
    def ledgers(self) -> dict[str, Ledger]:
        return {"accepted": self.world.journal, "served": self.served, "webhooks": self.webhooks, "calls": self.calls}

    def close(self) -> None:
        for ledger in self.ledgers.values():
            ledger.close()


class Shakes(Protocol):
    """Who makes the hand-shakes with webhooks: the sender."""

    async def run(self) -> None: ...
    async def crc(self, app: App, url: str) -> bool: ...
    async def verify(self, url: str, verify_token: str) -> bool: ...
    async def check(self, webhook: Webhook) -> bool: ...


SITE: web.AppKey[Site] = web.AppKey("site", Site)
SENDER: web.AppKey[Shakes] = web.AppKey("sender", Shakes)
TOKEN: web.RequestKey[Token | None] = web.RequestKey("token")
SERVED: web.RequestKey[Record] = web.RequestKey("served")


def site_of(request: web.Request) -> Site:
    return request.config_dict[SITE]


def serve(request: web.Request, endpoint: str, ids: list[str]) -> None:
    """Notes which ids this answer carries; written to the ledger once it is known whether the answer left."""
    request[SERVED] = {"endpoint": endpoint, "ids": ids}


def holder(request: web.Request) -> str:
    token: Any = request.get(TOKEN)
    return token.label if token is not None else ""
