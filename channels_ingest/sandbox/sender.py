"""The networks' webhook senders: every event is queued in the webhook ledger, sent, and sent again until it is taken.

A queue that survives: at the start the journal is compared with the webhook ledger, and what was not told yet is told.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import itertools
import json
import logging
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from . import ids
from .acts import Refused
from .graph import events as graph_events
from .ledger import Record, now_ms
from .site import Site
from .things import App, Network, Webhook
from .x import events as x_events

log = logging.getLogger(__name__)
LOOPBACK = ("127.0.0.1", "localhost", "::1")
BATCH = 20  # changes in one body of Facebook's
CRC_EVERY_S = 3600.0


@dataclass(slots=True)
class Queued:
    """One event for one target (an X webhook, a Facebook app)."""

    id: str
    network: Network
    target: str
    payload: dict[str, Any]


class Sender:
    def __init__(self, site: Site) -> None:
        self.site = site
        self.world = site.world
        self.session: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._inbox: asyncio.Queue[Queued] = asyncio.Queue()
        self._batches: dict[str, list[Queued]] = defaultdict(list)
        self._slots: dict[str, asyncio.Semaphore] = {}
        self._deliveries = itertools.count(site.webhooks.count + 1)
        self._waiting: dict[str, Queued] = {}
        self._planned_up_to = self._remember()

    # -- what there is to tell --------------------------------------------------------------------------------------
    def _remember(self) -> int:
        """Takes the unfinished events from the ledger; returns the last journal line that was planned."""
        last = 0
        for line in self.site.webhooks.read():
            if line["type"] == "event":
                last = max(last, line["cause"])
                self._waiting[line["event"]] = Queued(line["event"], line["network"], line["target"], line["payload"])
            elif line.get("done"):
                for event in line["events"]:
                    self._waiting.pop(event, None)
        return last

    def catch_up(self, event: Record) -> None:
        """While the journal is replayed: plans what was accepted but not queued before the end."""
        if event["n"] > self._planned_up_to:
            self._plan(event)

    def resume(self) -> None:
        """Once, after the replay: what is unfinished is sent again."""
        for queued in self._waiting.values():
            self._inbox.put_nowait(queued)

    def on_event(self, event: Record) -> None:
        for queued in self._plan(event):
            self._inbox.put_nowait(queued)

    def _plan(self, event: Record) -> list[Queued]:
        if event.get("by") == "load":
            return []
        found = [*self._plan_x(event), *self._plan_graph(event)]
        if found:
            self.site.webhooks.extend(
                {
                    "type": "event",
                    "event": one.id,
                    "cause": event["n"],
                    "network": one.network,
                    "target": one.target,
                    "payload": one.payload,
                }
                for one in found
            )
            self._waiting.update((one.id, one) for one in found)
        return found

    def _plan_x(self, event: Record) -> Iterator[Queued]:
        for number, (subscription, body) in enumerate(x_events.tell(self.site, event)):
            yield Queued(f"x-{event['n']}-{number}", "x", subscription.webhook, body)

    def _plan_graph(self, event: Record) -> Iterator[Queued]:
        told = graph_events.tell(self.site, event)
        if told is None:
            return
        page, place, piece = told
        app = self._app_of_page(page)
        if app is not None and app.webhook_url:
            payload = {"page": page, "place": place, "piece": piece}
            yield Queued(f"f-{event['n']}", "facebook", app.id, payload)

    def _app_of_page(self, page: str) -> App | None:
        tokens = self.world.tokens_of("facebook", page)
        return self.world.apps.get(("facebook", tokens[-1].app)) if tokens else None

    # -- running ----------------------------------------------------------------------------------------------------
    async def run(self) -> None:
        """Sends until cancelled."""
        timeout = aiohttp.ClientTimeout(total=self.world.settings["webhooks"]["timeout_s"])
        async with aiohttp.ClientSession(timeout=timeout, trust_env=False) as self.session:
            self._start(self._keep_checking())
            try:
                while True:
                    self._take(await self._inbox.get())
            finally:
                for task in self._tasks:
                    task.cancel()

    def _start(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _take(self, queued: Queued) -> None:
        if queued.network == "x":
            self._start(self._deliver([queued]))
            return
        batch = self._batches[queued.target]
        batch.append(queued)
        if len(batch) == 1:
            self._start(self._deliver_batch(queued.target))

    async def _deliver_batch(self, target: str) -> None:
        """Collects changes for a moment, as Facebook does, and sends them as one body."""
        await asyncio.sleep(self.world.settings["facebook"]["batch_ms"] / 1000)
        batch = self._batches.pop(target, [])
        for start in range(0, len(batch), BATCH):
            self._start(self._deliver(batch[start : start + BATCH]))

    async def _deliver(self, events: list[Queued]) -> None:
        """Tries until it is taken or given up; `weather` may lose, delay, double or spoil it."""
        network, delivery = events[0].network, f"d-{next(self._deliveries)}"
        weather = self.site.weather
        if weather.strikes("webhook_drop", network):
            self._note(delivery, events, done=True, given_up=True, fault="webhook_drop")
            return
        for name in ("webhook_delay", "webhook_out_of_order"):
            if fault := weather.strikes(name, network):
                await asyncio.sleep(float(fault.args.get("ms", 1500)) / 1000)
        copies = 1
        if fault := weather.strikes("webhook_duplicate", network):
            copies = int(fault.args.get("copies", 5))
        body = json.dumps(self._body(events)).encode()
        settings = self.world.settings["webhooks"]
        for attempt in itertools.count(1):
            if await self._attempt(delivery, events, body, attempt, copies):
                return
            if attempt >= settings["attempts"]:
                self._note(delivery, events, done=True, given_up=True)
                return
            await asyncio.sleep(min(settings["backoff_ms"] * 2 ** (attempt - 1), settings["backoff_max_ms"]) / 1000)

    def _note(self, delivery: str, events: list[Queued], **facts: Any) -> None:
        if facts.get("done"):
            for one in events:
                self._waiting.pop(one.id, None)
        kind = "given_up" if facts.get("given_up") else "attempt"
        line = {"type": kind, "delivery": delivery, "events": [one.id for one in events], "network": events[0].network}
        self.site.webhooks.append(line | facts)

    def _body(self, events: list[Queued]) -> dict[str, Any]:
        if events[0].network == "x":
            return events[0].payload
        entries: dict[tuple[str, str], dict[str, Any]] = {}
        for one in events:
            page, place = one.payload["page"], one.payload["place"]
            entry = entries.setdefault((page, place), {"id": page, "time": now_ms() // 1000, place: []})
            entry[place].append(one.payload["piece"])
        return {"object": "page", "entry": list(entries.values())}

    async def _attempt(self, delivery: str, events: list[Queued], body: bytes, attempt: int, copies: int) -> bool:
        """One try (of several copies where weather doubles it); True where it was taken."""
        network = events[0].network
        address = self._address(network, events[0].target)
        if address is None:
            self._note(delivery, events, done=True, given_up=True, error="no such webhook any more")
            return True
        url, secret = address
        spoiled = self.site.weather.strikes("webhook_bad_signature", network) is not None
        headers = _signed(network, secret + "?" if spoiled else secret, body)
        async with self._slot(events[0].target):
            answers = await asyncio.gather(*(self._post(url, body, headers) for _ in range(copies)))
        taken = any(status is not None and status // 100 == 2 for status, _, _ in answers)
        for number, (status, error, ms) in enumerate(answers, 1):
            digest = hashlib.sha256(body).hexdigest()
            facts: Record = {"attempt": attempt, "url": url, "status": status, "ms": ms, "digest": digest}
            facts |= {"error": error} if error else {}
            facts |= {"copy": number} if copies > 1 else {}
            facts |= {"fault": "webhook_bad_signature"} if spoiled else {}
            self._note(delivery, events, **facts, **({"done": True} if taken and number == len(answers) else {}))
        return taken

    def _slot(self, target: str) -> asyncio.Semaphore:
        parallel = self.world.settings["webhooks"]["parallel"]
        return self._slots.setdefault(target, asyncio.Semaphore(parallel))

    def _address(self, network: Network, target: str) -> tuple[str, str] | None:
        """URL and secret; None where nothing is registered (any more)."""
        if network == "x":
            webhook = self.world.webhooks.get(target)
            return (webhook.url, self.world.apps["x", webhook.app].secret) if webhook and webhook.valid else None
        app = self.world.apps[network, target]
        return (app.webhook_url, app.secret) if app.webhook_url else None

    async def _post(self, url: str, body: bytes, headers: dict[str, str]) -> tuple[int | None, str, float]:
        started = time.monotonic()
        status, error = None, ""
        try:
            async with self._session.post(url, data=body, headers=headers, allow_redirects=False) as answer:
                status = answer.status
        except (aiohttp.ClientError, TimeoutError) as problem:
            error = type(problem).__name__
        return status, error, round((time.monotonic() - started) * 1000, 1)

    @property
    def _session(self) -> aiohttp.ClientSession:
        if self.session is None:
            raise RuntimeError("The sender is not running.")
        return self.session

    # -- hand-shakes ------------------------------------------------------------------------------------------------
    async def crc(self, app: App, url: str) -> bool:
        """X's challenge: the answer must be signed with the consumer secret."""
        token = ids.secret()
        expected = "sha256=" + base64.b64encode(_hmac(app.secret, token.encode())).decode()
        body = await self._get(url, {"crc_token": token, "nonce": ids.secret()})
        try:
            answer = json.loads(body or "null")
        except ValueError:
            return False
        given = answer.get("response_token") if isinstance(answer, dict) else None
        return isinstance(given, str) and hmac.compare_digest(given, expected)

    async def verify(self, url: str, verify_token: str) -> bool:
        """Facebook's hand-shake: the challenge must come back."""
        challenge = ids.digits("challenge", ids.secret(), length=10)
        query = {"hub.mode": "subscribe", "hub.verify_token": verify_token, "hub.challenge": challenge}
        body = await self._get(url, query)
        return body is not None and body.strip() == challenge

    async def _get(self, url: str, query: dict[str, str]) -> str | None:
        try:
            async with self._session.get(url, params=query, allow_redirects=False) as answer:
                return await answer.text() if answer.status == 200 else None
        except (aiohttp.ClientError, TimeoutError, UnicodeDecodeError):
            return None

    async def check(self, webhook: Webhook) -> bool:
        """Challenges a registered webhook and notes the outcome."""
        valid = await self.crc(self.world.apps["x", webhook.app], webhook.url)
        if valid != webhook.valid:
            changed = {"id": webhook.id, "app": webhook.app, "url": webhook.url, "created": webhook.created}
            self.world.record("webhook.set", webhook={**changed, "valid": valid})
        return valid

    async def _keep_checking(self) -> None:
        while True:
            await asyncio.sleep(CRC_EVERY_S)
            for webhook in list(self.world.webhooks.values()):
                await self.check(webhook)


def must_be_loopback(url: str) -> str:
    """The sandbox calls nobody outside. Raises Refused."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or parts.hostname not in LOOPBACK:
        raise Refused("A webhook's address must be on the loopback address.")
    return url


def _hmac(secret: str, body: bytes) -> bytes:
    return hmac.new(secret.encode(), body, hashlib.sha256).digest()


def _signed(network: Network, secret: str, body: bytes) -> dict[str, str]:
    digest = _hmac(secret, body)
    headers = {"Content-Type": "application/json"}
    if network == "x":
        return headers | {"x-twitter-webhooks-signature": "sha256=" + base64.b64encode(digest).decode()}
    return headers | {"X-Hub-Signature-256": "sha256=" + digest.hex()}
