from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import Brand, User
from accounts.roles import Role
from channels_ingest.models import Channel
from tests.cast import make_channel, make_user

BrowserOf = Callable[[User], Client]


@pytest.fixture
def brand(db: None) -> Brand:
    return Brand.objects.create(name="Trailhead Outdoors", slug="trailhead", undo_seconds=0)


@pytest.fixture
def other_brand(db: None) -> Brand:
    return Brand.objects.create(name="Nordlicht Coffee", slug="nordlicht", undo_seconds=0)


@pytest.fixture
def channel(brand: Brand) -> Channel:
    return make_channel(brand)


@pytest.fixture
def agent(brand: Brand) -> User:
    return make_user(Role.AGENT, brand, name="Ana")


@pytest.fixture
def colleague(brand: Brand) -> User:
    return make_user(Role.AGENT, brand, name="Ben")


@pytest.fixture
def manager(brand: Brand) -> User:
    return make_user(Role.MANAGER, brand, name="Mira")


@pytest.fixture
def admin(db: None) -> User:
    return make_user(Role.ADMIN, name="Adam")


@pytest.fixture
def stranger(other_brand: Brand) -> User:
    """An agent of another brand."""
    return make_user(Role.AGENT, other_brand, name="Stan")


@pytest.fixture
def nobody(db: None) -> Client:
    """A browser without anybody signed in."""
    return Client()


@pytest.fixture
def browser_of() -> BrowserOf:
    """A browser in which that user is signed in."""

    def signed_in(user: User) -> Client:
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return signed_in
