from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.stack.running import SignedIn, Stack, chromium, running
from tests.stack.visits import things_of

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


@pytest.fixture(scope="session")
def things(stack: Stack) -> dict[str, Any]:
    """Ids to fill into the addresses of pages."""
    return things_of(stack)


@pytest.fixture(scope="module")
def signed_in(browser: Browser, stack: Stack) -> SignedIn:
    return SignedIn(browser, stack)
