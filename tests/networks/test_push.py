"""Webhooks end to end: registered with the real hand-shake, signed by the sandbox, and saying the same as a pull."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from channels_ingest.networks.base import (
    Action,
    Item,
    Network,
    NetworkError,
    Outgoing,
    Picture,
    Post,
    Removal,
    Trouble,
)
from tests.networks.sandbox import Sandbox
from tests.networks.test_x_sandbox import DOT

WAIT_S = 10


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    hook: Hook


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        network = self.server.hook.network
        query = dict(parse_qsl(urlsplit(self.path).query))
        answer = network.challenge(query, network.account.credentials)
        self._say(200 if answer else 403, answer[1] if answer else "")

    def do_POST(self) -> None:
        network = self.server.hook.network
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        believed = network.signed(body, headers, network.account.credentials)
        if believed:
            self.server.hook.bodies.put(body)
        self._say(200 if believed else 403, "")

    def _say(self, status: int, words: str) -> None:
        self.send_response_only(status)
        self.send_header("content-length", str(len(words)))
        self.end_headers()
        self.wfile.write(words.encode())


class Hook:
    """A webhook that answers hand-shakes as the network's module says, and keeps the bodies it believes."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.bodies: queue.Queue[bytes] = queue.Queue()
        self.server = _Server(("127.0.0.1", 0), _Handler)
        self.server.hook = self
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hooks/{network.key}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def items_until(self, external_id: str) -> list[Item]:
        """What was pushed, up to (and with) the item of that id. Fails after `WAIT_S` seconds."""
        found: list[Item] = []
        while not any(getattr(item, "external_id", "") == external_id for item in found):
            for event in self.network.parse_event(json.loads(self.bodies.get(timeout=WAIT_S))):
                assert event.account_id == self.network.account.external_id
                found += event.items
        return found

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def pushed_to(us: Network) -> Iterator[Hook]:
    hook = Hook(us)
    try:
        us.subscribe(hook.url)
        yield hook
    finally:
        hook.close()


@pytest.fixture
def brand(sandbox: Sandbox) -> dict[str, Any]:
    return sandbox.brand("x")


@pytest.fixture
def page(sandbox: Sandbox) -> dict[str, Any]:
    return sandbox.brand("facebook")


@pytest.fixture
def x_hook(sandbox: Sandbox, brand: dict[str, Any]) -> Iterator[Hook]:
    yield from pushed_to(sandbox.speak("twitter", brand))


@pytest.fixture
def facebook_hook(sandbox: Sandbox, page: dict[str, Any]) -> Iterator[Hook]:
    yield from pushed_to(sandbox.speak("facebook", page))


def check_it_is_as_pulled(hook: Hook, stream: str, external_id: str) -> None:
    """The pushed item is the pulled one, in everything that places it."""
    (pushed,) = [
        one for one in hook.items_until(external_id) if isinstance(one, Post) and one.external_id == external_id
    ]
    pages = hook.network.pull(stream, {})
    (pulled,) = [
        item for one in pages for item in one.items if isinstance(item, Post) and item.external_id == external_id
    ]
    assert (pushed.text, pushed.kind, pushed.author.external_id) == (
        pulled.text,
        pulled.kind,
        pulled.author.external_id,
    )
    assert (pushed.root_id, pushed.parent_id, pushed.visibility) == (
        pulled.root_id,
        pulled.parent_id,
        pulled.visibility,
    )
    assert abs((pushed.posted_at - pulled.posted_at).total_seconds()) < 1


def test_x_pushes_a_mention(sandbox: Sandbox, brand: dict[str, Any], x_hook: Hook) -> None:
    said = sandbox.says("x", author=sandbox.person()["x"]["id"], text=f"@{brand['username']} help")
    check_it_is_as_pulled(x_hook, "mentions", said["id"])


def test_x_pushes_a_reply(sandbox: Sandbox, brand: dict[str, Any], x_hook: Hook) -> None:
    ours = sandbox.says("x", author=brand["id"], text="News.")
    said = sandbox.says("x", author=sandbox.person()["x"]["id"], text="more", reply_to=ours["id"])
    check_it_is_as_pulled(x_hook, "mentions", said["id"])


def test_x_pushes_what_we_write_in_its_own_app(sandbox: Sandbox, brand: dict[str, Any], x_hook: Hook) -> None:
    check_it_is_as_pulled(x_hook, "posts", sandbox.says("x", author=brand["id"], text="News.")["id"])


def test_x_pushes_a_message(sandbox: Sandbox, brand: dict[str, Any], x_hook: Hook) -> None:
    said = sandbox.writes("x", author=sandbox.person()["x"]["id"], to=brand["username"], text="in private")
    check_it_is_as_pulled(x_hook, "messages", said["id"])


def test_x_pushes_that_we_deleted_something(sandbox: Sandbox, brand: dict[str, Any], x_hook: Hook) -> None:
    ours = sandbox.says("x", author=brand["id"], text="News.")
    x_hook.items_until(ours["id"])
    sandbox.control("DELETE", f"x/posts/{ours['id']}")
    assert Removal(ours["id"]) in x_hook.items_until(ours["id"])


def test_subscribing_twice_changes_nothing(sandbox: Sandbox, brand: dict[str, Any], x_hook: Hook) -> None:
    before = sandbox.control("GET", "state")["webhooks"]
    x_hook.network.subscribe(x_hook.url)
    assert sandbox.control("GET", "state")["webhooks"] == before


def test_a_webhook_that_does_not_answer_the_hand_shake_is_refused(sandbox: Sandbox, brand: dict[str, Any]) -> None:
    with pytest.raises(NetworkError) as raised:
        sandbox.speak("twitter", brand).subscribe("http://127.0.0.1:9/hooks/twitter")
    assert raised.value.trouble == Trouble.PERMANENT


def test_facebook_pushes_a_comment(sandbox: Sandbox, page: dict[str, Any], facebook_hook: Hook) -> None:
    news = sandbox.says("facebook", author=page["id"], page=page["id"], text="News.")
    ann = sandbox.person()["facebook"]["id"]
    first = sandbox.says("facebook", author=ann, reply_to=news["id"], text="more?")
    nested = sandbox.says("facebook", author=ann, reply_to=first["id"], text="and more?")
    check_it_is_as_pulled(facebook_hook, "comments", nested["id"])


def test_facebook_pushes_a_visitor_s_post(sandbox: Sandbox, page: dict[str, Any], facebook_hook: Hook) -> None:
    ann = sandbox.person()["facebook"]["id"]
    check_it_is_as_pulled(
        facebook_hook, "posts", sandbox.says("facebook", author=ann, page=page["id"], text="hi")["id"]
    )


def test_facebook_pushes_a_message(sandbox: Sandbox, page: dict[str, Any], facebook_hook: Hook) -> None:
    ann = sandbox.person()["facebook"]["id"]
    said = sandbox.writes("facebook", author=ann, to=page["username"], text="in private")
    check_it_is_as_pulled(facebook_hook, "messages", said["id"])


def test_facebook_pushes_a_picture_and_ours_with_our_key(
    sandbox: Sandbox, page: dict[str, Any], facebook_hook: Hook
) -> None:
    ann = sandbox.person()["facebook"]["id"]
    theirs = sandbox.writes("facebook", author=ann, to=page["username"], text="", picture=True)
    picture = Picture(DOT, "image/png")
    now = datetime.now(UTC)
    out = Outgoing(
        Action.MESSAGE,
        "",
        "key-9",
        recipient_id=theirs["psid"],
        last_private_in=now,
        started_at=now,
        pictures=(picture,),
    )
    sent = facebook_hook.network.send(out)
    items = [one for one in facebook_hook.items_until(sent.external_id) if isinstance(one, Post)]
    told = {one.external_id: (one.echo_key, [media.url for media in one.media]) for one in items}
    assert told[theirs["id"]] == ("", [sandbox.base_url + theirs["media"][0]["url"]])
    assert told[sent.external_id][0] == "key-9"
    assert requests.get(told[sent.external_id][1][0], timeout=10).content == DOT


def test_facebook_pushes_edits_and_deletions(sandbox: Sandbox, page: dict[str, Any], facebook_hook: Hook) -> None:
    news = sandbox.says("facebook", author=page["id"], page=page["id"], text="News.")
    said = sandbox.says("facebook", author=sandbox.person()["facebook"]["id"], reply_to=news["id"], text="more?")
    facebook_hook.items_until(said["id"])
    sandbox.control("PATCH", f"facebook/posts/{said['id']}", {"text": "more, please?"})
    (edited,) = (item for item in facebook_hook.items_until(said["id"]) if isinstance(item, Post))
    assert (edited.text, edited.version > 1) == ("more, please?", True)
    sandbox.control("DELETE", f"facebook/posts/{said['id']}")
    assert Removal(said["id"]) in facebook_hook.items_until(said["id"])
