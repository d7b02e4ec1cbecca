"""Who may use the API, and what a stranger sees of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.test import Client

from accounts.models import ApiKey
from accounts.roles import MATRIX, Role
from tests.api.conftest import API, Caller, caller_for

if TYPE_CHECKING:
    from accounts.models import Brand, User
    from conversations.models import Thread

LISTS = (
    "me/",
    "channels/",
    "contacts/",
    "identities/",
    "threads/",
    "interactions/",
    "promises/",
    "articles/",
    "teams/",
    "blockings/",
    "pictures/",
)


@pytest.mark.parametrize("path", LISTS)
def test_without_a_token_nothing_is_told(db: None, path: str) -> None:
    answer = Client().get(API + path)
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "not_authenticated"
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_session_of_the_web_pages_is_no_token(agent: User) -> None:
    client = Client()
    client.force_login(agent)
    assert client.get(API + "me/").status_code == 401


def test_a_revoked_token_opens_nothing(agent: User, program: Caller) -> None:
    ApiKey.objects.update(revoked_at=agent.created_at)
    answer = program.get("me/")
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "authentication_failed"


def test_the_token_of_a_user_who_left_opens_nothing(agent: User, program: Caller) -> None:
    agent.is_active = False
    agent.save(update_fields=("is_active",))
    assert program.get("me/").status_code == 401


@pytest.mark.parametrize("header", ["Bearer", "Bearer a b", "Bearer \xff\xfe", "Basic YTpi", "Bearer " + "x" * 5000])
def test_a_malformed_authorization_is_refused(db: None, header: str) -> None:
    assert Client().get(API + "me/", headers={"Authorization": header}).status_code == 401


def test_me_tells_role_permissions_and_brands(program: Caller, brand: Brand) -> None:
    told = program.get("me/").json()
    assert told["role"] == "agent"
    assert told["permissions"] == ["read", "reply"]
    assert [one["slug"] for one in told["brands"]] == ["trailhead"]


def test_a_role_without_the_permission_is_refused(
    program: Caller, thread: Thread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(MATRIX, Role.AGENT, frozenset({"read"}))
    assert program.get(f"threads/{thread.pk}/").status_code == 200
    answer = program.post(f"threads/{thread.pk}/close/")
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "permission_denied"


@pytest.mark.parametrize("kind", ["channels", "contacts", "identities", "threads", "interactions"])
def test_a_stranger_finds_no_record(program: Caller, foreign_program: Caller, thread: Thread, kind: str) -> None:
    own = program.get(f"{kind}/").json()["results"]
    assert own
    assert foreign_program.get(f"{kind}/").json()["results"] == []
    assert foreign_program.get(f"{kind}/{own[0]['id']}/").status_code == 404


@pytest.mark.parametrize("deed", ["reply", "assign", "snooze", "close", "reopen", "notes", "tags"])
def test_a_stranger_can_do_nothing_to_a_thread(foreign_program: Caller, thread: Thread, deed: str) -> None:
    answer = foreign_program.post(f"threads/{thread.pk}/{deed}/", {}, {"Idempotency-Key": "k"})
    assert answer.status_code == 404


@pytest.mark.parametrize("kind", ["contacts", "identities", "threads", "interactions", "channels"])
def test_filtering_by_a_foreign_brand_shows_nothing(foreign_program: Caller, thread: Thread, kind: str) -> None:
    query = {} if kind == "identities" else {"brand": thread.brand_id}
    assert foreign_program.get(f"{kind}/", **query).json()["results"] == []


def test_an_admin_sees_every_brand(admin: User, thread: Thread) -> None:
    assert len(caller_for(admin).get("threads/").json()["results"]) == 1


def test_no_secret_of_a_channel_leaves(program: Caller, thread: Thread) -> None:
    told = program.get(f"channels/{thread.channel_id}/").json()
    assert not {"credentials", "app", "settings", "base_url", "secrets"} & told.keys()


def test_other_origins_are_not_invited(program: Caller, thread: Thread) -> None:
    answer = program.get_with("threads/", {"Origin": "https://elsewhere.example"})
    assert not [name for name in answer.headers if name.lower().startswith("access-control-")]
