"""The real sandbox as its own process, and the hand that makes things happen in it."""

from __future__ import annotations

import itertools
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from channels_ingest.networks import network
from channels_ingest.networks.base import Account, Network

_numbers = itertools.count(1)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Sandbox:
    """Speaks the control API. `x` and `facebook` make a brand and return the adapter that acts for it."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.session = requests.Session()

    def control(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.session.request(method, f"{self.base_url}/control/{path}", json=body, timeout=10)
        assert answer.ok, answer.text
        return answer.json()

    def person(self, **given: Any) -> Any:
        return self.control("POST", "people", {"handle": f"person{next(_numbers)}", "name": "Ann Lee", **given})

    def brand(self, kind: str) -> dict[str, Any]:
        number = next(_numbers)
        found: dict[str, Any] = self.control(
            "POST", f"{kind}/brands", {"handle": f"brand{number}", "name": f"Brand {number}", "app": f"app{number}"}
        )
        return found

    def speak(self, key: str, brand: dict[str, Any], **settings: Any) -> Network:
        account = Account(brand["id"], brand["username"], brand["credentials"], settings, brand["base_url"])
        return network(key)(account)

    def says(self, kind: str, **given: Any) -> Any:
        return self.control("POST", f"{kind}/posts", given)

    def writes(self, kind: str, **given: Any) -> Any:
        return self.control("POST", f"{kind}/messages", given)

    @contextmanager
    def weather(self, kind: str, fault: str, **given: Any) -> Iterator[None]:
        switch = self.control("POST", "switches", {"network": kind, "fault": fault, **given})
        try:
            yield
        finally:
            self.control("DELETE", f"switches/{switch['id']}")

    def ledger(self, kind: str) -> list[dict[str, Any]]:
        lines: list[dict[str, Any]] = self.control("GET", f"ledger?kind={kind}&after=0&limit=100000")["lines"]
        return lines


@contextmanager
def running(directory: Path) -> Iterator[Sandbox]:
    """A sandbox process on a free port, ended afterwards."""
    port = free_port()
    command = [sys.executable, "-m", "channels_ingest.sandbox", "--data", str(directory), "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        sandbox = Sandbox(f"http://127.0.0.1:{port}")
        _await(sandbox, process)
        yield sandbox
    finally:
        process.terminate()
        process.communicate(timeout=10)


def _await(sandbox: Sandbox, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        assert process.poll() is None, "the sandbox ended at once"
        try:
            sandbox.control("GET", "state")
        except requests.ConnectionError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the sandbox did not start in time")
