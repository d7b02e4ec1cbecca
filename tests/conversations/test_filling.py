"""Migrations that fill a column of a table which may be large."""

from __future__ import annotations

from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from channels_ingest.models import Channel
from contacts.models import Identity
from conversations.exposure import step_of
from conversations.models import Thread
from conversations.record import record
from tests.cast import JONAS, MAYA, SOFIA, said

pytestmark = pytest.mark.django_db
REACH: Any = import_module("conversations.migrations.0017_reach_of_today")


@pytest.fixture
def followed(channel: Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads of three people whom a thousand follow by now, which do not say so yet. Two are a batch."""
    record(channel, [said("1", MAYA), said("2", JONAS), said("3", SOFIA)])
    Identity.objects.filter(threads__isnull=False).update(followers=1_000)
    Thread.objects.update(reach_step=0)
    monkeypatch.setattr(REACH, "BATCH", 2)


def fill() -> int:
    """Does what the migration does; returns how many statements wrote."""
    with CaptureQueriesContext(connection) as asked:
        REACH.fill(None, SimpleNamespace(connection=connection))
    return sum("UPDATE conversations_thread" in one["sql"] for one in asked.captured_queries)


def steps() -> set[int]:
    return set(Thread.objects.values_list("reach_step", flat=True))


def test_every_thread_tells_the_reach_of_today(followed: None) -> None:
    fill()
    assert steps() == {step_of(1_000)}


def test_threads_are_written_in_batches_that_are_committed_each(followed: None) -> None:
    assert (fill(), REACH.Migration.atomic) == (2, False)


def test_a_try_that_was_interrupted_begins_anew_and_writes_what_is_left(followed: None) -> None:
    Thread.objects.filter(identity__handle=MAYA.handle).update(reach_step=step_of(1_000))
    with connection.cursor() as cursor:
        cursor.execute(REACH.FILL, [0, Thread.objects.latest("pk").pk])
        assert cursor.rowcount == 2
