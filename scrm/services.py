"""Where PostgreSQL and Valkey are: named by the environment, or embedded under DATA_DIR.

Any command may ask. The first one that really needs the database starts the
embedded services for its own time, or uses those that run already (of
`make run`, or of another command). One lock file makes sure that one data
directory is never served twice. Nothing here imports Django.
"""

import atexit
import base64
import fcntl
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import IO

from scrm import env
from scrm.embedded.launch import Service, launch
from scrm.embedded.places import Places, ServiceError
from scrm.embedded.postgres import Postgres
from scrm.embedded.processes import stop
from scrm.embedded.valkey import Valkey

BASE_DIR = Path(__file__).resolve().parent.parent
WAIT_SECONDS = 90.0


def places() -> Places:
    """The data directory: DATA_DIR, or `var` beside the code."""
    return Places(Path(env.text("DATA_DIR", str(BASE_DIR / "var"))).absolute())


def data_dir() -> Path:
    """The directory that all state of this installation lies under."""
    return places().root


def database_url() -> str:
    """DATABASE_URL, or where the embedded PostgreSQL answers. Starts nothing: see `start`."""
    return env.text("DATABASE_URL") or postgres().url


def database_engine() -> str:
    """Django's engine for that database: for the embedded one, ours, which starts it when needed."""
    return "django.db.backends.postgresql" if env.text("DATABASE_URL") else "scrm.postgres"


def redis_url() -> str:
    """REDIS_URL, or where the embedded Valkey answers. Starts nothing: see `start`."""
    return env.text("REDIS_URL") or valkey().url


def broker_url(url: str) -> str:
    """A Redis URL as Celery writes it."""
    return "redis+socket://" + url.removeprefix("unix://") if url.startswith("unix://") else url


def postgres() -> Postgres:
    """The embedded PostgreSQL of this data directory; EMBEDDED_FSYNC=0 makes it fast and forgetful."""
    return Postgres(places(), durable=env.flag("EMBEDDED_FSYNC", True))


def valkey() -> Valkey:
    """The embedded Valkey of this data directory."""
    return Valkey(places())


def needed() -> list[Service]:
    """The services that the environment does not name, in the order of their start."""
    wanted: list[Service] = []
    if not env.text("DATABASE_URL"):
        wanted.append(postgres())
    if not env.text("REDIS_URL"):
        wanted.append(valkey())
    return wanted


@cache
def start() -> None:
    """Use the running embedded services, or start them until this process ends.

    Does nothing where the environment names both servers. Raises ServiceError.
    """
    wanted = needed()
    if not wanted:
        return
    places().prepare()
    deadline = time.monotonic() + WAIT_SECONDS
    while not (_own(wanted) or _attach(wanted)):
        if time.monotonic() > deadline:
            raise ServiceError(f"Another process holds {places().owner_lock} but serves no database.")
        time.sleep(0.1)


def _own(wanted: list[Service]) -> bool:
    """Start the services as their owner; False where another process is the owner."""
    lock = lock_owner("command")
    if lock is None:
        return False
    running = Running(lock)
    atexit.register(running.stop_at_exit, os.getpid())
    for service in wanted:
        running.add(service)
    return True


_users: list[IO[str]] = []


def _attach(wanted: list[Service]) -> bool:
    """Be counted among the users of the running services; False where they do not answer."""
    users = places().users_lock.open("a")
    with suppress(BlockingIOError):
        fcntl.flock(users, fcntl.LOCK_SH | fcntl.LOCK_NB)
        if all(service.is_ready() for service in wanted):
            _users.append(users)
            atexit.register(users.close)
            return True
    users.close()
    return False


@dataclass
class Running:
    """Services that this process started, and the lock that makes it their owner."""

    lock: IO[str]
    started: list[tuple[Service, subprocess.Popen[bytes]]] = field(default_factory=list)

    def add(self, service: Service) -> None:
        """Start one more. Raises ServiceError."""
        self.started.append((service, launch(service)))

    def stop_at_exit(self, owner: int) -> None:
        """Stop all, in the process that started them and after the commands that use them."""
        if os.getpid() == owner:
            with _no_users():
                self.stop()

    def stop(self) -> None:
        """Stop all, last started first."""
        while self.started:
            service, process = self.started.pop()
            stop(process, service.command)
        places().leave()
        self.lock.close()


@dataclass(frozen=True)
class Owner:
    """Who serves a data directory: a `run` or a `command`, its process and its web address."""

    kind: str
    pid: int
    address: str = ""


def lock_owner(kind: str, address: str = "") -> IO[str] | None:
    """Become the one that serves this data directory; None where another one is.

    The lock is held until the returned file is closed or the process ends.
    """
    file = places().owner_lock.open("a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    _write_privately(places().state, {"kind": kind, "pid": os.getpid(), "address": address} | _urls())
    return file


def current_owner() -> Owner | None:
    """The one that serves this data directory now, as far as it said so."""
    with suppress(OSError, ValueError, KeyError):
        said = json.loads(places().state.read_text())
        return Owner(said["kind"], said["pid"], said["address"])
    return None


def dev_secret(name: str) -> str:
    """A secret of this installation, made once and kept in the data directory (0600).

    For development only: production names its secrets in the environment. The
    text is 32 random bytes in URL-safe base64, fit as a Fernet key.
    """
    path = places().secrets
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        kept: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
        if name not in kept:
            kept[name] = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
            _write_privately(path, kept)
        return kept[name]


@contextmanager
def _no_users() -> Iterator[None]:
    """Wait until no other command uses our services, and let none begin meanwhile."""
    with places().users_lock.open("a") as users:
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another command still uses the database; waiting for its end.", file=sys.stderr)
            fcntl.flock(users, fcntl.LOCK_EX)
        yield


def _urls() -> dict[str, str]:
    return {service.name.lower(): service.url for service in needed()}


def _write_privately(path: Path, content: dict[str, object] | dict[str, str]) -> None:
    """Replace a JSON file in one step, readable for us alone."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}.{time.monotonic_ns()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())
    fresh.rename(path)
