from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from unittest.mock import patch

import pytest
from django.db import connection
from django.test import Client, TransactionTestCase
from playwright.sync_api import Browser, expect, sync_playwright
from pytest_django import DjangoDbBlocker

from accounts.models import Brand, User
from accounts.roles import Role
from channels_ingest.models import Channel
from tests import cleaning, template
from tests.cast import make_channel, make_user
from tests.chromium import ARGUMENTS, executable

PATIENCE_MS = 30_000  # of an expectation in a browser: much more than needed, for a machine that is busy

BrowserOf = Callable[[User], Client]


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, django_db_blocker: DjangoDbBlocker
) -> None:
    """The worker's database is a copy of the one that is migrated once in a run, which takes five seconds of CPU."""
    with django_db_blocker.unblock():
        connection.settings_dict["TEST"]["TEMPLATE"] = template.migrated()


@pytest.fixture(scope="session", autouse=True)
def _only_what_was_filled_is_emptied() -> Iterator[None]:
    with patch.object(TransactionTestCase, "_fixture_teardown", cleaning.clean):
        yield


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


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The browser of the browser tests."""
    # Playwright keeps an event loop in this thread, which makes Django careful; what these tests do with the database
    # outside of `offstage` is only pytest-django's own setting up and cleaning.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=ARGUMENTS)
        yield browser
        browser.close()
