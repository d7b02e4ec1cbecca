"""Every answer of the X sandbox fits X's official specification, in both dialects."""

from pathlib import Path

import pytest

from channels_ingest.sandbox.conformance import check

from .conftest import SPECIFICATIONS


@pytest.mark.parametrize("path", sorted(SPECIFICATIONS.glob("x-openapi-*.json")), ids=lambda path: path.stem)
def test_every_answer_fits(path: Path) -> None:
    report = check(path)
    assert report.violations == []
    assert sum(report.checked.values()) > 200
