"""A hint to the workers to look now. The schedule finds the same work by query: a lost hint costs seconds."""

from __future__ import annotations

import logging
from typing import Any

from celery import current_app
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from accounts.failpoints import failpoint

log = logging.getLogger(__name__)


def up(task: str, *args: Any) -> None:
    """Sends a task by name. Without a broker it only says so in the log."""
    failpoint("wake.publishing")
    try:
        current_app.send_task(task, args=args, expires=60, retry=False)
    except (OperationalError, RedisError, OSError) as error:
        log.info("No broker to wake %s: %s", task, type(error).__name__)
    failpoint("wake.published")
