"""Reading nodes and edges of Graph."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from .. import acts, ids
from ..site import serve
from ..things import Item, Member, Message
from . import documented, errors
from .blocking import blocked
from .call import JSON, Call, endpoint
from .errors import GraphError
from .fields import Field

EDGES = ("feed", "posts", "published_posts", "visitor_posts", "tagged")


@endpoint
async def node(call: Call, name: str) -> Any:
    renderer = call.renderer()
    member = call.member(name)
    if member is not None:
        return renderer.page_node(member, call.fields) if member.brand else renderer.person(member, call.fields)
    if name.startswith("t_"):
        _own_conversation(call, name)
        return renderer.conversation(name, call.fields)
    body = renderer.message(_own_message(call, name), call.fields) if name.startswith("m_") else None
    if body is None:
        body = renderer.item(call.item(name), call.fields)
    serve(call.request, "node", renderer.shown)
    return body


@endpoint
async def several(call: Call, _node: str) -> Any:
    """`GET /?ids=a,b`: an object by id; as on Graph, one missing id fails the whole call."""
    renderer = call.renderer()
    wanted = [one for one in call.given.get("ids", "").split(",") if one]
    if not wanted or len(wanted) > 50:
        raise errors.bad_parameter("The parameter ids is required (at most 50)")
    body = {one: renderer.item(call.item(one), call.fields) for one in wanted}
    serve(call.request, "ids", renderer.shown)
    return body


@endpoint
async def edge(call: Call, name: str) -> Any:
    wanted = call.request.match_info["edge"]
    if wanted in EDGES and name == call.page.id:
        return _posts(call, wanted)
    of_the_page = {"conversations": _conversations, "subscribed_apps": _subscribed, "blocked": blocked}
    if wanted in of_the_page and name == call.page.id:
        return of_the_page[wanted](call)
    if wanted == "messages" and name.startswith("t_"):
        return _messages(call, name)
    if wanted == "picture":
        return _picture(call, name)
    return _edge_of_item(call, call.item(name), wanted)


def _edge_of_item(call: Call, item: Item, wanted: str) -> Any:
    if wanted == "comments":
        return _comments(call, item)
    known = documented.COMMENT_EDGES if item.post else documented.POST_EDGES
    if wanted not in known:
        raise GraphError(f"(#2500) Unknown path components: /{wanted}", 2500)
    body = call.renderer().item(item, [Field(wanted)]) if wanted in ("likes", "reactions", "attachments", "to") else {}
    return body.get(wanted, {"data": []})


def _comments(call: Call, item: Item) -> Any:
    call.need("pages_read_user_content")
    renderer = call.renderer()
    body = renderer.comments(item, call.options, call.fields)
    _stir(call, body, item)
    serve(call.request, "comments", renderer.shown)
    return body


def _posts(call: Call, wanted: str) -> Any:
    call.need("pages_read_engagement")
    renderer = call.renderer()
    mine = [call.world.items["facebook"][one] for one in call.world.page_posts.get(call.page.id, [])]
    chosen = [item for item in mine if call.world.visible(item) and _belongs(item, wanted, call.page)]
    chosen.sort(key=lambda item: int(item.id.split("_")[1]), reverse=True)
    fields = call.fields
    body = renderer.listing(chosen, lambda one: renderer.item(one, fields), call.options, f"{call.page.id}/{wanted}")
    _stir(call, body, None)
    serve(call.request, wanted, renderer.shown)
    return body


def _belongs(item: Item, wanted: str, page: Member) -> bool:
    ours = item.author == page.id
    tagged = not item.id.startswith(page.id + "_")
    if wanted in ("posts", "published_posts"):
        return ours
    if wanted == "visitor_posts":
        return not ours and not tagged
    return tagged if wanted == "tagged" else True


def _stir(call: Call, body: JSON, item: Item | None) -> None:
    """Weather: something is written while someone pages."""
    if "next" not in body.get("paging", {}):
        return
    weather = call.site.weather
    if weather.strikes("insert_while_paging", "facebook", method="GET", path=call.request.path, account=call.page.id):
        known = call.world.by_username("facebook", "passer_by")
        person = known or acts.create_person(call.world, handle="passer_by", name="Passer-by")["facebook"]
        text = f"written while you page {ids.secret()[:8]}"
        if item is None:
            acts.post_on_page(call.world, call.page, person, text)
        else:
            acts.comment(call.world, item, person, text)


def _conversations(call: Call) -> Any:
    call.need("pages_messaging")
    if call.given.get("platform", "messenger") != "messenger":
        return {"data": []}
    renderer = call.renderer()
    mine = {call.world.messages[one].conversation for one in call.world.mailbox.get(("facebook", call.page.id), [])}
    wanted = call.given.get("user_id")
    if wanted:
        mine = {one for one in mine if renderer.scoped(renderer.partner(one)) == wanted}
    newest_first = sorted(mine, key=lambda one: (renderer.last_of(one).created, one), reverse=True)
    fields = call.fields
    edge_path = f"{call.page.id}/conversations"
    body = renderer.listing(newest_first, lambda one: renderer.conversation(one, fields), call.options, edge_path)
    serve(call.request, "conversations", renderer.shown)
    return body


def _own_conversation(call: Call, conversation: str) -> None:
    found = call.world.conversations.get(("facebook", conversation))
    if not found or call.page.id not in call.world.page_and_user(call.world.messages[found[0]]):
        raise errors.gone(conversation)


def _own_message(call: Call, message_id: str) -> Message:
    message = call.world.messages.get(message_id)
    if message is None or message.deleted or call.page.id not in (message.sender, message.recipient):
        raise errors.gone(message_id)
    return message


def _messages(call: Call, conversation: str) -> Any:
    call.need("pages_messaging")
    _own_conversation(call, conversation)
    renderer = call.renderer()
    body = renderer.messages(conversation, call.options, call.fields)
    serve(call.request, "messages", renderer.shown)
    return body


def _subscribed(call: Call) -> Any:
    fields = call.world.page_subscriptions.get(call.page.id)
    if not fields:
        return {"data": []}
    return {
        "data": [{"id": call.token.app, "name": "Sandbox app", "link": "", "category": "", "subscribed_fields": fields}]
    }


def _picture(call: Call, name: str) -> Any:
    member = call.member(name)
    if member is None:
        raise errors.gone(name)
    renderer = call.renderer()
    wanted = [Field("picture")]
    shown = renderer.page_node(member, wanted) if member.brand else renderer.person(member, wanted)
    if call.given.get("redirect") in ("0", "false"):
        return shown["picture"]
    raise web.HTTPFound(shown["picture"]["data"]["url"])
