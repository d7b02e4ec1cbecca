"""Drills: what an operator does or suffers while people go on living: a rolling restart, a full disk."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

from tests.faults.judge import Judge
from tests.faults.latency import judge_neighbours, waits
from tests.faults.stage import directory
from tests.faults.storm import Outcome, Storm

GRACE = 30.0  # seconds in which a process that is asked to end must have ended
RESTART_EVERY = 7.0  # seconds
VANDALS_PACE = 0.2  # seconds between two bodies that are poison
# At which restart: the web server is of the new version by then, the workers are not; at last all are.
MIGRATIONS = {1: "0001_expand", 4: "0002_contract"}
UPGRADED = {"DJANGO_SETTINGS_MODULE": "tests.platform.upgrade_settings", "PENDING": "tests.faults.upgrade"}
CALM = 6.0  # seconds before the disk is full
FULL = 12.0  # seconds for which it stays so
DISK = "160m"


class Rolling(Storm):
    """F20: web server and workers are restarted gently, one by one, under traffic; meanwhile the database is expanded,
    and contracted when all have been restarted since. The clients never try twice.
    """

    traps: ClassVar[bool] = False

    def _rage(self) -> None:
        self.longest = 0.0
        time.sleep(RESTART_EVERY)  # all have started
        self._let_people_live()
        for agent in self.agents:
            agent.patience = 0.0
        names = ("web", "worker", "second worker")
        end, turn = time.monotonic() + self.outcome.minutes * 60, 0
        while time.monotonic() < end or turn <= max(MIGRATIONS):
            if turn in MIGRATIONS:
                self._migrate(MIGRATIONS[turn])
            self._restart(names[turn % 3])
            self._live_on(RESTART_EVERY)
            turn += 1
        self._calm_down()

    def _migrate(self, name: str) -> None:
        began = time.monotonic()
        self.stage.more_environment |= UPGRADED  # from here on, what is started is of the new version
        self.stage.run("manage.py", "migrate", "insights", name, "--verbosity", "0")
        self.outcome.strikes[f"f20_migrated_{name}"] += 1
        print(f"the migration {name} took {time.monotonic() - began:.1f} s with its start")

    def _restart(self, name: str) -> None:
        kept = self.kept[name]
        process = kept.process
        if process is None:
            return
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        kept.process = kept.start() if name == "web" else process  # a worker's successor comes when it is gone
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE)
        took = time.monotonic() - began
        self.longest = max(self.longest, took)
        self.outcome.strikes[f"f20_{name.replace(' ', '_')}_restarted"] += 1
        if process.poll() is None:
            self.outcome.lies.append(f"F20: the {name} did not end within {GRACE:.0f} s")
            kept.kill()

    def _live_on(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self._watch()
            time.sleep(0.15)

    def _judge(self) -> None:
        super()._judge()
        print(f"the longest restart took {self.longest:.1f} s")
        for bad in ("5xx", "no answer"):
            if count := self.outcome.answers[bad]:
                self.outcome.lies.append(f"F20: {count} requests met {bad}")
        pushes = Judge(self.stage.dsn, self.stage.sandbox_url).lines("webhooks")
        bad_pushes = [line for line in pushes if "status" in line and not 200 <= (line["status"] or 0) < 500]
        if bad_pushes:
            self.outcome.lies.append(f"F20: {len(bad_pushes)} pushes met {bad_pushes[0]['status']}")


class Poisoned(Rolling):
    """F18, I12: customers live in calm, then beside a vandal who pushes authentic nonsense without a pause."""

    vandal = False

    def _rage(self) -> None:
        time.sleep(RESTART_EVERY)  # all have started
        self._let_people_live()
        vandal = self.town.pop()
        half = self.outcome.minutes * 30
        self.moments = [time.time() + CALM]
        self._live_on(CALM + half)
        self.moments.append(time.time())
        vandal.pace = lambda: VANDALS_PACE
        self.town.append(vandal)
        vandal.start()
        self._live_on(half)
        self.moments.append(time.time())
        self.outcome.strikes["f18_poison"] += 1
        self._calm_down()

    def _judge(self) -> None:
        Storm._judge(self)
        began, turned, ended = self.moments
        judge_neighbours(self.outcome.judgement, waits(self.eye, began, turned), waits(self.eye, turned, ended))


class NoMount(Exception):
    """A small disk cannot be mounted here; the message says why."""


class DiskFull(Rolling):
    """F10: the database's disk is full for a while. Nothing is promised meanwhile that is not kept afterwards."""

    def _open(self) -> None:
        place = self.stage.places.postgres
        place.mkdir(parents=True)
        self.mounted = _mount(place)
        super()._open()

    def _rage(self) -> None:
        self._let_people_live()
        self._live_on(CALM)
        filler = self.mounted / "filler"
        _fill(filler)
        self.outcome.strikes["f10_disk_full"] += 1
        self._live_on(FULL)
        filler.unlink()
        self._calm_down()

    def _judge(self) -> None:
        Storm._judge(self)

    def _close(self) -> None:
        super()._close()
        if hasattr(self, "mounted"):
            subprocess.run(["umount", "-l", str(self.mounted)], check=False)


def _mount(place: Path) -> Path:
    if os.geteuid() != 0:
        raise NoMount("The drill of the full disk (F10) mounts a small disk, and only root may.")
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=0700", "tmpfs", str(place)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise NoMount(f"The drill of the full disk (F10) cannot mount a small disk: {done.stderr.strip()}")
    return place


def _fill(path: Path) -> None:
    with suppress(OSError), path.open("wb", buffering=0) as file:
        while True:
            file.write(b"\0" * 65_536)


def run_drill(make: type[Storm], seed: int, minutes: float) -> Outcome:
    """A drill in a directory that goes away afterwards. Raises NoMount."""
    with directory("scrm-drill-") as root:
        return make(root, seed, minutes).run()
