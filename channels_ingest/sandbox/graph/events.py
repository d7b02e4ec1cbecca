"""What Facebook tells a Page's app: changes of the feed, messages, echoes of the Page's own messages."""

from __future__ import annotations

from typing import Any

from ..ledger import Record
from ..site import Site
from ..things import Item, Message
from ..world import World
from .render import graph_time

JSON = dict[str, Any]
Telling = tuple[str, str, JSON]  # page id, "changes" or "messaging", the piece


def tell(site: Site, event: Record) -> Telling | None:
    """What a subscribed Page's app hears of a journal event."""
    world, kind = site.world, event["kind"]
    if kind == "message.sent" and event["message"]["network"] == "facebook":
        return _message(site, world.messages[event["message"]["id"]])
    if kind == "post.created" and event["item"]["network"] == "facebook":
        return _item(world, world.items["facebook"][event["item"]["id"]], "add", event)
    verbs = {"post.edited": "edited", "post.deleted": "remove"}
    if kind in verbs and event["network"] == "facebook":
        return _item(world, world.items["facebook"][event["id"]], verbs[kind], event)
    if kind == "post.hidden" and event["network"] == "facebook":
        verb = "hide" if event["hidden"] else "unhide"
        return _item(world, world.items["facebook"][event["id"]], verb, event)
    if kind == "post.liked" and event["network"] == "facebook":
        return _reaction(world, world.items["facebook"][event["id"]], event)
    return None


def _hears(world: World, page: str | None, field: str) -> bool:
    return page is not None and field in world.page_subscriptions.get(page, ())


def _item(world: World, item: Item, verb: str, event: Record) -> Telling | None:
    page = item.page or ""
    tagged = item.post is None and item.author != page and not item.id.startswith(page + "_")
    field = "mention" if tagged else "feed"
    if not _hears(world, page, field):
        return None
    value = _value(world, item, verb, event)
    return page, "changes", {"field": field, "value": value}


def _value(world: World, item: Item, verb: str, event: Record) -> JSON:
    post_id = item.post or item.id
    value: JSON = {
        "item": _kind_of(item),
        "verb": verb,
        "post_id": post_id,
        "created_time": (item.created if verb != "remove" else event["at"]) // 1000,
    }
    if item.author == item.page or not world.settings["facebook"]["from_hidden"]:
        value["from"] = _from(world, item.page or "", item.author)
    if item.post:
        value |= {"comment_id": item.id, "parent_id": item.parent}
    if verb in ("add", "edited"):
        value["message"] = item.text
        value |= {"post": _post(world, post_id)} if item.post else {"published": 1}
    return value


def _kind_of(item: Item) -> str:
    if item.post:
        return "comment"
    if item.media:
        return "photo"
    return "status" if item.author == item.page else "post"


def _from(world: World, page: str, user: str) -> JSON:
    member = world.member("facebook", user)
    return {"id": world.know(page, user), "name": member.name if member else "Facebook user"}


def _post(world: World, post_id: str) -> JSON:
    post = world.items["facebook"][post_id]
    return {
        "id": post_id,
        "status_type": "mobile_status_update",
        "is_published": True,
        "updated_time": graph_time(post.edited or post.created),
        "promotion_status": "inactive",
    }


def _reaction(world: World, item: Item, event: Record) -> Telling | None:
    if not _hears(world, item.page, "feed"):
        return None
    value: JSON = {
        "item": "reaction",
        "verb": "add",
        "reaction_type": "like",
        "from": _from(world, item.page or "", event["who"]),
        "post_id": item.post or item.id,
        "parent_id": item.parent or item.id,
        "created_time": event["at"] // 1000,
    }
    return (
        item.page or "",
        "changes",
        {"field": "feed", "value": value | ({"comment_id": item.id} if item.post else {})},
    )


def _message(site: Site, message: Message) -> Telling | None:
    world = site.world
    page, user = world.page_and_user(message)
    echo = message.sender == page
    if not _hears(world, page, "message_echoes" if echo else "messages"):
        return None
    psid = world.know(page, user)
    content: JSON = {"mid": message.id} | ({"text": message.text} if message.text else {})
    if message.media:
        links = [site.base_url + one["url"] for one in message.media]
        content["attachments"] = [{"type": "image", "payload": {"url": link}} for link in links]
    if echo:
        content["is_echo"] = True
        if message.via == "api":
            content["app_id"] = int(world.tokens_of("facebook", page)[-1].app)
        if message.metadata:
            content["metadata"] = message.metadata
    sender, recipient = (page, psid) if echo else (psid, page)
    piece = {"sender": {"id": sender}, "recipient": {"id": recipient}, "timestamp": message.created, "message": content}
    return page, "messaging", piece
