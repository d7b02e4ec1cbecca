"""The control API of the sandbox networks (`channels_ingest/sandbox/README.md`), for commands that play the world."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import requests

from accounts.models import Brand
from channels_ingest import connect
from channels_ingest.models import Channel
from channels_ingest.networks import networks

JSON = dict[str, Any]
TIMEOUT = (5, 120)  # seconds: to connect, to answer


class SandboxError(Exception):
    """The sandbox does not answer, or refuses; the message says why."""


class Sandbox:
    """The sandbox at that base URL."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._session = requests.Session()
        self._session.trust_env = False  # loopback: no proxy stands between

    def get(self, path: str, **query: str | int) -> JSON:
        return self._ask("GET", path, params=query)

    def post(self, path: str, **body: Any) -> JSON:
        return self._ask("POST", path, json=body)

    def patch(self, path: str, **body: Any) -> JSON:
        return self._ask("PATCH", path, json=body)

    def delete(self, path: str) -> JSON:
        return self._ask("DELETE", path)

    def _ask(self, method: str, path: str, **how: Any) -> JSON:
        """Raises SandboxError."""
        try:
            answer = self._session.request(method, f"{self.url}/control{path}", timeout=TIMEOUT, **how)
            body = answer.json()
        except requests.RequestException as error:
            raise SandboxError(f"The sandbox at {self.url} does not answer: {type(error).__name__}.") from error
        if answer.status_code != requests.codes.ok:
            raise SandboxError(str(body.get("error", answer.status_code)))
        return dict(body)

    def ledger(self, kind: str) -> Iterator[JSON]:
        """All lines of a ledger, oldest first: accepted, served, webhooks, calls."""
        after = 0
        while lines := self.get("/ledger", kind=kind, after=after)["lines"]:
            yield from lines
            after = lines[-1]["n"]

    def wait(self, seconds: float) -> None:
        """Until it answers: it may have been started just now. Raises SandboxError when the time is over."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                self.get("/settings")
                return
            except SandboxError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def close(self) -> None:
        self._session.close()


def network_key(name: str) -> str:
    """Our key of the network that the sandbox calls so."""
    return next(key for key, network in networks().items() if network.sandbox == name)


def connect_account(account: JSON, network: str, brand: Brand) -> Channel:
    """Connects an account as the control API shows it (`GET /control/{network}/brands/{id}`) as a channel.

    A channel that has its history becomes the connected one, and stays with its brand. Raises NetworkError.
    """
    key = network_key(network)
    known = Channel.objects.filter(network=key, external_id=account["id"]).select_related("brand").first()
    return connect.connect(
        by=None,
        brand=known.brand if known else brand,
        network=key,
        credentials={name: str(value) for name, value in account["credentials"].items()},
        base_url=account["base_url"],
    )
