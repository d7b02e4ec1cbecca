"""Sending by Messenger."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from .. import acts, uploads
from ..ledger import now_ms
from ..things import Member
from . import errors
from .call import JSON, Call
from .errors import GraphError
from .render import PRIVATE_REPLY_MS

FREE_MS, HUMAN_MS = 86_400_000, 7 * 86_400_000
OUTSIDE_WINDOW = "(#10) This message is sent outside of allowed window."
TEXT_LIMIT = 2000
LARGEST_PHOTO = 4 * 1024 * 1024  # bytes


async def send(call: Call) -> Any:
    call.need("pages_messaging")
    recipient, content = _json(call, "recipient"), _json(call, "message")
    if "sender_action" in call.given and not content:
        return {"recipient_id": recipient.get("id", "")}
    picture = await _attached(call, content)
    _message_text(content, picture)
    if "comment_id" in recipient or "post_id" in recipient:
        return _private_reply(call, str(recipient.get("comment_id") or recipient["post_id"]), content, picture)
    user = _recipient(call, recipient)
    _inside_window(call, user)
    return _sent(call, user, content, picture)


async def _attached(call: Call, content: JSON) -> bytes | None:
    """The picture that comes with the call itself, as the file `filedata`; the sandbox fetches none by its address."""
    attachment = content.get("attachment")
    if attachment is None:
        return None
    given = (await call.request.post()).get("filedata") if "filedata" in call.given else None
    if not isinstance(attachment, dict) or attachment.get("type") != "image" or not isinstance(given, web.FileField):
        raise errors.bad_parameter("Param message[attachment] must be an image, given as the file filedata")
    return given.file.read()


def _message_text(content: JSON, picture: bytes | None) -> None:
    """https://developers.facebook.com/docs/messenger-platform/reference/send-api: either a text or an attachment."""
    text = content.get("text")
    if picture is not None:
        if text is not None:
            raise errors.bad_parameter("Param message must not contain both a text and an attachment")
        return
    if not isinstance(text, str) or not text.strip():
        raise errors.bad_parameter("Param message must contain a text or an attachment")
    if len(text) > TEXT_LIMIT:
        raise errors.bad_parameter("Length of param message[text] must be less than or equal to 2000")


def _json(call: Call, name: str) -> JSON:
    try:
        parsed = json.loads(call.given.get(name, "{}"))
    except ValueError:
        raise errors.bad_parameter(f"Param {name} must be valid JSON") from None
    if not isinstance(parsed, dict):
        raise errors.bad_parameter(f"Param {name} must be an object")
    return parsed


def _recipient(call: Call, recipient: JSON) -> Member:
    user = call.member(str(recipient.get("id", "")))
    if user is None or user.brand:
        raise GraphError("(#100) No matching user found", 100, 2018001)
    if not user.dm_open:
        raise GraphError("(#551) This person isn't available right now.", 551, 1545041)
    return user


def _inside_window(call: Call, user: Member) -> None:
    """https://developers.facebook.com/docs/messenger-platform/policy/policy-overview: 24 hours; 7 days by a human."""
    tag = call.given.get("tag", "")
    if call.given.get("messaging_type") == "MESSAGE_TAG" and tag != "HUMAN_AGENT":
        raise errors.bad_parameter(f"Invalid message tag {tag}")
    if not call.world.settings["facebook"]["windows"]:
        return
    mailbox = call.world.mailbox.get(("facebook", call.page.id), [])
    theirs = [call.world.messages[one].created for one in mailbox if call.world.messages[one].sender == user.id]
    allowed = HUMAN_MS if tag == "HUMAN_AGENT" else FREE_MS
    if not theirs or now_ms() - max(theirs) > allowed:
        raise GraphError(OUTSIDE_WINDOW, 10, 2018278)


def _private_reply(call: Call, item_id: str, content: JSON, picture: bytes | None) -> Any:
    """One message to the author of a comment or post, within seven days."""
    item = call.item(item_id)
    user = call.world.member("facebook", item.author)
    if user is None or user.brand:
        raise errors.bad_parameter("You cannot reply privately to a Page")
    mailbox = call.world.mailbox.get(("facebook", call.page.id), [])
    if any(call.world.messages[one].reply_to_item == item.id for one in mailbox):
        raise GraphError("(#10900) Activity already replied to", 10900)
    if call.world.settings["facebook"]["windows"] and now_ms() - item.created > PRIVATE_REPLY_MS:
        raise GraphError("(#10901) Activity is too old to reply to", 10901)
    return _sent(call, user, content, picture, reply_to_item=item.id)


def _sent(call: Call, user: Member, content: JSON, picture: bytes | None, reply_to_item: str | None = None) -> Any:
    message = acts.send_message(
        call.world, call.page, user, content.get("text", ""), via="api",
        metadata=str(content.get("metadata", ""))[:1000], media=_kept(call, picture),
        reply_to_item=reply_to_item, tag=call.given.get("tag", ""),
    )  # fmt: skip
    return {"recipient_id": call.world.know(call.page.id, user.id), "message_id": message.id}


def _kept(call: Call, picture: bytes | None) -> list[JSON] | None:
    try:
        return [uploads.keep(call.world, call.page, picture, largest=LARGEST_PHOTO).media] if picture else None
    except acts.Refused:
        raise GraphError("(#100) Upload attachment failure.", 100, 2018047) from None
