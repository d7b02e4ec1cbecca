from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.stage import Stage, directory, opened


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    """Real services, sandbox and processes, all their own, for all the tests of a worker."""
    with directory() as root, opened(root) as found:
        yield found
