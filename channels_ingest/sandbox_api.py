"""The control API of the sandbox networks (`channels_ingest/sandbox/README.md`), for commands that play the world."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import requests

JSON = dict[str, Any]
CONNECT_TIMEOUT = 5.0  # seconds


class SandboxError(Exception):
    """The sandbox does not answer (status 0), or refuses; the message says why."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class Sandbox:
    """The sandbox at that base URL. `patience` is how many seconds an answer may take."""

    def __init__(self, url: str, *, patience: float = 120) -> None:
        self.url = url.rstrip("/")
        self._how: Any = {"timeout": (CONNECT_TIMEOUT, patience), "allow_redirects": False}
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
            answer = self._session.request(method, f"{self.url}/control{path}", **self._how, **how)
            body = answer.json()
        except requests.RequestException as error:
            raise SandboxError(f"The sandbox at {self.url} does not answer: {type(error).__name__}.") from error
        if answer.status_code != requests.codes.ok:
            raise SandboxError(str(body.get("error", answer.status_code))[:300], answer.status_code)
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
