"""The pages of X's lists: where one begins, and what is told of the next."""

from __future__ import annotations

from .. import ids
from . import asking, problems
from .call import JSON, Call


def bounds_of(call: Call) -> tuple[str | None, str | None]:
    below, above = call.query.get("until_id"), call.query.get("since_id")
    for name, value in (("until_id", below), ("since_id", above)):
        if value is not None:
            asking.numeric_id(name, value)
    return below, above


def page_token(call: Call) -> tuple[str, str | None]:
    """Direction and the id to go on from."""
    token = call.query.get("pagination_token") or call.query.get("next_token")
    if token is None:
        return "older", None
    try:
        direction, edge = ids.from_cursor(token)
    except ValueError:
        direction, edge = "", ""
    expired = call.site.weather.strikes("page_token_expired", "x", path=call.request.path, account=call.token.account)
    if expired or direction not in ("older", "newer", "skip") or not asking.NUMERIC_ID.fullmatch(edge):
        raise problems.invalid("pagination_token", token, "The `pagination_token` query parameter value is not valid")
    return direction, edge


def meta_of(found: list[str], *, more: bool, paged: bool) -> JSON:
    meta: JSON = {"result_count": len(found)}
    if found:
        meta |= {"newest_id": found[0], "oldest_id": found[-1]}
        if more:
            meta["next_token"] = ids.to_cursor("older", found[-1])
        if paged:
            meta["previous_token"] = ids.to_cursor("newer", found[0])
    return meta
