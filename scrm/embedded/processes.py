"""Start, find and end processes so that none outlives the one that started it."""

import ctypes
import os
import pwd
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

PR_SET_PDEATHSIG = 1
PROC = Path("/proc")

_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass(frozen=True)
class Command:
    """A program to run: what, where, as whom, and how to end it.

    `stop_signals` are tried in order, each for `patience` seconds, before
    SIGKILL; `orphan_signal` is sent by the kernel when the starter dies.
    `account` is the system user to become (only root may), None stays as is.
    """

    name: str
    argv: Sequence[str]
    directory: Path
    log: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    account: str | None = None
    stop_signals: Sequence[signal.Signals] = (signal.SIGTERM,)
    patience: float = 10.0
    orphan_signal: signal.Signals = signal.SIGTERM
    pass_fds: Sequence[int] = ()


def spawn(command: Command) -> subprocess.Popen[bytes]:
    """Start the command in a session of its own; its output goes to its log, or to ours.

    Keys pressed in the terminal (Ctrl-C) reach only the starter, which ends
    its children in the right order.
    """
    output = command.log.open("ab") if command.log else None
    try:
        return subprocess.Popen(
            list(command.argv),
            cwd=command.directory,
            env=dict(command.environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT if output else None,
            start_new_session=True,
            pass_fds=command.pass_fds,
            preexec_fn=_dying_with_parent(command.orphan_signal),
            **become(command.account),
        )
    finally:
        if output:
            output.close()


def stop(process: subprocess.Popen[bytes], command: Command) -> None:
    """End a started process and whatever is left of its process group."""
    for number in command.stop_signals:
        if process.poll() is not None:
            break
        process.send_signal(number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(command.patience)
    kill_group(process)
    process.wait()


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill what is left of the group that a started process led."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def end_those_in(directory: Path, *signals: signal.Signals, patience: float = 10.0) -> bool:
    """End every process that works in the directory: what an earlier run left behind.

    Tries each signal in turn, waiting `patience` seconds, and SIGKILL at last.
    True when surely none is left; False where that cannot be known (no /proc).
    """
    if not PROC.is_dir():
        return False
    for number in (*signals, signal.SIGKILL):
        for pid in working_in(directory):
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        if wait_until(lambda: not any(working_in(directory)), patience):
            return True
    return False


def working_in(directory: Path) -> Iterator[int]:
    """Ids of the processes whose working directory is this one."""
    wanted = str(directory.resolve())
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                if str((entry / "cwd").readlink()) == wanted:
                    yield int(entry.name)


def wait_until(condition: Callable[[], bool], seconds: float, every: float = 0.02) -> bool:
    """Ask again and again until the condition holds (True) or the time is over (False)."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(every)
    return True


class Account(TypedDict, total=False):
    """Arguments of subprocess that change the user; none for staying who we are."""

    user: int
    group: int
    extra_groups: list[int]


def become(account: str | None) -> Account:
    """The arguments for running as this system user (None: as ourselves)."""
    if account is None:
        return {}
    entry = pwd.getpwnam(account)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def follow_parent(number: signal.Signals = signal.SIGTERM) -> None:
    """Ask the kernel to send us the signal when the process that started us ends (Linux only)."""
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0)


def _dying_with_parent(number: signal.Signals) -> Callable[[], None] | None:
    """A hook that asks the kernel to signal the child when the starting thread ends."""
    parent = os.getpid()
    if threading.current_thread() is not threading.main_thread():
        return None

    def ask_kernel() -> None:
        follow_parent(number)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)

    return ask_kernel
