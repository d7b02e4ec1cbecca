"""`make faults`: every crash point, every statement, and the storm. A run repeats by its seed."""

from __future__ import annotations

import argparse
import secrets
import sys
from pathlib import Path

from tests.faults.crash_points import enumerate_points
from tests.faults.data_lost import DataLost, DataLostCarelessly, Promoted
from tests.faults.drills import DiskFull, NoMount, Poisoned, Rolling, run_drill
from tests.faults.exposures import Range
from tests.faults.figures import run_figures
from tests.faults.scenarios import ALL
from tests.faults.stage import directory, opened
from tests.faults.storm import Storm, run_storm

DRILLS: dict[str, tuple[type[Storm], str]] = {
    "rolling": (Rolling, "web and workers are restarted under traffic"),
    "poison": (Poisoned, "calm, then a vandal who pushes poison: what the neighbours notice"),
    "disk-full": (DiskFull, "the database's disk is full for a while"),
    "data-lost": (DataLost, "the database's directory is lost, and comes back from a synchronous receiver's WAL"),
    "promoted": (Promoted, "the same, and a streaming standby takes the place of the first"),
    "data-lost-carelessly": (DataLostCarelessly, "the same, restored without the newest WAL; this must not be clean"),
}


def main() -> int:
    given = arguments()
    if given.exposures:
        return told(expose(given.exposures, given.seed, given.minutes), given.seed)
    if given.drill:
        return drill(given.drill, given)
    if given.figures:
        outcome = run_figures(given.seed)
        print(outcome, flush=True)
        return told(outcome.clean, given.seed)
    clean = True
    if given.points and not given.pairs:
        with directory() as root:
            clean = enumerate_all(root)
    if given.minutes:
        outcome = run_storm(given.seed, given.minutes, keep=given.keep, pairs=given.pairs)
        print(outcome, flush=True)
        clean = clean and outcome.clean
    return told(clean, given.seed)


def told(clean: bool, seed: int) -> int:
    """Says how it went; returns the exit code."""
    print("All clean." if clean else f"Not clean. It repeats with --seed {seed}.")
    return 0 if clean else 1


def drill(make: type[Storm], given: argparse.Namespace) -> int:
    """A drill; one that cannot be held here says so in a line, and fails."""
    try:
        outcome = run_drill(make, given.seed, given.minutes)
    except NoMount as refused:
        print(refused)
        return 1
    print(outcome, flush=True)
    return told(outcome.clean, given.seed)


def expose(goal: int, seed: int, minutes: float) -> bool:
    """Strikes steered into danger windows until `goal` items were exposed or the time is over."""
    with directory() as root, opened(root) as stage:
        found = Range(stage, seed).run(goal, minutes)
    print(found, flush=True)
    return found.clean


def enumerate_all(root: Path) -> bool:
    """Every scenario, killed at every failpoint and statement; prints as it goes."""
    clean, points = True, 0
    with opened(root) as stage:
        for scenario in ALL:
            report = enumerate_points(stage, scenario)
            print(report, flush=True)
            clean, points = clean and report.clean, points + len(report.points)
    print(f"{points} crash points", flush=True)
    return clean


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    parser.add_argument("--minutes", type=float, default=3.0, help="how long the storm rages; 0 for none")
    parser.add_argument("--exposures", type=int, metavar="N", help="instead: steer strikes until N items were exposed")
    parser.add_argument("--figures", action="store_true", help="instead: measure how fast things settle and flow again")
    parser.add_argument("--pairs", action="store_true", help="instead: each two faults strike together")
    for name, (make, words) in DRILLS.items():
        parser.add_argument(f"--{name}", dest="drill", action="store_const", const=make, help=f"instead: {words}")
    parser.add_argument("--no-points", dest="points", action="store_false", help="leave out the crash points")
    parser.add_argument("--keep", action="store_true", help="keep the storm's directory with its logs")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
