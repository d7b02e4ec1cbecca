"""Users of X, by id and by name."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from ..things import Member
from . import asking, problems
from .call import JSON, Call, NothingThere, endpoint, list_of


@endpoint("me", scope="users.read", user_only=True)
async def me(call: Call) -> web.Response:
    return call.answer(call.renderer(call.ask(asking.USER_EXPANSIONS)).one_user(call.account))


@endpoint("users", scope="users.read")
async def user(call: Call) -> web.Response:
    member = call.user(call.request.match_info["id"])
    return _one_user(call, member, "id", member.id)


@endpoint("users", scope="users.read")
async def user_by_username(call: Call) -> web.Response:
    username = call.request.match_info["username"]
    member = call.world.by_username("x", username)
    if member is None:
        raise NothingThere(problems.not_found("username", username, "user", call.dialect))
    return _one_user(call, member, "username", username)


def _one_user(call: Call, member: Member, parameter: str, value: str) -> web.Response:
    if member.suspended:
        raise NothingThere(_suspended(parameter, value, call.dialect))
    return call.answer(call.renderer(call.ask(asking.USER_EXPANSIONS)).one_user(member))


@endpoint("users", scope="users.read")
async def users(call: Call) -> web.Response:
    return _user_list(call, "ids", lambda value: call.world.member("x", asking.numeric_id("ids", value)))


@endpoint("users", scope="users.read")
async def users_by_usernames(call: Call) -> web.Response:
    return _user_list(call, "usernames", lambda value: call.world.by_username("x", value))


def _user_list(call: Call, parameter: str, find: Callable[[str], Member | None]) -> web.Response:
    values = list_of(call, parameter)
    renderer = call.renderer(call.ask(asking.USER_EXPANSIONS))
    found = [(value, find(value)) for value in values]
    for value, member in found:
        if member is None:
            renderer.errors.append(problems.not_found(parameter, value, "user", call.dialect))
        elif member.suspended:
            renderer.errors.append(_suspended(parameter, value, call.dialect))
    return call.answer(renderer.user_list(member for _, member in found if member is not None and not member.suspended))


def _suspended(parameter: str, value: str, dialect: problems.Dialect) -> JSON:
    error = problems.not_found(parameter, value, "user", dialect)
    return error | {"title": "Forbidden", "detail": f"User has been suspended: [{value}]."}
