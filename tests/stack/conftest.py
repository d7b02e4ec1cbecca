from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.stack.running import SignedIn, Stack
from tests.stack.shared import Shared, shared


@pytest.fixture(scope="session")
def product() -> Iterator[Shared]:
    """The product with its demo, started once for all workers."""
    with shared() as found:
        yield found


@pytest.fixture(scope="session")
def stack(product: Shared) -> Stack:
    return product.stack


@pytest.fixture(scope="session")
def things(product: Shared) -> dict[str, Any]:
    """Ids to fill into the addresses of pages."""
    return product.things


@pytest.fixture(scope="session")
def windows(chromium: Browser, stack: Stack) -> SignedIn:
    return SignedIn(chromium, stack)


@pytest.fixture
def signed_in(windows: SignedIn) -> SignedIn:
    """Opens windows in which somebody of that role is signed in."""
    return windows
