"""The storm: everything at once on real processes, by a seed; then quiet, and the judge."""

from __future__ import annotations

import random
import socket
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import psycopg2

from scrm.embedded.launch import launch
from scrm.services import BASE_DIR
from tests.faults import faketime
from tests.faults.cursors import Cursors
from tests.faults.effects import judge_effects
from tests.faults.judge import Judge, Judgement, Pressed
from tests.faults.saboteur import Kept, Saboteur
from tests.faults.stage import Stage, answers, await_true, directory, free_port
from tests.faults.town import Agent, Customers, House, Life, Vandal
from tests.faults.wire import Wire

CLOCKS_APART = 1.0  # seconds between a look at the screens and its entry
TOLD_WITHIN = 45.0  # seconds in which the sweep tells of what fell due
WAITING, MOST_WAITING = 15, 90  # posts to each brand before it begins; so many more for each minute
AGENTS_PACE = 0.3  # seconds between an answer and the next
LOOK_EVERY = 2.0  # seconds between two looks at the cursors
QUIET_WITHIN = 240.0  # seconds; after that the judge speaks all the same
# Of dying at a failpoint, and at which. One worker dies where answers leave; a process that dies everywhere and often
# is mostly starting, and nothing is in danger then.
TRAPS = {
    "web": {"FAILPOINT_CHANCE": "0.002"},
    "worker": {"FAILPOINT_CHANCE": "0.06", "FAILPOINT_NAME": "^(send|readback)[.]"},
    "second": {"FAILPOINT_CHANCE": "0.004"},
}
# A call that a loaded machine holds up for longer than lease and settle time is sent twice: here it has 7 seconds.
STORM = {
    "SEND_LEASE": "4",
    "SEND_SETTLE": "3",
    "PULL_PACE": "6",
    "API_RATE": "100000/min",
    "WORKERS": "1",
    "MALLOC_ARENA_MAX": "2",
}


@dataclass
class Outcome:
    """What a storm did and what the judge says of it."""

    seed: int
    minutes: float
    strikes: Counter[str] = field(default_factory=Counter)
    hits: Counter[str] = field(default_factory=Counter)
    said: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    lies: list[str] = field(default_factory=list)
    judgement: Judgement = field(default_factory=Judgement)
    quiet_after: float = 0.0
    seconds: float = 0.0
    tail: list[tuple[float, str]] = field(default_factory=list)  # what was waited for, by seconds since the last fault

    @property
    def exposures(self) -> int:
        return sum(self.hits.values())

    @property
    def clean(self) -> bool:
        return self.judgement.clean and not self.lies

    def __str__(self) -> str:
        bound = f"below {3 / self.exposures:.2%}" if self.exposures else "unknown"
        lines = [
            f"storm by seed {self.seed}, {self.minutes:g} minutes ({self.seconds:.0f} s in all)",
            f"people did: {_told(self.said)}",
            f"agents met: {_told(self.answers)}",
            f"faults: {_told(self.strikes)}",
            f"danger-window hits: {self.exposures} ({_told(self.hits)})",
            f"failure probability at 95 %: {bound}",
            f"quiet after {self.quiet_after:.1f} s",
            *(f"  at {at:.0f} s: {words}" for at, words in self.tail[::5]),
            str(self.judgement),
            *self.lies[:12],
        ]
        return "\n".join(lines)


def _told(counter: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counter.items())) or "nothing"


class Storm:
    """One run on a stage of its own. `traps` are set in its processes, each a chance to die at any failpoint."""

    traps: ClassVar[bool] = True

    def __init__(self, root: Path, seed: int, minutes: float, *, pairs: bool = False) -> None:
        self.outcome = Outcome(seed, minutes)
        self.rng = random.Random(seed)
        self.pairs = pairs
        self.stage = Stage(root, more_environment=STORM)
        self.eye = Judge(self.stage.dsn, self.stage.sandbox_url)
        self.cursors = Cursors(Judge(self.stage.dsn, self.stage.sandbox_url))
        self.skipped = Judgement()  # what was seen meanwhile
        self.looked_at = 0.0
        self.strikes_log = root / "strikes"
        self.seen: dict[str, tuple[str, float]] = {}  # by key: the first final state shown, and when
        self.town: list[Life] = []
        self.agents: list[Agent] = []

    def run(self) -> Outcome:
        """Opens the stage, lets it rage, waits for quiet, and judges."""
        began = time.monotonic()
        try:
            self._open()
            self._rage()
            self._wait_for_quiet()
            self._judge()
        finally:
            self._close()
        self.outcome.seconds = time.monotonic() - began
        return self.outcome

    # -- before -------------------------------------------------------------------------------------------------------

    def _open(self) -> None:
        self.stage.open()
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", free_port()))
        self.listener.listen(128)
        self.base = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.wires = {
            "postgres": Wire(self.stage.places.sockets / ".s.PGSQL.5432"),
            "valkey": Wire(self.stage.valkey.socket),
        }
        self.stage.more_environment |= {
            "PUBLIC_URL": self.base,
            "DATABASE_URL": f"postgresql://scrm@127.0.0.1:{self.wires['postgres'].port}/scrm",
            "REDIS_URL": f"redis://127.0.0.1:{self.wires['valkey'].port}/0",
        }
        self.stage.restart_zygote()
        services = dict(self.stage.processes)
        self.kept = {
            "postgres": Kept("postgres", lambda: launch(self.stage.postgres), services["PostgreSQL"]),
            "valkey": Kept("valkey", lambda: launch(self.stage.valkey), services["Valkey"]),
            "web": Kept("web", self._start_web),
            "worker": Kept("worker", lambda: self._start_worker("worker")),
            "second worker": Kept("second worker", lambda: self._start_worker("second")),
        }
        self.kept["web"].watch()
        self.houses = self._build_houses()
        self.saboteur = Saboteur(self.stage, self.kept, random.Random(self.rng.random()), self._renew, self.wires)
        self.outcome.strikes, self.outcome.hits = self.saboteur.strikes, self.saboteur.hits
        if self.pairs:
            self.saboteur.plan_pairs()
        if self.traps:
            self.raging = True
            self.kept["web"].kill()  # it comes back with a trap set
        for one in self.kept.values():
            one.watch()

    def _start_web(self) -> subprocess.Popen[Any]:
        descriptor = self.listener.fileno()
        return self._start("web", "-m", "scrm.web", str(descriptor), pass_fds=(descriptor,))

    def _start_worker(self, name: str) -> subprocess.Popen[Any]:
        """A worker with the schedule in it: two of them are two schedulers (F21)."""
        celery = ("-m", "celery", "--quiet", "-A", "scrm", "worker", "--loglevel", "WARNING", "--concurrency", "1")
        schedule = ("--with-schedule", "--schedule", str(self.stage.root / f"schedule-{name}"), "-n", f"{name}@storm")
        still = ("--without-gossip", "--without-mingle", "--without-heartbeat")
        return self._start(name, *celery, *schedule, *still, more=self._clock(name))

    def _clock(self, name: str) -> dict[str, str]:
        """The second worker lives by the wrong clock that the saboteur wants just then."""
        wrong = self.saboteur.wrong_clock if name == "second" else ""
        return faketime.environment(wrong) if wrong else {}

    def _start(
        self, kind: str, *arguments: str, more: dict[str, str] | None = None, **how: Any
    ) -> subprocess.Popen[Any]:
        trap = {"FAILPOINT": "chance", "FAILPOINT_LOG": str(self.strikes_log), **TRAPS[kind]}
        with (self.stage.places.logs / f"{kind}.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, *arguments],
                cwd=BASE_DIR,
                env=self.stage.environment | (trap if self.raging else {}) | (more or {}),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **how,
            )

    raging = False
    vandal = True  # is there from the beginning

    def _build_houses(self) -> list[House]:
        await_true(lambda: answers(int(self.base.rsplit(":", 1)[1])), 60, "the web server")
        houses = []
        for kind in ("x", "facebook", "x", "facebook"):
            brand = self.stage.brand(kind)
            connected = self.stage.act("connect", kind=kind, brand=brand)
            token = self.stage.act("issue_key", agent=connected["agent"])
            self.stage.act("ask_for_pushes", channel=connected["channel"])
            secret = brand["credentials"].get("consumer_secret") or brand["credentials"]["app_secret"]
            hook = (self.base + connected["hook"], secret)
            houses.append(House(kind, brand["username"], connected["channel"], connected["agent"], token, hook))
        return houses

    def _renew(self, brand: dict[str, Any]) -> bool:
        """The admin gives new keys; False where that did not go through."""
        token = f"{brand['network']}/brands/{brand['id']}/token"
        fresh = self.stage.control("POST", token, {"action": "renew"})
        outcome = self.stage.try_act("renew_account", external_id=brand["id"], credentials=fresh["credentials"])
        return outcome.status == 0

    # -- meanwhile ----------------------------------------------------------------------------------------------------

    def _rage(self) -> None:
        self._let_people_live()
        end = time.monotonic() + self.outcome.minutes * 60
        while time.monotonic() < end or self.saboteur.plan:
            self._watch()
            self.saboteur.tick()
            time.sleep(0.15)
        self._calm_down()

    def _calm_down(self) -> None:
        self.raging = False
        for life in self.town:
            life.stopped.set()
        self.saboteur.calm()
        for name in ("web", "worker", "second worker") if self.traps else ():
            self.kept[name].kill()  # so that they start again without a trap
        self.calm_since = time.monotonic()

    def _let_people_live(self) -> None:
        customers = Customers(self.stage, self.houses, random.Random(self.rng.random()), 0.25)
        customers.people = [self.stage.person() for _ in range(8)]
        self._begin_with(customers)
        self.outcome.said = customers.done
        burst = self.rng.random() * self.outcome.minutes * 60
        began = time.monotonic()

        def pace() -> float:
            """Ten times faster for three seconds (F19)."""
            return 0.025 if 0 < time.monotonic() - began - burst < 3 else 0.25

        self.town.append(Life(customers.act, pace))
        for house in self.houses:
            agent = Agent(self.stage, house, self.base, random.Random(self.rng.random()), answers=self.outcome.answers)
            self.agents.append(agent)
            self.town.append(Life(agent.act, lambda: AGENTS_PACE))
        vandal = Vandal(self.houses, random.Random(self.rng.random()), done=self.outcome.said)
        self.town.append(Life(vandal.act, lambda: 2.0))
        for life in self.town if self.vandal else self.town[:-1]:
            life.start()

    def _begin_with(self, customers: Customers) -> None:
        """Something that waits already, so that answers leave from the first moment on."""
        for house in self.houses:
            for _ in range(min(MOST_WAITING, WAITING + int(WAITING * self.outcome.minutes))):
                customers.post(house, self.rng.choice(customers.people))
        self.stage.act("pull_all", channels=[house.channel for house in self.houses])

    def _watch(self) -> None:
        for one in self.kept.values():
            one.watch()
        self._look_at_screens()
        self._look_at_cursors()

    def _look_at_screens(self) -> None:
        """What is shown as settled now must be true now, and for ever."""
        with suppress(psycopg2.Error):
            rows = self.eye.rows(
                "SELECT key::text, state FROM conversations_delivery WHERE state IN ('sent', 'verified', 'failed')"
            )
            for key, state in rows:
                self.seen.setdefault(key, (state, time.monotonic()))

    def _look_at_cursors(self) -> None:
        """I5 is looked at while it rages: afterwards all holes are healed."""
        if time.monotonic() - self.looked_at > LOOK_EVERY:
            with suppress(psycopg2.Error):
                self.cursors.look(self.skipped)
            self.looked_at = time.monotonic()

    # -- afterwards ---------------------------------------------------------------------------------------------------

    @property
    def pressed(self) -> list[Pressed]:
        return [one for agent in self.agents for one in agent.pressed]

    def _wait_for_quiet(self) -> None:
        while time.monotonic() - self.calm_since < QUIET_WITHIN:
            self._watch()
            self.saboteur.tick()
            waiting = self._what_waits()
            if not waiting:
                break
            self.outcome.tail.append((time.monotonic() - self.calm_since, waiting))
            time.sleep(0.4)
        self.outcome.quiet_after = time.monotonic() - self.calm_since
        for life in self.town:
            life.end()

    def _what_waits(self) -> str:
        """What is still on its way, in a few words; empty when all is quiet."""
        people = sum(life.is_alive() for life in self.town)
        down = [name for name, kept in self.kept.items() if kept.process is None]
        told = [f"{people} people", *(f"{name} down" for name in down)] if people else []
        try:
            return ", ".join([*told, *self.eye.waiting()])
        except psycopg2.Error:
            return "the database"

    def _judge(self) -> None:
        self.stage.sql("UPDATE channels_ingest_recheck SET began_at = began_at - interval '1 day'")
        self.stage.act("look_up_again")  # a day has passed: what was deleted without a word is noticed
        self.outcome.judgement = self.eye.judge(self.pressed)
        judge_effects(self.eye, self.outcome.judgement, late=TOLD_WITHIN)
        self._judge_screens(self.eye)
        self.outcome.lies += [f"I5: {words}" for words in self.skipped.violations["I5"]]
        self.outcome.judgement.counts["below cursors"] = self.cursors.looks
        self.outcome.lies += self.saboteur.complaints
        self.outcome.lies += [words for agent in self.agents for words in agent.complaints]
        if self.strikes_log.exists():
            for line in self.strikes_log.read_text().splitlines():
                self.outcome.hits[f"F2 at {line.split(' ', 1)[1]}"] += 1

    def _judge_screens(self, judge: Judge) -> None:
        """I3: shown as sent only after it was accepted."""
        accepted = {mark: one.mono for one in judge.ledger.things() if one.via == "api" for mark in one.canaries}
        for one in self.pressed:
            state, at = self.seen.get(one.key, ("", 0.0))
            if state in ("sent", "verified") and accepted.get(one.canary, float("inf")) > at + CLOCKS_APART:
                self.outcome.lies.append(f"I3: reply {one.canary} was shown as {state} before it was accepted")

    def _close(self) -> None:
        for life in self.town:
            life.stopped.set()
        for name in ("worker", "second worker", "web"):
            if name in getattr(self, "kept", {}):
                self.kept[name].kill()
                process = self.kept[name].process
                if process is not None:
                    process.wait()
        for name, label in (("postgres", "PostgreSQL"), ("valkey", "Valkey")):
            process = self.kept[name].process if hasattr(self, "kept") else None
            if process is not None:
                self.stage.replace(label, process)
        for wire in getattr(self, "wires", {}).values():
            wire.close()
        self.stage.close()
        if hasattr(self, "listener"):
            self.listener.close()


def run_storm(seed: int, minutes: float, *, keep: bool = False, pairs: bool = False) -> Outcome:
    """A storm in a directory that goes away afterwards, unless it is to be kept. With `pairs` it rages until each two
    faults struck together."""
    with directory("scrm-storm-", keep) as root:
        storm = Storm(root, seed, minutes, pairs=pairs)
        outcome = storm.run()
        if pairs:
            print(storm.saboteur.table_of_pairs())
        return outcome
