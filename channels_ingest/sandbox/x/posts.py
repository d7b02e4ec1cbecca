"""Reading posts: one by one, and in lists."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice

from aiohttp import web

from .. import acts, ids
from ..ledger import now_ms
from ..site import serve
from ..things import Item, Member, Timeline
from . import asking, problems, search
from .call import JSON, Call, NothingThere, endpoint, list_of
from .paging import bounds_of, meta_of, page_token

DAY_MS = 86_400_000


# -- one by one -------------------------------------------------------------------------------------------------------


@endpoint("posts", scope="tweet.read")
async def posts(call: Call) -> web.Response:
    values = [asking.numeric_id("ids", value) for value in list_of(call, "ids")]
    renderer = call.renderer(call.ask(asking.POST_EXPANSIONS))
    found: list[Item] = []
    for value in values:
        item = call.world.items["x"].get(value)
        if item is not None and _may_see(call, item):
            found.append(item)
        else:
            renderer.errors.append(_why_not(item, "ids", value, call.dialect))
    serve(call.request, "posts", [item.id for item in found])
    return call.answer(renderer.post_list(found))


@endpoint("posts", scope="tweet.read")
async def post(call: Call) -> web.Response:
    value = asking.numeric_id("id", call.request.match_info["id"])
    item = call.world.items["x"].get(value)
    if item is None or not _may_see(call, item):
        raise NothingThere(_why_not(item, "id", value, call.dialect))
    serve(call.request, "post", [item.id])
    return call.answer(call.renderer(call.ask(asking.POST_EXPANSIONS)).one_post(item))


def _may_see(call: Call, item: Item) -> bool:
    return call.world.visible(item) or (not item.deleted and call.me is not None and item.author == call.me.id)


def _why_not(item: Item | None, parameter: str, value: str, dialect: problems.Dialect) -> JSON:
    if item is None or item.deleted:
        return problems.not_found(parameter, value, "tweet", dialect)
    return problems.not_authorized(parameter, value, "tweet", dialect)


# -- lists ------------------------------------------------------------------------------------------------------------


@endpoint("mentions", scope="tweet.read")
async def mentions(call: Call) -> web.Response:
    member = call.user(call.request.match_info["id"])
    timeline = call.world.mentioning.get(member.username.lower(), Timeline())
    return _post_page(
        call, "mentions", timeline, reach=call.settings["mention_limit"], bounds=(5, 100, 10), member=member
    )


@endpoint("timeline", scope="tweet.read")
async def timeline(call: Call) -> web.Response:
    member = call.user(call.request.match_info["id"])
    own = call.world.by_author.get(member.id, Timeline())
    without_replies = "replies" in call.query.get("exclude", "").split(",")
    return _post_page(
        call, "timeline", own, reach=call.settings["timeline_limit"], bounds=(5, 100, 10), member=member,
        test=(lambda item: item.parent is None) if without_replies else None,
    )  # fmt: skip


@endpoint("search", scope="tweet.read")
async def search_recent(call: Call) -> web.Response:
    given = call.query.get("query", "")
    try:
        query = search.parse(given)
    except search.BadQuery as error:
        raise problems.invalid("query", given, str(error)) from None
    source = _trees(call, query.conversations) if query.conversations else call.world.timeline
    days = call.settings["search_days"]
    oldest = now_ms() - days * DAY_MS if days else 0

    def test(item: Item) -> bool:
        return item.created >= oldest and query.test(call.world, item)

    return _post_page(call, "search", source, reach=None, bounds=(10, 100, 10), test=test)


def _trees(call: Call, roots: Iterable[str]) -> Timeline:
    """All posts of these conversations."""
    found = Timeline()
    for root_id in dict.fromkeys(roots):
        root = call.world.items["x"].get(root_id)
        versions = [version.id for version in call.world.versions(root)] if root else []
        for item_id in versions:
            found.add(item_id)
        for top in versions or [root_id]:
            for item in call.world.below("x", top):
                found.add(item.id)
    return found


def _post_page(
    call: Call, name: str, timeline: Timeline, *, reach: int | None, bounds: tuple[int, int, int],
    test: Callable[[Item], bool] | None = None, member: Member | None = None,
) -> web.Response:  # fmt: skip
    """One page of posts, newest first, with X's bounds and paging tokens."""
    asked = call.ask(asking.POST_EXPANSIONS)
    size = asking.number(call.query, "max_results", *bounds)
    below, above = bounds_of(call)
    start, end = asking.moment(call.query, "start_time"), asking.moment(call.query, "end_time")

    def wanted(item_id: str) -> bool:
        item = call.world.items["x"][item_id]
        return (
            item.newer is None
            and _may_see(call, item)
            and (start is None or item.created >= start)
            and (end is None or item.created < end)
            and (test is None or test(item))
        )

    direction, edge = page_token(call)
    if direction == "newer":
        newer = islice(filter(wanted, timeline.oldest_first(above=edge, reach=reach)), size)
        found, more = list(newer)[::-1], True
    else:
        skip = int(edge or 0) if direction == "skip" else 0
        edges = [one for one in (edge if direction == "older" else None, below) if one]
        limit = min(edges, key=int) if edges else None
        listed = filter(wanted, timeline.newest_first(below=limit, above=above, reach=reach))
        chosen = list(islice(listed, skip, skip + size + 1))
        found, more = chosen[:size], len(chosen) > size
    weather = call.site.weather
    account = call.token.account
    if more and weather.strikes("empty_page", "x", method="GET", path=call.request.path, account=account):
        again = str(int(found[0]) + 1)
        return call.answer({"meta": {"result_count": 0, "next_token": ids.to_cursor("older", again)}})
    if (
        more
        and member
        and weather.strikes("insert_while_paging", "x", method="GET", path=call.request.path, account=account)
    ):
        acts.post_on_x(call.world, _passer_by(call), f"@{member.username} written while you page {ids.secret()[:8]}")
    serve(call.request, name, found)
    body = call.renderer(asked).post_list([call.world.items["x"][one] for one in found])
    meta = meta_of(found, more=more, paged=edge is not None and name != "search")
    if more and direction != "newer":
        if weather.strikes("offset_tokens", "x", method="GET", path=call.request.path, account=account):
            meta["next_token"] = ids.to_cursor("skip", str(skip + len(found)))
        if weather.strikes("delete_while_paging", "x", method="GET", path=call.request.path, account=account):
            acts.delete(call.world, call.world.items["x"][found[0]])
    return call.answer({**body, "meta": meta})


def _passer_by(call: Call) -> Member:
    known = call.world.by_username("x", "passer_by")
    return known or acts.create_person(call.world, handle="passer_by", name="Passer-by")["x"]
