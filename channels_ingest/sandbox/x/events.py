"""What the X Activity API tells subscribers, in the envelopes X publishes."""

from __future__ import annotations

import secrets
from typing import Any

from ..ledger import Record
from ..site import Site
from ..things import Item, Member, Message, Subscription
from ..world import World, mentioned
from .asking import Ask
from .problems import Dialect
from .render import Renderer

JSON = dict[str, Any]
POST_FIELDS = frozenset(
    {"attachments", "author_id", "conversation_id", "created_at", "display_text_range", "edit_controls", "entities"}
    | {"in_reply_to_user_id", "lang", "note_tweet", "paid_partnership", "possibly_sensitive", "public_metrics"}
    | {"referenced_tweets", "reply_settings"}
)
USER_FIELDS = frozenset(
    {"created_at", "description", "location", "profile_image_url", "protected", "public_metrics", "url"}
    | {"verified", "verified_type"}
)
Telling = tuple[Subscription, JSON]


def tell(site: Site, event: Record) -> list[Telling]:
    """Which subscriptions hear of a journal event, and what is said to each."""
    if not site.world.subscriptions:
        return []
    teller = _Teller(site)
    kind = event["kind"]
    if kind == "post.created" and event["item"]["network"] == "x" and event["by"] != "load":
        return teller.post_created(site.world.items["x"][event["item"]["id"]])
    if kind == "post.deleted" and event["network"] == "x":
        return teller.post_deleted(site.world.items["x"][event["id"]])
    if kind == "message.sent" and event["message"]["network"] == "x":
        return teller.message_sent(site.world.messages[event["message"]["id"]])
    if kind == "followed" and event["network"] == "x":
        return teller.followed(event)
    return []


class _Teller:
    def __init__(self, site: Site) -> None:
        self.world: World = site.world
        dialect: Dialect = site.world.settings["x"]["dialect"]
        self.ask = Ask(dialect, post=POST_FIELDS, user=USER_FIELDS)
        self.renderer = Renderer(site.world, self.ask, site.base_url, None)

    def post_created(self, item: Item) -> list[Telling]:
        parent = self.world.items["x"].get(item.parent or "")
        quoted = self.world.items["x"].get(item.quoted or "")
        explicit = mentioned(item.sent or item.text)
        named = [member.id for name in explicit if (member := self.world.by_username("x", name))]
        audience = {
            "post.create": [item.author],
            "post.mention.create": named,
            "post.reply.create": [parent.author] if parent else [],
            "post.quote.create": [quoted.author] if quoted else [],
        }
        if not self.world.visible(item):
            audience = {"post.create": [item.author]}
        payload = self._post(item)
        users = [item.author, *(member.id for member in self.world.mentioned_members("x", item.text))]
        includes = {"users": self._users(users), self._posts_key: [payload]}
        return [
            (subscription, envelope(subscription, payload, {} if "reply" in kind or "quote" in kind else includes))
            for kind, ids in audience.items()
            for subscription in self._hearing(kind, ids)
            if subscription.filter.get("keyword", "").lower() in item.text.lower()
        ]

    def post_deleted(self, item: Item) -> list[Telling]:
        payload = {"id": item.id, "author_id": item.author}
        includes = {"users": [{"data": one} for one in self._users([item.author])]}
        return [(one, envelope(one, payload, includes)) for one in self._hearing("post.delete", [item.author])]

    def message_sent(self, message: Message) -> list[Telling]:
        """Direct messages come in the old Account Activity shape, users wrapped in `data`."""
        told = {
            "type": "message_create",
            "id": message.id,
            "created_timestamp": str(message.created),
            "message_create": {
                "target": {"recipient_id": message.recipient},
                "sender_id": message.sender,
                "message_data": {
                    "text": message.text,
                    "entities": {"hashtags": [], "symbols": [], "user_mentions": [], "urls": []},
                },
            },
        }
        both = (message.sender, message.recipient)
        users = {member_id: {"data": user} for member_id, user in zip(both, self._users(both), strict=True)}
        payload = {"direct_message_events": [told], "users": users}
        hearing = self._hearing("dm.sent", [message.sender]) + self._hearing("dm.received", [message.recipient])
        return [(one, envelope(one, payload, None)) for one in hearing]

    def followed(self, event: Record) -> list[Telling]:
        source, target = ({"data": one} for one in self._users((event["who"], event["whom"])))
        kind = "follow.follow" if event["on"] else "follow.unfollow"
        hearing = self._hearing(kind, [event["who"], event["whom"]])
        return [(one, envelope(one, {"source": source, "target": target}, None)) for one in hearing]

    @property
    def _posts_key(self) -> str:
        return "tweets" if self.ask.dialect == "tweet" else "posts"

    def _post(self, item: Item) -> JSON:
        shown = self.renderer.post(item)
        if item.parent:
            shown["in_reply_to_tweet_id" if self.ask.dialect == "tweet" else "in_reply_to_post_id"] = item.parent
        doubled: JSON = counted_twice(shown)
        return doubled

    def _users(self, member_ids: Any) -> list[JSON]:
        found = [self.world.member("x", one) for one in dict.fromkeys(member_ids)]
        return [counted_twice(self.renderer.user(member)) for member in found if isinstance(member, Member)]

    def _hearing(self, kind: str, user_ids: list[str]) -> list[Subscription]:
        return [
            one
            for one in self.world.subscriptions.values()
            if one.event_type == kind and one.filter.get("user_id") in user_ids
        ]


def envelope(subscription: Subscription, payload: JSON, includes: JSON | None) -> JSON:
    uuid = secrets.randbits(63) * secrets.choice((1, -1))
    data: JSON = {
        "event_uuid": str(uuid),
        "filter": subscription.filter,
        "event_type": subscription.event_type,
        "tag": subscription.tag,
        "payload": payload,
    }
    return {"data": data if includes is None else {**data, "includes": includes}}


def counted_twice(value: Any) -> Any:
    """Whole numbers come twice in X's events: `x` and `x_str`."""
    if isinstance(value, list):
        return [counted_twice(one) for one in value]
    if not isinstance(value, dict):
        return value
    doubled: JSON = {}
    for name, part in value.items():
        doubled[name] = counted_twice(part)
        if isinstance(part, int) and not isinstance(part, bool):
            doubled[name + "_str"] = str(part)
    return doubled
