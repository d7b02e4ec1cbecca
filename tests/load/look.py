"""What the database holds, as plain values that two states can be compared by."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from django.db import connection

from channels_ingest.models import Channel
from contacts.models import Contact, Identity, IdentityLink
from conversations.models import Interaction, Thread


@dataclass(frozen=True)
class Look:
    """`stored`: ids by channel; `links`: (channel, reply, what it answers); `said`: what stands where, by whom;
    `threads`: the ids that stand together, with whose matter they are; `people`: handles by the contact behind them."""

    stored: dict[str, list[str]]
    links: set[tuple[str, str, str]]
    said: set[tuple[Any, ...]]
    threads: set[tuple[str, str, frozenset[str]]]
    people: set[frozenset[str]]
    ours: set[str]


def look() -> Look:
    stored = defaultdict(list)
    links, said = set(), set()
    matters: dict[tuple[str, str, int], set[str]] = defaultdict(set)
    rows = Interaction.objects.order_by("id").values_list(
        "channel__external_id",
        "external_id",
        "parent__external_id",
        "thread",
        "thread__identity__external_id",
        "text",
        "posted_at",
        "direction",
        "root_external_id",
        "author__handle",
    )
    for at, found, parent, thread, whose, *words in rows:
        own = found or ""
        stored[at].append(own)
        if parent:
            links.add((at, own, parent))
        said.add((at, own, *words))
        if thread:
            matters[at, whose, thread].add(own)
    threads = {(at, whose, frozenset(ids)) for (at, whose, _), ids in matters.items()}
    return Look(dict(stored), links, said, threads, _people(), set(_ours()))


def _people() -> set[frozenset[str]]:
    handles = defaultdict(set)
    for contact_id, external_id in IdentityLink.objects.filter(ended_at=None).values_list(
        "contact", "identity__external_id"
    ):
        handles[contact_id].add(external_id)
    return {frozenset(found) for found in handles.values()}


def _ours() -> list[str]:
    return list(Identity.objects.filter(ours=True).values_list("external_id", flat=True))


def digest() -> dict[str, tuple[int, str]]:
    """{table: (rows, hash of all they hold)} of what posts become."""
    found = {}
    with connection.cursor() as cursor:
        for model in (Interaction, Thread, Contact, Identity, IdentityLink):
            table = model._meta.db_table
            cursor.execute(f"SELECT COUNT(*), MD5(STRING_AGG(MD5(t::text), '' ORDER BY id)) FROM {table} t")
            found[table] = cursor.fetchone()
    return found


def forget() -> None:
    """The database as if nothing had ever come in."""
    tables = ", ".join(model._meta.db_table for model in (Channel, Interaction, Thread, Contact, Identity))
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {tables} CASCADE")
