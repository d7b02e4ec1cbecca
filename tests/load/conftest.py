from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from tests.load.made import Made, conversations
from tests.networks.sandbox import Sandbox, running

REAL = Path(settings.SHARED_DATA) / "twcs" / "tweets.csv"


def pytest_report_header() -> str | None:
    return None if REAL.exists() else f"real conversations: absent ({REAL}), their tests are not collected"


@pytest.fixture
def made() -> Made:
    return conversations()


@pytest.fixture
def small(made: Made, tmp_path: Path) -> Path:
    return made.write(tmp_path / "small.csv")


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    """A sandbox of the test's own: a file is loaded into it whole."""
    with running(tmp_path / "sandbox") as found:
        yield found
