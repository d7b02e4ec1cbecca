"""What two people, or a browser and a program, do in the same moment, each on a connection of their own."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError, connection, connections, transaction

from accounts.models import User
from channels_ingest.models import Channel
from conversations import actions, attachments
from conversations.actions import KeyUsed
from conversations.models import Interaction, NoteKey, Thread
from conversations.record import record
from tests.cast import JONAS, MAYA, said
from tests.conversations.test_pictures import png

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def threads(channel: Channel) -> list[Thread]:
    record(channel, [said("1", MAYA), said("2", JONAS)])
    return list(Thread.objects.order_by("pk"))


@pytest.fixture
def elsewhere() -> Iterator[Callable[..., Future[Any]]]:
    """Does something on another connection."""

    def and_hang_up(deed: Callable[[], Any]) -> Any:
        try:
            return deed()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(max_workers=2) as pool:
        yield lambda deed: pool.submit(and_hang_up, deed)


def test_one_key_on_two_threads_in_the_same_moment_is_one_note(
    threads: list[Thread], agent: User, elsewhere: Callable[..., Future[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, create, key = Barrier(2), NoteKey.objects.create, uuid.uuid4()
    monkeypatch.setattr(NoteKey.objects, "create", lambda **given: (gate.wait(10), create(**given)))
    deeds = [
        elsewhere(lambda thread=thread: actions.write_note(thread, by=agent, text="Batch 7", key=key))
        for thread in threads
    ]
    ends = [type(deed.exception(20)) for deed in deeds]
    assert (set(ends), Interaction.objects.filter(kind="note").count()) == ({type(None), KeyUsed}, 1)


def test_a_picture_waits_for_one_that_is_put_in_at_the_same_moment(
    threads: list[Thread], agent: User, elsewhere: Callable[..., Future[Any]]
) -> None:
    with transaction.atomic():
        put_in(threads[0], agent)
        with pytest.raises(OperationalError, match="lock timeout"):
            elsewhere(lambda: put_in(threads[0], agent)).result(20)


def put_in(thread: Thread, by: User) -> None:
    """Puts a picture in, and waits for no lock longer than a moment."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '200ms'")
        attachments.keep(thread, by=by, given=SimpleUploadedFile("a.png", png()))
