"""What must stand before any test is collected."""

import pytest

from scrm import services


def pytest_configure(config: pytest.Config) -> None:
    """Where tests run in several processes, the one that outlives them all owns the services."""
    if config.getoption("numprocesses", None):
        services.start()
