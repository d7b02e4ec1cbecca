"""The stage on which faults strike: real services, the sandbox networks and the product's processes, all under one
directory that goes away.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import psycopg2

from scrm.embedded.launch import launch
from scrm.embedded.places import Places
from scrm.embedded.postgres import Postgres
from scrm.embedded.processes import stop
from scrm.embedded.valkey import Valkey
from scrm.services import BASE_DIR
from tests.faults.catcher import Catcher

KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "VIRTUAL_ENV", "PYTHONPATH", "TMPDIR")
LEASE, SETTLE = 2, 1  # seconds; both are longer than the sandbox's calls and its late accepts in the enumeration


_DUE = """
    UPDATE channels_ingest_webhookevent SET due_at = {}
    WHERE app_id = (SELECT app_id FROM channels_ingest_channel WHERE id = %s)
"""


class ActFailed(Exception):
    """An act that should have gone well raised; the message is its traceback, or what an address answered."""

    def __init__(self, words: str, status: int = 0) -> None:
        super().__init__(words)
        self.status = status


@dataclass
class Outcome:
    """How a child ended, and what it returned."""

    status: int
    result: Any
    said: str

    @property
    def killed(self) -> bool:
        return self.status == -9


@dataclass
class Stage:
    """Speak to the product by `act`, to the networks by `control`."""

    root: Path
    durable: bool = False
    more_environment: dict[str, str] = field(default_factory=dict)
    processes: list[tuple[str, subprocess.Popen[Any]]] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.places = Places(self.root)
        self.postgres = Postgres(self.places, durable=self.durable)
        self.valkey = Valkey(self.places)
        self.sandbox_port = free_port()
        self.sandbox_url = f"http://127.0.0.1:{self.sandbox_port}"
        self.dsn = self.postgres.url
        self.catcher = Catcher()

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        return kept | {
            "DATA_DIR": str(self.root),
            "DATABASE_URL": self.postgres.url,
            "REDIS_URL": self.valkey.url,
            "SANDBOX_URL": self.sandbox_url,
            "DJANGO_SETTINGS_MODULE": "scrm.settings",
            "SEND_LEASE": str(LEASE),
            "SEND_SETTLE": str(SETTLE),
            "EVENT_LEASE": "2",
            "PULL_PACE": "1",
            "LOG_LEVEL": "WARNING",
            "EMAIL_BACKEND": "tests.faults.mailbox.Mailbox",
            "PYTHONUNBUFFERED": "1",
            **self.more_environment,
        }

    # -- coming and going ---------------------------------------------------------------------------------------------
    def open(self) -> None:
        """Services, schema, sandbox and the warm process."""
        self.places.prepare()
        for service in (self.postgres, self.valkey):
            self.processes.append((service.name, launch(service)))
        self.start_sandbox()
        self.run("manage.py", "migrate", "--verbosity", "0")
        self.catcher_url = self.catcher.start()
        self.more_environment.setdefault("PUBLIC_URL", self.catcher_url)
        self.start_zygote()

    def start_zygote(self) -> None:
        self.zygote = self.start(
            "zygote", "-m", "tests.faults.zygote", stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._answer()

    def restart_zygote(self) -> None:
        """In a changed environment."""
        self.zygote.kill()
        self.zygote.wait()
        self.start_zygote()

    def replace(self, name: str, process: subprocess.Popen[Any]) -> None:
        """A service runs as another process by now."""
        self.processes = [(one, process if one == name else old) for one, old in self.processes]

    def close(self) -> None:
        """Ends everything, in the opposite order."""
        if hasattr(self, "catcher_url"):
            self.catcher.stop()
        if "database" in self.__dict__:
            self.database.close()
        for name, process in reversed(self.processes):
            command = {"PostgreSQL": self.postgres.command, "Valkey": self.valkey.command}.get(name)
            if command is not None:
                stop(process, command)
            else:
                process.kill()
                process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()

    def start(self, name: str, *arguments: str, more: dict[str, str] | None = None, **how: Any) -> Any:
        """Starts a Python process of the product."""
        with (self.places.logs / f"{name}.log").open("ab") as log:
            quiet = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log, "start_new_session": True}
            given: dict[str, Any] = quiet | how
            surroundings = self.environment | (more or {})
            process: subprocess.Popen[Any] = subprocess.Popen(
                [sys.executable, *arguments], cwd=BASE_DIR, env=surroundings, **given
            )
        self.processes.append((name, process))
        return process

    def run(self, *arguments: str) -> str:
        """Runs a Python program to its end and returns what it said."""
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=BASE_DIR,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise ActFailed(done.stdout + done.stderr)
        return done.stdout

    def start_sandbox(self) -> None:
        arguments = ("--data", str(self.root / "sandbox"), "--port", str(self.sandbox_port))
        self.start("sandbox", "-m", "channels_ingest.sandbox", *arguments)
        await_true(lambda: answers(self.sandbox_port), 30, "the sandbox")
        self.control("PATCH", "settings", {"x": {"rate_limits": False}, "facebook": {"batch_ms": 1}})

    # -- the networks -------------------------------------------------------------------------------------------------
    def control(self, method: str, path: str, body: Any = None) -> Any:
        """One call of the sandbox's control API."""
        return http(method, f"{self.sandbox_url}/control/{path}", body)

    def person(self) -> str:
        """A new customer on both networks; returns the handle."""
        handle = f"person{next(self.numbers)}"
        self.control("POST", "people", {"handle": handle, "name": f"Person {handle}"})
        return handle

    def brand(self, kind: str) -> dict[str, Any]:
        """A new brand account with a developer app of its own."""
        number = next(self.numbers)
        asked = {"handle": f"brand{number}", "name": f"Brand {number}", "app": f"app{number}"}
        found: dict[str, Any] = self.control("POST", f"{kind}/brands", asked)
        return found

    def canary(self) -> str:
        """A mark that no other text bears."""
        return f"⟦k-{next(self.numbers):06d}⟧"

    # -- the product --------------------------------------------------------------------------------------------------
    def try_act(self, act: str, *, trap: dict[str, str] | None = None, bug: str = "", **args: Any) -> Outcome:
        """Runs an act of `tests.faults.acts` in a process of its own, which may be killed in it."""
        asked = {"act": act, "args": args, "trap": trap or {}, "bug": bug}
        self.zygote.stdin.write(json.dumps(asked) + "\n")
        self.zygote.stdin.flush()
        answer = self._answer()
        return Outcome(answer["status"], answer["result"], answer["said"])

    def begin(self, act: str, *, trap: dict[str, str], bug: str = "") -> int:
        """Starts an act and does not wait for it; returns the process id."""
        self.zygote.stdin.write(json.dumps({"act": act, "trap": trap, "bug": bug, "detached": True}) + "\n")
        self.zygote.stdin.flush()
        return int(self._answer()["result"])

    def act(self, act: str, *, bug: str = "", **args: Any) -> Any:
        """The same, for what must go well. Raises ActFailed."""
        outcome = self.try_act(act, bug=bug, **args)
        if outcome.status != 0:
            raise ActFailed(f"{act} ended with {outcome.status}: {outcome.said}")
        return outcome.result

    # -- time stands still for a channel ------------------------------------------------------------------------------

    def sql(self, statement: str, *given: Any) -> None:
        """One statement, committed."""
        try:
            with self.database.cursor() as cursor:
                cursor.execute(statement, given)
        except psycopg2.OperationalError:  # the server was restarted since
            self.__dict__.pop("database", None)
            with self.database.cursor() as cursor:
                cursor.execute(statement, given)

    @cached_property
    def database(self) -> Any:
        connection = psycopg2.connect(self.dsn)
        connection.autocommit = True
        return connection

    def hold(self, channel: int) -> None:
        """Nothing of this channel is taken up until it is opened or released."""
        self.sql("UPDATE channels_ingest_channel SET state = 'paused' WHERE id = %s", channel)
        self.sql(_DUE.format("now() + interval '1 hour'"), channel)

    def open_channel(self, channel: int) -> None:
        """Its work is due now."""
        self.sql("UPDATE channels_ingest_channel SET state = 'active' WHERE id = %s", channel)
        self.sql(_DUE.format("now()"), channel)

    def release(self) -> None:
        """What was held goes on."""
        self.sql("UPDATE channels_ingest_channel SET state = 'active' WHERE state = 'paused'")
        self.sql("UPDATE channels_ingest_webhookevent SET due_at = now() WHERE due_at > now() + interval '5 minutes'")
        self.sql("UPDATE conversations_delivery SET not_before = now() WHERE not_before > now() + interval '5 minutes'")

    def _answer(self) -> dict[str, Any]:
        line = self.zygote.stdout.readline()
        if not line:
            raise ActFailed((self.places.logs / "zygote.log").read_text()[-3000:])
        answer: dict[str, Any] = json.loads(line)
        return answer


@contextmanager
def directory(prefix: str = "scrm-faults-", keep: bool = False) -> Iterator[Path]:
    """A directory of our own that goes away afterwards, unless it is to be kept.

    Not below pytest's: each new session of pytest, of whomever, closes that one to other users, and where root runs the
    suite the services' account is another user.
    """
    root = Path(tempfile.mkdtemp(prefix=prefix))
    try:
        yield root
    finally:
        if not keep:
            shutil.rmtree(root, ignore_errors=True)


@contextmanager
def opened(root: Path) -> Iterator[Stage]:
    """A stage that is cleared afterwards."""
    stage = Stage(root)
    try:
        stage.open()
        yield stage
    finally:
        stage.close()


def http(method: str, url: str, body: Any = None, headers: dict[str, str] | None = None, timeout: float = 20) -> Any:
    """One JSON call; raises ActFailed with the answer's words for a refusal."""
    data = None if body is None else json.dumps(body).encode()
    request = Request(url, data=data, method=method, headers={"Content-Type": "application/json", **(headers or {})})
    try:
        with urlopen(request, timeout=timeout) as answer:
            return json.loads(answer.read() or b"null")
    except HTTPError as refusal:
        words = refusal.read().decode(errors="replace")[:500]
        raise ActFailed(f"{method} {url}: {refusal.code} {words}", refusal.code) from None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def answers(port: int) -> bool:
    """Whether something listens there."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def await_true(condition: Any, seconds: float, what: str, every: float = 0.05) -> None:
    """Asks until the condition holds. Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not come within {seconds:.0f} s")
        time.sleep(every)
