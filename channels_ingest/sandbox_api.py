"""The control API of the sandbox networks (`channels_ingest/sandbox/README.md`), for commands that play the world."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import requests

from accounts.models import Brand
from channels_ingest.models import App, Channel
from channels_ingest.vault import Sealed

JSON = dict[str, Any]
NAMES = {"x": "twitter", "facebook": "facebook"}  # the sandbox's names of the networks, and ours
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

    def close(self) -> None:
        self._session.close()


def connect(account: JSON, network: str, brand: Brand) -> Channel:
    """Connects an account as the control API shows it (`GET /control/{network}/brands/{id}`) as a channel of `brand`.

    A channel that holds the history of this account becomes the connected one, and stays with its brand. The access is
    tried first. Raises NetworkError.
    """
    key = NAMES[network]
    channel = Channel.objects.filter(network=key, external_id=account["id"]).first() or Channel(
        network=key, external_id=account["id"], brand=brand
    )
    given = {name: str(value) for name, value in account["credentials"].items()}
    app_names = {field.name for field in channel.adapter.fields if field.app}
    channel.credentials = Sealed({name: value for name, value in given.items() if name not in app_names})
    channel.base_url = account["base_url"]
    channel.app = _app(key, given[channel.adapter.app_field], {k: v for k, v in given.items() if k in app_names})
    profile = channel.speak().identify()
    channel.handle, channel.name, channel.avatar_url = profile.handle, profile.name, profile.avatar_url
    channel.state = Channel.State.ACTIVE
    channel.save()
    return channel


def _app(network: str, key: str, secrets: dict[str, str]) -> App:
    app, _new = App.objects.update_or_create(network=network, key=key, defaults={"secrets": Sealed(secrets)})
    return app
