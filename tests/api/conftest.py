"""Programs that speak to the API: a caller for each of the cast, and one customer's matter."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from accounts.models import ApiKey
from channels_ingest.networks.base import Action
from conversations.models import Promise, Thread
from conversations.record import record
from conversations.reply import Vow, reply
from tests.cast import said

if TYPE_CHECKING:
    from collections.abc import Iterator

    from accounts.models import User
    from channels_ingest.models import Channel

API = "/api/v1/"


@dataclass(slots=True)
class Caller:
    """A program that holds a token."""

    token: str
    client: Client = field(default_factory=Client)

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(_address(path), query, headers=self._headers({}))

    def get_with(self, path: str, headers: dict[str, str]) -> Any:
        return self.client.get(_address(path), headers=self._headers(headers))

    def post(self, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        content = {} if body is None else body
        return self.client.post(_address(path), content, "application/json", headers=self._headers(headers or {}))

    def send(self, path: str, body: bytes, content_type: str = "application/json", **headers: str) -> Any:
        return self.client.post(_address(path), body, content_type, headers=self._headers(headers))

    def _headers(self, more: dict[str, str]) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} | more


def _address(path: str) -> str:
    return path if path.startswith(("/", "http")) else API + path


def caller_for(user: User) -> Caller:
    return Caller(ApiKey.issue(user=user, name="a program")[1])


@pytest.fixture(autouse=True)
def fresh_throttle() -> Iterator[None]:
    """What earlier tests asked does not count."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def program(agent: User) -> Caller:
    """A program of the agent."""
    return caller_for(agent)


@pytest.fixture
def foreign_program(stranger: User) -> Caller:
    """A program of an agent of another brand."""
    return caller_for(stranger)


@pytest.fixture
def thread(channel: Channel) -> Thread:
    """Maya's public complaint."""
    record(channel, [said("1")])
    return Thread.objects.get()


@pytest.fixture
def promise(thread: Thread, agent: User) -> Promise:
    """What the agent promised Maya."""
    vow = Vow("New stakes by Friday", timezone.now() + timedelta(days=2), agent)
    said = reply(thread, by=agent, text="New stakes by Friday!", action=Action.REPLY, key=uuid.uuid4(), vow=vow)
    return Promise.objects.get(interaction=said)
