"""Migrations that fill a column of a table which may be large."""

from __future__ import annotations

from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from channels_ingest.models import Channel
from contacts.models import Identity
from conversations import actions
from conversations.exposure import step_of
from conversations.models import Mention, Thread
from conversations.record import record
from tests.cast import JONAS, MAYA, SOFIA, said

pytestmark = pytest.mark.django_db
REACH: Any = import_module("conversations.migrations.0017_reach_of_today")
ROOTS: Any = import_module("conversations.migrations.0007_fill_reach_and_root")
MENTIONS: Any = import_module("conversations.migrations.0011_fill_mentions")


@pytest.fixture
def followed(channel: Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads of three people whom a thousand follow by now, which do not say so yet. Two are a batch."""
    record(channel, [said("1", MAYA), said("2", JONAS), said("3", SOFIA)])
    Identity.objects.filter(threads__isnull=False).update(followers=1_000)
    Thread.objects.update(reach_step=0)
    monkeypatch.setattr(REACH, "BATCH", 2)


def fill(migration: Any = REACH) -> int:
    """Does what the migration does; returns how many statements wrote."""
    with CaptureQueriesContext(connection) as asked:
        migration.fill(None, SimpleNamespace(connection=connection))
    return sum(one["sql"].strip().startswith(("WITH", "INSERT")) for one in asked.captured_queries)


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


# -- the root of a thread ---------------------------------------------------------------------------------------------


@pytest.fixture
def rootless(followed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same threads, which do not say either where they began."""
    Thread.objects.update(root_external_id="")
    monkeypatch.setattr(ROOTS, "BATCH", 2)


def test_every_thread_tells_its_root_and_reach(rootless: None) -> None:
    fill(ROOTS)
    assert (steps(), set(Thread.objects.values_list("root_external_id", flat=True))) == ({step_of(1_000)}, set("123"))


def test_roots_are_written_in_batches_that_are_committed_each(rootless: None) -> None:
    assert (fill(ROOTS), ROOTS.Migration.atomic) == (2, False)


def test_a_thread_that_tells_its_root_already_is_not_written_again(rootless: None) -> None:
    fill(ROOTS)
    Thread.objects.filter(identity__handle=MAYA.handle).update(root_external_id="")
    with connection.cursor() as cursor:
        cursor.execute(ROOTS.FILL, [0, Thread.objects.latest("pk").pk])
        assert cursor.rowcount == 1


# -- mentions ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def unread(channel: Channel, agent: User, colleague: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three notes that call a colleague, who has read none and is not waited for by any. Two are a batch."""
    record(channel, [said("1", MAYA)])
    for words in ("@Ben one", "@Ben two", "@Ben three"):
        actions.write_note(Thread.objects.get(), by=agent, text=words)
    Mention.objects.all().delete()
    monkeypatch.setattr(MENTIONS, "BATCH", 2)


def test_mentions_are_filled_in_batches_that_are_committed_each(unread: None) -> None:
    assert (fill(MENTIONS), MENTIONS.Migration.atomic, Mention.objects.count()) == (2, False, 3)


def test_mentions_that_are_there_are_not_filled_again(unread: None) -> None:
    fill(MENTIONS)
    fill(MENTIONS)
    assert Mention.objects.count() == 3
