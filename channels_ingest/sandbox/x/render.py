"""Posts, users and messages as X's API shows them, in the dialect that was asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from .. import text as texts
from ..acts import EDIT_WINDOW_MS, EDITS_ALLOWED
from ..things import Item, Member, Message
from ..world import World
from . import problems
from .asking import Ask

JSON = dict[str, Any]
TRUNCATED = 274

TWEET_TO_POST = {
    "referenced_tweets": "referenced_posts",
    "edit_history_tweet_ids": "edit_history_post_ids",
    "note_tweet": "note_post",
    "retweet_count": "repost_count",
    "tweet_count": "post_count",
    "most_recent_tweet_id": "most_recent_post_id",
    "pinned_tweet_id": "pinned_post_id",
    "tweets": "posts",
}


def iso(at_ms: int) -> str:
    """UTC with milliseconds, as X writes times."""
    moment = datetime.fromtimestamp(at_ms / 1000, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at_ms % 1000:03d}Z"


class Renderer:
    """One answer: renders what is asked and collects what its expansions include."""

    def __init__(self, world: World, ask: Ask, base_url: str, viewer: Member | None) -> None:
        self.world = world
        self.ask = ask
        self.base_url = base_url
        self.viewer = viewer
        self.posts: dict[str, Item] = {}
        self.users: dict[str, Member] = {}
        self.media: dict[str, JSON] = {}
        self.errors: list[JSON] = []

    # -- whole answers ----------------------------------------------------------------------------------------------
    def post_list(self, items: Iterable[Item]) -> JSON:
        """`data`, `includes`, `errors` for posts; no `data` where there are none."""
        shown = list(items)
        for item in shown:
            self._expand(item)
        return self._answer([self.post(item) for item in shown])

    def one_post(self, item: Item) -> JSON:
        self._expand(item)
        return self._answer(self.post(item))

    def user_list(self, members: Iterable[Member]) -> JSON:
        shown = list(members)
        for member in shown:
            self._expand_user(member)
        return self._answer([self.user(member) for member in shown])

    def one_user(self, member: Member) -> JSON:
        self._expand_user(member)
        return self._answer(self.user(member))

    def message_list(self, messages: Iterable[Message]) -> JSON:
        shown = list(messages)
        for message in shown:
            if "sender_id" in self.ask.expansions:
                self._include_user(message.sender)
            if "participant_ids" in self.ask.expansions:
                self._include_user(message.sender)
                self._include_user(message.recipient)
            if "attachments.media_keys" in self.ask.expansions:
                self.media.update((one["media_key"], one) for one in message.media or [])
        return self._answer([self.message(message) for message in shown])

    def _answer(self, data: Any) -> JSON:
        body: JSON = {"data": data} if data else {}
        includes: JSON = {}
        if self.users:
            includes["users"] = [self.user(member) for member in self.users.values()]
        if self.posts:
            includes["tweets"] = [self.post(item) for item in self.posts.values()]
        if self.media:
            includes["media"] = [self._media(one) for one in self.media.values()]
        if includes:
            body["includes"] = self._named(includes)
        if self.errors:
            body["errors"] = self.errors
        return body

    # -- expansions -------------------------------------------------------------------------------------------------
    def _expand(self, item: Item) -> None:
        wanted = self.ask.expansions
        if "author_id" in wanted:
            self._include_user(item.author)
        if "attachments.media_keys" in wanted:
            self.media.update((one["media_key"], one) for one in item.media or [])
        if "entities.mentions.username" in wanted:
            for member in self.world.mentioned_members("x", item.text):
                self.users.setdefault(member.id, member)
        if "in_reply_to_user_id" in wanted and (parent := self._parent(item)):
            self._include_user(parent.author)
        if wanted & {"referenced_tweets.id", "referenced_tweets.id.author_id"}:
            for other in (item.parent, item.quoted):
                if other:
                    self._include_post(other)

    def _include_post(self, item_id: str) -> None:
        item = self.world.items["x"].get(item_id)
        if item is None or not self.world.visible(item):
            say = problems.not_found if item is None or item.deleted else problems.not_authorized
            error = say("referenced_tweets.id", item_id, "tweet", self.ask.dialect)
            if error not in self.errors:
                self.errors.append(error)
            return
        self.posts.setdefault(item_id, item)
        both = {"author_id", "referenced_tweets.id"} <= self.ask.expansions and self.ask.dialect == "post"
        if "referenced_tweets.id.author_id" in self.ask.expansions or both:
            self._include_user(item.author)

    def _include_user(self, member_id: str) -> None:
        member = self.world.member("x", member_id)
        if member is not None:
            self.users.setdefault(member_id, member)

    def _expand_user(self, member: Member) -> None:
        if "most_recent_tweet_id" in self.ask.expansions:
            newest = self._newest_post(member)
            if newest is not None:
                self.posts.setdefault(newest.id, newest)

    # -- single things ----------------------------------------------------------------------------------------------
    def post(self, item: Item) -> JSON:
        shown: JSON = {"id": item.id, "text": self._short(item), "edit_history_tweet_ids": item.history or [item.id]}
        for name in self.ask.post:
            maker = _POST.get(name)
            value = maker(self, item) if maker else None
            if value is not None:
                shown[name] = value
        return self._named(shown)

    def user(self, member: Member) -> JSON:
        shown: JSON = {"id": member.id, "name": member.name, "username": member.username}
        for name in self.ask.user:
            maker = _USER.get(name)
            value = maker(self, member) if maker else None
            if value is not None:
                shown[name] = value
        return self._named(shown)

    def message(self, message: Message) -> JSON:
        shown: JSON = {"id": message.id, "text": message.text, "event_type": "MessageCreate"}
        if "sender_id" in self.ask.dm:
            shown["sender_id"] = message.sender
        if "dm_conversation_id" in self.ask.dm:
            shown["dm_conversation_id"] = message.conversation
        if "created_at" in self.ask.dm:
            shown["created_at"] = iso(message.created)
        if "attachments" in self.ask.dm and message.media:
            shown["attachments"] = {"media_keys": [one["media_key"] for one in message.media]}
        return shown

    def _media(self, media: JSON) -> JSON:
        full = {**media, "url": self.base_url + media["url"]}
        return {name: full[name] for name in full if name in self.ask.media | {"media_key", "type"}}

    def _short(self, item: Item) -> str:
        return item.text if not _is_long(item) else item.text[:TRUNCATED] + "…"

    def _parent(self, item: Item) -> Item | None:
        return self.world.items["x"].get(item.parent) if item.parent else None

    def _newest_post(self, member: Member) -> Item | None:
        timeline = self.world.by_author.get(member.id)
        posts = (self.world.items["x"][one] for one in timeline.newest_first()) if timeline else iter(())
        return next((item for item in posts if self.world.visible(item)), None)

    def _named(self, value: JSON) -> JSON:
        """The same with the names of the dialect; metrics are renamed inside."""
        if self.ask.dialect == "tweet":
            return value
        renamed = {TWEET_TO_POST.get(name, name): part for name, part in value.items()}
        if "public_metrics" in renamed:
            renamed["public_metrics"] = {TWEET_TO_POST.get(k, k): v for k, v in renamed["public_metrics"].items()}
        return renamed

    # -- fields of a post -------------------------------------------------------------------------------------------
    def _entities(self, item: Item) -> JSON | None:
        ids = {member.username.lower(): member.id for member in self.world.mentioned_members("x", item.text)}
        return texts.entities(item.text, ids) or None

    def _references(self, item: Item) -> list[JSON] | None:
        found = [{"type": "replied_to", "id": item.parent}] if item.parent else []
        found += [{"type": "quoted", "id": item.quoted}] if item.quoted else []
        return found or None

    def _reply_to_user(self, item: Item) -> str | None:
        parent = self._parent(item)
        return parent.author if parent else None

    def _edit_controls(self, item: Item) -> JSON:
        first = self.world.items["x"][item.history[0]] if item.history else item
        left = EDITS_ALLOWED + 1 - len(item.history or [item.id])
        until = first.created + EDIT_WINDOW_MS
        return {"edits_remaining": left, "is_edit_eligible": item.parent is None, "editable_until": iso(until)}

    def _post_metrics(self, item: Item) -> JSON:
        replies = len(self.world.children.get(("x", item.id), ()))
        likes = len(item.likes or ())
        return {
            "retweet_count": 0,
            "reply_count": replies,
            "like_count": likes,
            "quote_count": len(self.world.quotes.get(item.id, ())),
            "bookmark_count": 0,
            "impression_count": 40 * replies + 12 * likes + 7,
        }

    # -- fields of a user -------------------------------------------------------------------------------------------
    def _user_metrics(self, member: Member) -> JSON:
        following = sum(1 for network, who, _ in self.world.follows if network == "x" and who == member.id)
        metrics = {
            "followers_count": member.followers,
            "following_count": following,
            "tweet_count": len(self.world.by_author.get(member.id, ())),
            "listed_count": member.followers // 500,
            "like_count": 0,
        }
        return metrics | ({"media_count": 0} if self.ask.dialect == "post" else {})

    def _receives_dm(self, member: Member) -> bool | None:
        if self.viewer is None:
            return None
        return member.dm_open or ("x", member.id, self.viewer.id) in self.world.follows

    def _connection(self, member: Member) -> list[str] | None:
        if self.viewer is None:
            return None
        follows, me, other = self.world.follows, self.viewer.id, member.id
        state = {"following": ("x", me, other), "followed_by": ("x", other, me)}
        return [name for name, edge in state.items() if edge in follows]


def _is_long(item: Item) -> bool:
    return len(item.text) > texts.LIMIT // 2 and texts.weighted_length(item.text) > texts.LIMIT


def _verified_type(member: Member) -> str:
    if not member.verified:
        return "none"
    return "business" if member.brand else "blue"


_POST: dict[str, Callable[[Renderer, Item], Any]] = {
    "attachments": lambda _, item: {"media_keys": [one["media_key"] for one in item.media]} if item.media else None,
    "author_id": lambda _, item: item.author,
    "conversation_id": lambda r, item: r.world.root_of(item),
    "created_at": lambda _, item: iso(item.created),
    "display_text_range": lambda r, item: [item.prefix, len(r._short(item))],
    "edit_controls": Renderer._edit_controls,
    "entities": Renderer._entities,
    "in_reply_to_user_id": Renderer._reply_to_user,
    "lang": lambda _, item: item.lang,
    "note_tweet": lambda _, item: {"text": item.text} if _is_long(item) else None,
    "paid_partnership": lambda _r, _i: False,
    "possibly_sensitive": lambda _r, _i: False,
    "public_metrics": Renderer._post_metrics,
    "referenced_tweets": Renderer._references,
    "reply_settings": lambda _r, _i: "everyone",
}
_USER: dict[str, Callable[[Renderer, Member], Any]] = {
    "connection_status": Renderer._connection,
    "created_at": lambda _, member: iso(member.created),
    "description": lambda _, member: member.bio,
    "location": lambda _, member: member.location or None,
    "most_recent_tweet_id": lambda r, member: newest.id if (newest := r._newest_post(member)) else None,
    "profile_image_url": lambda r, member: f"{r.base_url}/avatars/x/{member.id}.png",
    "protected": lambda _, member: member.protected,
    "public_metrics": Renderer._user_metrics,
    "receives_your_dm": Renderer._receives_dm,
    "subscription_type": lambda _r, _m: "None",
    "url": lambda _r, _m: "",
    "verified": lambda _, member: member.verified,
    "verified_type": lambda _, member: _verified_type(member),
}
