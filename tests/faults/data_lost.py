"""F9: the database's data directory is lost in mid-traffic, and comes back from a base backup and the WAL that a
synchronous receiver holds: what the README tells an operator to do.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg2

from scrm.embedded.launch import launch
from scrm.embedded.places import service_account
from scrm.embedded.postgres import ENVIRONMENT, ROLE
from scrm.embedded.processes import Command, become, spawn
from tests.faults.drills import Rolling
from tests.faults.judge import Judge
from tests.faults.saboteur import Kept
from tests.faults.stage import await_true
from tests.faults.storm import Storm

AWAY = 6.0  # seconds for which the receiver is away; longer than any hiccup, shorter than a browser's patience
NAME = "receiver"
SOCKET = ".s.PGSQL.5432"
RELOAD = "SELECT pg_reload_conf()"
# A segment that was not full when the server died lies there as ".partial", and holds the newest commits.
RESTORE = "cp {wal}/%f %p || cp {wal}/%f.partial %p"
WITHOUT_THE_NEWEST = "cp {wal}/%f %p"  # a mistake, to show that the judge sees it


class DataLost(Rolling):
    """The receiver is away for a while first: nothing is promised meanwhile. Then the data directory goes."""

    restore_command = RESTORE

    def _open(self) -> None:
        super()._open()
        self.ledgers = Judge(self.stage.dsn, self.stage.sandbox_url)
        self.copy, self.wal = self._directory("copy"), self._directory("wal")
        self._copy_all()
        self.kept["receiver"] = Kept("receiver", self._start_receiver)
        self.kept["receiver"].watch()
        self.stage.sql(f"ALTER SYSTEM SET synchronous_standby_names = '{NAME}'")
        self.stage.sql(RELOAD)
        await_true(self._is_synchronous, 30, "the receiver")

    def _rage(self) -> None:
        third = self.outcome.minutes * 60 / 3
        self._let_people_live()
        self._live_on(third)
        self._send_the_receiver_away()
        self._live_on(third)
        self._lose_everything()
        self._bring_back()
        self._live_on(third)
        self._calm_down()

    def _send_the_receiver_away(self) -> None:
        """All that writes waits; nothing is promised that only one machine knows."""
        receiver = self.kept["receiver"]
        receiver.rests_until = time.monotonic() + AWAY
        receiver.kill()
        self.outcome.strikes["f9_receiver_away"] += 1
        self._live_on(1)  # what was flushed before is answered by now
        before = self._acknowledged()
        self._live_on(AWAY - 2)
        if promised := self._acknowledged() - before:
            self.outcome.lies.append(f"F9: {promised} writes were acknowledged while the receiver was away")
        await_true(lambda: self._watched() and self._acknowledged() > before, 20, "an answer after its return", 0.2)

    def _lose_everything(self) -> None:
        self.before = self._acknowledged()
        self._end("postgres")
        shutil.rmtree(self.stage.postgres.cluster)
        self.outcome.strikes["f9_data_lost"] += 1

    def _end(self, name: str) -> None:
        self.kept[name].kill()
        if (process := self.kept[name].process) is not None:
            process.wait()

    def _copy_all(self) -> None:
        """The base backup, behind the start of the WAL that is received."""
        self._run("pg_receivewal", "--create-slot", "--if-not-exists", f"--slot={NAME}")
        self._run("pg_basebackup", "-D", str(self.copy / "base"), "--checkpoint=fast")

    def _bring_back(self) -> None:
        """The base backup, then all WAL that the receiver holds, to its end."""
        began, cluster = time.monotonic(), self.stage.postgres.cluster
        self._end("receiver")
        del self.kept["receiver"]
        shutil.move(self.copy / "base", cluster)
        with (cluster / "postgresql.auto.conf").open("a") as settings:
            settings.write(f"restore_command = '{self.restore_command.format(wal=self.wal)}'\n")
        (cluster / "recovery.signal").touch()
        self.kept["postgres"].process = launch(self.stage.postgres)
        await_true(self._takes_writes, 60, "the end of the recovery")
        self.restored_after = time.monotonic() - began

    def _judge(self) -> None:
        Storm._judge(self)
        print(f"{self.before} writes were acknowledged before the loss; it was restored in {self.restored_after:.1f} s")

    # -- what all of them need ----------------------------------------------------------------------------------------

    def _watched(self) -> bool:
        self._watch()
        return True

    def _acknowledged(self) -> int:
        """Webhooks that were answered 200, and replies that an agent was told are taken."""
        pushed: int = sum(line.get("status") == 200 for line in self.ledgers.lines("webhooks"))
        return pushed + self.outcome.answers["taken"]

    def _is_synchronous(self) -> bool:
        return bool(self.ledgers.rows("SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'"))

    def _takes_writes(self) -> bool:
        return self.ledgers.rows("SELECT pg_is_in_recovery()") == [(False,)]

    def _address(self) -> str:
        return f"host={self.stage.places.sockets} user={ROLE} dbname=scrm application_name={NAME}"

    def _directory(self, name: str) -> Path:
        place = self.stage.root / name
        place.mkdir(mode=0o700)
        if account := service_account():
            shutil.chown(place, account)
        return place

    def _run(self, program: str, *arguments: str) -> None:
        argv = [str(self.stage.postgres.programs / program), "-d", self._address(), *arguments]
        subprocess.run(argv, cwd=self.copy, env=ENVIRONMENT, check=True, **become(service_account()))

    def _start_receiver(self) -> subprocess.Popen[Any]:
        program = str(self.stage.postgres.programs / "pg_receivewal")
        argv = [program, "-d", self._address(), "-D", str(self.wal), "--synchronous", f"--slot={NAME}", "--no-loop"]
        log = self.stage.places.logs / "receiver.log"
        return spawn(Command(NAME, argv, self.wal, log, ENVIRONMENT, service_account()))


class DataLostCarelessly(DataLost):
    """The same, restored without the newest segment: the judge must see what was lost."""

    restore_command = WITHOUT_THE_NEWEST


class Promoted(DataLost):
    """The second machine is a streaming standby, which takes the place of the first: nothing has to be restored."""

    def _copy_all(self) -> None:
        self._run("pg_basebackup", "-D", str(self.copy / "base"), "--checkpoint=fast", "-R", "-C", f"--slot={NAME}")

    def _start_receiver(self) -> subprocess.Popen[Any]:
        settings = ("-c", f"unix_socket_directories={self.wal}", "-c", "primary_slot_name=" + NAME)
        first = self.stage.postgres.command
        argv = [*first.argv, "-D", str(self.copy / "base"), *settings]
        log = self.stage.places.logs / "standby.log"
        return spawn(replace(first, argv=argv, directory=self.copy / "base", log=log))

    def _bring_back(self) -> None:
        """Promoted, told not to wait for a standby of its own, and found where the first one was."""
        began = time.monotonic()
        self.kept["postgres"].process = self.kept.pop("receiver").process
        with closing(psycopg2.connect(host=str(self.wal), user=ROLE, dbname="scrm")) as standby:
            standby.autocommit = True
            with standby.cursor() as cursor:
                for step in ("SELECT pg_promote()", "ALTER SYSTEM RESET synchronous_standby_names", RELOAD):
                    cursor.execute(step)
        place = self.stage.places.sockets / SOCKET
        place.unlink(missing_ok=True)
        place.symlink_to(self.wal / SOCKET)
        await_true(self._takes_writes, 60, "the promoted standby")
        self.restored_after = time.monotonic() - began
