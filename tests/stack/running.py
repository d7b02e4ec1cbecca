"""The whole product on a data directory of its own: what `make run` starts, and the hands that use it."""

from __future__ import annotations

import json
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from playwright.sync_api import Browser, BrowserContext, Playwright, StorageState

from scrm.demo.cast import SIGN_IN
from scrm.embedded.processes import wait_until
from tests.chromium import ARGUMENTS, executable
from tests.platform.places import Site, line_of

READY = "Ctrl-C stops everything."
CALLS = 10.0  # seconds
NOBODY = ("nobody@trailhead.example", "demo-nobody")  # of a brand without anything; see crowd.py
PUSHES = 60.0  # seconds


@dataclass
class Stack:
    """Where the running product and its sandbox networks are, and what the process said."""

    site: Site
    url: str
    sandbox: str
    said: list[str]

    def control(self, path: str, **query: Any) -> Any:
        """What the sandbox's control API answers."""
        return self._call(Request(f"{self.sandbox}/control/{path}?{urlencode(query)}"))

    def act(self, path: str, method: str = "POST", **body: Any) -> Any:
        """Has the sandbox do something."""
        headers = {"Content-Type": "application/json"}
        return self._call(Request(f"{self.sandbox}/control/{path}", json.dumps(body).encode(), headers, method=method))

    def accepted(self, words: str, *, by: str) -> list[dict[str, Any]]:
        """Everything that the networks took from `by` and that holds these words: posts, comments, messages."""
        lines = self.control("ledger", kind="accepted", limit=100_000)["lines"]
        said = [line.get("item") or line.get("message") for line in lines if line.get("by") == by]
        return [one for one in said if one and words in one["text"]]

    def is_pushed_to(self) -> bool:
        """True once the networks push to every brand's account; until then items come by asking."""
        state = self.control("state")
        told = {one["filter"].get("user_id") for one in state["subscriptions"]} | set(state["page_subscriptions"])
        return {one["id"] for one in state["brands"]} <= told

    @staticmethod
    def _call(request: Request) -> Any:
        with urlopen(request, timeout=CALLS) as answer:
            return json.load(answer)


@contextmanager
def running(**environment: str) -> Iterator[Stack]:
    """The product with its demo, until the end of the block; nothing of it is left behind."""
    with tempfile.TemporaryDirectory(prefix="scrm-stack-", ignore_cleanup_errors=True) as name:
        site = Site(Path(name))
        try:
            yield _start(site, environment)
        finally:
            for process in site.started:
                process.terminate()
            site.is_quiet()
            site.clear()


def _start(site: Site, environment: dict[str, str]) -> Stack:
    port, sandbox_port = free_port(), free_port()
    ports = {"PORT": str(port), "SANDBOX_PORT": str(sandbox_port)}
    process = site.start("-m", "scrm.run", **ports, **environment)
    line_of(process, READY)
    said: list[str] = []
    output = process.stdout
    assert output is not None
    threading.Thread(target=lambda: said.extend(output), daemon=True).start()
    stack = Stack(site, f"http://localhost:{port}", f"http://localhost:{sandbox_port}", said)
    assert wait_until(stack.is_pushed_to, PUSHES), "The networks do not push."
    return stack


def free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


@contextmanager
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """The browser, ended with the block. Raises NoBrowser where there is none."""
    browser = playwright.chromium.launch(executable_path=executable(), args=ARGUMENTS)
    try:
        yield browser
    finally:
        browser.close()


@dataclass
class SignedIn:
    """Makes browser windows for the demo's colleagues; each signs in once, through the page."""

    browser: Browser
    stack: Stack
    states: dict[str, StorageState] = field(default_factory=dict)

    def __call__(self, role: str, **options: Any) -> BrowserContext:
        """A window of somebody with that role; of nobody for an empty one. `options` are Playwright's."""
        if role and role not in self.states:
            with self.browser.new_context() as context:
                self._sign_in(context, role)
                self.states[role] = context.storage_state()
        return self.browser.new_context(storage_state=self.states.get(role), **options)

    def _sign_in(self, context: BrowserContext, role: str) -> None:
        known = {one.role: (one.email, one.password) for one in SIGN_IN} | {"nobody": NOBODY}
        page = context.new_page()
        page.goto(f"{self.stack.url}/sign-in/")
        page.get_by_label("E-mail").fill(known[role][0])
        page.get_by_label("Password").fill(known[role][1])
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"{self.stack.url}/")
