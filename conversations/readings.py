"""Keeps what was understood of each inbound item, with its source; a person's correction is never overwritten."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from accounts.audit import audit
from accounts.models import User
from conversations import live
from conversations.actions import NotPossible
from conversations.models import Interaction, Reading
from conversations.understanding import VERSION, understand

CHOICES: dict[str, tuple[str, ...]] = {
    "mood": ("negative", "neutral", "positive"),
    "urgency": ("normal", "high"),
}


def understand_due(limit: int = 500) -> int:
    """Reads up to `limit` texts that are not read yet, or were read by an older version; returns how many."""
    with transaction.atomic():
        rows = list(_due(limit))
        known = Reading.objects.in_bulk([row.pk for row in rows])
        readings = [_read(row, known.get(row.pk)) for row in rows]
        Reading.objects.bulk_create(
            readings,
            update_conflicts=True,
            unique_fields=("interaction",),
            update_fields=("language", "mood", "urgency", "sources", "why", "version", "at"),
        )
        Interaction.objects.filter(pk__in=[row.pk for row in rows]).update(understood=True)
        _tell_threads([row.pk for row in rows])
    return len(rows)


def _due(limit: int) -> list[Interaction]:
    new = Interaction.objects.filter(understood=False, direction="in", removed_at=None).select_for_update(
        no_key=True, skip_locked=True, of=("self",)
    )
    rows = list(new.order_by("id").only("id", "text")[:limit])
    if not rows:
        stale = Reading.objects.filter(version__lt=VERSION).order_by("version", "pk").values("pk")[:limit]
        again = Interaction.objects.filter(pk__in=stale).select_for_update(no_key=True, skip_locked=True, of=("self",))
        rows = list(again.only("id", "text"))
    return rows


def _read(row: Interaction, before: Reading | None) -> Reading:
    reading = before or Reading(interaction_id=row.pk, sources={}, why={}, corrections={})
    for kind, (value, source) in understand(row.text).items():
        if kind not in reading.corrections:
            setattr(reading, kind, value.value)
            reading.sources[kind] = source
            reading.why[kind] = value.why
    reading.version, reading.at = VERSION, timezone.now()
    return reading


# What a thread shows is what its newest read inbound item says.
_TELL = """
    UPDATE conversations_thread thread SET mood = said.mood, language = said.language, urgency = said.urgency
    FROM (
        SELECT DISTINCT ON (i.thread_id) i.thread_id, r.mood, r.language, r.urgency
        FROM conversations_interaction i JOIN conversations_reading r ON r.interaction_id = i.id
        WHERE i.thread_id IN (SELECT thread_id FROM conversations_interaction WHERE id = ANY(%s))
            AND i.direction = 'in' AND i.removed_at IS NULL
        ORDER BY i.thread_id, i.posted_at DESC, i.id DESC
    ) said
    WHERE thread.id = said.thread_id
        AND (thread.mood, thread.language, thread.urgency) IS DISTINCT FROM (said.mood, said.language, said.urgency)
    RETURNING thread.id, thread.brand_id
"""


def _tell_threads(interaction_ids: list[int]) -> None:
    if not interaction_ids:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM conversations_thread WHERE id IN (SELECT thread_id FROM conversations_interaction"
            " WHERE id = ANY(%s)) ORDER BY id FOR NO KEY UPDATE",
            [interaction_ids],
        )
        cursor.execute(_TELL, [interaction_ids])
        changed: dict[int, list[int]] = {}
        for thread_id, brand_id in cursor.fetchall():
            changed.setdefault(brand_id, []).append(thread_id)
    for brand_id, thread_ids in changed.items():
        live.announce(brand_id, thread_ids)


def correct(item: Interaction, *, kind: str, value: str, by: User) -> Reading:
    """A colleague knows better: the value stays from now on. Raises NotPossible for a kind or value there is not."""
    allowed = CHOICES.get(kind) or (_languages() if kind == "language" else ())
    if value not in allowed or not item.is_inbound:
        raise NotPossible(f"{kind} cannot be {value}.")
    with transaction.atomic():
        Reading.objects.bulk_create([_blank(item)], ignore_conflicts=True)
        reading = Reading.objects.select_for_update(no_key=True).get(pk=item.pk)
        changes: dict[str, Any] = {kind: value}
        reading.corrections[kind] = by.pk
        reading.sources[kind], reading.why[kind] = str(by), ""
        Reading.objects.filter(pk=item.pk).update(
            corrections=reading.corrections, sources=reading.sources, why=reading.why, **changes
        )
        audit(by=by, verb=f"correct {kind}", on=item, brand=item.channel.brand_id, value=value)
        _tell_threads([item.pk])
    reading.refresh_from_db()
    return reading


def _blank(item: Interaction) -> Reading:
    return Reading(interaction=item, version=0, at=timezone.now())


def _languages() -> tuple[str, ...]:
    return tuple(settings.LANGUAGES_HEARD)
