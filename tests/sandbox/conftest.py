"""A sandbox of its own for these tests, a hand that acts in it, and a web server that takes its webhooks."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import socket
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from aiohttp import web
from django.conf import settings

from channels_ingest.sandbox.server import application, open_site

SPECIFICATIONS = settings.SHARED_DATA / "specs"
collect_ignore = [] if SPECIFICATIONS.is_dir() else ["test_conformance.py"]


def pytest_report_header() -> list[str]:
    return (
        []
        if SPECIFICATIONS.is_dir()
        else ["The X specifications are not here: tests/sandbox/test_conformance.py is left out."]
    )


def eventually(check: Callable[[], Any], within_s: float = 10) -> Any:
    """What `check` returns once it is true. Polls; fails when it never is."""
    deadline = time.monotonic() + within_s
    while not (found := check()):
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)
    return found


def free_port() -> int:
    with socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


class InThread:
    """A sandbox in a thread of the test's process: quick to start, cannot be killed."""

    def __init__(self, data: Path) -> None:
        self.port = free_port()
        self.base_url = f"http://127.0.0.1:{self.port}"
        self._loop = asyncio.new_event_loop()
        self._site, sender = open_site(data, self.base_url)
        self._runner = web.AppRunner(application(self._site, sender), access_log=None, shutdown_timeout=0.1)
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._run(self._listen())

    async def _listen(self) -> None:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=10)

    def stop(self) -> None:
        self._run(self._runner.cleanup())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)
        self._loop.close()
        self._site.close()


class Running:
    """One sandbox process on one data directory; may be killed and started again."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.port = free_port()
        self.base_url = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "channels_ingest.sandbox", "--data", str(self.data), "--port", str(self.port)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        eventually(self._answers)

    def _answers(self) -> bool:
        assert self.process.poll() is None, "the sandbox ended"
        try:
            return requests.get(f"{self.base_url}/control/settings", timeout=2).ok
        except requests.ConnectionError:
            return False

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=10)


class Hand:
    """Acts through the control API and calls the networks' APIs."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.session = requests.Session()

    def control(self, method: str, path: str, /, **body: Any) -> Any:
        answer = self.session.request(method, f"{self.base_url}/control{path}", json=body or None, timeout=10)
        assert answer.ok, answer.text
        return answer.json()

    def person(self, handle: str = "ann", **facts: Any) -> Any:
        return self.control("POST", "/people", handle=handle, name=handle.title(), **facts)

    def brand(self, network: str, handle: str = "trailhead") -> Any:
        return self.control("POST", f"/{network}/brands", handle=handle, name=handle.title())

    def posts(self, network: str, author: str, text: str, **more: Any) -> Any:
        return self.control("POST", f"/{network}/posts", author=author, text=text, **more)

    def writes(self, network: str, author: str, to: str, text: str, **more: Any) -> Any:
        return self.control("POST", f"/{network}/messages", author=author, to=to, text=text, **more)

    def ledger(self, kind: str) -> list[Any]:
        lines: list[Any] = self.control("GET", f"/ledger?kind={kind}")["lines"]
        return lines

    def x(self, brand: Any, method: str, path: str, body: Any = None, **query: Any) -> requests.Response:
        return self._call(f"{self.base_url}/x{path}", brand, method, query, json=body)

    def graph(self, brand: Any, method: str, path: str, data: Any = None, **query: Any) -> requests.Response:
        return self._call(f"{self.base_url}/graph/v25.0{path}", brand, method, query, data=data)

    def _call(self, url: str, brand: Any, method: str, query: Any, **body: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {brand['credentials']['access_token']}"}
        params = {name.replace("_fields", ".fields"): value for name, value in query.items()}
        return self.session.request(method, url, params=params, headers=headers, timeout=10, **body)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    """A process, for tests that kill it."""
    sandbox = Running(tmp_path / "process")
    yield sandbox
    sandbox.stop()


@pytest.fixture
def survivor(running: Running) -> Iterator[Hand]:
    """A hand in the sandbox that may be killed."""
    one = Hand(running.base_url)
    with one.session:
        yield one


@pytest.fixture
def hand(tmp_path: Path) -> Iterator[Hand]:
    sandbox = InThread(tmp_path / "thread")
    one = Hand(sandbox.base_url)
    with one.session:
        yield one
    sandbox.stop()


class Receiver:
    """Takes webhooks of both networks: shakes hands, checks signatures, refuses as often as it is told to."""

    def __init__(self) -> None:
        self.secrets: dict[str, str] = {}
        self.verify_token = ""
        self.refusals = 0
        self.bodies: list[Any] = []
        self.forged = 0
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _door_of(self))
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def knows(self, brand: Any) -> None:
        given = brand["credentials"]
        self.secrets[brand["network"]] = given.get("consumer_secret") or given["app_secret"]
        self.verify_token = given.get("verify_token", self.verify_token)

    def shake(self, query: dict[str, str]) -> str:
        if "crc_token" in query:
            return json.dumps({"response_token": self._x_signature(query["crc_token"].encode())})
        return query["hub.challenge"] if query["hub.verify_token"] == self.verify_token else "no"

    def take(self, body: bytes, headers: Any) -> int:
        if self.refusals > 0:
            self.refusals -= 1
            return 500
        x, graph = headers.get("x-twitter-webhooks-signature"), headers.get("X-Hub-Signature-256")
        digest = hmac.new(self.secrets.get("facebook", "").encode(), body, hashlib.sha256).hexdigest()
        if x != self._x_signature(body) and graph != f"sha256={digest}":
            self.forged += 1
            return 403
        self.bodies.append(json.loads(body))
        return 200

    def _x_signature(self, body: bytes) -> str:
        digest = hmac.new(self.secrets.get("x", "").encode(), body, hashlib.sha256).digest()
        return "sha256=" + base64.b64encode(digest).decode()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def _door_of(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(200, receiver.shake(dict(parse_qsl(urlsplit(self.path).query))))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self._answer(receiver.take(body, self.headers), "")

        def _answer(self, status: int, body: str) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: Any) -> None:
            return

    return Door


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    one = Receiver()
    yield one
    one.close()
