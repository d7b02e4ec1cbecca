"""What every network module speaks: plain values in, plain values out, one class, one error type.

Nothing here knows Django's models. A network module turns whatever its vendor says into `Post`, `Removal` and
`AuthorRemoval` values, and an `Outgoing` value into calls of its vendor.
"""

from __future__ import annotations

import enum
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar

JSON = Any  # a value that json.dumps accepts

LONGEST_CALL = timedelta(
    seconds=50
)  # no single call of a network lasts longer; a lease on a send is at least twice this


_write_before: ContextVar[float | None] = ContextVar("write_before", default=None)


@contextmanager
def writing_before(deadline: float) -> Iterator[None]:
    """Within it no call that changes anything on a network begins after `deadline` (on the monotonic clock): the HTTP
    exit looks at the clock as its very last step, however long the process was held up before."""
    token = _write_before.set(deadline)
    try:
        yield
    finally:
        _write_before.reset(token)


def too_late_to_write() -> bool:
    """Whether the deadline of `writing_before` has passed."""
    deadline = _write_before.get()
    return deadline is not None and time.monotonic() > deadline


class Visibility(enum.StrEnum):
    PUBLIC = "public"
    PRIVATE = "private"


class Kind(enum.StrEnum):
    POST = "post"
    REPLY = "reply"
    QUOTE = "quote"
    COMMENT = "comment"
    MESSAGE = "message"


class Action(enum.StrEnum):
    """What an agent may want to do with an inbound item."""

    REPLY = "reply"  # answer in public, below the item
    MESSAGE = "message"  # write to its author in private
    HIDE = "hide"
    DELETE = "delete"  # take one of our own items back (or, where supported, remove theirs)
    BLOCK = "block"  # keep its author from writing to this account


@dataclass(frozen=True, slots=True)
class Author:
    """One handle of a person on the network, as far as the network tells. Ids are opaque strings."""

    external_id: str
    handle: str = ""
    name: str = ""
    avatar_url: str = ""
    followers: int | None = None
    verified: bool | None = None
    permalink: str = ""


@dataclass(frozen=True, slots=True)
class Media:
    kind: str  # "image", "video", "file", "sticker"
    url: str
    alt: str = ""
    preview_url: str = ""


@dataclass(frozen=True, slots=True)
class Post:
    """One thing said on a network.

    `root_id` names the public root (or the private conversation) the item stands under, also when the root itself
    was never seen; it is the item's own id for a root. `addressee` is whom a reply or a message is directed to, where
    the network says so. `posted_at` and `edited_at` are the network's own time, aware and in UTC. `version` grows with
    every edit; `alias_ids` are other ids of the same item (X gives each edit a new id, `external_id` is the first).
    `facts` are small JSON values that this network's own `verdict()` wants to find again later.
    `echo_key` is our own key where the network hands it back (Messenger's metadata).
    """

    external_id: str
    kind: Kind
    visibility: Visibility
    author: Author
    text: str
    posted_at: datetime
    root_id: str
    parent_id: str | None = None
    addressee: Author | None = None
    version: int = 1
    edited_at: datetime | None = None
    alias_ids: tuple[str, ...] = ()
    language: str = ""
    permalink: str = ""
    media: tuple[Media, ...] = ()
    metrics: Mapping[str, int] = field(default_factory=dict)
    facts: Mapping[str, JSON] = field(default_factory=dict)
    echo_key: str = ""
    raw: Mapping[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Removal:
    """An item was deleted (or may no longer be kept) on the network."""

    external_id: str
    reason: str = "deleted"


@dataclass(frozen=True, slots=True)
class AuthorRemoval:
    """All items of an author may no longer be kept: account protected, suspended or deleted."""

    author_id: str
    reason: str = "protected"


Item = Post | Removal | AuthorRemoval


@dataclass(frozen=True, slots=True)
class Dropped:
    """Something the network sent that cannot become an item, and why. `raw` is what was sent."""

    reason: str
    raw: JSON = None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a pull. `cursor` (JSON, opaque to the caller) is stored in the transaction that stores the items,
    and given back to the next `pull`; it stands for exactly what has been handed over so far."""

    items: tuple[Item, ...]
    cursor: Mapping[str, JSON]
    dropped: tuple[Dropped, ...] = ()


@dataclass(frozen=True, slots=True)
class Stream:
    """A way items come in by pulling. `every` is the shortest sensible time between two pulls."""

    name: str
    visibility: Visibility
    every: timedelta
    ours: bool = False  # brings what the account itself said


@dataclass(frozen=True, slots=True)
class Event:
    """What one webhook body says to one account: items, or why there are none.

    `event_id` is the network's own id of the event, where it has one. `broken` says why the account can no longer be
    used from now on (its owner revoked the access), where the event says so.
    """

    account_id: str
    items: tuple[Item, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    event_id: str = ""
    broken: str = ""


@dataclass(frozen=True, slots=True)
class Pictures:
    """What pictures a network takes with one answer: how many, how large each (bytes), of which media types, whether
    it takes a description for those who do not see them, and whether they go `alone`: without words, each as an answer
    of its own."""

    most: int
    largest: int
    types: tuple[str, ...]
    described: bool = True
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Supports:
    public_reply: bool = False
    private_message: bool = False
    hide: bool = False
    delete: bool = False
    block: bool = False  # people can be kept from writing to the account
    edit: bool = False
    media: Mapping[Action, Pictures] = field(default_factory=dict)  # the ways of answering that take pictures
    public_limit: int | None = None  # characters as `length()` counts them
    private_limit: int | None = None
    read_back: bool = True  # what was sent can be looked up again


@dataclass(frozen=True, slots=True)
class Situation:
    """All a network needs to know to say whether an action is allowed on an item, without knowing our tables.

    `last_private_in` is when this person last wrote to this account in private; `private_replied` tells that a
    private reply to this very item was already sent. `human` is False for anything a machine would send.
    """

    external_id: str
    visibility: Visibility
    author_id: str
    ours: bool
    posted_at: datetime
    now: datetime
    facts: Mapping[str, JSON] = field(default_factory=dict)
    last_private_in: datetime | None = None
    private_replied: bool = False
    removed: bool = False
    human: bool = True


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an action is allowed; `reason` says why not (or what to mind), `until` when the window closes."""

    allowed: bool
    reason: str = ""
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture to send: its bytes, its media type by its bytes, and its description."""

    content: bytes
    content_type: str
    alt: str = ""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One thing to say. `key` is ours, unique, and stays the same over every attempt.

    A reply names `parent_id`; a message names `recipient_id`, and `parent_id` too where it answers a public item in
    private (`private_reply`). `started_at` is when the first attempt began (for reading back). `already` are the ids
    of items of ours in the same place that other messages are known to have become: reading back never answers with
    one of them, so that the same words said twice are not taken for one another.
    """

    action: Action
    text: str
    key: str
    parent_id: str = ""
    root_id: str = ""
    recipient_id: str = ""
    private_reply: bool = False
    human: bool = True
    facts: Mapping[str, JSON] = field(default_factory=dict)
    last_private_in: datetime | None = None
    started_at: datetime | None = None
    already: tuple[str, ...] = ()
    pictures: tuple[Picture, ...] = ()


@dataclass(frozen=True, slots=True)
class Sent:
    external_id: str
    permalink: str = ""


class Trouble(enum.StrEnum):
    TEMPORARY = "temporary"  # try again, after `retry_after` where it is known
    PERMANENT = "permanent"  # this message will never go: duplicate, too long, parent deleted
    BROKEN = "broken"  # the channel is broken: token dead, scope revoked, account suspended


class NetworkError(Exception):
    """The one error of every network.

    `ambiguous` tells that the network may have accepted what was sent although no good answer came: such a send is
    never repeated before the network was read back. `duplicate` tells that the network refused because it already has
    this very text. `message` is the network's own words, free of tokens; `advice` says what an admin can do.
    """

    def __init__(
        self,
        message: str,
        trouble: Trouble,
        *,
        retry_after: timedelta | None = None,
        ambiguous: bool = False,
        duplicate: bool = False,
        code: str = "",
        advice: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.trouble = trouble
        self.retry_after = retry_after
        self.ambiguous = ambiguous
        self.duplicate = duplicate
        self.code = code
        self.advice = advice

    def rest(self, tries: int, *, longest: timedelta, first: timedelta = timedelta(seconds=1)) -> timedelta:
        """How long to wait after so many tries: what the network asks for; otherwise twice as long after each one."""
        return self.retry_after or min(first * 2 ** min(tries, 10), longest)


class CannotReadBack(Exception):
    """The network offers no way to find out whether a message was accepted; its words say what a person can do."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the connect form: where its value comes from is said in `help`. `app` fields belong to the
    developer app that several channels share (its id, its secret), the others to the one account. `label` and `help`
    are marked with `gettext_noop` and translated where they are shown."""

    name: str
    label: str
    help: str
    secret: bool = True
    app: bool = False
    required: bool = True


FreshToken = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Account:
    """The account a network object acts for. `credentials` holds the values of `fields` (app fields included),
    `settings` what an admin set (search keywords...), `base_url` replaces the vendor's origin (sandbox).

    `fresh_token`, where the access can be renewed, takes an access token that the network refused and returns the one
    that has taken its place; it raises NetworkError where there is none.
    """

    external_id: str
    handle: str
    credentials: Mapping[str, str]
    settings: Mapping[str, JSON] = field(default_factory=dict)
    base_url: str = ""
    fresh_token: FreshToken | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Access:
    """Credentials to keep from now on (all of them), and when they end: `renew_before` is when they must have been
    renewed by us, `ends_at` when only a person can go on. None: never, or the network does not say."""

    credentials: Mapping[str, str] = field(repr=False)
    renew_before: datetime | None = None
    ends_at: datetime | None = None


class Network(ABC):
    """One adapter class per network; an instance acts for one account. No method is called inside a transaction."""

    key: ClassVar[str]
    name: ClassVar[str]
    badge: ClassVar[str]  # one to three letters for small marks beside an avatar
    supports: ClassVar[Supports]
    streams: ClassVar[tuple[Stream, ...]]
    fields: ClassVar[tuple[Field, ...]]
    app_field: ClassVar[str] = ""  # the (app) field whose value identifies the developer app
    sandbox: ClassVar[str] = ""  # what the sandbox calls it; empty where it is not played there

    def __init__(self, account: Account) -> None:
        self.account = account

    # -- who we are -------------------------------------------------------------------------------------------------
    @abstractmethod
    def identify(self) -> Author:
        """The account these credentials speak for. Used to test a connection. Raises NetworkError."""

    def sign_in(self) -> Access:
        """What to keep of the keys an admin entered, which `identify` accepted. Raises NetworkError."""
        return Access(self.account.credentials, ends_at=self.access_ends())

    def access_ends(self) -> datetime | None:
        """When the access ends that only a person can renew; None: never, or the network does not say. Raises
        NetworkError."""
        return None

    @property
    def renewable(self) -> bool:
        """Whether we can renew the access without a person."""
        return False

    def renew(self) -> Access:
        """Renews the access. The credentials used for it may be worth nothing afterwards, also where the answer was
        lost. Raises NetworkError; one that is BROKEN says that a person has to sign in again."""
        raise NetworkError(f"{self.name} cannot renew an access", Trouble.PERMANENT)

    # -- in ---------------------------------------------------------------------------------------------------------
    @abstractmethod
    def pull(self, stream: str, cursor: Mapping[str, JSON]) -> Iterator[Page]:
        """Pages from where `cursor` ({} at first) stands to the end. Raises NetworkError between pages."""

    def cursor_at(self, stream: str, moment: datetime) -> Mapping[str, JSON]:
        """A cursor from which `pull` brings everything said since `moment` (and may bring more)."""
        return {}

    def lookup(self, external_ids: Iterable[str]) -> tuple[Item, ...]:
        """The items as they are now; a Removal for each that is gone. At most 100 ids. Raises NetworkError."""
        raise NetworkError(f"{self.name} cannot look up single items", Trouble.PERMANENT)

    @classmethod
    def challenge(cls, query: Mapping[str, str], secrets: Mapping[str, str]) -> tuple[str, str] | None:
        """Answer of a webhook hand-shake as (content type, body); None refuses it."""
        return None

    @classmethod
    def signed(cls, body: bytes, headers: Mapping[str, str], secrets: Mapping[str, str]) -> bool:
        """Whether this webhook body is authentic, compared in constant time. Header names are lower case."""
        return False

    @classmethod
    def parse_event(cls, payload: JSON) -> tuple[Event, ...]:
        """What a verified webhook body says, by account. Pure. Never raises for a strange payload: it is dropped
        with a reason."""
        return ()

    def subscribe(self, callback_url: str) -> None:
        """Asks the network to push to `callback_url`. Idempotent. Raises NetworkError."""
        raise NetworkError(f"{self.name} does not push", Trouble.PERMANENT)

    # -- out --------------------------------------------------------------------------------------------------------
    @abstractmethod
    def verdict(self, action: Action, situation: Situation) -> Verdict:
        """Whether `action` is allowed on the item now, and why not. Pure."""

    def send(self, out: Outgoing) -> Sent:
        """Says it, once. Raises NetworkError."""
        raise NetworkError(f"{self.name} cannot be written to", Trouble.PERMANENT)

    def find_sent(self, out: Outgoing) -> Sent | None:
        """Reads the network back: what `out` became, or None when it is not there. Raises CannotReadBack,
        NetworkError."""
        raise CannotReadBack

    def hide(self, external_id: str, *, hidden: bool) -> None:
        """Raises NetworkError."""
        raise NetworkError(f"{self.name} cannot hide", Trouble.PERMANENT)

    def remove(self, external_id: str) -> None:
        """Deletes an item; one that is gone already is no error. Raises NetworkError."""
        raise NetworkError(f"{self.name} cannot delete", Trouble.PERMANENT)

    def block(self, author_id: str, *, blocked: bool) -> None:
        """Keeps a person from writing to this account, or lets them in again. Doing it twice is no error. Raises
        NetworkError."""
        raise NetworkError(f"{self.name} cannot block", Trouble.PERMANENT)

    def length(self, text: str) -> int:
        """How long the network counts `text`."""
        return len(text)

    def limit(self, action: Action) -> int | None:
        return self.supports.public_limit if action == Action.REPLY else self.supports.private_limit
