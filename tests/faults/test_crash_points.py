"""Every path of the product, killed at every one of its failpoints."""

from __future__ import annotations

import pytest

from tests.faults.crash_points import enumerate_points
from tests.faults.scenarios import ALL, Scenario
from tests.faults.stage import Stage


@pytest.mark.parametrize("scenario", ALL, ids=lambda scenario: scenario.__name__)
def test_a_path_may_die_at_any_point(stage: Stage, scenario: type[Scenario]) -> None:
    report = enumerate_points(stage, scenario)
    assert report.clean, str(report)
