"""Holds every answer of the X sandbox against X's official OpenAPI specification, in the dialect the file speaks.

    python -m channels_ingest.sandbox.conformance SPEC.json

Starts a sandbox of its own, drives all endpoints over HTTP in good and in bad ways, and validates status, content type
and body of each answer; names the specification does not know count as violations too. Exit code 1 on any violation.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import socket
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests
from openapi_schema_validator import OAS30Validator, oas30_format_checker
from referencing import Registry
from referencing.jsonschema import DRAFT4

JSON = dict[str, Any]
SPEC = "urn:spec"
START_WITHIN_S = 10
# What the real X answers beside its own specification.
ALSO_SENT = frozenset({"edit_history_tweet_ids"})
LONG_TEXT = "A long story about a tent. " * 14


class Specification:
    """The official file: which answers it allows, and whether a body fits."""

    def __init__(self, path: Path) -> None:
        self.document: JSON = json.loads(path.read_text(encoding="utf-8"))
        self._registry: Registry[Any] = Registry().with_resource(SPEC, DRAFT4.create_resource(self.document))
        self.dialect = "post" if "Post" in self.document["components"]["schemas"] else "tweet"

    def complaints(self, method: str, template: str, answer: requests.Response) -> list[str]:
        """What is wrong with an answer, in words; nothing where it is fine."""
        responses = self.document["paths"][template][method.lower()]["responses"]
        declared = responses.get(str(answer.status_code))
        if declared is None and answer.status_code < 400:
            return [f"status {answer.status_code} is not declared"]
        content = (declared or responses["default"]).get("content", {})
        content_type = answer.headers.get("Content-Type", "").split(";")[0]
        if content_type not in content:
            return [f"content type {content_type} is not declared for {answer.status_code}"]
        schema = _absolute(content[content_type]["schema"])
        body = answer.json()
        found = [f"{error.json_path}: {error.message[:300]}" for error in self._validator(schema).iter_errors(body)]
        if answer.status_code < 400:
            found += self._unknown_names(schema, body, "$")
        return found + list(self._wrong_problems(body))

    def _validator(self, schema: JSON) -> Any:
        return OAS30Validator(schema, registry=self._registry, format_checker=oas30_format_checker)

    def _resolve(self, schema: JSON) -> JSON:
        while "$ref" in schema:
            schema = self.document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
        return schema

    def _unknown_names(self, schema: JSON, value: Any, path: str) -> list[str]:
        schema = self._resolve(schema)
        if path.endswith(".errors"):
            return []
        if isinstance(value, list) and "items" in schema:
            return [one for item in value for one in self._unknown_names(schema["items"], item, path)]
        if not isinstance(value, dict):
            return []
        known = self._properties(schema) | self._properties_by_type(schema, value)
        if not known:
            return []
        found = [f"{path}.{name} is not in the specification" for name in set(value) - set(known) - ALSO_SENT]
        inside = [(known[name], part, f"{path}.{name}") for name, part in value.items() if name in known]
        return found + [one for schema_, part, path_ in inside for one in self._unknown_names(schema_, part, path_)]

    def _properties(self, schema: JSON) -> JSON:
        found: JSON = dict(schema.get("properties", {}))
        for part in schema.get("allOf", []):
            found |= self._properties(self._resolve(part))
        return found

    def _properties_by_type(self, schema: JSON, value: JSON) -> JSON:
        """What the schema that a discriminator names adds (a photo's `url`)."""
        discriminator = schema.get("discriminator", {})
        named = discriminator.get("mapping", {}).get(value.get(discriminator.get("propertyName")))
        return self._properties(self._resolve({"$ref": named})) if named else {}

    def _wrong_problems(self, body: JSON) -> Iterator[str]:
        """Problems are validated against the very schema their type names."""
        mapping = self.document["components"]["schemas"]["Problem"]["discriminator"]["mapping"]
        problems = body.get("errors", []) if "data" in body or "meta" in body else [body, *body.get("errors", [])]
        for problem in problems:
            if "type" not in problem or "code" in problem:
                continue
            if problem["type"] not in mapping:
                yield f"unknown problem type {problem['type']}"
                continue
            errors = self._validator({"$ref": SPEC + mapping[problem["type"]]}).iter_errors(problem)
            yield from (f"problem {problem['type']}: {error.message[:200]}" for error in errors)

    def names(self, parameter: str) -> str:
        """All values a list parameter allows, for asking for everything at once."""
        values = self.document["components"]["parameters"][parameter]["schema"]["items"]["enum"]
        return ",".join(dict.fromkeys(values))


def _absolute(schema: JSON) -> JSON:
    return {"$ref": SPEC + schema["$ref"]} if "$ref" in schema else schema


@dataclass
class Report:
    checked: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)

    def add(self, method: str, template: str, status: int, complaints: list[str]) -> None:
        self.checked[f"{method} {template} {status}"] += 1
        self.violations += [f"{method} {template} ({status}): {one}" for one in complaints]


class Drive:
    """Calls endpoints and has each answer checked."""

    def __init__(self, spec: Specification, base_url: str, report: Report) -> None:
        self.spec = spec
        self.base_url = base_url
        self.report = report
        self.session = requests.Session()
        self.session.trust_env = False
        self.us = self.control("POST", "/x/brands", handle="trailhead", name="Trailhead", verified=True)
        self.token = self.us["credentials"]["access_token"]
        self.app_token = self.us["credentials"]["bearer_token"]

    def control(self, method: str, path: str, **body: Any) -> JSON:
        answer = self.session.request(method, f"{self.base_url}/control{path}", json=body or None, timeout=10)
        answer.raise_for_status()
        found: JSON = answer.json()
        return found

    def call(
        self,
        method: str,
        template: str,
        *,
        token: str | None = None,
        body: Any = None,
        path: JSON | None = None,
        **query: Any,
    ) -> JSON:
        """`path` fills the template; `query` keys write `_` for `.`, as in user_fields."""
        url = template.format(**(path or {}))
        params = {name.replace("_fields", ".fields"): value for name, value in query.items()}
        headers = {"Authorization": f"Bearer {self.token if token is None else token}"}
        answer = self.session.request(
            method, f"{self.base_url}/x{url}", params=params, json=body, headers=headers, timeout=10
        )
        self.report.add(method, template, answer.status_code, self.spec.complaints(method, template, answer))
        found: JSON = answer.json()
        return found

    @cached_property
    def everything(self) -> JSON:
        """All fields and expansions for posts."""
        own = "PostFieldsParameter" if self.spec.dialect == "post" else "TweetFieldsParameter"
        name = "post_fields" if self.spec.dialect == "post" else "tweet_fields"
        expansions = "PostExpansionsParameter" if self.spec.dialect == "post" else "TweetExpansionsParameter"
        return {
            name: self.spec.names(own),
            "expansions": self.spec.names(expansions),
            "user_fields": self.spec.names("UserFieldsParameter"),
            "media_fields": self.spec.names("MediaFieldsParameter"),
        }

    @cached_property
    def all_of_users(self) -> JSON:
        fields = {name: value for name, value in self.everything.items() if name in ("tweet_fields", "post_fields")}
        expansions = self.spec.names("UserExpansionsParameter")
        return {"user_fields": self.everything["user_fields"], "expansions": expansions, **fields}

    @cached_property
    def all_of_messages(self) -> JSON:
        return {
            "dm_event_fields": self.spec.names("DmEventFieldsParameter"),
            "expansions": self.spec.names("DmEventExpansionsParameter"),
            "user_fields": self.everything["user_fields"],
            "media_fields": self.everything["media_fields"],
        }


def story(drive: Drive) -> JSON:
    """A small world: people, a tree, a quote, long, edited, deleted and protected posts, a picture, messages."""

    def post(**body: Any) -> JSON:
        return drive.control("POST", "/x/posts", **body)

    for handle, more in (
        ("ann", {}),
        ("bob", {"verified": True}),
        ("shy", {}),
        ("gone", {}),
        ("deaf", {"dm_open": False}),
    ):
        drive.control("POST", "/people", handle=handle, name=handle.title(), followers=1200, bio="Outdoors", **more)
    drive.control("POST", "/x/follows", author="ann", whom="trailhead")
    first = post(author="ann", text="@trailhead my tent leaks #camping https://example.org/tent?a=1", picture=True)
    reply = post(author="bob", text="same here 😡", reply_to=first["id"])
    ours = post(author="trailhead", text="Our winter guide is out")
    below = post(author="ann", text="nice guide", reply_to=ours["id"])
    quote = post(author="bob", text="look at this @trailhead", quote=ours["id"])
    long = post(author="bob", text="@trailhead " + LONG_TEXT)
    edited = post(author="ann", text="@trailhead helo")
    edited = drive.control("PATCH", f"/x/posts/{edited['id']}", text="@trailhead hello")
    doomed = post(author="gone", text="@trailhead soon away")
    answer = post(author="ann", text="@trailhead what was that?", reply_to=doomed["id"])
    drive.control("DELETE", f"/x/posts/{doomed['id']}")
    hidden = post(author="shy", text="@trailhead a secret")
    post(author="ann", text="@trailhead and that?", reply_to=hidden["id"])
    drive.control("PATCH", "/x/members/shy", protected=True)
    for number in range(12):
        post(author="ann", text=f"@trailhead still waiting, day {number}")
        drive.control("POST", "/x/messages", author="ann", to="trailhead", text=f"message {number} https://example.org")
    people = {
        one: drive.control("PATCH", f"/x/members/{one}", lang="en")["id"]
        for one in ("ann", "bob", "shy", "gone", "deaf")
    }
    posts = {"first": first, "reply": reply, "ours": ours, "below": below, "quote": quote, "long": long}
    posts |= {"edited": edited, "doomed": doomed, "answer": answer, "hidden": hidden}
    return {"people": people, **{name: one["id"] for name, one in posts.items()}}


def drive_users(drive: Drive, told: JSON) -> None:
    call, people = drive.call, told["people"]
    for query in ({}, drive.all_of_users):
        call("GET", "/2/users/me", **query)
        call("GET", "/2/users/{id}", path={"id": people["ann"]}, **query)
        call("GET", "/2/users", ids=",".join(people.values()), **query)
        call("GET", "/2/users/by", usernames="ann,bob", **query)
        call("GET", "/2/users/by/username/{username}", path={"username": "ann"}, **query)
    call("GET", "/2/users/me", token=drive.app_token)
    call("GET", "/2/users/me", token=drive.token[::-1])
    call("GET", "/2/users/me", user_fields="shoe_size")
    call("GET", "/2/users/{id}", path={"id": "12"})
    call("GET", "/2/users/{id}", path={"id": "abc"})
    call("GET", "/2/users", ids=f"12,{people['ann']}")
    call("GET", "/2/users")
    call("GET", "/2/users/by", usernames="ann,nobody")
    call("GET", "/2/users/by/username/{username}", path={"username": "nobody"})
    drive.control("PATCH", "/x/members/gone", suspended=True)
    call("GET", "/2/users", ids=people["gone"])
    call("GET", "/2/users/by/username/{username}", path={"username": "gone"})
    drive.control("PATCH", "/x/members/gone", suspended=False)


def drive_posts(drive: Drive, told: JSON) -> None:
    call, us = drive.call, {"id": drive.us["id"]}
    for query in ({}, drive.everything):
        call("GET", "/2/tweets", ids=",".join(one for one in told.values() if isinstance(one, str)), **query)
        for name in ("first", "long", "edited", "doomed", "hidden", "answer", "quote"):
            call("GET", "/2/tweets/{id}", path={"id": told[name]}, **query)
        for template in ("/2/users/{id}/mentions", "/2/users/{id}/tweets"):
            _page_through(drive, template, us, {"max_results": 5, **query})
        _page_through(
            drive, "/2/tweets/search/recent", {}, {"query": "@trailhead -is:retweet", "max_results": 10, **query}
        )
        call("GET", "/2/tweets/search/recent", query=f"conversation_id:{told['ours']} is:reply", **query)
    call("GET", "/2/users/{id}/mentions", path=us, since_id=told["below"], until_id=told["long"])
    call("GET", "/2/users/{id}/mentions", path=us, start_time="2020-01-01T00:00:00Z", end_time="2020-01-02T00:00:00Z")
    call("GET", "/2/users/{id}/tweets", path=us, exclude="replies,retweets")
    for bad in (
        {"max_results": 4},
        {"max_results": 101},
        {"since_id": "x"},
        {"pagination_token": "x"},
        {"start_time": "today"},
        {"expansions": "shoes"},
    ):
        call("GET", "/2/users/{id}/mentions", path=us, **bad)
    call("GET", "/2/users/{id}/mentions", path={"id": "12"})
    call("GET", "/2/tweets/search/recent", query='(a OR "b c") -from:ann #camping has:links')
    call("GET", "/2/tweets/search/recent", query="(nothing")
    call("GET", "/2/tweets/search/recent", query="zzzzz")
    call("GET", "/2/tweets", ids="1,2")
    call("GET", "/2/tweets", ids="")
    call("GET", "/2/tweets/{id}", path={"id": "5"})


def _page_through(drive: Drive, template: str, path: JSON, query: JSON) -> None:
    token, back = None, None
    while True:
        paged = query | ({"pagination_token": token} if token else {})
        meta = drive.call("GET", template, path=path, **paged)["meta"]
        token, back = meta.get("next_token"), meta.get("previous_token", back)
        if token is None:
            break
    if back:
        drive.call("GET", template, path=path, **query, pagination_token=back)


def drive_writing(drive: Drive, told: JSON) -> None:
    call = drive.call

    def reply(text: str, to: str) -> JSON:
        return call("POST", "/2/tweets", body={"text": text, "reply": {"in_reply_to_tweet_id": to}})

    made = reply("We are sorry", told["first"])
    reply("We are sorry", told["first"])
    reply("You did not ask us", told["below"])
    reply("You really did not", told["reply"])
    reply("Where are you", told["doomed"])
    call("POST", "/2/tweets", body={"text": "x" * 281})
    call("POST", "/2/tweets", body={"text": ""})
    call("POST", "/2/tweets", body=[1])
    call("POST", "/2/tweets", body={"text": "by an app"}, token=drive.app_token)
    edited = call(
        "POST", "/2/tweets", body={"text": "Guide, corrected", "edit_options": {"previous_post_id": told["ours"]}}
    )
    call("POST", "/2/tweets", body={"text": "look", "quote_tweet_id": edited["data"]["id"]})
    call("PUT", "/2/tweets/{tweet_id}/hidden", path={"tweet_id": told["below"]}, body={"hidden": True})
    call("PUT", "/2/tweets/{tweet_id}/hidden", path={"tweet_id": told["first"]}, body={"hidden": True})
    call("PUT", "/2/tweets/{tweet_id}/hidden", path={"tweet_id": told["below"]}, body={"hidden": "yes"})
    call("DELETE", "/2/tweets/{id}", path={"id": made["data"]["id"]})
    call("DELETE", "/2/tweets/{id}", path={"id": made["data"]["id"]})
    call("DELETE", "/2/tweets/{id}", path={"id": told["first"]})


def drive_messages(drive: Drive, told: JSON) -> None:
    call, people = drive.call, told["people"]
    conversation = "-".join(sorted((people["ann"], drive.us["id"]), key=int))
    send = "/2/dm_conversations/with/{participant_id}/messages"
    sent = call("POST", send, path={"participant_id": people["ann"]}, body={"text": "hello"})
    call(
        "POST",
        "/2/dm_conversations/{dm_conversation_id}/messages",
        path={"dm_conversation_id": conversation},
        body={"text": "again"},
    )
    call(
        "POST",
        "/2/dm_conversations/{dm_conversation_id}/messages",
        path={"dm_conversation_id": "1-2"},
        body={"text": "no"},
    )
    call("POST", send, path={"participant_id": people["deaf"]}, body={"text": "hello"})
    call("POST", send, path={"participant_id": "12"}, body={"text": "hello"})
    call("POST", send, path={"participant_id": people["ann"]}, body={"text": ""})
    for query in ({}, drive.all_of_messages):
        _page_through(drive, "/2/dm_events", {}, {"max_results": 6, **query})
        call(
            "GET",
            "/2/dm_conversations/with/{participant_id}/dm_events",
            path={"participant_id": people["ann"]},
            **query,
        )
        call("GET", "/2/dm_conversations/{id}/dm_events", path={"id": conversation}, **query)
        call("GET", "/2/dm_events/{event_id}", path={"event_id": sent["data"]["dm_event_id"]}, **query)
    call("GET", "/2/dm_conversations/with/{participant_id}/dm_events", path={"participant_id": people["bob"]})
    call("GET", "/2/dm_events", event_types="ParticipantsJoin")
    call("GET", "/2/dm_events", max_results=0)
    call("GET", "/2/dm_events/{event_id}", path={"event_id": "12"})
    call("GET", "/2/dm_events", token=drive.app_token)


def drive_push(drive: Drive, hook_url: str) -> None:
    call, app = drive.call, drive.app_token
    call("GET", "/2/webhooks", token=app)
    call("GET", "/2/webhooks")
    made = call("POST", "/2/webhooks", token=app, body={"url": hook_url})
    made = made.get("data", made)
    call("POST", "/2/webhooks", token=app, body={"url": hook_url})
    call("POST", "/2/webhooks", token=app, body={"url": "https://example.org/hook"})
    call("POST", "/2/webhooks", token=app, body={"url": hook_url + "?wrong=1"})
    call("GET", "/2/webhooks", token=app)
    call("PUT", "/2/webhooks/{webhook_id}", token=app, path={"webhook_id": made["id"]})
    call("PUT", "/2/webhooks/{webhook_id}", token=app, path={"webhook_id": "12"})
    subscriptions = "/2/activity/subscriptions"
    call("GET", subscriptions)
    asked = {"event_type": "dm.received", "filter": {"user_id": drive.us["id"]}, "tag": "in", "webhook_id": made["id"]}
    one = call("POST", subscriptions, body=asked)["data"]["subscription"]["subscription_id"]
    call("POST", subscriptions, body=asked)
    call("POST", subscriptions, body={**asked, "event_type": "shoes.bought"})
    call("POST", subscriptions, body={**asked, "event_type": "post.create", "webhook_id": "12"})
    call("POST", subscriptions, token=app, body={**asked, "filter": {"user_id": "12"}})
    other = call("POST", subscriptions, body={**asked, "event_type": "post.create"})["data"]["subscription"]
    call("GET", subscriptions)
    call("DELETE", "/2/activity/subscriptions/{subscription_id}", token=app, path={"subscription_id": one})
    call("DELETE", subscriptions, token=app, ids=other["subscription_id"])
    call("DELETE", "/2/webhooks/{webhook_id}", token=app, path={"webhook_id": made["id"]})


def drive_refusals(drive: Drive) -> None:
    """Weather, dead tokens, removed scopes, spent limits."""
    for fault in ("rate_limited", "usage_capped", "token_revoked", "scope_removed", "suspended"):
        drive.control("POST", "/switches", network="x", fault=fault, count=1)
        drive.call("GET", "/2/users/me")
    token = f"/x/brands/{drive.us['id']}/token"
    drive.control("POST", token, action="remove_scope", scope="dm.read")
    drive.call("GET", "/2/dm_events")
    drive.control("POST", token, action="revoke")
    drive.call("GET", "/2/users/me")
    drive.control("POST", token, action="restore")
    drive.control("PATCH", f"/x/members/{drive.us['id']}", suspended=True)
    drive.call("GET", "/2/users/me")
    drive.control("PATCH", f"/x/members/{drive.us['id']}", suspended=False)
    drive.control("PATCH", "/settings", x={"rate_limits": True})
    for _ in range(77):
        drive.call("GET", "/2/users/me")


@contextmanager
def a_sandbox() -> Iterator[str]:
    """A sandbox of its own on a free port; yields its base URL."""
    with tempfile.TemporaryDirectory() as directory:
        port = _free_port()
        command = [sys.executable, "-m", "channels_ingest.sandbox", "--data", directory, "--port", str(port)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            base_url = f"http://127.0.0.1:{port}"
            _wait_for(base_url, process)
            yield base_url
        finally:
            process.terminate()
            process.wait()


def _free_port() -> int:
    with socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _wait_for(base_url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_WITHIN_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            requests.get(f"{base_url}/control/settings", timeout=1)
        except requests.ConnectionError:
            time.sleep(0.05)
        else:
            return
    raise SystemExit("The sandbox did not start.")


@contextmanager
def a_receiver(secret: str) -> Iterator[str]:
    """A web server that answers X's challenge; yields its address."""

    class Receiver(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = dict(parse_qsl(urlsplit(self.path).query))
            key = secret + ("?" if "wrong" in query else "")
            digest = hmac.new(key.encode(), query["crc_token"].encode(), hashlib.sha256).digest()
            body = json.dumps({"response_token": "sha256=" + base64.b64encode(digest).decode()}).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook"
    finally:
        server.shutdown()
        server.server_close()


def check(path: Path) -> Report:
    """Drives everything once and returns what was found."""
    spec, report = Specification(path), Report()
    with a_sandbox() as base_url:
        drive = Drive(spec, base_url, report)
        drive.control("PATCH", "/settings", x={"dialect": spec.dialect, "rate_limits": False})
        told = story(drive)
        drive_users(drive, told)
        drive_posts(drive, told)
        drive_messages(drive, told)
        with a_receiver(drive.us["credentials"]["consumer_secret"]) as hook_url:
            drive_push(drive, hook_url)
        drive_writing(drive, told)
        drive_refusals(drive)
    return report


def main() -> int:
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_file():
        print("Say which specification: make conformance SPEC=FILE", file=sys.stderr)
        return 2
    report = check(Path(sys.argv[1]))
    for line in dict.fromkeys(report.violations):
        print(line)
    endpoints = {one.rsplit(" ", 1)[0] for one in report.checked}
    print(
        f"{sum(report.checked.values())} answers of {len(endpoints)} endpoints checked against "
        f"{Path(sys.argv[1]).name}: {len(report.violations)} violations."
    )
    return 1 if report.violations else 0


if __name__ == "__main__":
    sys.exit(main())
