from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.stack.crowd import FEW
from tests.stack.running import SignedIn, Stack, running
from tests.stack.visits import things_of


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """The product with its demo, started once."""
    with running() as stack:
        yield stack


@pytest.fixture(scope="session")
def things(stack: Stack) -> dict[str, Any]:
    """Ids to fill into the addresses of pages."""
    return things_of(stack) | things_of(stack, "tests.stack.crowd", FEW)


@pytest.fixture(scope="session")
def windows(chromium: Browser, stack: Stack) -> SignedIn:
    return SignedIn(chromium, stack)


@pytest.fixture
def signed_in(windows: SignedIn) -> SignedIn:
    """Opens windows in which somebody of that role is signed in."""
    return windows
