"""How fast posts are stored: `record()` beside a raw insert of the same rows into the same table."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

from django.db import connection, transaction
from psycopg2.extras import Json, execute_values

from accounts.models import Brand
from channels_ingest.models import Channel
from channels_ingest.networks.base import Author, Kind, Post, Visibility
from conversations.models import Interaction, RawPayload
from conversations.record import record

START = datetime(2026, 1, 1, tzinfo=UTC)
WORDS = "the tent came without stakes and my trip is on friday please help me with order number".split()  # noqa: SIM905 (a sentence reads better than a list)


def posts(first: int, count: int, account: Author, *, customers: int = 20_000) -> Iterator[Post]:
    """Made-up conversations: a root, our answer, a thank-you; the same for the same numbers."""
    for number in range(first, first + count):
        turn, talk = number % 3, number // 3
        customer = Author(
            f"c{talk % customers}", handle=f"customer{talk % customers}", name=f"Customer {talk % customers}"
        )
        author, to = (account, customer) if turn == 1 else (customer, account)
        yield Post(
            external_id=f"b{number}",
            kind=Kind.REPLY if turn else Kind.POST,
            visibility=Visibility.PUBLIC,
            author=author,
            text=" ".join(WORDS[(number * step) % len(WORDS)] for step in range(3, 17)) + f" {number}",
            posted_at=START + timedelta(seconds=number),
            root_id=f"b{talk * 3}",
            parent_id=f"b{number - 1}" if turn else None,
            addressee=to if turn else None,
            facts={"summoned": True},
            raw={"id": f"b{number}", "text": "x" * 200, "lang": "en"},
        )


def bench_channel() -> tuple[Channel, Author]:
    brand, _ = Brand.objects.get_or_create(slug="bench", defaults={"name": "Bench"})
    account = Author("bench-account", handle="bench", name="Bench")
    channel, _ = Channel.objects.get_or_create(
        network="twitter",
        external_id=account.external_id,
        defaults={"brand": brand, "handle": "bench", "state": Channel.State.PAUSED},
    )
    return channel, account


def fill(target: int, *, page: int = 1000) -> int:
    """Stores made-up posts until there are `target` of them; returns how many there are."""
    channel, account = bench_channel()
    have = channel.interactions.count()
    while have < target:
        record(channel, list(posts(have, min(page, target - have), account)))
        have += min(page, target - have)
    return have


_RAW = """
    INSERT INTO conversations_interaction (channel_id, external_id, kind, direction, visibility, author_id,
        thread_id, contact_id, parent_id, parent_external_id, root_external_id, text, language, permalink, media,
        metrics, facts, posted_at, received_at, version, removed_reason, indexed)
    VALUES %s ON CONFLICT (external_id, channel_id) DO NOTHING
"""


def raw_rows(batch: Sequence[Post], channel: Channel, sample: Interaction) -> list[tuple[Any, ...]]:
    now = datetime.now(UTC)
    return [
        (channel.pk, f"raw-{post.external_id}", post.kind.value, "in", "public", sample.author_id, sample.thread_id,
         sample.contact_id, None, post.parent_id or "", post.root_id, post.text, "", "", Json([]), Json({}),
         Json(dict(post.facts)), post.posted_at, now, 1, "", False)
        for post in batch
    ]  # fmt: skip


def storing(*, already: int = 100_000, page: int = 500, rounds: int = 7) -> dict[str, Any]:
    """Posts per second of both, in turn, on a table that holds `already` rows; each round is rolled back."""
    have = fill(already)
    channel, account = bench_channel()
    sample = Interaction.objects.filter(channel=channel, direction="in").first()
    if sample is None:
        raise RuntimeError("nothing was stored")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    ours, raw = [], []
    for number in range(rounds + 1):
        batch = list(posts(have + number * page, page, account))
        ours.append(_timed(lambda batch=batch: record(channel, batch)))
        rows = raw_rows(batch, channel, sample)
        raw.append(_timed(lambda rows=rows: _insert_raw(rows)))
    Interaction.objects.filter(channel=channel, external_id__startswith="raw-").delete()
    return {
        "rows_before": have,
        "page": page,
        "rounds": rounds,
        "record_posts_per_second": round(page / median(ours[1:])),
        "raw_insert_rows_per_second": round(page / median(raw[1:])),
        "ratio": round(median(raw[1:]) / median(ours[1:]), 3),
        "raw_payloads": RawPayload.objects.count(),
    }


def _insert_raw(rows: list[tuple[Any, ...]]) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        execute_values(cursor.cursor, _RAW, rows, page_size=len(rows))


def _timed(call: Any) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started
