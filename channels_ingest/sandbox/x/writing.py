"""Writing, deleting and hiding posts, and putting pictures in."""

from __future__ import annotations

import base64
import binascii
from itertools import islice
from typing import Any

from aiohttp import web

from .. import acts, uploads
from .. import text as texts
from ..things import Item, Timeline
from ..world import mentioned
from . import asking, problems
from .call import JSON, Call, endpoint

DUPLICATE = "You are not allowed to create a Tweet with duplicate content."
UNSUMMONED = (
    "Reply to this conversation is not allowed because you have not been mentioned or otherwise engaged by the author "
    "of the post you are replying to."
)
DUPLICATES_LOOKED_AT = 200
MOST_PICTURES = 4
LARGEST_PICTURE = 5 * 1024 * 1024  # bytes
LONGEST_ALT = 1000


@endpoint("post", scope="tweet.write", user_only=True)
async def create_post(call: Call) -> web.Response:
    asked = await call.body()
    text = asked.get("text", "")
    if not isinstance(text, str) or not text.strip():
        raise problems.invalid("text", str(text), "`text` is missing or empty")
    if texts.weighted_length(text) > texts.LIMIT and not call.account.verified:
        raise problems.invalid("text", "", f"The text is longer than {texts.LIMIT} weighted characters")
    parent = _named_post(call, asked.get("reply"), "in_reply_to_tweet_id")
    if parent is not None:
        _must_be_summoned(call, parent)
    previous = _named_post(call, asked.get("edit_options"), "previous_post_id")
    quoted = _named_post(call, asked, "quote_tweet_id")
    _must_be_new(call, text, parent)
    media = pictures(call, asked.get("media"), "media_ids")
    item = _write(call, text, parent, quoted, previous, media=media)
    data: JSON = {"id": item.id, "text": item.text}
    if call.dialect == "tweet":
        data |= {"edit_history_tweet_ids": item.history or [item.id]}
    return call.answer({"data": data}, status=201)


def pictures(call: Call, named: Any, name: str) -> list[JSON] | None:
    """The pictures that a request body names by their ids. Raises Problem."""
    wanted = named.get(name) if isinstance(named, dict) else None
    if wanted is None:
        return None
    if not isinstance(wanted, list) or not 1 <= len(wanted) <= MOST_PICTURES:
        raise problems.invalid(name, "", f"`{name}` names one to four media")
    try:
        return [uploads.of(call.world, call.account, str(one)).media for one in wanted]
    except acts.Refused:
        raise problems.invalid(name, str(wanted), "Your media IDs are invalid.") from None


def _write(
    call: Call, text: str, parent: Item | None, quoted: Item | None, previous: Item | None, *, media: list[JSON] | None
) -> Item:
    if previous is None:
        return acts.post_on_x(call.world, call.account, text, reply_to=parent, quoted=quoted, via="api", media=media)
    if previous.author != call.account.id:
        raise problems.forbidden("You are not permitted to perform this action.")
    try:
        return acts.edit_on_x(call.world, previous, text, via="api")
    except acts.Refused as refused:
        raise problems.forbidden(str(refused)) from None


def _named_post(call: Call, where: Any, name: str) -> Item | None:
    """The post that a request body names. Raises Problem for one that is not there."""
    value = where.get(name) if isinstance(where, dict) else None
    if value is None:
        return None
    item = call.world.items["x"].get(asking.numeric_id(name, str(value)))
    if item is None or not call.world.visible(item):
        raise problems.forbidden("You attempted to reply to a Tweet that is deleted or not visible to you.")
    return item


def _must_be_summoned(call: Call, parent: Item) -> None:
    """X since 2026-02-23, self-serve tiers: a reply by API only to those who mentioned or quoted us."""
    ours = parent.author == call.account.id
    named = call.account.username.lower() in mentioned(parent.text)
    quoted = call.world.items["x"].get(parent.quoted or "")
    if call.settings["reply_rule"] and not (ours or named or (quoted and quoted.author == call.account.id)):
        raise problems.forbidden(UNSUMMONED)


def _must_be_new(call: Call, text: str, parent: Item | None) -> None:
    whole = acts.with_names(call.world, call.account, text, parent) if parent else text
    recent = call.world.by_author.get(call.account.id, Timeline()).newest_first()
    for item_id in islice(recent, DUPLICATES_LOOKED_AT):
        item = call.world.items["x"][item_id]
        if item.text == whole and not item.deleted and item.newer is None:
            raise problems.forbidden(DUPLICATE)


@endpoint("delete", scope="tweet.write", user_only=True)
async def delete_post(call: Call) -> web.Response:
    item = call.world.items["x"].get(asking.numeric_id("id", call.request.match_info["id"]))
    if item is None or item.deleted:
        return call.answer({"data": {"deleted": False}})
    if item.author != call.account.id:
        raise problems.forbidden("You are not authorized to delete this Tweet.")
    acts.delete(call.world, item, via="api")
    return call.answer({"data": {"deleted": True}})


@endpoint("hide", scope="tweet.moderate.write", user_only=True)
async def hide_reply(call: Call) -> web.Response:
    item = call.world.items["x"].get(asking.numeric_id("tweet_id", call.request.match_info["id"]))
    hidden = (await call.body()).get("hidden")
    if not isinstance(hidden, bool):
        raise problems.invalid("hidden", str(hidden), "`hidden` is true or false")
    if item is None or item.deleted:
        raise problems.forbidden("Sorry, that Tweet is not there.")
    root = call.world.items["x"].get(call.world.root_of(item))
    if item.parent is None or root is None or root.author != call.account.id:
        raise problems.forbidden("You can only hide replies to conversations that you started.")
    acts.hide(call.world, item, hidden)
    return call.answer({"data": {"hidden": hidden}})


# -- pictures ---------------------------------------------------------------------------------------------------------


@endpoint("media", scope="media.write", user_only=True)
async def upload(call: Call) -> web.Response:
    asked = await call.body()
    if asked.get("media_category") not in ("tweet_image", "dm_image"):
        raise problems.invalid("media_category", str(asked.get("media_category")), "This is no category for pictures")
    try:
        content = base64.b64decode(str(asked.get("media", "")), validate=True)
        kept = uploads.keep(call.world, call.account, content, largest=LARGEST_PICTURE)
    except (binascii.Error, acts.Refused):
        raise problems.invalid("media", "", "The media cannot be read, or it is too large") from None
    data = {"id": kept.id, "media_key": f"3_{kept.id}", "size": kept.size, "expires_after_secs": 86_400}
    return call.answer({"data": data})


@endpoint("media", scope="media.write", user_only=True)
async def describe(call: Call) -> web.Response:
    asked = await call.body()
    metadata = asked.get("metadata")
    described = metadata.get("alt_text") if isinstance(metadata, dict) else None
    alt = described.get("text") if isinstance(described, dict) else None
    if not isinstance(alt, str) or len(alt) > LONGEST_ALT:
        raise problems.invalid("metadata", "", "`alt_text` is a text of at most 1000 characters")
    try:
        kept = uploads.of(call.world, call.account, asking.numeric_id("id", str(asked.get("id"))))
    except acts.Refused:
        raise problems.invalid("id", str(asked.get("id")), "There is no such media") from None
    call.world.record("media.described", by="api", id=kept.id, alt=alt)
    return call.answer({"data": {"id": kept.id, "associated_metadata": {"alt_text": {"text": alt}}}})
