"""A short storm over real processes; `make faults` lets a longer one rage."""

from __future__ import annotations

from tests.faults.stage import directory
from tests.faults.storm import Storm


def test_nothing_is_lost_and_nothing_doubled_in_a_short_storm() -> None:
    with directory() as root:
        outcome = Storm(root, seed=20261122, minutes=0.4).run()
    print(outcome)
    assert outcome.clean, str(outcome)
    assert outcome.judgement.counts["replies"] > 0
