"""Strikes by a seeded schedule: kills, stops and starves what runs, and spoils what the networks answer."""

from __future__ import annotations

import itertools
import os
import random
import signal
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg2
import redis

from scrm.embedded.places import ServiceError
from tests.faults.stage import LEASE, ActFailed, Stage
from tests.faults.wire import Wire

RESTART_AFTER = 0.3  # seconds
MOST_REFUSALS = 3  # of a service to come up, one after the other


@dataclass
class Kept:
    """A process that is started again whenever it has ended."""

    name: str
    start: Callable[[], subprocess.Popen[Any]]
    process: subprocess.Popen[Any] | None = None
    down_since: float = 0.0
    falls: int = 0
    refusals: int = 0
    rests_until: float = 0.0  # monotonic; it stays down until then

    def watch(self) -> None:
        if self.process is not None and self.process.poll() is None:
            return
        if self.process is not None:
            self.process, self.down_since = None, time.monotonic()
            self.falls += 1
        if time.monotonic() >= max(self.down_since + RESTART_AFTER, self.rests_until):
            self._revive()

    def _revive(self) -> None:
        """As the supervisor does: what does not come up is tried again, and a storm that never saw it up is over."""
        try:
            self.process = self.start()
        except ServiceError:
            self.down_since, self.refusals = time.monotonic(), self.refusals + 1
            if self.refusals > MOST_REFUSALS:
                raise
        else:
            self.refusals = 0

    def kill(self) -> None:
        """kill -9 of the whole group."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def children(self) -> list[int]:
        """Ids of the processes it forked."""
        pid = self.process.pid if self.process is not None else 0
        with suppress(OSError):
            return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        return []


@dataclass
class Saboteur:
    """`strikes` counts the faults by name; `hits` those that fell into a danger window."""

    stage: Stage
    kept: dict[str, Kept]
    rng: random.Random
    renew: Callable[[dict[str, Any]], bool]
    wires: dict[str, Wire]
    pause: tuple[float, float] = (1.0, 3.0)
    strikes: Counter[str] = field(default_factory=Counter)
    hits: Counter[str] = field(default_factory=Counter)
    complaints: list[str] = field(default_factory=list)
    wrong_clock: str = ""  # by which the second worker is to live when it starts next
    plan: list[tuple[str, ...]] = field(default_factory=list)  # what is to strike together, last first
    together: Counter[tuple[str, str]] = field(default_factory=Counter)
    hoard: list[Any] = field(default_factory=list)  # connections that nobody else gets
    next_at: float = 0.0
    later: list[tuple[float, Callable[[], None]]] = field(default_factory=list)

    def tick(self) -> None:
        """Strikes where it is time."""
        now = time.monotonic()
        for due in [one for one in self.later if one[0] <= now]:
            self.later.remove(due)
            due[1]()
        if now < self.next_at:
            return
        self.next_at = now + self.rng.uniform(*self.pause)
        for name in self._next():
            self.strikes[name] += 1
            getattr(self, name)()

    def _next(self) -> tuple[str, ...]:
        if self.plan:
            group = self.plan.pop()
            self.together.update(itertools.combinations(sorted(group), 2))
            return group
        names, weights = zip(*WEIGHTS.items(), strict=True)
        return tuple(self.rng.choices(names, weights))

    def plan_pairs(self) -> None:
        """Groups of faults that strike at the same moment, until each two did so; time enough between to get up."""
        open_pairs = set(itertools.combinations(sorted(WEIGHTS), 2))
        while open_pairs:
            group = set(self.rng.choice(sorted(open_pairs)))
            while len(group) < AT_ONCE:
                others = self.rng.sample(sorted(set(WEIGHTS) - group), len(WEIGHTS) - len(group))
                group.add(max(others, key=lambda one: len(_pairs_with(one, group) & open_pairs)))
            open_pairs -= set(itertools.combinations(sorted(group), 2))
            self.plan.append(tuple(sorted(group)))
        self.pause = (4.5, 6.0)

    def table_of_pairs(self) -> str:
        """How often each two struck together: one line for each fault, counts in the order of the lines."""
        count = self.together + Counter({(two, one): n for (one, two), n in self.together.items()})
        lines = [f"{name:32}" + "".join(f"{count[name, other] or '.':>3}" for other in WEIGHTS) for name in WEIGHTS]
        return "\n".join([f"{len(self.together)} pairs of faults struck together:", *lines])

    def calm(self) -> None:
        """No more faults: what was stopped goes on, the weather is fine."""
        self.stage.control("DELETE", "switches")
        for wire in self.wires.values():
            wire.clear()
        for one in self.kept.values():
            one.rests_until = 0.0
        self.next_at = float("inf")
        self.later = [(0.0, deed) for _, deed in self.later]
        self.tick()
        self._time_passes()

    # -- processes ----------------------------------------------------------------------------------------------------

    def f1_worker_killed(self) -> None:
        self._count_window("F1")
        self.kept[self.rng.choice(["worker", "second worker"])].kill()

    def f3_worker_stopped(self) -> None:
        children = self.kept["worker"].children()
        if children:
            pid = self.rng.choice(children)
            self._count_window("F3")
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
            self.later.append((time.monotonic() + 2 * LEASE + 1, lambda: _go_on(pid)))

    def f17_clock_wrong(self) -> None:
        """The second worker lives some seconds by a clock that is hours or days away."""
        self.wrong_clock = self.rng.choice(WRONG_CLOCKS)
        self.kept["second worker"].kill()
        self.later.append((time.monotonic() + 8, self._set_the_clock))

    def _set_the_clock(self) -> None:
        if self.wrong_clock:
            self.wrong_clock = ""
            self.kept["second worker"].kill()

    def f4_web_killed(self) -> None:
        self.kept["web"].kill()

    def f5_valkey_killed(self) -> None:
        self.kept["valkey"].kill()

    def f5_valkey_emptied(self) -> None:
        with suppress(redis.RedisError):
            redis.Redis.from_url(self.stage.valkey.url, socket_timeout=2).flushall()

    def f5_valkey_spoiled(self) -> None:
        """Its files are cut off in the middle, or hold nonsense, when it starts again."""
        valkey = self.kept["valkey"]
        valkey.kill()
        if valkey.process is not None:
            valkey.process.wait()
        nonsense = self.rng.random() < 0.5
        for file in (self.stage.places.valkey / "appendonlydir").glob("*.aof"):
            os.truncate(file, file.stat().st_size // 2)
            if nonsense:
                file.write_bytes(self.rng.randbytes(5000))

    def f5_valkey_full(self) -> None:
        """It has no memory left, and refuses whatever it would have to keep."""
        self._tell_valkey(
            ("CONFIG", "SET", "maxmemory", "5mb"),
            *(("SET", f"filler-{n}", "x" * 100_000) for n in range(60)),
            ("CONFIG", "SET", "maxmemory", "4mb"),  # so that nothing fits, however small
        )
        self.later.append((time.monotonic() + 5, self._mend_valkey))

    def f5_valkey_wrong_password(self) -> None:
        """It wants a password that nobody was told."""
        self._tell_valkey(("CONFIG", "SET", "requirepass", SECRET), ("CLIENT", "KILL", "TYPE", "normal"))
        self.later.append((time.monotonic() + 5, self._mend_valkey))

    def _mend_valkey(self) -> None:
        keys = ("filler", *(f"filler-{n}" for n in range(60)))
        self._tell_valkey(
            ("AUTH", SECRET),
            ("CONFIG", "SET", "requirepass", ""),
            ("CONFIG", "SET", "maxmemory", "256mb"),
            ("DEL", *keys),
        )

    def _tell_valkey(self, *commands: tuple[str, ...]) -> None:
        """Over a plain socket, for a client would greet and be refused. Nobody is told where it is down."""
        with suppress(OSError), socket.socket(socket.AF_UNIX) as plain:
            plain.settimeout(2)
            plain.connect(str(self.stage.valkey.socket))
            for command in commands:
                words = [f"${len(word)}\r\n{word}\r\n" for word in command]
                plain.sendall(f"*{len(words)}\r\n{''.join(words)}".encode())
                plain.recv(1000)

    def f6_postgres_killed(self) -> None:
        self._count_window("F6")
        self.kept["postgres"].kill()

    def f6_postgres_restarted_at_once(self) -> None:
        self._count_window("F6")
        process = self.kept["postgres"].process
        if process is not None:
            process.send_signal(signal.SIGQUIT)

    def f6_backends_terminated(self) -> None:
        self._count_window("F6")
        with suppress(psycopg2.Error):
            self._query(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
                " AND backend_type = 'client backend' AND random() < 0.5"
            )

    def f6_connections_exhausted(self) -> None:
        """All that the server has are taken for some seconds, also those that the product held."""
        self._count_window("F6")
        self._take_connections()
        with suppress(psycopg2.Error, IndexError), self.hoard[0].cursor() as cursor:
            mine = [one.info.backend_pid for one in self.hoard]
            others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            cursor.execute(f"{others} WHERE backend_type = 'client backend' AND NOT pid = ANY(%s)", [mine])
        self._take_connections()
        self.later.append((time.monotonic() + 4, self._give_connections_back))

    def _take_connections(self) -> None:
        with suppress(psycopg2.Error):
            while len(self.hoard) < MOST_CONNECTIONS:
                self.hoard.append(psycopg2.connect(self.stage.dsn, connect_timeout=2))

    def _give_connections_back(self) -> None:
        while self.hoard:
            self.hoard.pop().close()

    def f6_transactions_refused(self) -> None:
        """Every tenth change meets a deadlock or a failed serialization, by a trigger that says so."""
        self._count_window("F6")
        with suppress(psycopg2.Error):
            self._change(TRIGGER.format(chance=0.1), *(TRIGGERED.format(table=table) for table in TABLES))
        self.later.append((time.monotonic() + 4, self._refuse_nothing))

    def _refuse_nothing(self) -> None:
        try:
            self._change(TRIGGER.format(chance=0))
        except psycopg2.Error:  # the server is away
            self.later.append((time.monotonic() + 0.5, self._refuse_nothing))

    def _change(self, *statements: str) -> None:
        connection = psycopg2.connect(self.stage.dsn, connect_timeout=2, options="-c lock_timeout=2000")
        try:
            for statement in statements:
                with connection, connection.cursor() as cursor:
                    cursor.execute(statement)
        finally:
            connection.close()

    def f7_wire_slow(self) -> None:
        wire = self.wires[self.rng.choice(sorted(self.wires))]
        wire.late = 0.1
        self.later.append((time.monotonic() + 4, wire.clear))

    def f7_wire_silent(self) -> None:
        """A black hole; then it passes on what it held, or every connection is gone."""
        wire = self.wires[self.rng.choice(sorted(self.wires))]
        self._count_window("F7")
        wire.block()
        if self.rng.random() < 0.5:
            self.later.append((time.monotonic() + 4.9, wire.cut))
        self.later.append((time.monotonic() + 5, wire.clear))

    def f7_wire_reset(self) -> None:
        self._count_window("F7")
        self.wires[self.rng.choice(sorted(self.wires))].cut()

    def f16_receiver_down(self) -> None:
        """What is pushed meanwhile must come by pull."""
        self.kept["web"].rests_until = time.monotonic() + 6
        self.kept["web"].kill()

    # -- networks -----------------------------------------------------------------------------------------------------

    def f8_unclear_answers(self) -> None:
        for fault, more in (
            ("cut_after", {}),
            ("cut_before", {}),
            ("late_accept", {"ms": 700}),
            ("hang_after", {"s": 1}),
            ("broken_body", {}),
            ("wrong_id", {}),
        ):
            self._switch(fault, 8, probability=0.12, methods=["POST"], path=WRITES, **more)

    def f8_server_errors(self) -> None:
        self._switch("server_error", 4, probability=0.3)

    def f11_webhooks_doubled(self) -> None:
        self._switch("webhook_duplicate", 5, copies=5, probability=0.5)

    def f12_webhooks_out_of_order(self) -> None:
        self._switch("webhook_out_of_order", 6, ms=1500, probability=0.4)

    def f12_webhooks_lost(self) -> None:
        self._switch("webhook_drop", 5, probability=0.3)

    def f13_paging_shifts(self) -> None:
        self._switch("empty_page", 6, probability=0.3, network="x")
        self._switch("page_token_expired", 6, probability=0.1, network="x")

    def f14_token_revoked(self) -> None:
        brands = self.stage.control("GET", "brands")["brands"]
        brand = self.rng.choice(brands)
        self.stage.control("POST", f"{brand['network']}/brands/{brand['id']}/token", {"action": "revoke"})
        self.later.append((time.monotonic() + self.rng.uniform(2, 5), lambda: self._give_keys(brand)))

    def _give_keys(self, brand: dict[str, Any]) -> None:
        """The admin enters new keys, and tries again where that failed."""
        if not self.renew(brand):
            self.later.append((time.monotonic() + 1, lambda: self._give_keys(brand)))

    def f15_rate_limited(self) -> None:
        """X alone: Graph never asks for less than a minute."""
        self._switch("rate_limited", 4, probability=0.9, reset_in_s=2, network="x")

    def f15_wrong_waits(self) -> None:
        """429 with a wait that nobody can mean, or none; a quarter of an hour or a minute is then made to pass."""
        wait = self.rng.choice([-1, 31_536_000, "Wed, 21 Oct 2065 07:28:00 GMT", "soon", 900])
        self._switch("rate_limited", 1.5, probability=0.5, network="x", no_reset=True, retry_after=wait)
        self.later.append((time.monotonic() + 4, self._time_passes))

    def f15_graph_throttled(self) -> None:
        code = self.rng.choice([4, 17, 32, 613])
        self._switch("rate_limited", 1.5, probability=0.5, network="facebook", code=code, regain_min=1)
        self.later.append((time.monotonic() + 4, self._time_passes))

    def _time_passes(self) -> None:
        """What networks asked us to wait for is over; for more than a day nobody may have been believed."""
        with suppress(psycopg2.Error):
            long = (
                "SELECT count(*) FROM channels_ingest_channel WHERE limited_until > now() + interval '1 day 1 minute'"
            )
            ((count,),) = self._query(long)
            if count:
                self.complaints.append(f"F15: {count} channels were silenced for more than a day")
            for statement in TIME_PASSES:
                self.stage.sql(statement)

    def _switch(self, fault: str, seconds: float, **more: Any) -> None:
        asked = {"network": "*", "fault": fault, "for_s": seconds, "seed": self.rng.randrange(10**6), **more}
        with suppress(ActFailed, OSError):
            self.stage.control("POST", "switches", asked)

    # -- danger windows -----------------------------------------------------------------------------------------------

    def _count_window(self, fault: str) -> None:
        """How many replies and webhooks are claimed and not recorded at this moment."""
        with suppress(psycopg2.Error):
            rows = self._query(
                "SELECT (SELECT count(*) FROM conversations_delivery WHERE state = 'sending' AND lease_until > now()),"
                " (SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%%' OR"
                " (state = 'active' AND query ~* '^(insert|update|delete)'))"
            )
            self.hits[f"{fault} while sending"] += rows[0][0]
            self.hits[f"{fault} while storing"] += rows[0][1]

    def _query(self, query: str) -> list[tuple[Any, ...]]:
        connection = psycopg2.connect(self.stage.dsn, connect_timeout=2)
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(query)
                return cursor.fetchall()
        finally:
            connection.close()


TIME_PASSES = (
    "UPDATE channels_ingest_channel SET limited_until = NULL WHERE limited_until > now()",
    "UPDATE channels_ingest_streamcursor SET due_at = now() WHERE due_at > now() + interval '30 seconds'",
    "UPDATE conversations_delivery SET not_before = now() WHERE state IN ('queued', 'unknown')"
    " AND not_before BETWEEN now() + interval '30 seconds' AND now() + interval '1 day'",
)
MOST_CONNECTIONS = 100  # more than the server has
SECRET = "told to nobody"
TABLES = ("conversations_delivery", "conversations_interaction", "channels_ingest_webhookevent")
TRIGGER = """
    CREATE OR REPLACE FUNCTION refuse_some() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF random() < {chance} THEN
            IF random() < 0.5 THEN RAISE EXCEPTION 'deadlock detected' USING ERRCODE = '40P01'; END IF;
            RAISE EXCEPTION 'could not serialize access' USING ERRCODE = '40001';
        END IF;
        RETURN NEW;
    END $$
"""
TRIGGERED = """
    CREATE OR REPLACE TRIGGER refuse_some BEFORE INSERT OR UPDATE ON {table}
    FOR EACH ROW EXECUTE FUNCTION refuse_some()
"""
AT_ONCE = 5  # faults that strike together in the run of pairs
WRONG_CLOCKS = ("+2h", "-2h", "+40d")
WRITES = "tweets|comments|messages|dm_conversations"
WEIGHTS = {
    "f1_worker_killed": 6,
    "f3_worker_stopped": 3,
    "f4_web_killed": 3,
    "f5_valkey_killed": 2,
    "f5_valkey_emptied": 2,
    "f5_valkey_spoiled": 1,
    "f5_valkey_full": 1,
    "f5_valkey_wrong_password": 1,
    "f6_postgres_killed": 1,
    "f6_postgres_restarted_at_once": 1,
    "f6_backends_terminated": 2,
    "f6_connections_exhausted": 1,
    "f6_transactions_refused": 2,
    "f7_wire_slow": 2,
    "f7_wire_silent": 2,
    "f7_wire_reset": 2,
    "f8_unclear_answers": 5,
    "f8_server_errors": 2,
    "f11_webhooks_doubled": 2,
    "f12_webhooks_out_of_order": 2,
    "f12_webhooks_lost": 2,
    "f13_paging_shifts": 1,
    "f14_token_revoked": 1,
    "f15_rate_limited": 1,
    "f15_wrong_waits": 1,
    "f15_graph_throttled": 1,
    "f16_receiver_down": 1,
    "f17_clock_wrong": 2,
}


def _pairs_with(one: str, group: set[str]) -> set[tuple[str, ...]]:
    return {tuple(sorted((one, other))) for other in group}


def _go_on(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)
