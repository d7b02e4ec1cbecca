from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from accounts.failpoints import trap_from

PROGRAM = "from accounts.failpoints import failpoint\nfor name in ('one', 'two', 'one'):\n    failpoint(name)\n"


def run(**trap: str) -> int:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FAILPOINT")}
    return subprocess.run([sys.executable, "-c", PROGRAM], env=kept | trap, check=False).returncode


def test_nothing_happens_where_no_trap_is_set() -> None:
    assert run() == 0


def test_passes_are_counted_by_name(tmp_path: Path) -> None:
    log = tmp_path / "passes"
    assert run(FAILPOINT="count", FAILPOINT_LOG=str(log)) == 0
    assert [line.split()[1] for line in log.read_text().splitlines()] == ["one", "two", "one"]


def test_a_process_is_killed_at_the_pass_that_was_asked_for(tmp_path: Path) -> None:
    log = tmp_path / "passes"
    ended = run(FAILPOINT="kill", FAILPOINT_AT="2", FAILPOINT_NAME="one", FAILPOINT_LOG=str(log))
    assert ended == -signal.SIGKILL
    assert log.read_text().split()[1:] == ["one"]


def test_a_trap_that_cannot_be_understood_is_refused() -> None:
    with pytest.raises(ValueError, match="FAILPOINT is"):
        trap_from({"FAILPOINT": "explode"})
