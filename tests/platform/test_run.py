"""`make run`, for real: starts, survives, and leaves nothing behind."""

import os
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from scrm import probe
from scrm.demo.cast import SIGN_IN
from scrm.embedded.processes import wait_until, working_in
from tests.platform.places import PATIENCE, Site, line_of

READY = "Ctrl-C stops everything."


@pytest.fixture(scope="module")
def prepared() -> Iterator[Site]:
    """A data directory that was started once, with the demo brand in it."""
    with tempfile.TemporaryDirectory(prefix="scrm-run-", ignore_cleanup_errors=True) as name:
        site = Site(Path(name))
        end(run(site))
        yield site
        site.clear()


@pytest.fixture
def place(prepared: Site) -> Iterator[Site]:
    """The same, with nothing running before and after."""
    yield prepared
    prepared.clear()


@pytest.fixture
def port() -> int:
    return free_port()


def free_port() -> int:
    with closing(socket.socket()) as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


def run(site: Site, port: int | None = None) -> subprocess.Popen[str]:
    """Start everything and wait until it says that it is ready."""
    process = site.start("-m", "scrm.run", PORT=str(port or free_port()))
    line_of(process, READY)
    return process


def end(process: subprocess.Popen[str]) -> str:
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, said
    return said


def postmaster(site: Site) -> int:
    return int((site.root / "postgres" / "data" / "postmaster.pid").read_text().split()[0])


def test_asked_to_end_it_leaves_no_process(place: Site, port: int) -> None:
    process = run(place, port)
    assert probe.answers(port)
    assert "Stopping ..." in end(process)
    assert place.processes() == []


def test_it_tells_where_to_look_and_who_to_be(place: Site, port: int) -> None:
    process = place.start("-m", "scrm.run", PORT=str(port))
    assert str(port) in line_of(process, "The product")
    for one in SIGN_IN:
        assert one.password in line_of(process, one.email)
    end(process)


def test_a_killed_parent_takes_all_with_it_and_the_next_start_works(place: Site, port: int) -> None:
    process = run(place)
    process.kill()
    assert place.is_quiet()
    process = run(place, port)
    assert probe.answers(port)
    end(process)


def test_after_everything_was_killed_the_next_start_works(place: Site, port: int) -> None:
    run(place)
    place.kill_all()
    process = run(place, port)
    assert probe.answers(port)
    end(process)


def test_a_taken_port_is_said_in_one_line_before_anything_starts(site: Site, port: int) -> None:
    with closing(socket.create_server(("127.0.0.1", port))):
        process = site.start("-m", "scrm.run", PORT=str(port))
        said, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert said.count("\n") == 1
    assert said.startswith(f"Port {port} cannot be used")
    assert list(site.root.iterdir()) == []


def test_a_second_run_on_the_same_data_is_refused_in_one_line(place: Site, port: int) -> None:
    first = run(place, port)
    second = place.start("-m", "scrm.run", PORT=str(free_port()))
    said, _ = second.communicate(timeout=PATIENCE)
    assert second.returncode == 1
    assert said == f"{place.root} is served already, at http://localhost:{port}/ (process {first.pid}).\n"
    end(first)


def test_a_command_uses_the_running_database(place: Site) -> None:
    process = run(place)
    before = postmaster(place)
    said = place.run("manage.py", "showmigrations", "accounts")
    assert "[X] 0001" in said
    assert postmaster(place) == before
    end(process)


def test_a_killed_postgres_comes_back_and_the_pages_with_it(place: Site, port: int) -> None:
    process = run(place, port)
    before = postmaster(place)
    os.kill(before, signal.SIGKILL)
    assert wait_until(lambda: probe.answers(port) and postmaster(place) != before, PATIENCE, every=0.2)
    end(process)


def test_a_killed_valkey_comes_back(place: Site) -> None:
    process = run(place)
    [before] = working_in(place.root / "valkey")
    os.kill(before, signal.SIGKILL)
    assert wait_until(lambda: any(pid != before for pid in working_in(place.root / "valkey")), PATIENCE)
    end(process)
