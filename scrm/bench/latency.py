"""Seconds from a customer's post to the open inbox: told by the WebSocket, and fetched as the page fetches it."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from scrm.bench.stack import CALL_SECONDS, Stack
from scrm.bench.summary import spread

WEBHOOK_POSTS = 45
WEBHOOK_PATIENCE = 20.0  # seconds
POLLED_POSTS = 24
POLLED_OVER = 40.0  # seconds in which they are posted, so that they meet the pulls at any moment
POLL_PATIENCE = 150.0

_numbers = itertools.count(1)


class OpenInbox:
    """What an open inbox does: it waits for hints and fetches the rows they name."""

    def __init__(self, stack: Stack, session: requests.Session, socket: ClientConnection) -> None:
        self.stack, self.session, self.socket = stack, session, socket

    def heard(self, patience: float) -> str:
        """The rows of the next hint, as they are shown; empty when none came within `patience` seconds."""
        try:
            hint = json.loads(self.socket.recv(timeout=max(patience, 0)))
        except TimeoutError:
            return ""
        ids = ",".join(str(one) for one in hint.get("threads", ()))
        if not ids:
            return ""
        return self.session.get(f"{self.stack.url}/rows/?view=all&ids={ids}", timeout=CALL_SECONDS).text


@contextmanager
def open_inbox(stack: Stack) -> Iterator[OpenInbox]:
    session = stack.sign_in("agent")
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in session.cookies)
    address = f"ws://localhost:{stack.port}/live/"
    with connect(address, additional_headers={"Cookie": cookies}, origin=Origin(stack.url)) as socket:
        yield OpenInbox(stack, session, socket)


def latency(stack: Stack) -> dict[str, Any]:
    """Both ways in. While the pulls are measured, the networks drop every push."""
    with open_inbox(stack) as inbox:
        pushed = _by_webhook(stack, inbox)
        switch = stack.control("POST", "switches", network="*", fault="webhook_drop")
        polled = _by_poll(stack, inbox)
        stack.control("DELETE", f"switches/{switch['id']}")
    return {"by_webhook_s": pushed, "by_poll_s": polled}


def _by_webhook(stack: Stack, inbox: OpenInbox) -> dict[str, Any]:
    """One after another, in turn on X, on Facebook and in private."""
    taken: list[float] = []
    for number in range(WEBHOOK_POSTS):
        began = time.monotonic()
        words = say(stack, ("x", "facebook", "message")[number % 3])
        deadline = began + WEBHOOK_PATIENCE
        while words not in inbox.heard(deadline - time.monotonic()):
            if time.monotonic() > deadline:
                break
        else:
            taken.append(time.monotonic() - began)
    return spread(taken) | {"posts": WEBHOOK_POSTS, "missing": WEBHOOK_POSTS - len(taken)}


def _by_poll(stack: Stack, inbox: OpenInbox) -> dict[str, Any]:
    """Spread over time, on X and on Facebook, whose streams are pulled every minute and every second minute."""
    waiting: dict[str, float] = {}
    taken: list[float] = []
    began = time.monotonic()
    pause = POLLED_OVER / POLLED_POSTS
    said = 0
    while (said < POLLED_POSTS or waiting) and time.monotonic() - began < POLLED_OVER + POLL_PATIENCE:
        if said < POLLED_POSTS and time.monotonic() - began >= said * pause:
            waiting[say(stack, ("x", "facebook")[said % 2])] = time.monotonic()
            said += 1
        shown = inbox.heard(min(pause, 1.0) / 2)
        now = time.monotonic()
        taken += [now - waiting.pop(words) for words in list(waiting) if words in shown]
    return spread(taken) | {"posts": said, "missing": len(waiting)}


def say(stack: Stack, way: str) -> str:
    """A new customer says something that nobody said before; returns the words."""
    number = next(_numbers)
    handle, words = f"bench{number}", f"bench canary {number:05d} says hello"
    stack.control("POST", "people", handle=handle, name=f"Bench {number}")
    if way == "x":
        stack.control("POST", "x/posts", author=handle, text=f"@trailhead {words}")
    elif way == "facebook":
        stack.control("POST", "facebook/posts", author=handle, page="trailheadpage", text=words)
    else:
        stack.control("POST", "x/messages", author=handle, to="trailhead", text=words)
    return words
