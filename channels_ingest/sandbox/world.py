"""The state of both networks, built from the journal and from nothing else.

`World.record` is the only way to change anything: it writes the event to the journal (on the disk when it returns),
applies it, and tells the listeners. Starting again means applying every line of the journal in order.
"""

from __future__ import annotations

import gc
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from .ids import Snowflakes, page_scoped_id
from .ledger import Ledger, Record
from .things import App, Item, Member, Message, Network, Subscription, Timeline, Token, Upload, Webhook

MENTION = re.compile(r"(?<![\w@])@([A-Za-z0-9_]{1,15})\b")

DEFAULT_SETTINGS: dict[str, Any] = {
    "x": {
        "dialect": "tweet",  # which names are spoken where the caller does not tell: "tweet" (v2.166) or "post"
        "rate_limits": True,
        "mention_limit": 800,  # newest mentions that can be reached; null: all
        "timeline_limit": 3200,
        "search_days": 7,  # recent search; null: all
        "dm_days": 30,
        "token_seconds": 7200,  # how long an access token lives that is given for a refresh token
        "reply_rule": True,  # replies by API only where the author mentioned or quoted us
    },
    "facebook": {
        "from_hidden": False,  # leave `from` out of posts and comments of people
        "windows": True,  # 24 hours, 7 days with HUMAN_AGENT
        "batch_ms": 30,  # how long webhook changes are collected into one body
    },
    "webhooks": {"attempts": 12, "backoff_ms": 500, "backoff_max_ms": 60_000, "timeout_s": 10, "parallel": 8},
}

Listener = Callable[[Record], None]


class World:
    def __init__(self, directory: Path) -> None:
        self.journal = Ledger(directory / "journal.jsonl")
        self.pictures = directory / "pictures"  # what was uploaded, each in a file
        self.uploads: dict[str, Upload] = {}
        self.members: dict[tuple[Network, str], Member] = {}
        self.usernames: dict[tuple[Network, str], str] = {}
        self.people: dict[str, dict[Network, str]] = {}
        self.apps: dict[tuple[Network, str], App] = {}
        self.tokens: dict[str, Token] = {}
        self.refreshes: dict[str, Token] = {}  # by refresh token
        self.items: dict[Network, dict[str, Item]] = {"x": {}, "facebook": {}}
        self.children: dict[tuple[Network, str], list[str]] = defaultdict(list)
        self.quotes: dict[str, list[str]] = defaultdict(list)
        self.timeline = Timeline()
        self.by_author: dict[str, Timeline] = defaultdict(Timeline)
        self.mentioning: dict[str, Timeline] = defaultdict(Timeline)
        self.page_posts: dict[str, list[str]] = defaultdict(list)
        self.messages: dict[str, Message] = {}
        self.conversations: dict[tuple[Network, str], list[str]] = defaultdict(list)
        self.mailbox: dict[tuple[Network, str], list[str]] = defaultdict(list)
        self.psids: dict[str, tuple[str, str]] = {}
        self.follows: set[tuple[Network, str, str]] = set()
        self.blocked: dict[str, list[str]] = {}  # by Page: the people it blocked, the last one at the end
        self.webhooks: dict[str, Webhook] = {}
        self.subscriptions: dict[str, Subscription] = {}
        self.page_subscriptions: dict[str, list[str]] = {}
        self.settings: dict[str, Any] = {group: dict(values) for group, values in DEFAULT_SETTINGS.items()}
        self.snowflakes = Snowflakes()
        self.listeners: list[Listener] = []
        self._roots: dict[str, str] = {}

    # -- changing ---------------------------------------------------------------------------------------------------
    def replay(self, each: Listener | None = None) -> None:
        """Builds the state from the journal; `each` sees every event right after it was applied."""
        gc.disable()
        try:
            for event in self.journal.read():
                self._apply(event)
                if each is not None:
                    each(event)
        finally:
            gc.enable()

    def record(self, kind: str, **data: Any) -> Record:
        return self.record_all([{"kind": kind, **data}])[0]

    def record_all(self, events: Iterable[Record]) -> list[Record]:
        """Journals the events (one fsync), applies them, tells the listeners."""
        written = self.journal.extend(events)
        for event in written:
            self._apply(event)
        for event in written:
            for listener in self.listeners:
                listener(event)
        return written

    def _apply(self, event: Record) -> None:
        getattr(self, "_on_" + event["kind"].replace(".", "_"))(event)

    def _on_member_created(self, event: Record) -> None:
        member = Member(**event["member"])
        self.members[member.network, member.id] = member
        self.usernames[member.network, member.username.lower()] = member.id
        if member.person:
            self.people.setdefault(member.person, {})[member.network] = member.id

    def _on_member_changed(self, event: Record) -> None:
        member = self.members[event["network"], event["id"]]
        for name, value in event["changes"].items():
            setattr(member, name, value)

    def _on_app_created(self, event: Record) -> None:
        app = App(**event["app"])
        self.apps[app.network, app.id] = app
        if app.bearer:
            self.tokens[app.bearer] = Token(app.bearer, app.network, app.id, kind="app")

    def _on_app_changed(self, event: Record) -> None:
        app = self.apps[event["network"], event["id"]]
        for name, value in event["changes"].items():
            setattr(app, name, value)

    def _on_token_issued(self, event: Record) -> None:
        token = Token(**event["token"])
        self.tokens[token.value] = token
        if token.refresh:
            self.refreshes[token.refresh] = token

    def _on_token_spent(self, event: Record) -> None:
        self.tokens[event["value"]].spent = True

    def _on_token_changed(self, event: Record) -> None:
        for token in self.tokens_of(event["network"], event["id"]):
            for name, value in event["changes"].items():
                setattr(token, name, value)

    def _on_settings_changed(self, event: Record) -> None:
        self.settings[event["group"]].update(event["changes"])

    def _on_followed(self, event: Record) -> None:
        edge = (event["network"], event["who"], event["whom"])
        if event["on"]:
            self.follows.add(edge)
        else:
            self.follows.discard(edge)

    def _on_member_blocked(self, event: Record) -> None:
        blocked = self.blocked.setdefault(event["page"], [])
        if event["on"]:
            blocked.append(event["who"])
        else:
            blocked.remove(event["who"])

    def _on_post_created(self, event: Record) -> None:
        item = Item(**event["item"])
        item.author, item.via, item.lang = sys.intern(item.author), sys.intern(item.via), sys.intern(item.lang)
        self.items[item.network][item.id] = item
        if item.parent:
            self.children[item.network, item.parent].append(item.id)
        if item.network == "x":
            self._index_x(item)
        else:
            self._index_facebook(item)
        if item.via == "load":
            self._roots.clear()

    def _index_x(self, item: Item) -> None:
        self.snowflakes.seen(item.id)
        self.timeline.add(item.id)
        self.by_author[item.author].add(item.id)
        for username in mentioned(item.text) if "@" in item.text else ():
            self.mentioning[username].add(item.id)
        if item.quoted:
            self.quotes[item.quoted].append(item.id)
        if item.history:
            for older in item.history[:-1]:
                self.items["x"][older].newer = item.id

    def _index_facebook(self, item: Item) -> None:
        if item.page and item.post is None:
            self.page_posts[item.page].append(item.id)
        if item.page:
            self.know(item.page, item.author)

    def _on_post_edited(self, event: Record) -> None:
        item = self.items[event["network"]][event["id"]]
        item.text = event["text"]
        item.edited = event["at"]

    def _on_post_deleted(self, event: Record) -> None:
        for item in self.versions(self.items[event["network"]][event["id"]]):
            item.deleted = True

    def _on_post_hidden(self, event: Record) -> None:
        self.items[event["network"]][event["id"]].hidden = event["hidden"]

    def _on_post_liked(self, event: Record) -> None:
        item = self.items[event["network"]][event["id"]]
        item.likes = [*(item.likes or []), event["who"]]

    def _on_media_uploaded(self, event: Record) -> None:
        upload = Upload(**event["upload"])
        self.uploads[upload.id] = upload

    def _on_media_described(self, event: Record) -> None:
        self.uploads[event["id"]].alt = event["alt"]

    def _on_message_sent(self, event: Record) -> None:
        message = Message(**event["message"])
        self.messages[message.id] = message
        self.conversations[message.network, message.conversation].append(message.id)
        self.mailbox[message.network, message.sender].append(message.id)
        self.mailbox[message.network, message.recipient].append(message.id)
        if message.network == "x":
            self.snowflakes.seen(message.id)
        else:
            page, user = self.page_and_user(message)
            self.know(page, user)

    def _on_message_deleted(self, event: Record) -> None:
        self.messages[event["id"]].deleted = True

    def _on_webhook_set(self, event: Record) -> None:
        webhook = Webhook(**event["webhook"])
        self.webhooks[webhook.id] = webhook

    def _on_webhook_removed(self, event: Record) -> None:
        self.webhooks.pop(event["id"], None)
        for subscription in [s for s in self.subscriptions.values() if s.webhook == event["id"]]:
            del self.subscriptions[subscription.id]

    def _on_subscription_set(self, event: Record) -> None:
        subscription = Subscription(**event["subscription"])
        self.subscriptions[subscription.id] = subscription

    def _on_subscription_removed(self, event: Record) -> None:
        self.subscriptions.pop(event["id"], None)

    def _on_page_subscribed(self, event: Record) -> None:
        if event["fields"]:
            self.page_subscriptions[event["page"]] = event["fields"]
        else:
            self.page_subscriptions.pop(event["page"], None)

    # -- asking -----------------------------------------------------------------------------------------------------
    def tokens_of(self, network: Network, account: str) -> list[Token]:
        return [token for token in self.tokens.values() if token.network == network and token.account == account]

    def member(self, network: Network, member_id: str) -> Member | None:
        return self.members.get((network, member_id))

    def by_username(self, network: Network, username: str) -> Member | None:
        member_id = self.usernames.get((network, username.lower()))
        return self.member(network, member_id) if member_id else None

    def brands(self, network: Network) -> list[Member]:
        return [member for member in self.members.values() if member.brand and member.network == network]

    def know(self, page_id: str, user_id: str) -> str:
        """The PSID of a user on a Page, remembered so that it can be resolved again."""
        if user_id == page_id:
            return page_id
        psid = page_scoped_id(page_id, user_id)
        self.psids[psid] = (page_id, user_id)
        return psid

    def versions(self, item: Item) -> list[Item]:
        """All versions of an X post, oldest first; the item itself where it was never edited."""
        newest = self.items[item.network][item.newer] if item.newer else item
        return [self.items[item.network][one] for one in newest.history] if newest.history else [item]

    def visible(self, item: Item) -> bool:
        """Whether anyone may see it: neither deleted nor its author protected or suspended."""
        if item.deleted:
            return False
        author = self.members.get((item.network, item.author))
        return author is None or not (author.protected or author.suspended)

    def root_of(self, item: Item) -> str:
        """X's conversation id: the topmost known ancestor, or the missing post that one answers."""
        known, trail, current = self.items["x"], [], item
        while current.id not in self._roots:
            if current.id in trail:  # loaded data that answers itself in a circle
                root = current.id
                break
            trail.append(current.id)
            if current.parent is None:
                root = current.history[0] if current.history else current.id
                break
            above = known.get(current.parent)
            if above is None:
                root = current.parent
                break
            current = above
        else:
            root = self._roots[current.id]
        self._roots.update((one, root) for one in trail)
        return root

    def below(self, network: Network, item_id: str) -> Iterator[Item]:
        """Everything under an item, depth first, in the order it was written; each once, also where loaded data
        answers itself in a circle."""
        stack, seen = list(reversed(self.children.get((network, item_id), []))), {item_id}
        while stack:
            item = self.items[network][stack.pop()]
            if item.id in seen:
                continue
            seen.add(item.id)
            yield item
            stack.extend(reversed(self.children.get((network, item.id), [])))

    def mentioned_members(self, network: Network, text: str) -> list[Member]:
        found = (self.by_username(network, name) for name in mentioned(text))
        return [member for member in found if member is not None]

    def page_and_user(self, message: Message) -> tuple[str, str]:
        sender = self.members[message.network, message.sender]
        return (message.sender, message.recipient) if sender.brand else (message.recipient, message.sender)


def mentioned(text: str) -> list[str]:
    """User names in a text, in lower case, each once, in order."""
    return list(dict.fromkeys(name.lower() for name in MENTION.findall(text)))
