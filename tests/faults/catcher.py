"""Stands where a webhook would be registered: answers the hand-shake and keeps the true, signed bodies."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Caught:
    """One webhook request as it came."""

    path: str
    body: bytes
    headers: dict[str, str]

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.body).hexdigest()


@dataclass
class Catcher:
    """`secrets` are the X consumer secrets by path."""

    secrets: dict[str, str] = field(default_factory=dict)
    caught: list[Caught] = field(default_factory=list)

    def start(self) -> str:
        """Begins to listen; returns the address."""
        catcher = self

        class Receiver(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked = parse_qs(urlsplit(self.path).query)
                self._answer(catcher.shake_hands(urlsplit(self.path).path, asked))

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                catcher.caught.append(Caught(self.path, body, {k.lower(): v for k, v in self.headers.items()}))
                self._answer(b"ok")

            def _answer(self, body: bytes) -> None:
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self.server.server_port}"

    def shake_hands(self, path: str, asked: dict[str, list[str]]) -> bytes:
        if "crc_token" in asked:
            digest = hmac.new(self.secrets[path].encode(), asked["crc_token"][0].encode(), hashlib.sha256).digest()
            return json.dumps({"response_token": "sha256=" + base64.b64encode(digest).decode()}).encode()
        return asked.get("hub.challenge", [""])[0].encode()

    def wait_for(self, path: str, canary: str, seconds: float = 10.0) -> list[Caught]:
        """The bodies for this path that hold the canary, once there is one. Raises TimeoutError."""
        escaped = json.dumps(canary)[1:-1].encode() if not canary.isascii() else canary.encode()
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = [one for one in list(self.caught) if one.path == path and escaped in one.body]
            if found:
                return found
            time.sleep(0.005)
        raise TimeoutError(f"no webhook with {canary} for {path}")

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
