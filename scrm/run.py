"""`make run`: everything on one machine, in the foreground, until Ctrl-C.

Starts the embedded services, brings the database up to date, and keeps the
sandbox networks, the web server and the worker running. This process imports no
Django and stays small. When it ends, however it ends, its children end too.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import FrameType
from typing import IO, NoReturn

from scrm import env, probe, services
from scrm.demo.cast import SIGN_IN
from scrm.embedded.launch import launch
from scrm.embedded.places import ServiceError
from scrm.embedded.processes import Command, follow_parent, spawn, wait_until
from scrm.supervisor import Supervisor

LOOPBACK = "127.0.0.1"
WEB_SECONDS = 90.0  # how long the web server may take to answer first
GRACE_SECONDS = 30.0  # how long the worker may finish what it does
# Celery's checks would load every page into each of its processes: 20 MB apiece.
WORKER_SURROUNDINGS = {
    "CELERY_SKIP_CHECKS": "1",
    "PYTHONWARNINGS": "ignore:You're running the worker with superuser",
}


class Stop(BaseException):
    """Someone asked us to end."""


def main() -> int:
    """Run until asked to end; the exit status is 0 then, and 1 where we could not start."""
    try:
        port = env.number("PORT", 8000, least=1, most=65535)
        listener = listen(port)
        lock = become_owner(f"http://localhost:{port}/")
    except (ServiceError, env.BadSetting) as error:
        say(str(error))
        return 1
    if "--with-parent" in sys.argv:
        follow_parent()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _ask_to_stop)
    supervisor = Supervisor(say)
    try:
        start_all(supervisor, listener, port)
        keep_running(supervisor)
    except ServiceError as error:
        say(str(error))
        return 1
    except Stop:
        say("Stopping ...")
        return 0
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        supervisor.stop()
        services.places().leave()
        lock.close()


def listen(port: int) -> socket.socket:
    """The web server's listening socket. Raises ServiceError where the port is taken."""
    host = env.text("HOST", LOOPBACK)
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(256)
    except OSError as error:
        raise ServiceError(
            f"Port {port} cannot be used ({error.strerror}). Choose another: make run PORT={port + 10}"
        ) from None
    return listener


def become_owner(address: str) -> IO[str]:
    """Lock the data directory for us. Raises ServiceError where another `make run` has it.

    A command that uses the embedded services for a while is waited for.
    """
    places = services.places()
    places.prepare()
    said = False
    while (lock := services.lock_owner("run", address)) is None:
        owner = services.current_owner()
        if owner and owner.kind == "run":
            raise ServiceError(f"{places.root} is served already, at {owner.address} (process {owner.pid}).")
        if owner and not said:
            say(f"Waiting for a command that uses {places.root} (process {owner.pid}) ...")
            said = True
        time.sleep(0.2)
    return lock


def start_all(supervisor: Supervisor, listener: socket.socket, port: int) -> None:
    """Start every part, in order, and say where to look."""
    began = time.monotonic()
    sandbox_port = free_port(env.number("SANDBOX_PORT", port + 1, least=1, most=65535))
    for service in services.needed():
        say(f"Starting {service.name} ...")
        supervisor.add(service.command, partial(launch, service))
    surroundings = environment(port, sandbox_port)
    for command in (sandbox(surroundings, sandbox_port),):
        say(f"Starting {command.name} ...")
        supervisor.add(command, partial(spawn, command))
    prepare(surroundings)
    for command in (worker(surroundings), web(surroundings, listener)):
        say(f"Starting {command.name} ...")
        supervisor.add(command, partial(spawn, command))
    if not wait_until(partial(probe.answers, port), WEB_SECONDS, every=0.1):
        raise ServiceError(f"The web server does not answer after {WEB_SECONDS:.0f} seconds.")
    say(f"\nReady after {time.monotonic() - began:.1f} s.\n")
    say(f"  The product           http://localhost:{port}/")
    say(f"  The sandbox networks  http://localhost:{sandbox_port}/   (be a customer here)")
    say("\nSign in as:\n")
    for one in SIGN_IN:
        say(f"  {one.role.title():8} {one.email:24} {one.password}")
    say("\nCtrl-C stops everything.")


def keep_running(supervisor: Supervisor) -> NoReturn:
    """Look after the processes for ever; ended by Stop."""
    while True:
        time.sleep(0.5)
        supervisor.watch()


def environment(port: int, sandbox_port: int) -> dict[str, str]:
    """What our children find in their environment."""
    return os.environ | {
        "DATA_DIR": str(services.data_dir()),
        "DATABASE_URL": services.database_url(),
        "REDIS_URL": services.redis_url(),
        "PORT": str(port),
        "SANDBOX_URL": f"http://{LOOPBACK}:{sandbox_port}",
        "DJANGO_SETTINGS_MODULE": "scrm.settings",
        "PYTHONUNBUFFERED": "1",
        # glibc otherwise keeps memory for each thread
        "MALLOC_ARENA_MAX": "2",
        "MALLOC_TRIM_THRESHOLD_": "131072",
    }


def sandbox(surroundings: dict[str, str], port: int) -> Command:
    """The sandbox networks."""
    data = services.data_dir() / "sandbox"
    return _python(
        "the sandbox networks",
        surroundings,
        *("-m", "channels_ingest.sandbox", "--data", str(data), "--port", str(port)),
    )


def web(surroundings: dict[str, str], listener: socket.socket) -> Command:
    """The web server, on our socket."""
    arguments = ("-m", "scrm.web", str(listener.fileno()))
    return _python("the web server", surroundings, *arguments, pass_fds=(listener.fileno(),))


def worker(surroundings: dict[str, str]) -> Command:
    """The worker, with the schedule in it."""
    schedule = services.data_dir() / "schedule"
    return _python(
        "the worker",
        surroundings | WORKER_SURROUNDINGS,
        *("-m", "celery", "--quiet", "-A", "scrm", "worker", "--loglevel", "WARNING"),
        *("--concurrency", str(env.number("WORKERS", 2, least=1)), "--with-schedule", "--schedule", str(schedule)),
        *("--without-gossip", "--without-mingle", "--without-heartbeat"),
        patience=GRACE_SECONDS,
    )


def prepare(surroundings: dict[str, str]) -> None:
    """Migrate and load the demo. Raises ServiceError where that fails."""
    done = subprocess.run([sys.executable, "-m", "scrm.prepare"], env=surroundings, cwd=services.BASE_DIR, check=False)
    if done.returncode:
        raise ServiceError("The database could not be brought up to date; the lines above say why.")


def free_port(wanted: int) -> int:
    """The wanted port of the loopback interface, or any free one."""
    for port in (wanted, 0):
        with suppress(OSError), socket.socket() as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind((LOOPBACK, port))
            return int(trial.getsockname()[1])
    raise ServiceError("There is no free port on the loopback interface.")


def say(line: str) -> None:
    """Print a line, also where the terminal is gone."""
    with suppress(OSError):
        print(line, flush=True)


def _python(
    name: str,
    surroundings: dict[str, str],
    *arguments: str,
    patience: float = 10.0,
    pass_fds: tuple[int, ...] = (),
) -> Command:
    return Command(
        name=name,
        argv=[sys.executable, *arguments],
        directory=Path(services.BASE_DIR),
        environment=surroundings,
        patience=patience,
        pass_fds=pass_fds,
    )


def _ask_to_stop(_number: int, _frame: FrameType | None) -> None:
    raise Stop


if __name__ == "__main__":
    sys.exit(main())
