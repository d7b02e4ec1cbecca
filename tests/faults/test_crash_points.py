"""Every path of the product, killed at every one of its failpoints. `make faults` kills at every statement, too."""

from __future__ import annotations

import pytest

from tests.faults.crash_points import enumerate_points
from tests.faults.scenarios import ALL, Scenario, SendReply
from tests.faults.stage import Stage


@pytest.mark.parametrize("scenario", ALL, ids=lambda scenario: scenario.__name__)
def test_a_path_may_die_at_every_failpoint(stage: Stage, scenario: type[Scenario]) -> None:
    report = enumerate_points(stage, scenario, every_statement=False)
    assert report.points
    assert report.clean, str(report)


def test_sending_may_die_after_every_statement(stage: Stage) -> None:
    report = enumerate_points(stage, SendReply, every_statement=True)
    assert report.clean, str(report)
