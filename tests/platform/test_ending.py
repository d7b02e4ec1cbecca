"""A worker that is asked to end takes up nothing more, and is gone soon whatever it was at."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from accounts.closing import close, closing, stay_open
from channels_ingest.models import App, WebhookEvent
from channels_ingest.webhooks import process_due, store
from scrm.services import BASE_DIR

STUCK = """
import time
from billiard import Process
from scrm import ending

ending.LONGEST = 0.1
child = Process(target=time.sleep, args=(60,))
child.start()
ending.begin()
time.sleep(60)
"""


@pytest.fixture
def asked_to_end() -> Iterator[None]:
    close()
    yield
    stay_open()


@pytest.mark.django_db
def test_who_was_asked_to_end_leaves_what_waits_to_others(asked_to_end: None) -> None:
    store(App.objects.create(network="twitter", key="app"), b"{}")
    assert process_due() == 0
    assert WebhookEvent.objects.get().state == WebhookEvent.State.RECEIVED
    stay_open()
    assert process_due() == 1


def test_processes_that_were_forked_are_asked_too(asked_to_end: None) -> None:
    stay_open()
    if (pid := os.fork()) == 0:
        close()
        os._exit(0)
    os.waitpid(pid, 0)
    assert closing()


def test_what_does_not_end_is_ended_with_its_children() -> None:
    stuck = [sys.executable, "-c", STUCK]
    done = subprocess.run(stuck, cwd=BASE_DIR, stdout=subprocess.PIPE, timeout=30, check=False)
    assert done.returncode == 1  # and its output has ended: nobody who could write to it is left
