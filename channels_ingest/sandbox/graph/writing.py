"""Writing to Graph: publishing, commenting, changing, deleting, subscribing."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from .. import acts, uploads
from ..things import Item
from . import errors
from .blocking import block, people_named
from .call import Call, endpoint
from .errors import GraphError
from .messenger import LARGEST_PHOTO, send

COMMENT_LIMIT = 8000


@endpoint
async def write(call: Call, name: str) -> Any:
    """POST on a node: hide or show a comment, edit our own."""
    item = call.item(name)
    if "is_hidden" in call.given:
        return _hide(call, item)
    if "message" in call.given:
        call.need("pages_manage_engagement")
        if item.author != call.page.id:
            raise errors.no_permission("pages_manage_engagement")
        acts.edit(call.world, item, call.given["message"], via="api")
        return {"success": True}
    raise errors.bad_parameter("The parameter message or is_hidden is required")


def _hide(call: Call, item: Item) -> Any:
    call.need("pages_manage_engagement")
    wanted = call.given["is_hidden"].lower()
    if wanted not in ("true", "false", "1", "0"):
        raise errors.bad_parameter("Param is_hidden must be a boolean")
    if item.author == call.page.id:
        raise GraphError("(#100) You can't hide your own comment", 100)
    acts.hide(call.world, item, wanted in ("true", "1"))
    return {"success": True}


@endpoint
async def write_edge(call: Call, name: str) -> Any:
    wanted = call.request.match_info["edge"]
    to_the_page = {"feed": _publish, "subscribed_apps": _subscribe, "blocked": block}
    if wanted in to_the_page and name == call.page.id:
        return to_the_page[wanted](call)
    if wanted == "messages" and name == call.page.id:
        return await send(call)
    if wanted == "photos" and name == call.page.id:
        return await _photo(call)
    if wanted == "comments":
        return _comment(call, call.item(name))
    if wanted == "likes":
        call.need("pages_manage_engagement")
        acts.like(call.world, call.item(name), call.page)
        return {"success": True}
    raise GraphError(f"(#2500) Unknown path components: /{wanted}", 2500)


def _text(call: Call, limit: int) -> str:
    text = call.given.get("message", "")
    if not text.strip():
        raise errors.bad_parameter("The parameter message is required")
    if len(text) > limit:
        raise errors.bad_parameter(f"Param message must be at most {limit} characters long")
    return text


def _comment(call: Call, parent: Item) -> Any:
    call.need("pages_manage_engagement")
    attached = call.given.get("attachment_id")
    try:
        media = [uploads.of(call.world, call.page, attached).media] if attached else None
    except acts.Refused:
        raise errors.bad_parameter("Param attachment_id must be a valid photo id") from None
    made = acts.comment(call.world, parent, call.page, _text(call, COMMENT_LIMIT), via="api", media=media)
    return {"id": made.id}


async def _photo(call: Call) -> Any:
    """https://developers.facebook.com/docs/graph-api/reference/page/photos: unpublished, to be attached."""
    call.need("pages_manage_posts")
    source = (await call.request.post()).get("source")
    if call.given.get("published") != "false" or not isinstance(source, web.FileField):
        raise errors.bad_parameter("Param source must be a file, and published false")
    try:
        return {"id": uploads.keep(call.world, call.page, source.file.read(), largest=LARGEST_PHOTO).id}
    except acts.Refused:
        raise errors.bad_parameter("Invalid parameter: the photo cannot be read, or it is too large") from None


def _publish(call: Call) -> Any:
    call.need("pages_manage_posts")
    made = acts.post_on_page(call.world, call.page, call.page, _text(call, 63_206), via="api")
    return {"id": made.id}


def _subscribe(call: Call) -> Any:
    call.need("pages_manage_metadata")
    fields = [one for one in call.given.get("subscribed_fields", "").replace(" ", "").split(",") if one]
    if not fields:
        raise errors.bad_parameter("Param subscribed_fields must be non-empty.")
    call.world.record("page.subscribed", page=call.page.id, app=call.token.app, fields=fields)
    return {"success": True}


@endpoint
async def remove(call: Call, name: str) -> Any:
    item = call.item(name)
    call.need("pages_manage_engagement")
    if item.post is None and item.author != call.page.id and not item.id.startswith(call.page.id):
        raise errors.no_permission("pages_manage_posts")
    acts.delete(call.world, item, via="api")
    return {"success": True}


@endpoint
async def remove_edge(call: Call, name: str) -> Any:
    if call.request.match_info["edge"] == "subscribed_apps" and name == call.page.id:
        call.world.record("page.subscribed", page=call.page.id, app=call.token.app, fields=[])
        return {"success": True}
    if call.request.match_info["edge"] == "blocked" and name == call.page.id:
        for who in people_named(call).values():
            acts.block(call.world, call.page, who, on=False)
        return {"success": True}
    raise GraphError("(#100) Unsupported delete request.", 100, 33)
