"""The supervisor brings back what fell and ends all it started."""

import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from scrm.embedded.processes import Command, spawn, wait_until
from scrm.supervisor import Child, Supervisor

SLEEP = "import time; time.sleep(600)"
DEAF = "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
WITH_CHILD = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {SLEEP!r}])"


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def supervisor(said: list[str]) -> Supervisor:
    return Supervisor(said.append)


def program(text: str, directory: Path, patience: float = 10.0) -> Command:
    return Command("a program", [sys.executable, "-c", text], directory, directory / "log", patience=patience)


def add(supervisor: Supervisor, command: Command) -> Child:
    supervisor.add(command, partial(spawn, command))
    return supervisor.children[-1]


def process_of(child: Child) -> subprocess.Popen[bytes]:
    assert child.process is not None
    return child.process


def test_a_process_that_fell_is_started_again_and_named(
    supervisor: Supervisor, said: list[str], tmp_path: Path
) -> None:
    child = add(supervisor, program(SLEEP, tmp_path))
    first = process_of(child)
    first.kill()
    first.wait()
    supervisor.watch()
    assert said == ["a program ended by itself; starting it again ..."]
    assert process_of(child).pid != first.pid
    supervisor.stop()


def test_one_that_falls_again_and_again_gets_longer_pauses(supervisor: Supervisor, tmp_path: Path) -> None:
    child = add(supervisor, program("pass", tmp_path))
    for _ in range(2):
        process_of(child).wait()
        supervisor.watch()
    assert child.process is None
    assert not child.is_due()


def test_stopping_ends_every_process_last_started_first(supervisor: Supervisor, tmp_path: Path) -> None:
    children = [add(supervisor, program(SLEEP, tmp_path)) for _ in range(2)]
    processes = [process_of(child) for child in children]
    supervisor.stop()
    assert [process.returncode for process in processes] == [-signal.SIGTERM, -signal.SIGTERM]


def test_one_that_does_not_listen_is_killed_after_its_patience(supervisor: Supervisor, tmp_path: Path) -> None:
    process = process_of(add(supervisor, program(DEAF, tmp_path, patience=0.2)))
    assert wait_until(lambda: "deaf" in (tmp_path / "log").read_text(), 20)
    supervisor.stop()
    assert process.returncode == -signal.SIGKILL


def test_what_a_fallen_process_started_is_ended_with_it(supervisor: Supervisor, tmp_path: Path) -> None:
    process = process_of(add(supervisor, program(WITH_CHILD, tmp_path)))
    assert wait_until(lambda: bool(children_of(process.pid)), 20)
    [grandchild] = children_of(process.pid)
    process.kill()
    process.wait()
    supervisor.watch()
    assert wait_until(lambda: not Path(f"/proc/{grandchild}/cwd").exists(), 20)
    supervisor.stop()


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
