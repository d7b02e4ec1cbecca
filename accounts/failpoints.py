"""Named places where a process can be made to die, stop or dawdle: how the suite of faults strikes at a chosen line.

A place says `failpoint("send.claimed")`. Without `FAILPOINT` in the environment nothing happens there. With it:

    FAILPOINT=count          every pass is written to FAILPOINT_LOG, one line each: process id and name
    FAILPOINT=kill           the process kills itself (SIGKILL) at pass number FAILPOINT_AT
    FAILPOINT=stop           it stops itself (SIGSTOP) there, once
    FAILPOINT=delay          it sleeps FAILPOINT_SECONDS at every pass
    FAILPOINT=chance         it kills itself at each pass with the probability FAILPOINT_CHANCE

FAILPOINT_NAME (a regular expression) says which names count; the first pass is number 1.
"""

from __future__ import annotations

import os
import random
import re
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(slots=True)
class Trap:
    """What happens at the failpoints of this process."""

    mode: str
    at: int = 0
    names: re.Pattern[str] = field(default_factory=lambda: re.compile(""))
    seconds: float = 0.0
    chance: float = 0.0
    log: Path | None = None
    passes: int = 0

    def passed(self, name: str) -> None:
        """One more pass of a failpoint."""
        if not self.names.search(name):
            return
        self.passes += 1
        if self.mode == "count":
            self.note(name)
        elif self.mode == "delay":
            self.note(name)
            time.sleep(self.seconds)
        elif self._strikes():
            self.note(name)
            os.kill(os.getpid(), signal.SIGSTOP if self.mode == "stop" else signal.SIGKILL)

    def _strikes(self) -> bool:
        if self.mode == "chance":
            return random.random() < self.chance  # noqa: S311 (a draw of the saboteur, no secret)
        return self.passes == self.at

    def note(self, name: str) -> None:
        """Writes a line that outlives the process."""
        if self.log is not None:
            with self.log.open("a") as file:
                file.write(f"{os.getpid()} {name}\n")


def trap_from(environment: Mapping[str, str]) -> Trap | None:
    """The trap that the environment sets, or None. Raises ValueError for one that cannot be understood."""
    mode = environment.get("FAILPOINT", "")
    if not mode:
        return None
    if mode not in ("count", "kill", "stop", "delay", "chance"):
        raise ValueError(f"FAILPOINT is count, kill, stop, delay or chance, not {mode!r}.")
    log = environment.get("FAILPOINT_LOG")
    return Trap(
        mode,
        at=int(environment.get("FAILPOINT_AT", "0")),
        names=re.compile(environment.get("FAILPOINT_NAME", "")),
        seconds=float(environment.get("FAILPOINT_SECONDS", "0")),
        chance=float(environment.get("FAILPOINT_CHANCE", "0")),
        log=Path(log) if log else None,
    )


_trap = trap_from(os.environ)


def failpoint(name: str) -> None:
    """Marks a place beside a commit, a call, a publish or a rename."""
    if _trap is not None:
        _trap.passed(name)


def arm(environment: Mapping[str, str]) -> None:
    """Sets the trap of this process anew, as this environment says."""
    global _trap  # noqa: PLW0603 (one trap for each process)
    _trap = trap_from(environment)
