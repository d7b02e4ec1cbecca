"""Crash-point enumeration: a scenario is played once to count its failpoints, then once for each with the process
killed exactly there, restarted, settled and judged.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.faults.cursors import Cursors
from tests.faults.effects import judge_effects
from tests.faults.judge import Judge, Judgement
from tests.faults.scenarios import Scenario, Scene
from tests.faults.stage import Stage

SETTLE_SECONDS = 40.0


@dataclass
class Report:
    """What an enumeration found. `points` are the names of all failpoints passed, in order."""

    scenario: str
    points: list[str]
    killed: int
    judgement: Judgement
    complaints: list[str] = field(default_factory=list)
    seconds: float = 0.0
    quiet_after: float = 0.0

    @property
    def clean(self) -> bool:
        return self.judgement.clean and not self.complaints and self.killed == len(self.points)

    @property
    def broken(self) -> set[str]:
        """The invariants that were violated, and "check" where the scenario itself complains."""
        return self.judgement.broken | ({"check"} if self.complaints else set())

    def __str__(self) -> str:
        head = f"{self.scenario}: {self.killed} of {len(self.points)} points struck in {self.seconds:.1f} s"
        head += f", quiet after {self.quiet_after:.1f} s"
        return "\n".join([head, *([] if self.clean else [str(self.judgement), *self.complaints])])


def enumerate_points(stage: Stage, make: type[Scenario], bug: str = "", every_statement: bool | None = None) -> Report:
    """Kills the scenario at every named point, or at every SQL statement too, and judges what comes of it."""
    began = time.monotonic()
    scenario = make(stage, bug)
    if every_statement is not None:
        scenario.every_statement = every_statement
    log = stage.root / f"passes-{next(stage.numbers)}"
    (first,) = scenario.scenes(1)
    scenario.play(first, {"FAILPOINT": "count", "FAILPOINT_LOG": str(log)})
    lines = log.read_text().splitlines() if log.exists() else []
    points = [line.split(" ", 1)[1] for line in lines]
    scenes = scenario.scenes(len(points))
    cursors, skipped = Cursors(Judge(stage.dsn, stage.sandbox_url)), Judgement()
    outcomes = []
    for number, scene in enumerate(scenes, 1):
        outcomes.append(scenario.play(scene, {"FAILPOINT": "kill", "FAILPOINT_AT": str(number)}))
        if not scenario.holes:
            cursors.look(skipped, [scene.channel])  # at once: the next pull may heal it
    everything = [first, *scenes]
    quiet_after = settle(stage, scenario, everything)
    judge = Judge(stage.dsn, stage.sandbox_url)
    judge.foreign_digests = frozenset(one.digest for one in stage.catcher.caught)
    pressed = [one for scene in everything for one in scene.pressed]
    judgement = judge.judge(pressed, channels=[scene.channel for scene in everything])
    judge_effects(judge, judgement, channels=[scene.channel for scene in everything])
    judgement.violations["I5"] += skipped.violations["I5"]
    judgement.counts["below cursors"] = cursors.looks
    complaints = [point for point in points if point == "published in a transaction"]
    complaints += [words for scene in everything for words in scenario.check(scene)]
    killed = sum(outcome.killed for outcome in outcomes)
    seconds = time.monotonic() - began
    return Report(scenario.name, points, killed, judgement, complaints, seconds, quiet_after)


def settle(stage: Stage, scenario: Scenario, scenes: Sequence[Scene]) -> float:
    """Lets the world go on until nothing is on its way; returns how long that took, in seconds."""
    began = time.monotonic()
    stage.release()
    stage.act("each", calls=[call for scene in scenes for call in scenario.after(scene)], bug=scenario.bug)
    judge = Judge(stage.dsn, stage.sandbox_url)
    while not judge.quiet() and time.monotonic() - began < SETTLE_SECONDS:
        stage.act("work", bug=scenario.bug)
        time.sleep(0.25)
    quiet_after = time.monotonic() - began
    stage.act("pull_all", channels=[scene.channel for scene in scenes], bug=scenario.bug)
    return quiet_after
