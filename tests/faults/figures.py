"""The figures of the goals: how fast the product tells, settles and flows again. Real processes, no traps; printed as
JSON with the seed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import statistics
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar
from urllib.request import Request, urlopen

import psycopg2

from tests.faults.judge import Pressed, Row
from tests.faults.stage import await_true, directory, http
from tests.faults.storm import Outcome, Storm
from tests.faults.town import House

CALM_PUSHES, CALM_PAUSE = 60, 0.1
BURST_PUSHES, BURST_THREADS = 600, 10  # ten at a time, without a pause
LOST = 12  # replies whose answer is lost
DEAD_SECONDS = 75.0  # for which a token is dead
STRIKES = (
    "f5_valkey_spoiled",
    "f5_valkey_full",
    "f5_valkey_wrong_password",
    "f6_connections_exhausted",
    "f6_transactions_refused",
)
FINAL = ("sent", "verified", "failed", "cancelled")


class Figures(Storm):
    """Measures instead of raging; judged like a storm."""

    traps: ClassVar[bool] = False

    def __init__(self, root: Path, seed: int, minutes: float) -> None:
        super().__init__(root, seed, minutes)
        self.found: dict[str, Any] = {"seed": seed}
        self.replies: list[Pressed] = []
        self.first_seen: dict[tuple[str, tuple[str, ...]], float] = {}

    def _rage(self) -> None:
        self._waiting_threads(self.houses[0], 1)  # all have started
        self.found["receiver"] = self._receiver()
        self.found["lost answers"] = self._lost_answers()
        self.found["flow back after (s)"] = {name: self._flow_back(name) for name in ("valkey", "postgres", "worker")}
        self.found["flow back after (s)"] |= {strike: self._flow_back_from(strike) for strike in STRIKES}
        self.found["dead token"] = self._dead_token()
        self._calm_down()

    # -- store, then 200 ----------------------------------------------------------------------------------------------

    def _receiver(self) -> dict[str, Any]:
        house = self.houses[0]
        calm = []
        for _ in range(CALM_PUSHES):
            calm.append(_push(house))
            time.sleep(CALM_PAUSE)
        began = time.monotonic()
        with ThreadPoolExecutor(BURST_THREADS) as pool:
            burst = list(pool.map(lambda _: _push(house), range(BURST_PUSHES)))
        rate = BURST_PUSHES / (time.monotonic() - began)
        return {"calm": _quantiles(calm), "burst": _quantiles(burst) | {"a second": round(rate)}}

    # -- a reply whose answer was lost --------------------------------------------------------------------------------

    def _lost_answers(self) -> dict[str, Any]:
        house = self.houses[2]
        threads = self._waiting_threads(house, LOST)
        fault = {"network": "x", "fault": "cut_after", "methods": ["POST"], "path": "tweets", "count": LOST}
        switch = self.stage.control("POST", "switches", fault)["id"]
        pressed = [self._press(house, thread) for thread in threads]
        unclear = ("unknown", *FINAL)
        self._await_states(pressed, unclear, 60)
        self._await_states(pressed, FINAL, 300)
        shown = {one["id"]: one["hits"] for one in self.stage.control("GET", "switches")["switches"]}
        self.stage.control("DELETE", f"switches/{switch}")
        self.eye.read_on()
        said = [one for one in self.eye.ledger.things() if one.via == "api"]
        accepted = {mark: one.mono for one in said for mark in one.canaries}
        return {
            "answers lost": shown[switch],
            "shown as unclear after, at most (s)": self._longest(pressed, unclear, accepted),
            "settled after, at most (s)": self._longest(pressed, FINAL, accepted),
        }

    def _longest(self, pressed: list[Pressed], states: tuple[str, ...], since: dict[str, float]) -> float:
        return round(max(self.first_seen[one.key, states] - since[one.canary] for one in pressed), 1)

    # -- a service comes back -----------------------------------------------------------------------------------------

    def _flow_back(self, name: str) -> float:
        """Seconds from its return until something said meanwhile is stored."""
        kept = self.kept[name]
        others = [self.kept["second worker"]] if name == "worker" else []
        for one in (kept, *others):
            one.rests_until = time.monotonic() + 4
            one.kill()
        time.sleep(1)
        mark = self._say(self.houses[0])
        self._until(lambda: kept.process is not None and kept.process.poll() is None, 60, name)
        return round(self._until(lambda: self._thread_of(mark), 60, "the flow"), 1)

    def _flow_back_from(self, strike: str) -> float:
        """Seconds from the end of a strike until something said meanwhile is stored."""
        self.saboteur.next_at = float("inf")
        getattr(self.saboteur, strike)()
        time.sleep(1)
        mark = self._say(self.houses[0])
        self._until(self._is_over, 60, f"the end of {strike}")
        return round(self._until(lambda: self._thread_of(mark), 60, "the flow"), 1)

    def _is_over(self) -> bool:
        self.saboteur.tick()
        up = all(one.process is not None and one.process.poll() is None for one in self.kept.values())
        return up and not self.saboteur.later

    # -- a token dies in mid-burst ------------------------------------------------------------------------------------

    def _dead_token(self) -> dict[str, Any]:
        house = self.houses[0]
        threads = self._waiting_threads(house, 2)
        brand = next(one for one in self.stage.control("GET", "brands")["brands"] if one["username"] == house.handle)
        self.stage.control("POST", f"x/brands/{brand['id']}/token", {"action": "revoke"})
        began, before = time.monotonic(), self._refused_calls()
        banner = self._until(lambda: self._is_announced(house), 90, "the banner")
        held = [self._press(house, thread) for thread in threads]
        self._until(lambda: time.monotonic() - began > DEAD_SECONDS, DEAD_SECONDS + 10, "the end of the minute")
        calls = self._refused_calls() - before
        self._until(lambda: self._renew(brand), 60, "the new keys")
        renewed = time.monotonic()
        self._await_states(held, FINAL, 60)
        return {
            "banner after (s)": round(banner, 1),
            f"refused calls in {DEAD_SECONDS:.0f} s": calls,
            "replies sent after the new keys (s)": round(time.monotonic() - renewed, 1),
        }

    def _refused_calls(self) -> int:
        return sum(line["status"] == 401 for line in self.eye.lines("calls"))

    def _is_announced(self, house: House) -> bool:
        query = "SELECT 1 FROM channels_ingest_notice WHERE kind = 'broken' AND channel_id = %s AND ended_at IS NULL"
        return bool(self._rows(query, house.channel))

    # -- what all of them need ----------------------------------------------------------------------------------------

    @property
    def pressed(self) -> list[Pressed]:
        return self.replies

    def _rows(self, query: str, *given: Any) -> list[Row]:
        try:
            return self.eye.rows(query, *given)
        except psycopg2.OperationalError:
            return []

    def _say(self, house: House) -> str:
        """A new customer speaks to the brand; returns the canary."""
        mark = self.stage.canary()
        text = f"@{house.handle} where is my tent? {mark}"
        self.stage.control("POST", "x/posts", {"author": self.stage.person(), "text": text})
        return mark

    def _thread_of(self, mark: str) -> int:
        """The thread in which it stands; 0 where it is not stored."""
        rows = self._rows("SELECT thread_id FROM conversations_interaction WHERE text LIKE %s", f"%{mark}%")
        return rows[0][0] if rows else 0

    def _until(self, condition: Callable[[], Any], seconds: float, what: str) -> float:
        """Keeps the processes running until it holds; returns how long that took."""
        began = time.monotonic()

        def look() -> Any:
            self._watch()
            return condition()

        await_true(look, seconds, what)
        return time.monotonic() - began

    def _press(self, house: House, thread: int) -> Pressed:
        one = Pressed(str(uuid.uuid4()), self.stage.canary())
        headers = {"Authorization": f"Bearer {house.token}", "Idempotency-Key": one.key}
        body = {"text": f"Sorry, a set is on its way. {one.canary}", "action": "reply", "confirmed": True}
        http("POST", f"{self.base}/api/v1/threads/{thread}/reply/", body, headers)
        self.replies.append(one)
        return one

    def _waiting_threads(self, house: House, count: int) -> list[int]:
        marks = [self._say(house) for _ in range(count)]
        self._until(lambda: all(self._thread_of(mark) for mark in marks), 60, "the posts")
        return [self._thread_of(mark) for mark in marks]

    def _await_states(self, pressed: list[Pressed], states: tuple[str, ...], seconds: float) -> None:
        """Notes when each was first seen in one of these states."""

        def all_there() -> bool:
            keys = [one.key for one in pressed]
            query = "SELECT key::text, state FROM conversations_delivery WHERE key = ANY(%s::uuid[])"
            there = {key for key, state in self._rows(query, keys) if state in states}
            for key in there:
                self.first_seen.setdefault((key, states), time.monotonic())
            return len(there) == len(keys)

        self._until(all_there, seconds, "the replies")


def _push(house: House) -> float:
    """An authentic body that concerns nobody; seconds until it was answered."""
    address, secret = house.hook
    body = json.dumps({"for_user_id": "1", "words": uuid.uuid4().hex}).encode()
    signature = "sha256=" + base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()
    headers = {"Content-Type": "application/json", "x-twitter-webhooks-signature": signature}
    began = time.monotonic()
    with urlopen(Request(address, data=body, headers=headers), timeout=20) as answer:
        answer.read()
    return time.monotonic() - began


def _quantiles(seconds: list[float]) -> dict[str, int]:
    """p50 and p99 in milliseconds."""
    cuts = statistics.quantiles(seconds, n=100)
    return {"p50 (ms)": round(cuts[49] * 1000), "p99 (ms)": round(cuts[98] * 1000)}


def run_figures(seed: int) -> Outcome:
    """Measures on a stage that goes away afterwards, and prints."""
    with directory("scrm-figures-") as root:
        measured = Figures(root, seed, 0)
        outcome = measured.run()
        print(json.dumps(measured.found, indent=2))
        return outcome
