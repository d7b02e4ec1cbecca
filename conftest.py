"""What must stand before any test is collected."""

import gc

import pytest

from scrm import services


def pytest_configure(config: pytest.Config) -> None:
    """Where tests run in several processes, the one that outlives them all owns the services."""
    if config.getoption("numprocesses", None):
        services.start()
    else:
        # What is imported and collected stays: to look through it for garbage is a fifth of the work of collecting.
        gc.disable()


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Garbage is looked for from here on, among what the tests leave."""
    gc.collect()
    gc.freeze()
    gc.enable()
