"""Workers share one running product: it is started once, and ends after its last user."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest

from tests.platform.places import Site
from tests.stack.running import Stack
from tests.stack.shared import shared

History = list[str]


@pytest.fixture
def history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> History:
    """When a product is started and ended here, where nobody else meets."""
    found: History = []

    @contextmanager
    def running() -> Iterator[Stack]:
        found.append("started")
        yield Stack(Site(tmp_path), f"http://localhost/{len(found)}", "http://localhost/sandbox", [])
        found.append("ended")

    monkeypatch.setenv("TEST_DATA_DIR", str(tmp_path))
    monkeypatch.setattr("tests.stack.shared.running", running)
    monkeypatch.setattr("tests.stack.shared.things_of", lambda *_: {"thread": 7})
    return found


def test_the_second_worker_uses_what_the_first_one_started(history: History) -> None:
    with shared() as first, shared() as second:
        assert second == first
    assert history == ["started", "ended"]


def test_the_product_lasts_as_long_as_somebody_uses_it(history: History) -> None:
    first, second = shared(), shared()
    first.__enter__()
    with second:
        ending = Thread(target=first.__exit__, args=(None, None, None))
        ending.start()
        ending.join(0.1)
        assert history == ["started"]
    ending.join()
    assert history == ["started", "ended"]


def test_who_comes_after_its_end_starts_another_one(history: History) -> None:
    with shared() as first:
        pass
    with shared() as second:
        assert second.stack.url != first.stack.url
