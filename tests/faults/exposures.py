"""Danger-window exposures by the thousand: strikes are steered into the windows instead of hoping that they fall there.

An exposure is one item that was served and not stored, or one reply that was claimed and not recorded, at the moment of
a kill or of a lost answer. Each is counted by looking: what the network's ledger says it served in that run and the
database does not hold, what the database holds as claimed. Items of one page share their fate, so the strikes, which
are independent of each other, are told beside the exposures.
"""

from __future__ import annotations

import random
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.faults.judge import Judge, Judgement, Pressed
from tests.faults.stage import Stage, await_true

ITEMS = {"x": 700, "facebook": 200}  # said to a brand in a round; X keeps the newest 800 mentions within reach
STRIKES = {"x": 90, "facebook": 20}  # at most, in a round; then it is left in peace
REPLIES, KILLED_SENDERS = 30, 8  # in a round
PULL_POINTS = ("http.answered", "pull.page", "ingest.storing", "sql.INSERT INTO")
PAGES_ON = (*(1,) * 17, 2, 2, 3)  # how far a pull comes: mostly to its first page
SEND_POINTS = ("http.answered", "send.called", "sql.UPDATE", "send.recording")
LOST_ANSWERS = ("cut_after", "broken_body", "wrong_id", "late_accept")
LATE_MS = 300
WRITES = "tweets|comments|messages"
QUIET_WITHIN = 180.0  # seconds
TWEPOCH = 1_288_834_974_657  # the first millisecond of X's ids


@dataclass
class Exposures:
    """What was struck and what came of it. `exposures` and `strikes` are counted by fault and point."""

    seed: int
    exposures: Counter[str] = field(default_factory=Counter)
    strikes: Counter[str] = field(default_factory=Counter)
    rounds: int = 0
    judgement: Judgement = field(default_factory=Judgement)
    seconds: float = 0.0
    quiet_after: float = 0.0

    @property
    def total(self) -> int:
        return sum(self.exposures.values())

    @property
    def clean(self) -> bool:
        return self.judgement.clean

    def __str__(self) -> str:
        struck = sum(self.strikes.values())
        lines = [
            f"exposures by seed {self.seed}: {self.total} in {self.rounds} rounds, {self.seconds:.0f} s",
            *(
                f"  {name}: {count} exposed in {self.strikes[name]} strikes"
                for name, count in sorted(self.exposures.items())
            ),
            f"failure probability of an exposed item at 95 %: below {3 / max(self.total, 1):.3%}",
            f"failure probability of a strike at 95 %: below {3 / max(struck, 1):.2%} ({struck} strikes)",
            f"quiet after {self.quiet_after:.1f} s",
            str(self.judgement),
        ]
        return "\n".join(lines)


class Range:
    """The shooting range: rounds on brands of their own, on one stage."""

    def __init__(self, stage: Stage, seed: int, say: Callable[[str], None] = print) -> None:
        self.stage = stage
        self.rng = random.Random(seed)
        self.found = Exposures(seed)
        self.judge = Judge(stage.dsn, stage.sandbox_url)
        self.served = 0  # how far the ledger of what was served has been read
        self.channels: list[int] = []
        self.pressed: list[Pressed] = []
        self.say = say

    def run(self, goal: int, minutes: float) -> Exposures:
        """Rounds until the goal is reached or the time is over; then quiet, and the judge."""
        began = time.monotonic()
        while self.found.total < goal and time.monotonic() - began < minutes * 60:
            self._round("facebook" if self.found.rounds % 8 == 7 else "x")
            self.found.rounds += 1
            self.say(f"round {self.found.rounds}: {self.found.total} exposures, {time.monotonic() - began:.0f} s")
        self._settle()
        self.found.judgement = self.judge.judge(self.pressed, channels=self.channels)
        self.found.seconds = time.monotonic() - began
        return self.found

    def _round(self, kind: str) -> None:
        brand = self.stage.brand(kind)
        connected = self.stage.act("connect", kind=kind, brand=brand)
        channel = connected["channel"]
        self.channels.append(channel)
        (self._fill_x if kind == "x" else self._fill_facebook)(brand)
        self._read_served()
        self._strike_pulls(kind, channel)
        pressed = self._press(channel, connected["agent"], REPLIES + KILLED_SENDERS)
        self._kill_senders(kind, channel)
        self._lose_answers(kind, brand, channel)
        self.pressed += pressed

    # -- what people say ----------------------------------------------------------------------------------------------

    def _fill_x(self, brand: dict[str, Any]) -> None:
        number = next(self.stage.numbers)
        people = [{"id": str(8_000_000_000 + number * 1000 + n), "username": f"load{number}n{n}"} for n in range(60)]
        began = int(time.time() * 1000) - 600_000
        posts = [
            {
                "id": str((began + 500 * n - TWEPOCH << 22) + number % 4096),
                "author": self.rng.choice(people)["id"],
                "created": began + 500 * n,
                "text": f"@{brand['username']} where is my tent? {self.stage.canary()}",
            }
            for n in range(ITEMS["x"])
        ]
        self.stage.control("POST", "x/load", {"users": people, "posts": posts})

    def _fill_facebook(self, brand: dict[str, Any]) -> None:
        people = [self.stage.person() for _ in range(20)]
        for _ in range(ITEMS["facebook"]):
            said = {"author": self.rng.choice(people), "page": brand["username"]}
            text = f"Where is my tent? {self.stage.canary()}"
            self.stage.control("POST", "facebook/posts", said | {"text": text})

    # -- served and not stored ----------------------------------------------------------------------------------------

    def _strike_pulls(self, kind: str, channel: int) -> None:
        """Pulls die at drawn places, again and again; each goes on where the last one stood."""
        for _ in range(STRIKES[kind]):
            point = self.rng.choice(PULL_POINTS)
            at = self.rng.randint(1, 4) if point.startswith("sql") else self.rng.choice(PAGES_ON)
            trap = {"FAILPOINT": "kill", "FAILPOINT_NAME": f"^{point}", "FAILPOINT_AT": str(at)}
            if point.startswith("sql"):
                trap["FAILPOINT_SQL"] = "1"
            outcome = self.stage.try_act("pull", trap=trap, channel=channel)
            exposed = self._served_and_not_stored(channel)
            if outcome.killed and exposed:
                self._count(f"{kind}: pull killed at {point}", exposed)
            elif not outcome.killed:
                break
        self.stage.act("pull", channel=channel)
        self._read_served()

    def _read_served(self) -> set[str]:
        """Ids that were handed out since the last look."""
        ids: set[str] = set()
        for line in self.judge.lines("served", self.served):
            self.served = line["n"]
            ids |= {str(one) for one in line["ids"]}
        return ids

    def _served_and_not_stored(self, channel: int) -> int:
        """How many things the network handed out in this run that the database does not hold."""
        self.judge.read_on()
        things = {one.id for one in map(self._thing, self._read_served()) if one is not None}
        rows = self.judge.rows(
            "SELECT external_id FROM conversations_interaction WHERE channel_id = %s AND external_id = ANY(%s)",
            channel,
            sorted(things),
        )
        return len(things - {row[0] for row in rows})

    def _thing(self, any_id: str) -> Any:
        return self.judge.ledger.find("x", any_id) or self.judge.ledger.find("facebook", any_id)

    # -- claimed and not recorded -------------------------------------------------------------------------------------

    def _press(self, channel: int, agent: int, count: int) -> list[Pressed]:
        pressed = [Pressed(str(uuid.uuid4()), self.stage.canary()) for _ in range(count)]
        texts = [(f"Sorry, a set is on its way. {one.canary}", one.key) for one in pressed]
        self.stage.act("reply_to_many", channel=channel, agent=agent, texts=texts)
        return pressed

    def _kill_senders(self, kind: str, channel: int) -> None:
        for _ in range(KILLED_SENDERS):
            point = self.rng.choice(SEND_POINTS)
            trap = {"FAILPOINT": "kill", "FAILPOINT_NAME": f"^{point}", "FAILPOINT_AT": "1"}
            if point.startswith("sql"):
                trap |= {"FAILPOINT_SQL": "1", "FAILPOINT_AT": str(self.rng.randint(3, 6))}
            before = self._claimed(channel)
            outcome = self.stage.try_act("send", trap=trap)
            exposed = self._claimed(channel) - before
            if outcome.killed and exposed > 0:
                self._count(f"{kind}: sender killed at {point}", exposed)

    def _claimed(self, channel: int) -> int:
        ((count,),) = self.judge.rows(
            "SELECT count(*) FROM conversations_delivery WHERE channel_id = %s AND state = 'sending'", channel
        )
        return int(count)

    def _lose_answers(self, kind: str, brand: dict[str, Any], channel: int) -> None:
        """The network takes what is left and its answers are lost, spoiled or late."""
        switches = {}
        for fault in LOST_ANSWERS:
            asked = {"network": kind, "fault": fault, "account": brand["id"], "methods": ["POST"], "path": WRITES}
            draw = {"probability": 0.4, "seed": self.rng.randrange(10**6), "ms": LATE_MS}
            switches[fault] = self.stage.control("POST", "switches", asked | draw)["id"]
        self.stage.act("send")
        shown = {one["id"]: one["hits"] for one in self.stage.control("GET", "switches")["switches"]}
        for fault, number in switches.items():
            self._count(f"{kind}: {fault}", shown[number], strikes=shown[number])
            self.stage.control("DELETE", f"switches/{number}")

    def _count(self, name: str, exposed: int, strikes: int = 1) -> None:
        self.found.exposures[name] += exposed
        self.found.strikes[name] += strikes

    # -- afterwards ---------------------------------------------------------------------------------------------------

    def _settle(self) -> None:
        began = time.monotonic()

        def quiet() -> bool:
            self.stage.act("work")
            return self.judge.quiet()

        await_true(quiet, QUIET_WITHIN, "quiet", every=0.2)
        self.found.quiet_after = time.monotonic() - began
        self.stage.act("pull_all", channels=self.channels)
