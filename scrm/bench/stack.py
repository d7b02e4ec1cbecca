"""A whole product of its own to measure: what `make run` starts, on another data directory."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests

from scrm.demo.cast import SIGN_IN
from scrm.run import free_port
from scrm.services import BASE_DIR

READY = "Ctrl-C stops everything."
CALL_SECONDS = 30.0
STOP_SECONDS = 90.0
PUSH_SECONDS = 60.0
_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


@dataclass(frozen=True)
class Stack:
    """Where the product and its sandbox networks answer, and how to run programs beside them."""

    pid: int
    data_dir: str
    port: int
    sandbox: str

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def command(self, *arguments: str) -> list[str]:
        """A Python program of the product on the same data; it starts the services where the product has ended."""
        return [*_surroundings(DATA_DIR=self.data_dir, SANDBOX_URL=self.sandbox), sys.executable, *arguments]

    def control(self, method: str, path: str, **body: Any) -> Any:
        """Have the sandbox networks do something, or tell."""
        answer = requests.request(method, f"{self.sandbox}/control/{path}", json=body or None, timeout=CALL_SECONDS)
        answer.raise_for_status()
        return answer.json()

    def sign_in(self, role: str = "admin", url: str = "") -> requests.Session:
        """A session of the demo's colleague of that role, on the product or on another server of it."""
        session, there = requests.Session(), f"{url or self.url}/sign-in/"
        one = next(colleague for colleague in SIGN_IN if colleague.role == role)
        token = _TOKEN.findall(session.get(there, timeout=CALL_SECONDS).text)[0]
        form = {"csrfmiddlewaretoken": token, "username": one.email, "password": one.password, "next": "/"}
        session.post(there, data=form, timeout=CALL_SECONDS).raise_for_status()
        return session


@contextmanager
def running(root: str) -> Iterator[Stack]:
    """The product with its demo on a data directory, once the sandbox networks push to it.

    Raises RuntimeError where it does not start.
    """
    port, sandbox_port = free_port(0), free_port(0)
    surroundings = _surroundings(DATA_DIR=root, PORT=str(port), SANDBOX_PORT=str(sandbox_port))
    argv = [*surroundings, sys.executable, "-m", "scrm.run"]
    with subprocess.Popen(argv, cwd=BASE_DIR, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as run:
        try:
            _await_ready(run)
            stack = Stack(run.pid, root, port, f"http://localhost:{sandbox_port}")
            _await_pushes(stack)
            yield stack
        finally:
            run.terminate()
            run.wait(STOP_SECONDS)


def _surroundings(**given: str) -> list[str]:
    """`env` with what the product shall find; other servers that the caller's environment names are left out."""
    foreign = [part for name in ("DATABASE_URL", "REDIS_URL", "PRODUCTION") for part in ("-u", name)]
    return ["env", *foreign, "EMBEDDED_FSYNC=1", *(f"{name}={value}" for name, value in given.items())]


def _await_ready(run: subprocess.Popen[str]) -> None:
    said = []
    for line in run.stdout or ():
        said.append(line)
        if READY in line:
            break
    else:
        raise RuntimeError("The product did not start:\n" + "".join(said))
    threading.Thread(target=lambda: [None for _ in run.stdout or ()], daemon=True).start()


def _await_pushes(stack: Stack) -> None:
    deadline = time.monotonic() + PUSH_SECONDS
    while not _pushed_to(stack.control("GET", "state")):
        if time.monotonic() > deadline:
            raise RuntimeError("The sandbox networks do not push.")
        time.sleep(0.5)


def _pushed_to(state: dict[str, Any]) -> bool:
    told = {one["filter"].get("user_id") for one in state["subscriptions"]} | set(state["page_subscriptions"])
    return {one["id"] for one in state["brands"]} <= told
