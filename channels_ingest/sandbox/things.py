"""What the sandbox networks consist of: people, brands, apps, tokens, posts and messages. Plain values."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

Network = Literal["x", "facebook"]

X_SCOPES = (
    "tweet.read", "tweet.write", "tweet.moderate.write", "users.read",
    "dm.read", "dm.write", "media.write", "like.read", "follows.read", "offline.access",
)  # fmt: skip
PAGE_SCOPES = (
    "pages_show_list", "pages_read_engagement", "pages_read_user_content", "pages_manage_posts",
    "pages_manage_engagement", "pages_manage_metadata", "pages_messaging",
)  # fmt: skip


@dataclass(slots=True)
class Member:
    """One account on one network: a person's, or a brand's (an X account, a Facebook Page). Times: UTC ms."""

    network: Network
    id: str
    username: str
    name: str
    brand: bool = False
    person: str = ""
    followers: int = 0
    verified: bool = False
    protected: bool = False
    suspended: bool = False
    dm_open: bool = True
    lang: str = "en"
    bio: str = ""
    location: str = ""
    created: int = 0


@dataclass(slots=True)
class App:
    """A developer app. On X: consumer key and secret and the app's bearer token; on Facebook: app id and secret."""

    network: Network
    id: str
    secret: str
    verify_token: str
    bearer: str = ""
    webhook_url: str = ""  # Facebook keeps one per app
    fields: list[str] = field(default_factory=list)

    @property
    def client_id(self) -> str:
        """X knows the app by another name in OAuth 2.0."""
        return f"{self.id}-oauth2"

    @property
    def client_secret(self) -> str:
        return f"cs-{self.secret}"


@dataclass(slots=True)
class Token:
    """What a caller presents. `user` speaks for one account, `app` for none. `dead` is why it no longer works.

    An OAuth 2.0 token of X ends at `expires` (UTC ms; 0: never) and comes with a `refresh` token, which is good once:
    then both are `spent`.
    """

    value: str
    network: Network
    app: str
    account: str = ""
    kind: Literal["user", "app"] = "user"
    scopes: list[str] = field(default_factory=list)
    dead: dict[str, Any] | None = None
    expires: int = 0
    refresh: str = ""
    spent: bool = False

    def works(self, now: int) -> bool:
        """Whether it may be presented at `now` (UTC ms)."""
        return self.dead is None and not self.spent and not 0 < self.expires <= now

    @property
    def label(self) -> str:
        """How ledgers name the holder, without the token."""
        return f"{self.kind}:{self.account or self.app}"


@dataclass(slots=True)
class Item:
    """A post on X, or a post or comment on Facebook.

    `parent` is the item it answers. `post` and `page` are Facebook's: the post a comment stands under, the Page it
    belongs to. On X every edit makes a new item: `history` holds all ids, oldest first, `newer` the one after this.
    `sent` is the text as the API received it, where the network changed it.
    """

    network: Network
    id: str
    author: str
    text: str
    created: int
    parent: str | None = None
    quoted: str | None = None
    post: str | None = None
    page: str | None = None
    via: str = "person"
    sent: str | None = None
    lang: str = "en"
    media: list[dict[str, Any]] | None = None
    hidden: bool = False
    deleted: bool = False
    edited: int | None = None
    history: list[str] | None = None
    newer: str | None = None
    likes: list[str] | None = None
    prefix: int = 0


@dataclass(slots=True)
class Upload:
    """A picture that an account gave, to be shown with what it says next. `checksum` is the SHA-256 of its bytes."""

    network: Network
    id: str
    owner: str
    content_type: str
    size: int
    checksum: str
    alt: str = ""

    @property
    def media(self) -> dict[str, Any]:
        """As it stands in a post or message."""
        return {
            "media_key": f"3_{self.id}", "type": "photo", "url": f"/media/uploaded/{self.id}", "alt_text": self.alt,
            "width": 480, "height": 320,
        }  # fmt: skip


@dataclass(slots=True)
class Message:
    """A direct message (X) or a Messenger message. `reply_to_item` is the comment a private reply answers."""

    network: Network
    id: str
    conversation: str
    sender: str
    recipient: str
    text: str
    created: int
    via: str = "person"
    metadata: str = ""
    media: list[dict[str, Any]] | None = None
    deleted: bool = False
    reply_to_item: str | None = None
    tag: str = ""


@dataclass(slots=True)
class Webhook:
    """X: a registered webhook of an app."""

    id: str
    app: str
    url: str
    valid: bool
    created: int


@dataclass(slots=True)
class Subscription:
    """X Activity API: which event about which account goes to which webhook."""

    id: str
    app: str
    event_type: str
    filter: dict[str, str]
    webhook: str
    tag: str
    created: int
    updated: int


class Timeline:
    """Ids in numeric order, read newest first. Cheap to append to in any order; sorted when read."""

    __slots__ = ("_dirty", "_ids")

    def __init__(self) -> None:
        self._ids: list[int] = []
        self._dirty = False

    def add(self, item_id: str) -> None:
        value = int(item_id)
        if self._ids and value < self._ids[-1]:
            self._dirty = True
        self._ids.append(value)

    def __len__(self) -> int:
        return len(self._ids)

    def newest_first(
        self, *, below: str | None = None, above: str | None = None, reach: int | None = None
    ) -> Iterator[str]:
        """Ids smaller than `below` and greater than `above`, among the newest `reach`."""
        ids, low, high = self._bounds(below, above, reach)
        for index in range(high - 1, low - 1, -1):
            yield str(ids[index])

    def oldest_first(self, *, above: str | None = None, reach: int | None = None) -> Iterator[str]:
        ids, low, high = self._bounds(None, above, reach)
        for index in range(low, high):
            yield str(ids[index])

    def _bounds(self, below: str | None, above: str | None, reach: int | None) -> tuple[list[int], int, int]:
        if self._dirty:
            self._ids.sort()
            self._dirty = False
        low = 0 if above is None else bisect_right(self._ids, int(above))
        high = len(self._ids) if below is None else bisect_left(self._ids, int(below))
        if reach is not None:
            low = max(low, len(self._ids) - reach)
        return self._ids, low, high
