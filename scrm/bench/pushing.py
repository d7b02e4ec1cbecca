"""How fast stored webhooks become posts: as they lie there, and one after the other, in turn."""

from __future__ import annotations

import json
import time
from statistics import median
from typing import Any

from channels_ingest import webhooks
from channels_ingest.models import App, Channel, WebhookEvent
from scrm.bench.storing import START, WORDS, bench_channel

ACCOUNT = "7700"


def pushing(*, heap: int = 200, rounds: int = 5) -> dict[str, Any]:
    """Webhooks per second of both. Raises RuntimeError where one of them was not stored."""
    app, channel = _app(), _channel()
    usual = webhooks.AT_ONCE
    figures: dict[tuple[int, ...], list[float]] = {usual: [], (1, 1, 1): []}
    number = channel.interactions.count()
    for _round in range(rounds + 1):
        for at_once, found in figures.items():
            for _one in range(heap):
                number += 1
                webhooks.store(app, json.dumps(_body(number)).encode())
            webhooks.AT_ONCE = at_once
            found.append(_processed(heap))
    webhooks.AT_ONCE = usual
    if channel.interactions.count() != number:
        raise RuntimeError("not every webhook became a post")
    together, alone = (median(found[1:]) for found in figures.values())
    return {
        "heap": heap,
        "at_once": usual[0],
        "rounds": rounds,
        "webhooks_per_second": round(together),
        "one_after_the_other": round(alone),
        "ratio": round(together / alone, 2),
    }


def _processed(heap: int) -> float:
    started = time.perf_counter()
    if webhooks.process_due() != heap:
        raise RuntimeError("other webhooks were waiting")
    return heap / (time.perf_counter() - started)


def _app() -> App:
    app, _ = App.objects.get_or_create(network="twitter", key="bench")
    WebhookEvent.objects.filter(app=app).delete()
    return app


def _channel() -> Channel:
    other, _account = bench_channel()
    channel, _ = Channel.objects.get_or_create(
        network="twitter",
        external_id=ACCOUNT,
        defaults={"brand": other.brand, "handle": "pushed", "state": Channel.State.PAUSED},
    )
    return channel


def _body(number: int) -> dict[str, Any]:
    """A mention by one of a hundred people, as X pushes it."""
    person, post = str(880_000 + number % 100), str(990_000_000 + number)
    said = {
        "id": post,
        "author_id": person,
        "conversation_id": post,
        "created_at": START.isoformat().replace("+00:00", "Z"),
        "text": " ".join(["@pushed", *WORDS]),
    }
    return {
        "data": {
            "event_uuid": f"bench-{number}",
            "event_type": "post.mention.create",
            "filter": {"user_id": ACCOUNT},
            "payload": said,
        },
        "includes": {"users": [{"id": person, "username": f"person{person}", "name": f"Person {person}"}]},
    }
