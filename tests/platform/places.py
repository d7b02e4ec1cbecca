"""Real processes on a data directory of their own, for the tests of starting and ending."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from scrm.embedded.processes import PROC, wait_until
from scrm.services import BASE_DIR

# Bytes that may be said while nobody reads: a full pipe stops whoever writes to it.
ROOM = 1024 * 1024
PATIENCE = 120.0  # seconds; much more than needed, for a machine that is busy


@dataclass
class Site:
    """A data directory, and the processes that serve it or use it."""

    root: Path
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name not in FOREIGN}
        return kept | {"DATA_DIR": str(self.root), "EMBEDDED_FSYNC": "0", "PYTHONUNBUFFERED": "1"}

    def start(self, *arguments: str, **more: str) -> subprocess.Popen[str]:
        """Start a Python program; `more` are variables of its environment."""
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=BASE_DIR,
            env=self.environment | more,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            pipesize=ROOM,
        )
        self.started.append(process)
        return process

    def run(self, *arguments: str) -> str:
        """Run a Python program to its end and return what it said."""
        process = self.start(*arguments)
        said, _ = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, said
        return said

    def processes(self) -> list[int]:
        """Every living process that works below the directory or knows it from its environment."""
        return sorted(pid for pid in _all_processes() if self._owns(pid))

    def is_quiet(self) -> bool:
        """True once no process of this directory is left."""
        return wait_until(lambda: not self.processes(), PATIENCE)

    def kill_all(self) -> None:
        """kill -9 for every process of this directory; some are gone before we come to them."""
        for pid in self.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def clear(self) -> None:
        """End what a failed test left."""
        for process in self.started:
            process.kill()
            process.communicate()
        self.kill_all()

    def _owns(self, pid: int) -> bool:
        with suppress(OSError):
            if b"\0State:\tZ" in (PROC / str(pid) / "status").read_bytes().replace(b"\n", b"\0"):
                return False
            inside = str((PROC / str(pid) / "cwd").readlink()).startswith(f"{self.root}/")
            known = f"DATA_DIR={self.root}".encode() in (PROC / str(pid) / "environ").read_bytes().split(b"\0")
            return inside or known
        return False


FOREIGN = frozenset(
    {"DATABASE_URL", "REDIS_URL", "DATA_DIR", "TEST_DATA_DIR", "PORT", "SANDBOX_URL", "DJANGO_SETTINGS_MODULE"}
    | {"DJANGO_ALLOW_ASYNC_UNSAFE"}
)


def _all_processes() -> Iterator[int]:
    return (int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit())


def line_of(process: subprocess.Popen[str], part: str) -> str:
    """Read on until a line holds the part, and return it; fails where that never comes."""
    read = []
    watchdog = threading.Timer(PATIENCE, process.kill)
    watchdog.start()
    try:
        for line in process.stdout or ():
            read.append(line)
            if part in line:
                return line
    finally:
        watchdog.cancel()
    raise AssertionError(f"{part!r} was not said:\n{''.join(read)}")
