"""Posts, comments, conversations and messages as Graph shows them, field by field as asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from .. import ids
from ..ledger import now_ms
from ..site import Site
from ..things import Item, Member, Message
from . import documented
from .errors import GraphError, bad_parameter
from .fields import Field, parse

JSON = dict[str, Any]
PRIVATE_REPLY_MS = 7 * 86_400_000
DEFAULT_LIMIT, LARGEST_LIMIT = 25, 100

POST_DEFAULT = parse("created_time,message,id")
COMMENT_DEFAULT = parse("created_time,from,message,id")
CONVERSATION_DEFAULT = parse("id,link,updated_time")
MESSAGE_DEFAULT = parse("id,created_time")
PAGE_DEFAULT = parse("name,id")


def graph_time(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")


class Renderer:
    """One answer. `shown` collects the ids of what it carries; `page` is whose token asks."""

    def __init__(self, site: Site, page: Member, base: str) -> None:
        self.site = site
        self.world = site.world
        self.page = page
        self.base = base
        self.shown: list[str] = []

    # -- nodes ------------------------------------------------------------------------------------------------------
    def item(self, item: Item, fields: list[Field]) -> JSON:
        """A post or comment."""
        if item.id not in self.shown:
            self.shown.append(item.id)
        if item.post is not None:
            return self._node(item, fields or COMMENT_DEFAULT, _COMMENT, documented.COMMENT, "Comment")
        return self._node(item, fields or POST_DEFAULT, _POST, documented.POST, "Post")

    def page_node(self, page: Member, fields: list[Field]) -> JSON:
        return self._node(page, fields or PAGE_DEFAULT, _PAGE, documented.PAGE, "Page")

    def person(self, member: Member, fields: list[Field]) -> JSON:
        return self._node(member, fields or PAGE_DEFAULT, _PERSON, documented.PERSON, "User")

    def conversation(self, conversation: str, fields: list[Field]) -> JSON:
        return self._node(
            conversation, fields or CONVERSATION_DEFAULT, _CONVERSATION, documented.CONVERSATION, "UnifiedThread"
        )

    def message(self, message: Message, fields: list[Field]) -> JSON:
        if message.id not in self.shown:
            self.shown.append(message.id)
        return self._node(message, fields or MESSAGE_DEFAULT, _MESSAGE, documented.MESSAGE, "Message")

    def _node(self, thing: Any, fields: list[Field], makers: dict[str, Any], known: frozenset[str], kind: str) -> JSON:
        shown: JSON = {}
        for field in fields:
            maker = makers.get(field.name)
            if maker is None and field.name not in known:
                raise bad_parameter(f"Tried accessing nonexisting field ({field.name}) on node type ({kind})")
            value = maker(self, thing, field) if maker else None
            if value is not None:
                shown[field.name] = value
        return shown | {"id": makers["id"](self, thing, Field("id"))}

    # -- pages of things --------------------------------------------------------------------------------------------
    def listing(self, things: list[Any], show: Callable[[Any], JSON], options: dict[str, str], edge: str) -> JSON:
        """`data` and `paging` of an edge. `options` are limit, after, before, since, until."""
        limit = _limit(options)
        chosen, more = _slice([one for one in things if _in_time(one, options)], options, limit)
        body: JSON = {"data": [show(one) for one in chosen]}
        if chosen:
            body["paging"] = self._paging(chosen, more, limit, options, edge)
        return body

    def _paging(self, chosen: list[Any], more: bool, limit: int, options: dict[str, str], edge: str) -> JSON:
        after, before = ids.to_cursor(_key(chosen[-1])), ids.to_cursor(_key(chosen[0]))
        paging: JSON = {"cursors": {"before": before, "after": after}}
        kept = {name: value for name, value in options.items() if name not in ("after", "before")}
        if more:
            query = urlencode({**kept, "limit": str(limit), "after": after, "access_token": self._token()})
            paging["next"] = f"{self.base}/{edge}?{query}"
        return paging

    def _token(self) -> str:
        """Graph puts the caller's token into `next`; ours is a stand-in that says so."""
        tokens = self.world.tokens_of("facebook", self.page.id)
        return tokens[-1].value if tokens else ""

    # -- values -----------------------------------------------------------------------------------------------------
    def scoped(self, user_id: str) -> str:
        return self.world.know(self.page.id, user_id)

    def name_of(self, user_id: str) -> JSON:
        member = self.world.member("facebook", user_id)
        return {"name": member.name if member else "Facebook user", "id": self.scoped(user_id)}

    def author(self, item: Item) -> JSON | None:
        if item.author != self.page.id and self.world.settings["facebook"]["from_hidden"]:
            return None
        return self.name_of(item.author)

    def parent(self, item: Item, field: Field) -> JSON | None:
        above = self.world.items["facebook"].get(item.parent or "")
        if above is None or above.post is None:
            return None
        return self._node(above, field.inside or COMMENT_DEFAULT, _COMMENT, documented.COMMENT, "Comment")

    def under(self, item: Item, options: dict[str, str]) -> list[Item]:
        """The comments under a post or comment: `filter` stream (all depths) or toplevel, `order`."""
        if options.get("filter") == "stream":
            found = list(self.world.below("facebook", item.id))
        else:
            below = self.world.children.get(("facebook", item.id), [])
            found = [self.world.items["facebook"][one] for one in below]
        found = [one for one in found if self.world.visible(one)]
        found.sort(key=lambda one: int(one.id.split("_")[1]), reverse="reverse" in options.get("order", ""))
        return found

    def comments(self, item: Item, options: dict[str, str], fields: list[Field]) -> JSON:
        found = self.under(item, options)
        body = self.listing(found, lambda one: self.item(one, fields), options, f"{item.id}/comments")
        if options.get("summary") in ("true", "1"):
            order = options.get("order", "chronological")
            body["summary"] = {"order": order, "total_count": len(found), "can_comment": True}
        return body

    def messages(self, conversation: str, options: dict[str, str], fields: list[Field]) -> JSON:
        found = [self.world.messages[one] for one in self.world.conversations["facebook", conversation]]
        found = sorted((one for one in found if not one.deleted), key=lambda one: one.created, reverse=True)
        return self.listing(found, lambda one: self.message(one, fields), options, f"{conversation}/messages")

    def partner(self, conversation: str) -> str:
        first = self.world.messages[self.world.conversations["facebook", conversation][0]]
        return self.world.page_and_user(first)[1]

    def last_of(self, conversation: str) -> Message:
        return self.world.messages[self.world.conversations["facebook", conversation][-1]]

    def link(self, item: Item) -> str:
        post, _, _ = (item.post or item.id).partition("|")
        tail = f"?comment_id={item.id.split('_')[1]}" if item.post else ""
        return f"{self.site.base_url}/posts/{post}{tail}"

    def media_of(self, item: Item) -> JSON | None:
        if not item.media:
            return None
        source = self.site.base_url + item.media[0]["url"]
        picture = {"image": {"height": 320, "src": source, "width": 480}}
        return {"media": picture, "target": {"id": item.id, "url": source}, "type": "photo", "url": source}


def _limit(options: dict[str, str]) -> int:
    given = options.get("limit", str(DEFAULT_LIMIT))
    if not given.isdecimal() or int(given) == 0:
        raise bad_parameter("param limit must be positive.")
    return min(int(given), LARGEST_LIMIT)


def _key(thing: Any) -> str:
    return thing if isinstance(thing, str) else str(thing.id)


def _order(key: str) -> int:
    return int(key.rsplit("_", maxsplit=1)[-1]) if key.rsplit("_", maxsplit=1)[-1].isdecimal() else 0


def _slice(things: list[Any], options: dict[str, str], limit: int) -> tuple[list[Any], bool]:
    """The things after (or before) the cursor's thing, which may have been deleted meanwhile."""
    keys = [_key(one) for one in things]
    if "before" in options:
        end = _place(keys, _cursor(options["before"]), past=False)
        return things[max(0, end - limit) : end], True
    start = _place(keys, _cursor(options["after"]), past=True) if options.get("after") else 0
    return things[start : start + limit], start + limit < len(things)


def _cursor(token: str) -> str:
    try:
        return ids.from_cursor(token)[0]
    except (ValueError, IndexError):
        raise GraphError(
            "(#100) The after cursor specified exceeds the max limit supported by this endpoint", 100
        ) from None


def _place(keys: list[str], key: str, *, past: bool) -> int:
    if key in keys:
        return keys.index(key) + (1 if past else 0)
    ascending = len(keys) > 1 and _order(keys[0]) < _order(keys[-1])
    edge = _order(key)
    passed = [place for place, one in enumerate(keys) if (_order(one) > edge if ascending else _order(one) < edge)]
    return passed[0] if passed else len(keys)


def _in_time(thing: Any, options: dict[str, str]) -> bool:
    created = getattr(thing, "created", None)
    if created is None:
        return True
    since, until = _moment(options.get("since")), _moment(options.get("until"))
    return (since is None or created >= since) and (until is None or created <= until)


def _moment(given: str | None) -> int | None:
    """Graph takes seconds since 1970 or an ISO time."""
    if not given:
        return None
    if given.isdecimal():
        return int(given) * 1000
    try:
        parsed = datetime.fromisoformat(given.replace("+0000", "+00:00"))
    except ValueError:
        raise bad_parameter(f"Invalid time {given[:40]}") from None
    return int((parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp() * 1000)


Maker = Callable[[Renderer, Any, Field], Any]


def _tags(r: Renderer, item: Item) -> list[JSON] | None:
    found = []
    for member in r.world.mentioned_members("facebook", item.text):
        offset = item.text.lower().find("@" + member.username.lower())
        kind = "page" if member.brand else "user"
        found.append(
            {
                "id": r.scoped(member.id),
                "name": member.name,
                "type": kind,
                "offset": offset,
                "length": len(member.username) + 1,
            }
        )
    return found or None


def _people(r: Renderer, conversation: str) -> JSON:
    user = r.world.member("facebook", r.partner(conversation))
    people = [{"name": user.name if user else "Facebook user", "id": r.scoped(r.partner(conversation))}]
    people = [
        {**one, "email": f"{one['id']}@facebook.com"} for one in [*people, {"name": r.page.name, "id": r.page.id}]
    ]
    return {"data": people}


def _party(r: Renderer, member_id: str) -> JSON:
    named = r.name_of(member_id)
    return {**named, "email": f"{named['id']}@facebook.com"}


def _attachments(r: Renderer, message: Message) -> JSON | None:
    if not message.media:
        return None
    one = message.media[0]
    url = r.site.base_url + one["url"]
    data = {"width": 480, "height": 320, "max_width": 480, "max_height": 320, "url": url, "preview_url": url}
    return {"data": [{"id": one["media_key"], "mime_type": "image/png", "name": "image.png", "image_data": data}]}


def _total(items: Iterable[Any]) -> JSON:
    return {"data": list(items)}


_SHARED: dict[str, Maker] = {
    "id": lambda _r, item, _f: item.id,
    "created_time": lambda _r, item, _f: graph_time(item.created),
    "from": lambda r, item, _f: r.author(item),
    "message": lambda _r, item, _f: item.text,
    "message_tags": lambda r, item, _f: _tags(r, item),
    "is_hidden": lambda _r, item, _f: item.hidden,
    "permalink_url": lambda r, item, _f: r.link(item),
    "can_reply_privately": lambda r, item, _f: (
        r.site.world.settings["facebook"]["windows"] is False
        or (item.author != r.page.id and now_ms() - item.created < PRIVATE_REPLY_MS)
    ),
    "comments": lambda r, item, f: r.comments(item, f.modifiers, f.inside),
    "likes": lambda r, item, _f: _total(r.name_of(one) for one in item.likes or ()),
    "reactions": lambda r, item, _f: _total({**r.name_of(one), "type": "LIKE"} for one in item.likes or ()),
}
_COMMENT: dict[str, Maker] = {
    **_SHARED,
    "attachment": lambda r, item, _f: r.media_of(item),
    "can_comment": lambda _r, _i, _f: True,
    "can_hide": lambda r, item, _f: item.author != r.page.id,
    "can_like": lambda _r, _i, _f: True,
    "can_remove": lambda _r, _i, _f: True,
    "comment_count": lambda r, item, _f: len(r.under(item, {})),
    "is_private": lambda _r, _i, _f: False,
    "like_count": lambda _r, item, _f: len(item.likes or ()),
    "object": lambda r, item, f: (
        r.item(r.world.items["facebook"][item.post], f.inside) if f.inside else {"id": item.post}
    ),
    "parent": lambda r, item, f: r.parent(item, f),
    "user_likes": lambda r, item, _f: r.page.id in (item.likes or ()),
}
_POST: dict[str, Maker] = {
    **_SHARED,
    "attachments": lambda r, item, _f: {"data": [media]} if (media := r.media_of(item)) else None,
    "full_picture": lambda r, item, _f: r.site.base_url + item.media[0]["url"] if item.media else None,
    "is_published": lambda _r, _i, _f: True,
    "is_expired": lambda _r, _i, _f: False,
    "is_popular": lambda _r, _i, _f: False,
    "promotion_status": lambda _r, _i, _f: "inactive",
    "status_type": lambda r, item, _f: "mobile_status_update" if item.author == r.page.id else "wall_post",
    "subscribed": lambda _r, _i, _f: True,
    "type": lambda _r, item, _f: "photo" if item.media else "status",
    "updated_time": lambda r, item, _f: graph_time(
        max([item.created, item.edited or 0, *(one.created for one in r.under(item, {"filter": "stream"}))])
    ),
    "to": lambda r, item, _f: _total([{"name": r.page.name, "id": r.page.id}]) if item.author != r.page.id else None,
}
_CONVERSATION: dict[str, Maker] = {
    "id": lambda _r, one, _f: one,
    "can_reply": lambda _r, _o, _f: True,
    "folder": lambda _r, _o, _f: "inbox",
    "is_owner": lambda _r, _o, _f: True,
    "is_subscribed": lambda _r, _o, _f: True,
    "link": lambda r, one, _f: f"/{r.page.id}/inbox/{one[2:]}/",
    "message_count": lambda r, one, _f: len(r.world.conversations["facebook", one]),
    "messages": lambda r, one, f: r.messages(one, f.modifiers, f.inside),
    "participants": lambda r, one, _f: _people(r, one),
    "scoped_thread_key": lambda _r, one, _f: one,
    "senders": lambda r, one, _f: _people(r, one),
    "snippet": lambda r, one, _f: r.last_of(one).text[:100],
    "unread_count": lambda _r, _o, _f: 0,
    "updated_time": lambda r, one, _f: graph_time(r.last_of(one).created),
}
_MESSAGE: dict[str, Maker] = {
    "id": lambda _r, one, _f: one.id,
    "attachments": lambda r, one, _f: _attachments(r, one),
    "created_time": lambda _r, one, _f: graph_time(one.created),
    "from": lambda r, one, _f: _party(r, one.sender),
    "message": lambda _r, one, _f: one.text,
    "tags": lambda _r, _o, _f: _total([{"name": "inbox"}]),
    "to": lambda r, one, _f: _total([_party(r, one.recipient)]),
}
_PERSON: dict[str, Maker] = {
    "id": lambda r, one, _f: r.scoped(one.id),
    "name": lambda _r, one, _f: one.name,
    "first_name": lambda _r, one, _f: one.name.split(" ")[0],
    "last_name": lambda _r, one, _f: " ".join(one.name.split(" ")[1:]),
    "profile_pic": lambda r, one, _f: f"{r.site.base_url}/avatars/facebook/{one.id}.png",
    "picture": lambda r, one, _f: _picture(r, one),
}


def _picture(r: Renderer, one: Member) -> JSON:
    url = f"{r.site.base_url}/avatars/facebook/{one.id}.png"
    return {"data": {"height": 96, "is_silhouette": False, "url": url, "width": 96}}


_PAGE: dict[str, Maker] = {
    "id": lambda _r, one, _f: one.id,
    "name": lambda _r, one, _f: one.name,
    "username": lambda _r, one, _f: one.username,
    "about": lambda _r, one, _f: one.bio or None,
    "category": lambda _r, _o, _f: "Company",
    "access_token": lambda r, _o, _f: r._token(),
    "can_post": lambda _r, _o, _f: True,
    "fan_count": lambda _r, one, _f: one.followers,
    "followers_count": lambda _r, one, _f: one.followers,
    "is_published": lambda _r, _o, _f: True,
    "is_webhooks_subscribed": lambda r, one, _f: one.id in r.world.page_subscriptions,
    "link": lambda r, one, _f: f"{r.site.base_url}/{one.username}",
    "picture": lambda r, one, _f: _picture(r, one),
    "tasks": lambda _r, _o, _f: ["MODERATE", "MESSAGING", "CREATE_CONTENT"],
    "verification_status": lambda _r, one, _f: "blue_verified" if one.verified else "not_verified",
}
