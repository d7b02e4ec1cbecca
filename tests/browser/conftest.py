"""A server of the whole product (pages and live updates) on the test database, and browsers that are signed in."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from typing import Any, TypeVar

import pytest
import uvicorn
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import connections
from playwright.sync_api import Browser, Page, expect
from psycopg2.sql import SQL, Identifier
from pytest_django import DjangoDbBlocker

from accounts.models import User
from channels_ingest.models import Channel
from channels_ingest.networks.base import Post
from conversations.models import Thread
from conversations.record import record
from scrm.embedded.processes import wait_until
from tests.cast import MAYA, said

Result = TypeVar("Result")
Offstage = Callable[[Callable[[], Result]], Result]
Desk = Callable[..., Page]

FIRST = said("1", MAYA, "@trailhead no stakes in the box!")

DEADLINE_SECONDS = 60
WAIT_MS = 30_000  # much more than needed, for a machine that is busy


def live(page: Page) -> None:
    """Waits until live updates reach the page."""
    expect(page.locator("body")).to_have_attribute("data-connection", "up")


@pytest.fixture
def offstage(transactional_db: None) -> Iterator[Offstage[object]]:
    """Runs something as another process would: in a thread of its own, with its own database connection."""
    with ThreadPoolExecutor(max_workers=1) as pool:

        def run(deed: Callable[[], Result]) -> Result:
            return pool.submit(deed).result()

        yield run
        pool.submit(connections.close_all).result()


@pytest.fixture
def says(channel: Channel, offstage: Offstage[object]) -> partial[object]:
    """The customer's network brings posts while the agent looks."""

    def tell(*posts: Post) -> object:
        return offstage(lambda: record(channel, posts))

    return partial(tell)


@pytest.fixture
def thread(says: partial[object], offstage: Offstage[Thread]) -> Thread:
    says(FIRST)
    return offstage(Thread.objects.get)


class Counted:
    """An application, and how many requests and connections it is serving now."""

    def __init__(self, application: Any) -> None:
        self._application = application
        self._serving = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self._serving += 1
        try:
            await self._application(scope, receive, send)
        finally:
            self._serving -= 1

    def is_idle(self) -> bool:
        """True when nothing of it touches the database any more."""
        return self._serving == 0


@pytest.fixture(scope="session")
def running(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[tuple[str, Counted]]:
    """The product, started once on the test database, and its address."""
    from scrm.asgi import application

    with socket.create_server(("127.0.0.1", 0)) as listener:
        counted = Counted(application)
        web = uvicorn.Server(uvicorn.Config(counted, log_level="warning", lifespan="off", timeout_graceful_shutdown=1))
        thread = threading.Thread(target=web.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        _await(lambda: web.started, "The server did not come up.")
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", counted
        web.should_exit = True
        thread.join(DEADLINE_SECONDS)
    with django_db_blocker.unblock():
        _hang_up()


@pytest.fixture
def server(transactional_db: None, running: tuple[str, Counted]) -> Iterator[str]:
    """The address of the product. Its tables are emptied only when it serves nobody any more."""
    address, counted = running
    yield address
    _await(counted.is_idle, "The server is still at work.")


def _hang_up() -> None:
    """Ends the connections that the server's threads keep, and lets none come back: the test database is dropped."""
    database = connections["default"]
    name = database.settings_dict["NAME"]
    database.close()
    with database._nodb_cursor() as cursor:
        cursor.execute(SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(Identifier(name)))
        cursor.execute("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = %s", [name])


def _await(done: Callable[[], bool], otherwise: str) -> None:
    if not wait_until(done, DEADLINE_SECONDS):
        raise TimeoutError(otherwise)


@pytest.fixture
def desk(chromium: Browser, server: str, offstage: Offstage[str]) -> Iterator[Desk]:
    """Opens a browser in which that user is signed in. Whatever goes wrong in its scripts fails the test."""
    complaints: list[str] = []
    with ExitStack() as open_desks:
        expect.set_options(timeout=WAIT_MS)
        open_desks.callback(expect.set_options, timeout=None)

        def sit_down(user: User, *, width: int = 1440, height: int = 900, scripts: bool = True) -> Page:
            context = chromium.new_context(
                base_url=server,
                viewport={"width": width, "height": height},
                java_script_enabled=scripts,
                reduced_motion="reduce",
            )
            open_desks.callback(context.close)
            context.set_default_timeout(WAIT_MS)
            key = offstage(lambda: _session(user))
            context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": key, "url": server}])
            page = context.new_page()
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on("console", lambda line: complaints.append(line.text) if _forbidden(line.text) else None)
            return page

        yield sit_down
    assert complaints == []


def _forbidden(line: str) -> bool:
    """Whether the browser complains of something that our own policy forbids."""
    return "Content Security Policy" in line


def _session(user: User) -> str:
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    key = session.session_key
    if key is None:
        raise RuntimeError("The session was not stored.")
    return key
