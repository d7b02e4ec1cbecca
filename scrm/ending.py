"""A worker that is asked to end ends soon: what runs is told to come to an end, and what does not is left to others.

Celery's gentle way waits for running tasks for ever, and for a broker that is away too. Nothing needs that: whatever a
process was killed in is found again by query (a reply on its way is read back first).
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from contextlib import suppress
from typing import Any

from billiard import active_children
from celery.signals import worker_shutting_down

from accounts.closing import close

LONGEST = 25.0  # seconds; whoever stops us has 30 or more

log = logging.getLogger(__name__)


def begin(**_told: Any) -> None:
    """Tells tasks to come to an end, and begins to count. Called by the signal that the worker shuts down."""
    close()
    threading.Thread(target=_end, name="ending", daemon=True).start()


def _end() -> None:
    time.sleep(LONGEST)
    log.error("Still at work %.0f s after it was asked to end: it ends now, and others find the work.", LONGEST)
    for child in active_children():
        if child.pid is not None:
            with suppress(ProcessLookupError):
                os.kill(child.pid, signal.SIGKILL)
    os._exit(1)


def install() -> None:
    """Connects it to the worker's own signal."""
    worker_shutting_down.connect(begin)
