from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.stage import Stage, opened


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Real services, sandbox and processes, all their own, for all the tests of a worker."""
    with opened(tmp_path_factory.mktemp("stage")) as found:
        yield found
