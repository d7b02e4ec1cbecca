from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.stack.running import Stack, chromium, running

PATIENCE_MS = 30_000


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """The product with its demo, started once."""
    with running() as stack:
        yield stack


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright, chromium(playwright) as browser:
        yield browser
