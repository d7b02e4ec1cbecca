"""Where the demo is played: on the sandbox networks, so that the whole way of a post is real; or, without a sandbox, on
paper, where the posts are handed over as if a network had sent them and the channels stay paused."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from django.utils import timezone

from accounts.models import Brand
from channels_ingest import speaking
from channels_ingest.ingest import hand_over
from channels_ingest.models import Channel
from channels_ingest.networks.base import Author, Kind, Media, Post, Removal, Visibility
from channels_ingest.pull import pull_channel
from channels_ingest.sandbox_accounts import connect_account, network_key
from channels_ingest.sandbox_api import Sandbox
from scrm.demo.cast import BRANDS, CUSTOMERS, Customer, DemoBrand
from scrm.demo.script import DELETED, EDITED, FOLLOWS, LATER, SAID, Said

NETWORKS = ("x", "facebook")
SANDBOX_SECONDS = 30.0  # how long a sandbox that was just started may take


class Stage(ABC):
    """Plays the script. `ids` are the network's ids of what was said, by the script's keys; `answers` tells whether
    what colleagues write can be sent."""

    answers = True

    def __init__(self, brands: dict[str, Brand]) -> None:
        self.brands = brands
        self.ids: dict[str, str] = {}
        self.channels: dict[str, Channel] = {}  # by "x:handle" and "facebook:handle"

    @abstractmethod
    def play(self) -> None:
        """Everything that is said, up to now. What was played before is not said again."""

    @abstractmethod
    def go_on(self) -> None:
        """What is said after the colleagues' answers; brings those back in, as the network has them now."""

    def channel(self, said: Said) -> Channel:
        """The channel on which it was said."""
        key = home(said)
        return self.channels[key]


def home(said: Said) -> str:
    """The account that a post of the script has to do with, as "network:handle"."""
    while said.to:
        said = _BY_KEY[said.to]
    ours = {f"{network}:{handle}" for demo in BRANDS for network, handle in _accounts(demo)}
    named = (said.page, said.private, said.author, *(f"{demo.x}" for demo in BRANDS if f"@{demo.x}" in said.text))
    return next(key for one in named if (key := f"{said.network}:{one}") in ours)


def _accounts(demo: DemoBrand) -> tuple[tuple[str, str], ...]:
    return (("x", demo.x), ("facebook", demo.facebook))


_BY_KEY = {said.key: said for said in (*SAID, *LATER)}
_IN_ORDER = sorted(SAID, key=lambda said: -said.ago)


# -- on the sandbox ----------------------------------------------------------------------------------------------------


class SandboxStage(Stage):
    """Raises SandboxError, NetworkError."""

    def __init__(self, brands: dict[str, Brand], url: str) -> None:
        super().__init__(brands)
        self.sandbox = Sandbox(url)

    def play(self) -> None:
        self.sandbox.wait(SANDBOX_SECONDS)
        self._invite()
        self._say_all(_IN_ORDER)
        self._pull()
        self._change()

    def _say_all(self, script: Sequence[Said]) -> None:
        now = timezone.now()
        for said in script:
            known = self._said_before.get((said.network, self._members[said.network, said.author], said.text))
            self.ids[said.key] = known or self._say(said, now - timedelta(minutes=said.ago))

    def _invite(self) -> None:
        """Makes the people and the brands, and connects the channels."""
        self._members: dict[tuple[str, str], str] = {}
        there = self.sandbox.get("/state")["people"]
        for customer in CUSTOMERS:
            accounts = there.get(customer.handle) or self._invite_customer(customer)
            for network in NETWORKS:
                self._members[network, customer.handle] = accounts[network]["id"]
        for demo in BRANDS:
            for network, handle in _accounts(demo):
                account = self.sandbox.post(
                    f"/{network}/brands",
                    handle=handle, name=demo.name, followers=demo.followers, verified=True, if_missing=True,
                )  # fmt: skip
                self._members[network, handle] = account["id"]
                self.channels[f"{network}:{handle}"] = connect_account(account, network, self.brands[demo.slug])
        for who, whom in FOLLOWS:
            self.sandbox.post("/x/follows", author=who, whom=whom)

    def _invite_customer(self, customer: Customer) -> dict[str, Any]:
        return self.sandbox.post(
            "/people",
            handle=customer.handle, name=customer.name, followers=customer.followers, lang=customer.lang,
            verified=customer.verified, dm_open=customer.dm_open,
        )  # fmt: skip

    @cached_property
    def _said_before(self) -> dict[tuple[str, str, str], str]:
        """{(network, author id, words): id} of all that the networks hold already."""
        found = {}
        for line in self.sandbox.ledger("accepted"):
            if line["kind"] == "post.created":
                item = line["item"]
                found[item["network"], item["author"], item.get("sent") or item["text"]] = item["id"]
            elif line["kind"] == "message.sent":
                message = line["message"]
                found[message["network"], message["sender"], message["text"]] = message["id"]
        return found

    def _say(self, said: Said, at: datetime) -> str:
        common = {"author": said.author, "text": said.text, "at": int(at.timestamp() * 1000), "picture": said.picture}
        if said.private:
            return str(self.sandbox.post(f"/{said.network}/messages", to=said.private, **common)["id"])
        place = {"reply_to": self.ids[said.to]} if said.to else {"page": said.page} if said.page else {}
        return str(self.sandbox.post(f"/{said.network}/posts", **place, **common)["id"])

    def _pull(self) -> None:
        for channel in self.channels.values():
            pull_channel(channel.pk, everything=True)

    def go_on(self) -> None:
        self._say_all(LATER)
        self._pull()

    def _change(self) -> None:
        """What is edited and deleted after it was seen. A poll does not tell of deletions: they are looked up."""
        for edited in EDITED:
            said = _BY_KEY[edited.key]
            if (said.network, self._members[said.network, said.author], edited.text) not in self._said_before:
                self.sandbox.patch(f"/{said.network}/posts/{self.ids[edited.key]}", text=edited.text)
            pull_channel(self.channel(said).pk, everything=True)
        for key in DELETED:
            said = _BY_KEY[key]
            self.sandbox.delete(f"/{said.network}/posts/{self.ids[key]}")
            channel = self.channel(said)
            hand_over(channel, speaking.speak_for(channel).lookup([self.ids[key]]))


# -- on paper ----------------------------------------------------------------------------------------------------------


class PaperStage(Stage):
    """The same without any network: what is said comes in as posts, and nothing can be sent."""

    answers = False

    def play(self) -> None:
        self._connect()
        for number, said in enumerate(_IN_ORDER, 1):
            page = self.channel(said).external_id
            self.ids[said.key] = str(10**18 + number) if said.network == "x" else f"{page}_{number}"
        self._hand_over(_IN_ORDER)
        self._change(timezone.now())

    def _hand_over(self, script: Sequence[Said]) -> None:
        now = timezone.now()
        for key, channel in self.channels.items():
            hand_over(channel, [self._post(said, channel, now) for said in script if home(said) == key])

    def go_on(self) -> None:
        """Nobody writes to a paused channel."""

    def _connect(self) -> None:
        for demo in BRANDS:
            for network, handle in _accounts(demo):
                self.channels[f"{network}:{handle}"], _new = Channel.objects.get_or_create(
                    network=network_key(network),
                    external_id=_paper_id(network, handle),
                    defaults={
                        "brand": self.brands[demo.slug],
                        "handle": handle,
                        "name": demo.name,
                        "state": Channel.State.PAUSED,
                    },
                )

    def _change(self, began: datetime) -> None:
        for edited in EDITED:
            said = _BY_KEY[edited.key]
            post = self._post(said, self.channel(said), began, text=edited.text, version=2, edited_at=began)
            hand_over(self.channel(said), [post])
        for key in DELETED:
            hand_over(self.channel(_BY_KEY[key]), [Removal(self.ids[key])])

    def _post(self, said: Said, channel: Channel, began: datetime, **more: Any) -> Post:
        root = said
        while root.to:
            root = _BY_KEY[root.to]
        partner = said.private if said.author == channel.handle else said.author
        root_id = f"demo-{partner}-{channel.handle}" if said.private else self.ids[root.key]
        addressee = said.private or (_BY_KEY[said.to].author if said.to else "")
        values: dict[str, Any] = {
            "external_id": self.ids[said.key],
            "kind": _kind(said),
            "visibility": Visibility.PRIVATE if said.private else Visibility.PUBLIC,
            "author": _paper_author(said.network, said.author),
            "text": said.text,
            "posted_at": began - timedelta(minutes=said.ago),
            "root_id": root_id,
            "parent_id": self.ids[said.to] if said.to else None,
            "addressee": _paper_author(said.network, addressee) if addressee else None,
            "media": (Media("image", ""),) if said.picture else (),
            "facts": {"summoned": True},
        }
        return Post(**(values | more))


def _kind(said: Said) -> Kind:
    if said.private:
        return Kind.MESSAGE
    if said.to:
        return Kind.REPLY if said.network == "x" else Kind.COMMENT
    return Kind.POST


def _paper_id(network: str, handle: str) -> str:
    return f"demo-{network}-{handle}"


def _paper_author(network: str, handle: str) -> Author:
    names = {customer.handle: customer for customer in CUSTOMERS}
    if handle in names:
        customer = names[handle]
        return Author(_paper_id(network, handle), handle, customer.name, followers=customer.followers)
    name = next(demo.name for demo in BRANDS if handle in (demo.x, demo.facebook))
    return Author(_paper_id(network, handle), handle, name)
