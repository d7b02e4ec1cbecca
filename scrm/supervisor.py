"""Keeps a handful of processes running, and ends them in order."""

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from scrm.embedded.places import ServiceError
from scrm.embedded.processes import Command, kill_group, stop

LONGEST_PAUSE = 30.0  # seconds between two tries to bring a process back
CALM = 60.0  # seconds of life after which a process counts as healthy again

Starter = Callable[[], subprocess.Popen[bytes]]


@dataclass
class Child:
    """One process to keep alive: its command, and what starts it (and may wait until it answers)."""

    command: Command
    start: Starter
    process: subprocess.Popen[bytes] | None = None
    falls: int = 0
    next_try: float = 0.0
    alive_since: float = 0.0

    def launch(self) -> None:
        """Start it. Raises ServiceError where it does not come up."""
        self.process = self.start()
        self.alive_since = time.monotonic()

    def has_fallen(self) -> bool:
        """True once for each end that nobody asked for."""
        if self.process is None or self.process.poll() is None:
            return False
        kill_group(self.process)
        if time.monotonic() - self.alive_since > CALM:
            self.falls = 0
        self._rest()
        return True

    def is_due(self) -> bool:
        """True when it is down and its pause is over."""
        return self.process is None and time.monotonic() >= self.next_try

    def revive(self) -> bool:
        """Try to start it again; False where that failed and a longer pause began."""
        try:
            self.launch()
        except ServiceError:
            self._rest()
            return False
        return True

    def stop(self) -> None:
        """End it, gently first."""
        if self.process is not None:
            stop(self.process, self.command)
            self.process = None

    def _rest(self) -> None:
        self.process = None
        self.next_try = time.monotonic() + min(LONGEST_PAUSE, 2.0**self.falls - 1)
        self.falls += 1


@dataclass
class Supervisor:
    """The processes of one installation, in the order of their start."""

    say: Callable[[str], None]
    children: list[Child] = field(default_factory=list)

    def add(self, command: Command, start: Starter) -> None:
        """Start one more process and keep it running. Raises ServiceError."""
        child = Child(command, start)
        self.children.append(child)
        child.launch()

    def watch(self) -> None:
        """Look once after every process; bring back what has fallen."""
        for child in self.children:
            if child.has_fallen():
                self.say(f"{child.command.name} ended by itself; starting it again ...")
            if child.is_due() and not child.revive():
                self.say(f"{child.command.name} does not start; trying again soon.")

    def stop(self) -> None:
        """End all, last started first."""
        while self.children:
            self.children.pop().stop()
