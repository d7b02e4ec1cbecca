"""The people of the storm: customers who post, edit and delete, and agents who press Send and keep their own ledger."""

from __future__ import annotations

import base64
import hashlib
import hmac
import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from tests.faults.judge import Pressed
from tests.faults.stage import ActFailed, Stage, http

TAKES = 0.5  # how often an agent takes the thread before answering
PATIENCE = 45.0  # seconds for which an agent's browser repeats a request that nobody answered
STRANGE = (
    "א ב ג مرحبا بالعالم",
    "👩‍👩‍👧‍👦🏳️‍🌈" * 20,
    "word " * 1500,
    "<script>alert(1)</script> & {{ x }} %s",
    "a\u0000b",
    "half a pair \ud83d",
    "\u202e reversed \u2066",
)


@dataclass
class House:
    """A brand on one network, as the town knows it."""

    kind: str
    handle: str
    channel: int
    agent: int
    token: str
    hook: tuple[str, str] = ("", "")  # where its network pushes to, and by which secret


@dataclass
class Customers:
    """Say things at a given pace (seconds between two), until stopped."""

    stage: Stage
    houses: list[House]
    rng: random.Random
    pace: float
    people: list[str] = field(default_factory=list)
    public: list[tuple[House, str]] = field(default_factory=list)  # where, and its id
    done: Counter[str] = field(default_factory=Counter)

    def act(self) -> None:
        """One thing that somebody does."""
        house, author = self.rng.choice(self.houses), self.rng.choice(self.people)
        deeds: tuple[Callable[[House, str], None], ...] = (self.post, self._answer, self._whisper, self._edit)
        (deed,) = self.rng.choices((*deeds, self._delete, self._strange), (8, 6, 5, 2, 2, 1))
        try:
            deed(house, author)
        except ActFailed as refused:  # as the network refuses: a post that is gone, an edit too many
            self.done["refused"] += 1
            if refused.status != 400:
                raise
        else:
            self.done[deed.__name__.strip("_")] += 1

    def _text(self, house: House, words: str) -> str:
        mention = f"@{house.handle} " if house.kind == "x" else ""
        return f"{mention}{words} {self.stage.canary()}"

    def post(self, house: House, author: str, words: str = "Where is my tent?") -> None:
        page = {"page": house.handle} if house.kind == "facebook" else {}
        body = {"author": author, "text": self._text(house, words), **page}
        said = self.stage.control("POST", f"{house.kind}/posts", body)
        self.public.append((house, said["id"]))

    def _strange(self, house: House, author: str) -> None:
        self.post(house, author, self.rng.choice(STRANGE))

    def _answer(self, house: House, author: str) -> None:
        above = self._lately(house)
        if not above:
            self.post(house, author)
            return
        body = {"author": author, "text": self._text(house, "Same here."), "reply_to": above}
        said = self.stage.control("POST", f"{house.kind}/posts", body)
        self.public.append((house, said["id"]))

    def _whisper(self, house: House, author: str) -> None:
        text = f"My order is 4711. {self.stage.canary()}"
        self.stage.control("POST", f"{house.kind}/messages", {"author": author, "to": house.handle, "text": text})

    def _edit(self, house: House, _author: str) -> None:
        if pk := self._lately(house):
            text = self._text(house, "I found it, thanks.")
            self.stage.control("PATCH", f"{house.kind}/posts/{pk}", {"text": text})

    def _delete(self, house: House, _author: str) -> None:
        if pk := self._lately(house):
            self.stage.control("DELETE", f"{house.kind}/posts/{pk}")
            self.public = [one for one in self.public if one[1] != pk]

    def _lately(self, house: House) -> str:
        """Something public that was said lately to this brand; "" where nothing was."""
        ids = [pk for where, pk in self.public[-60:] if where is house]
        return self.rng.choice(ids) if ids else ""


@dataclass
class Agent:
    """Answers whoever waits, through the API; `pressed` is what the agent believes."""

    stage: Stage
    house: House
    base: str
    rng: random.Random
    pressed: list[Pressed] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    complaints: list[str] = field(default_factory=list)
    patience: float = PATIENCE

    def act(self) -> None:
        """Looks for somebody who waits and answers."""
        waiting = self._ask("GET", "threads/?waiting=true&state=open")
        threads = (waiting or {}).get("results", [])
        self._look_for_strangers(threads)
        if not threads:
            self.answers["nobody who waits"] += 1
            return
        thread = self.rng.choice(threads)
        if thread["assignee"] is None and self.rng.random() < TAKES:
            self._ask("POST", f"threads/{thread['id']}/assign/", {"assignee": self.house.agent})
        ways = self._ask("GET", f"threads/{thread['id']}/possibilities/")
        open_ways = [name for name in ("reply", "message") if ways and ways[name]["allowed"]]
        if open_ways:
            self._press(thread["id"], self.rng.choice(open_ways))
        else:
            self.answers["no way to answer"] += 1

    def _look_for_strangers(self, threads: list[dict[str, Any]]) -> None:
        """I11, F22: an agent of one brand never sees another's, whatever died or was forked meanwhile."""
        for thread in threads:
            if thread["channel"] != self.house.channel:
                self.complaints.append(f"I11: an agent of @{self.house.handle} was shown thread {thread['id']}")

    def _press(self, thread: int, action: str) -> None:
        one = Pressed(str(uuid.uuid4()), self.stage.canary(), acknowledged=False)
        self.pressed.append(one)
        body = {"text": f"Sorry, a set is on its way. {one.canary}", "action": action, "confirmed": True}
        one.acknowledged = self._ask("POST", f"threads/{thread}/reply/", body, one.key) is not None
        self.answers["taken" if one.acknowledged else "not taken"] += 1

    def _ask(self, method: str, path: str, body: Any = None, key: str = "") -> Any:
        """What the API answers; None where it refuses. An unclear answer is asked for again, with the same key."""
        headers = {"Authorization": f"Bearer {self.house.token}"} | ({"Idempotency-Key": key} if key else {})
        until = time.monotonic() + self.patience
        while True:
            try:
                return http(method, f"{self.base}/api/v1/{path}", body, headers, timeout=10)
            except ActFailed as refused:
                if refused.status < 500:
                    self.answers["refused"] += 1
                    return None
                self.answers["5xx"] += 1
            except (URLError, OSError, HTTPException):
                self.answers["no answer"] += 1
            if time.monotonic() > until:
                return None
            time.sleep(0.3)


POISON = (
    b"{",
    b"null",
    b"[" * 100_000,
    b"\xff\xfe\x00",
    b'"\\ud800"',
    b'{"for_user_id": 5, "tweet_create_events": [[[]], null, 7, {"id": {"a": 1}, "id_str": "\\u0000"}]}',
    b'{"object": "page", "entry": [{"id": "x", "changes": [{"value": {"item": "comment", "comment_id": ["a"]}}]}]}',
    b'{"object": "page", "entry": {"id": 1e999}}',
    b'{"data": {"event_type": "post.create", "payload": [1, "\\ud83d"]}}',
    b'{"words": "' + b"@brand " * 10_000 + b'"}',
    b'{"words": "' + b"x" * 1_000_000 + b'"}',
)


@dataclass
class Vandal:
    """Pushes authentic nonsense (F18), each time another one; it must stop nobody."""

    houses: list[House]
    rng: random.Random
    done: Counter[str] = field(default_factory=Counter)

    def act(self) -> None:
        house = self.rng.choice(self.houses)
        address, secret = house.hook
        body = self.rng.choice(POISON) + b" " * self.rng.randrange(1000)
        signature = hmac.new(secret.encode(), body, hashlib.sha256).digest()
        given = {
            "x-twitter-webhooks-signature": "sha256=" + base64.b64encode(signature).decode(),
            "x-hub-signature-256": "sha256=" + signature.hex(),
        }
        request = Request(address, data=body, headers={"Content-Type": "application/json", **given})
        try:
            with urlopen(request, timeout=10) as answer:
                self.done[f"poison answered {answer.status}"] += 1
        except HTTPError as refused:
            self.done[f"poison answered {refused.code}"] += 1
        except (HTTPException, OSError):
            self.done["poison not answered"] += 1


class Life(threading.Thread):
    """Lets somebody act at a pace until stopped; an error in it is kept."""

    def __init__(self, act: Callable[[], None], pace: Callable[[], float]) -> None:
        super().__init__(daemon=True)
        self.act = act
        self.pace = pace
        self.stopped = threading.Event()
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            while not self.stopped.wait(self.pace()):
                self.act()
        except (ActFailed, OSError, HTTPException, KeyError, ValueError) as error:
            self.error = error

    def end(self) -> None:
        """Stops and tells of an error."""
        self.stopped.set()
        self.join(PATIENCE + 20)
        if self.error is not None:
            raise self.error
