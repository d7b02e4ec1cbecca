"""A big inbox, made in the database itself: people, threads, what was said in them, and the search index.

The texts follow Zipf's law: `order` stands in every fourth of them, `waterproof` in one of several hundred, and
`zeppelinpost` in about a hundred whatever the size. One thread has 300 items, one contact 5,000. Foreign keys and the
secondary indexes of the big tables rest while they are filled: only for a database that nobody works with.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from django.db import connection

from accounts.models import Brand, User
from accounts.roles import Role
from channels_ingest.models import Channel
from conversations.search import document, stems

SLUG = "bench-big"
AGENT = "bench-agent@example.com"
COMMON, MIDDLING, RARE = "order", "waterproof", "zeppelinpost"
PHRASE = '"delan felan"'  # two words that stand in every seventh text each, side by side
LONG_THREAD, LONG_CONTACT = 300, 5_000
CHUNK = 20_000  # threads in one statement
_BIG = (
    "contacts_contact", "contacts_identity", "contacts_identitylink", "conversations_thread", "conversations_lane",
    "conversations_interaction", "conversations_searchentry",
)  # fmt: skip
_FIRST = "Maya Jonas Sofia Ben Ana Mira Stan Adam Lena Omar Ines Pavel Yuki Nora Luca Emma"
_LAST = "Keller Okafor Rossi Weber Silva Novak Tanaka Berg Costa Meyer Dubois Petrov Larsen Khan Moreau Fischer"


def fill(*, threads: int, interactions: int, say: Callable[[str], object] = print) -> dict[str, float]:
    """Adds that many threads and about that many interactions; returns the seconds of each part."""
    took: dict[str, float] = {}
    per_thread = max(interactions // threads, 1)
    with _bare():
        base = _ground()
        _timed(took, say, "sentences", _sentences)
        _timed(took, say, "people", lambda: _people(base, threads // 4 + 1))
        sizes = {**base, "per": per_thread, "all": threads}
        for start in range(0, threads, CHUNK):
            chunk = {**sizes, "start": start, "count": min(CHUNK, threads - start)}
            _timed(took, say, "threads", partial(_run, _THREADS, chunk))
            _timed(took, say, "interactions", partial(_run, _ITEMS, chunk))
            _timed(took, say, "search index", partial(_run, _ENTRIES, chunk))
        _timed(took, say, "lanes", partial(_run, _LANES, sizes))
        _timed(took, say, "long ones", partial(_long_ones, sizes))
        began = time.perf_counter()
    took["indexes"] = time.perf_counter() - began
    say(f"indexes: {took['indexes']:.0f} s")
    began = time.perf_counter()
    _sequences()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
    took["vacuum and statistics"] = time.perf_counter() - began
    return {part: round(seconds, 1) for part, seconds in took.items()}


def _timed(took: dict[str, float], say: Callable[[str], object], part: str, work: Callable[[], object]) -> None:
    began = time.perf_counter()
    work()
    took[part] = took.get(part, 0.0) + time.perf_counter() - began
    say(f"{part}: {took[part]:.0f} s")


def _run(sql: str, values: dict[str, Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)


def _ground() -> dict[str, Any]:
    """Brand, agent and channel, and the highest ids there are."""
    brand, _ = Brand.objects.get_or_create(slug=SLUG, defaults={"name": "Bench"})
    agent = User.objects.filter(email=AGENT).first() or User.objects.create_user(AGENT, name="Agent", role=Role.AGENT)
    agent.brands.add(brand)
    channel, _ = Channel.objects.get_or_create(
        network="twitter", external_id=SLUG, defaults={"brand": brand, "handle": "bench", "state": "paused"}
    )
    values = {"brand": brand.pk, "channel": channel.pk, "agent": agent.pk}
    with connection.cursor() as cursor:
        for name, table in (("person", "contacts_identity"), ("contact", "contacts_contact"),
                            ("thread", "conversations_thread"), ("item", "conversations_interaction"),
                            ("lane", "conversations_lane")):  # fmt: skip
            cursor.execute(f"SELECT COALESCE(MAX(id), 0) FROM {table}")  # noqa: S608 (our own names)
            (values[name],) = cursor.fetchone()
    return values


@contextmanager
def _bare() -> Iterator[None]:
    """Without foreign keys, triggers and secondary indexes on the big tables; they are made again at the end."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("SET synchronous_commit = off")
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("SET maintenance_work_mem = '512MB'")
        cursor.execute(
            "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index"
            " WHERE indrelid::regclass::text = ANY(%s) AND NOT indisunique",
            [list(_BIG)],
        )
        indexes = cursor.fetchall()
        for name, _definition in indexes:
            cursor.execute(f"DROP INDEX {name}")
        try:
            yield
        finally:
            for _name, definition in indexes:
                cursor.execute(definition)
            cursor.execute("RESET session_replication_role")


def _sentences() -> None:
    with connection.cursor() as cursor:
        cursor.execute(_SENTENCES, {"common": COMMON, "middling": MIDDLING})
        cursor.execute("CREATE INDEX ON bench_sentence (n)")
        cursor.execute("ANALYZE bench_sentence")


def _people(base: dict[str, Any], count: int) -> None:
    _run(_PEOPLE, {**base, "count": count, "first": _FIRST.split(), "last": _LAST.split()})


def _long_ones(base: dict[str, Any]) -> None:
    """The newest thread gets 300 items, the contact of the one before it 5,000 interactions."""
    for offset, size in ((1, LONG_THREAD), (2, LONG_CONTACT)):
        _run(_LONGER, {**base, "offset": offset, "size": size})
    _run(_LONGER_ENTRIES, base)


def _sequences() -> None:
    with connection.cursor() as cursor:
        for table in (
            "contacts_contact", "contacts_identity", "conversations_thread", "conversations_interaction",
            "conversations_lane",
        ):  # fmt: skip
            cursor.execute(f"SELECT setval('{table}_id_seq', (SELECT MAX(id) FROM {table}))")  # noqa: S608 (our own)


_SENTENCES = (
    """
    CREATE TEMP TABLE bench_sentence AS
    SELECT n, text, PLAIN AS plain, ENGLISH AS english, GERMAN AS german FROM (
    SELECT n, string_agg(CASE rank WHEN 12 THEN %(common)s WHEN 1500 THEN %(middling)s ELSE
        substr('bdfgklmnprst', 1 + rank %% 12, 1) || substr('aeiou', 1 + rank / 12 %% 5, 1)
        || substr('lnrstmkb', 1 + rank / 60 %% 8, 1) || substr('aeiou', 1 + rank / 480 %% 5, 1)
        || substr('nrstlmdk', 1 + rank / 2400 %% 8, 1) END, ' ') AS text
    FROM (
        SELECT n, floor(exp(random() * ln(6000)))::int AS rank
        FROM generate_series(0, 49999) n CROSS JOIN generate_series(1, 9) word
    ) words GROUP BY n) said
""".replace("PLAIN", document("text", "''"))
    .replace("ENGLISH", stems("text", "en"))
    .replace("GERMAN", stems("text", "de"))
)

_PEOPLE = """
    WITH person AS (
        SELECT g, (%(first)s::text[])[1 + g %% 16] || ' ' || (%(last)s::text[])[1 + g / 16 %% 16] || ' ' || g AS name
        FROM generate_series(1, %(count)s) g
    ), contact AS (
        INSERT INTO contacts_contact (id, name, email, phone, organisation, location, language, created_at)
        SELECT %(contact)s + g, name, '', '', '', '', '', now() FROM person
    ), link AS (
        INSERT INTO contacts_identitylink (identity_id, contact_id, proof, note, linked_at)
        SELECT %(person)s + g, %(contact)s + g, 'first_seen', '', now() FROM person
    ), known AS (
        INSERT INTO contacts_acquaintance (contact_id, brand_id, first_at, last_at)
        SELECT %(contact)s + g, %(brand)s, now() - interval '2 years', now() FROM person
    )
    INSERT INTO contacts_identity (id, network, external_id, handle, name, avatar_url, permalink, followers, ours, gone,
        created_at, updated_at)
    SELECT %(person)s + g, 'twitter', 'bench-' || %(person)s + g, 'person' || g, name,
        'https://pictures.example/' || g || '.jpg', '',
        power(10, 6 * random())::bigint, false, '', now(), now()
    FROM person
"""

# Thread k of all began its turn of two years; every tenth is open, every twentieth snoozed, the others are closed.
_THREADS = """
    INSERT INTO conversations_thread (id, brand_id, channel_id, identity_id, contact_id, state, assignee_id, has_public,
        has_private, opening_id, latest_id, waiting_since, last_inbound_at, last_outbound_at, last_activity_at,
        inbound_count, outbound_count, snoozed_until, closed_at, mood, language, urgency, reach_step, root_external_id,
        created_at)
    SELECT %(thread)s + k, %(brand)s, %(channel)s, %(person)s + 1 + k %% (%(all)s / 4 + 1),
        %(contact)s + 1 + k %% (%(all)s / 4 + 1),
        CASE WHEN k %% 10 = 0 THEN 'open' WHEN k %% 20 = 1 THEN 'snoozed' ELSE 'closed' END,
        CASE WHEN k %% 30 = 0 THEN %(agent)s END, k %% 7 <> 0, k %% 7 = 0,
        %(item)s + (k - 1) * %(per)s + 1, %(item)s + k * %(per)s,
        CASE WHEN k %% 20 = 0 THEN began END, began, began, began + interval '1 hour', %(per)s, %(per)s / 3,
        CASE WHEN k %% 20 = 1 THEN now() + interval '30 days' END,
        CASE WHEN k %% 10 <> 0 AND k %% 20 <> 1 THEN began + interval '2 hours' END,
        (ARRAY['neutral', 'negative', 'positive', 'unknown'])[1 + k %% 4], (ARRAY['en', 'de', ''])[1 + k %% 3],
        'normal', k %% 13, CASE WHEN k %% 7 <> 0 THEN 'root-' || k / 5 ELSE '' END, began
    FROM (
        SELECT k, now() - interval '2 years' * (1 - k::float8 / (%(all)s + 1)) - interval '2 hours' AS began
        FROM generate_series(%(start)s + 1, %(start)s + %(count)s) k
    ) one
"""

_ITEM_COLUMNS = """
    INSERT INTO conversations_interaction (id, channel_id, external_id, kind, direction, visibility, author_id,
        thread_id, contact_id, parent_external_id, root_external_id, text, language, permalink, media, metrics, facts,
        posted_at, received_at, version, removed_reason, indexed, understood)
"""
_ITEMS = """
    COLUMNS
    SELECT %(item)s + i, %(channel)s, 'bench-' || %(item)s + i, 'reply', CASE WHEN i %% 3 = 1 THEN 'out' ELSE 'in' END,
        CASE WHEN k %% 7 = 0 THEN 'private' ELSE 'public' END, CASE WHEN i %% 3 <> 1 THEN thread.identity_id END,
        thread.id, thread.contact_id, '', thread.root_external_id,
        one.text || ' ' || other.text || CASE WHEN i %% GREATEST(%(all)s * %(per)s / 100, 1) = 7
            THEN ' zeppelinpost' ELSE '' END,
        thread.language, '', '[]', '{}', '{}', thread.created_at + interval '1 hour' * j / %(per)s, now(),
        1, '', true, true
    FROM generate_series(%(start)s + 1, %(start)s + %(count)s) k
    JOIN conversations_thread thread ON thread.id = %(thread)s + k
    CROSS JOIN generate_series(1, %(per)s) j
    CROSS JOIN LATERAL (SELECT (k - 1)::bigint * %(per)s + j AS i) numbered
    JOIN bench_sentence one ON one.n = i * 7919 %% 50000
    JOIN bench_sentence other ON other.n = i * 104729 %% 50000
""".replace("COLUMNS", _ITEM_COLUMNS)

_LONGER = """
    COLUMNS
    SELECT (SELECT MAX(id) FROM conversations_interaction) + number, %(channel)s,
        'bench-' || thread.id || '-' || number,
        'reply', CASE WHEN number %% 3 = 1 THEN 'out' ELSE 'in' END, 'public',
        CASE WHEN number %% 3 <> 1 THEN thread.identity_id END, thread.id, thread.contact_id, '',
        thread.root_external_id, said.text, thread.language, '', '[]', '{}', '{}',
        thread.created_at + interval '1 hour' * number / %(size)s, now(), 1, '', true, true
    FROM generate_series(%(per)s + 1, %(size)s) number
    JOIN conversations_thread thread ON thread.id = %(thread)s + %(all)s + 1 - %(offset)s
    JOIN bench_sentence said ON said.n = number
""".replace("COLUMNS", _ITEM_COLUMNS)

# A text is two sentences (and here and there the rare word): its document is put together from theirs.
_ENTRIES = """
    INSERT INTO conversations_searchentry (interaction_id, brand_id, thread_id, posted_at, document)
    SELECT i.id, %(brand)s, i.thread_id, i.posted_at, (one.plain || other.plain || rare) || CASE i.language
        WHEN 'en' THEN one.english || other.english || rare WHEN 'de' THEN one.german || other.german || rare
        ELSE '' END
    FROM conversations_interaction i
    CROSS JOIN LATERAL (SELECT i.id - %(item)s AS number) numbered
    CROSS JOIN LATERAL (SELECT CASE WHEN number %% GREATEST(%(all)s * %(per)s / 100, 1) = 7
        THEN 'zeppelinpost:1'::tsvector ELSE '' END AS rare) rarely
    JOIN bench_sentence one ON one.n = number * 7919 %% 50000
    JOIN bench_sentence other ON other.n = number * 104729 %% 50000
    WHERE i.id > %(item)s + %(start)s::bigint * %(per)s AND i.id <= %(item)s + (%(start)s + %(count)s)::bigint * %(per)s
"""

_LONGER_ENTRIES = """
    INSERT INTO conversations_searchentry (interaction_id, brand_id, thread_id, posted_at, document)
    SELECT i.id, %(brand)s, i.thread_id, i.posted_at, DOCUMENT
    FROM conversations_interaction i WHERE i.id > %(item)s + %(all)s::bigint * %(per)s
""".replace("DOCUMENT", document("i.text", "i.language"))

_LANES = """
    INSERT INTO conversations_lane (id, thread_id, channel_id, root_external_id, identity_id, visibility)
    SELECT %(lane)s + row_number() OVER (), id, channel_id, root_external_id, identity_id, 'public'
    FROM conversations_thread WHERE id > %(thread)s AND root_external_id <> ''
    ON CONFLICT DO NOTHING
"""
