"""Errors have one shape, whatever refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.db import OperationalError
from django.test import Client

from accounts.rest.throttle import TokenThrottle
from conversations.models import ThreadQuerySet
from tests.api.conftest import Caller, caller_for

if TYPE_CHECKING:
    from accounts.models import User
    from conversations.models import Thread


def shaped(answer: Any, status: int, code: str) -> bool:
    """Whether the answer is an error of that status and code, in the one shape."""
    told = answer.json()
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/json"
    assert told["error"]["code"] == code
    return set(told) == {"error"} and set(told["error"]) <= {"code", "message", "fields"}


def test_an_address_that_is_none(program: Caller) -> None:
    assert shaped(program.get("nothing/"), 404, "not_found")


def test_an_address_without_its_slash(program: Caller) -> None:
    assert shaped(program.get("threads"), 404, "not_found")


def test_a_record_that_is_none(program: Caller) -> None:
    assert shaped(program.get("threads/1/"), 404, "not_found")


@pytest.mark.parametrize("method", ["put", "patch", "delete", "options", "trace", "post"])
def test_a_method_that_is_none(program: Caller, method: str) -> None:
    ask = getattr(program.client, method)
    answer = ask("/api/v1/threads/", headers={"Authorization": f"Bearer {program.token}"})
    assert shaped(answer, 405, "method_not_allowed")
    assert "GET" in answer.headers["Allow"]


def test_a_format_that_is_none(program: Caller) -> None:
    assert shaped(program.get_with("threads/", {"Accept": "text/html"}), 406, "not_acceptable")


def test_more_parameters_than_anybody_needs(program: Caller) -> None:
    assert shaped(program.get("/api/v1/threads/?" + "&".join(f"p{n}=1" for n in range(1100))), 400, "parse_error")


def test_too_many_requests_are_told_when_to_come_again(
    program: Caller, colleague: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TokenThrottle, "rate", "2/min", raising=False)
    assert [program.get("me/").status_code for _ in range(2)] == [200, 200]
    refused = program.get("me/")
    assert shaped(refused, 429, "throttled")
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert caller_for(colleague).get("me/").status_code == 200


def test_a_database_that_is_away(program: Caller, thread: Thread, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise OperationalError("server closed the connection; host=db password=hunter2")

    monkeypatch.setattr(ThreadQuerySet, "visible_to", away)
    answer = program.get("threads/")
    assert shaped(answer, 503, "unavailable")
    assert answer.headers["Retry-After"] == "5"
    assert b"hunter2" not in answer.content


def test_a_mistake_of_ours_is_told_without_its_details(
    program: Caller, thread: Thread, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(ThreadQuerySet, "visible_to", broken)
    program.client = Client(raise_request_exception=False)
    answer = program.get("threads/")
    assert shaped(answer, 500, "server_error")
    assert b"secret" not in answer.content
