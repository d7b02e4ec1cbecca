"""What X lists, asked for page by page and made our values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from channels_ingest.networks.base import Dropped, Item
from channels_ingest.networks.parts import values
from channels_ingest.networks.parts.values import Obj, Unusable
from channels_ingest.networks.parts.x_posts import Includes, Us, includes_of, message_from, post_from

if TYPE_CHECKING:
    from channels_ingest.networks.parts.x_client import Client

USER_FIELDS = ["name", "username", "profile_image_url", "public_metrics", "verified", "protected", "receives_your_dm"]
MEDIA_FIELDS = ["media_key", "type", "url", "preview_image_url", "alt_text", "variants"]
POST_FIELDS = [
    "attachments",
    "author_id",
    "conversation_id",
    "created_at",
    "edit_controls",
    "edit_history_tweet_ids",
    "entities",
    "in_reply_to_user_id",
    "lang",
    "note_tweet",
    "public_metrics",
    "referenced_tweets",
    "reply_settings",
]
POST_EXPANSIONS = [
    "attachments.media_keys",
    "author_id",
    "entities.mentions.username",
    "in_reply_to_user_id",
    "referenced_tweets.id",
    "referenced_tweets.id.author_id",
]
# The same for an API that knows only the names of August 2026 (account setting "dialect": "post"); its fields are named
# where the session is made.
POST_DIALECT_EXPANSIONS = [
    "attachments.media_keys",
    "author_id",
    "edit_history_post_ids",
    "entities.mentions.username",
    "in_reply_to_user_id",
    "referenced_posts",
]
MESSAGE_FIELDS = [
    "attachments",
    "created_at",
    "dm_conversation_id",
    "entities",
    "event_type",
    "id",
    "sender_id",
    "text",
]


class Reading:
    """Raises NetworkError. `where` says from where a page is: since_id, until_id, token."""

    def __init__(self, client: Client, us: Us) -> None:
        self.client = client
        self.us = us

    def mentions(self, where: Mapping[str, str]) -> Obj:
        return self._list(self.client.reader.get_users_mentions, self.us.id, where)

    def own(self, where: Mapping[str, str]) -> Obj:
        return self._list(self.client.reader.get_users_tweets, self.us.id, where, exclude=["retweets"])

    def found(self, query: str, where: Mapping[str, str]) -> Obj:
        return self._list(self.client.reader.search_recent_tweets, query, where)

    def looked_up(self, external_ids: list[str]) -> Obj:
        answer: Obj = self.client.reader.get_tweets(external_ids, user_auth=self.client.signs, **self._wanted)
        return answer

    def _list(self, call: Callable[..., Obj], about: str, where: Mapping[str, str], **more: Any) -> Obj:
        """One page of posts."""
        at = {name: value for name, value in where.items() if name != "token"}
        if "token" in where:
            at["next_token" if "search" in call.__name__ else "pagination_token"] = where["token"]
        return call(about, user_auth=self.client.signs, max_results=100, **self._wanted, **at, **more)

    @cached_property
    def _wanted(self) -> dict[str, list[str]]:
        about = {"user_fields": USER_FIELDS, "media_fields": MEDIA_FIELDS}
        if self.client.speaks_post:
            return about | {"expansions": POST_DIALECT_EXPANSIONS}
        return about | {"tweet_fields": POST_FIELDS, "expansions": POST_EXPANSIONS}

    def messages(self, where: Mapping[str, str], **place: str) -> Obj:
        at = {"pagination_token": where["token"]} if "token" in where else {}
        answer: Obj = self.client.user.get_direct_message_events(
            user_auth=self.client.signs,
            max_results=100,
            event_types="MessageCreate",
            dm_event_fields=MESSAGE_FIELDS,
            expansions=["sender_id", "attachments.media_keys"],
            user_fields=USER_FIELDS,
            media_fields=MEDIA_FIELDS,
            **at,
            **place,
        )
        return answer

    def items(self, source: str, answer: Obj) -> tuple[list[Item], list[Dropped]]:
        includes = includes_of(answer)
        return self._sorted_out(answer, lambda raw: post_from(raw, includes, self.us, source))

    def message_items(self, answer: Obj) -> tuple[list[Item], list[Dropped]]:
        includes: Includes = includes_of(answer)
        return self._sorted_out(answer, lambda raw: message_from(raw, includes, self.us))

    def _sorted_out(self, answer: Obj, made: Callable[[Obj], Item]) -> tuple[list[Item], list[Dropped]]:
        """The items of a page, and what cannot be one: a bad one does not stop the rest."""
        items: list[Item] = []
        dropped: list[Dropped] = []
        for raw in values.listing(answer.get("data")):
            try:
                items.append(made(raw if isinstance(raw, dict) else {}))
            except Unusable as problem:
                dropped.append(Dropped(str(problem), values.storable(raw)))
        return items, dropped
