"""People whom a Page blocked. https://developers.facebook.com/docs/graph-api/reference/page/blocked"""

from __future__ import annotations

from typing import Any

from .. import acts
from ..things import Member
from . import errors
from .call import Call


def blocked(call: Call) -> Any:
    """https://developers.facebook.com/docs/graph-api/reference/page/blocked"""
    call.need("pages_manage_engagement")
    found = [call.world.member("facebook", one) for one in call.world.blocked.get(call.page.id, [])]
    return {"data": [{"id": call.world.know(call.page.id, one.id), "name": one.name} for one in found if one]}


def people_named(call: Call) -> dict[str, Member]:
    """The people that `user` or `psid` names (one, several with commas, or a JSON list), by the id that was given."""
    for scope in ("pages_manage_engagement", "pages_messaging"):
        call.need(scope)
    given = call.given.get("user") or call.given.get("psid") or ""
    named = [one.strip(' "') for one in given.strip("[]").split(",") if one.strip(' "')]
    if not named:
        raise errors.bad_parameter("The parameter user is required")
    people = {one: call.member(one) for one in named}
    unknown = [one for one, member in people.items() if member is None or member.brand]
    if unknown:
        raise errors.bad_parameter(f"Param user must be a list of valid user ids, not {unknown[0]}")
    return {one: member for one, member in people.items() if member is not None}


def block(call: Call) -> Any:
    people = people_named(call)
    for who in people.values():
        acts.block(call.world, call.page, who)
    return dict.fromkeys(people, True)
