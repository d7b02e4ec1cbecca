from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from channels_ingest.networks import network
from channels_ingest.networks.base import Account, Network
from tests.networks.played import Stage, staged
from tests.networks.sandbox import Sandbox, running

CREDENTIALS = {
    "twitter": {"access_token": "token-of-the-account", "consumer_key": "key", "consumer_secret": "secret-of-the-app"},
    "facebook": {
        "access_token": "token-of-the-page",
        "app_id": "77",
        "app_secret": "secret-of-the-app",
        "verify_token": "our-password",
    },
}


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running(tmp_path_factory.mktemp("sandbox")) as found:
        found.control("PATCH", "settings", {"x": {"rate_limits": False}})
        yield found


@pytest.fixture(scope="session")
def _stage() -> Iterator[Stage]:
    with staged() as stage:
        yield stage


@pytest.fixture
def stage(_stage: Stage) -> Stage:
    _stage.play()
    return _stage


def speaking(key: str, base_url: str, **settings: Any) -> Network:
    """A network object for account 1000 (@trailhead) that calls `base_url`."""
    return network(key)(Account("1000", "trailhead", CREDENTIALS[key], settings, base_url))


@pytest.fixture
def x(stage: Stage) -> Network:
    return speaking("twitter", stage.base_url)


@pytest.fixture
def facebook(stage: Stage) -> Network:
    return speaking("facebook", stage.base_url)
