"""How long pages take, from a real server process over a kept connection, beside a bare view in the same run."""

from __future__ import annotations

import re
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import requests

from scrm import probe
from scrm.bench.stack import CALL_SECONDS, Stack
from scrm.bench.summary import spread
from scrm.embedded.processes import wait_until
from scrm.run import LOOPBACK
from scrm.services import BASE_DIR

ROUNDS, WARM_UP = 60, 5
START_SECONDS = 60.0
_THREAD = re.compile(r'href="(/threads/\d+/)')


def pages(stack: Stack) -> dict[str, Any]:
    """Milliseconds, statements and bytes of each page, taken in turn; `times_bare` compares medians."""
    with server(stack.command("-m", "scrm.bench.server")) as address:
        session = stack.sign_in("admin", address)
        shown = session.get(f"{address}/?view=all", timeout=CALL_SECONDS).text
        paths = {"bare_view": "/bench/bare/", "inbox": "/?view=all", "thread": _THREAD.findall(shown)[0]}
        return _measured(session, address, paths)


@contextmanager
def server(command: Sequence[str], processes: int = 1) -> Iterator[str]:
    """The address of a web server to measure, which that command starts; the number of its socket is added to it.
    Several processes share the socket, as in production."""
    with socket.socket() as listener:
        listener.bind((LOOPBACK, 0))
        listener.listen(64)
        port = int(listener.getsockname()[1])
        argv = [*command, str(listener.fileno())]
        with ExitStack() as running:
            for _number in range(processes):
                process = running.enter_context(subprocess.Popen(argv, cwd=BASE_DIR, pass_fds=(listener.fileno(),)))
                running.callback(process.terminate)
            if not wait_until(lambda: probe.answers(port), START_SECONDS):
                raise RuntimeError("The web server to measure does not answer.")
            yield f"http://localhost:{port}"


def _measured(session: requests.Session, address: str, paths: Mapping[str, str]) -> dict[str, Any]:
    taken: dict[str, list[float]] = {name: [] for name in paths}
    facts: dict[str, dict[str, Any]] = {}
    for number in range(WARM_UP + ROUNDS):
        for name, path in paths.items():
            began = time.perf_counter()
            answer = session.get(address + path, timeout=CALL_SECONDS)
            if number >= WARM_UP:
                taken[name].append((time.perf_counter() - began) * 1000)
            answer.raise_for_status()
            facts[name] = {"queries": int(answer.headers["X-Queries"]), "bytes": len(answer.content)}
    bare = spread(taken["bare_view"])["p50"]
    return {
        name: {"ms": spread(figures, 1), "times_bare": round(spread(figures)["p50"] / bare, 1)} | facts[name]
        for name, figures in taken.items()
    }
