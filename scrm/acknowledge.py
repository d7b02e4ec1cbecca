"""Acknowledges again what the broker did not hear: a lost acknowledgement would cost a worker its place for ever.

A worker takes only so many messages as it may hold. Celery logs an acknowledgement that fails ("Couldn't ack") and
forgets it, while the transport goes on counting the message as held: a few of them, and the worker takes nothing more
until somebody restarts it. New connections clear the count, but one call can fail while the others' connections live.
"""

from __future__ import annotations

import logging
from typing import Any

from celery import Celery, bootsteps
from celery.worker import state
from redis.exceptions import RedisError

LOOK_EVERY = 2.0  # seconds; what is held without a task at two looks in a row was not heard

log = logging.getLogger(__name__)


class AcknowledgeAgain(bootsteps.StartStopStep):
    """Looks after the held messages of one consumer, in its own loop."""

    requires = ("celery.worker.consumer.tasks:Tasks",)
    timer: Any = None

    def __init__(self, consumer: Any, **options: Any) -> None:
        super().__init__(consumer, **options)
        self.unheard: set[str] = set()

    def start(self, consumer: Any) -> None:
        self.unheard = set()
        self.timer = consumer.timer.call_repeatedly(LOOK_EVERY, self.look, (consumer,))

    def stop(self, consumer: Any) -> None:
        if self.timer is not None:
            self.timer.cancel()

    def look(self, consumer: Any) -> None:
        """Acknowledges what was held without a task at the last look and still is."""
        held = consumer.task_consumer.channel.qos
        at_work = {request.message.delivery_tag for request in state.reserved_requests}
        idle = set(held._delivered) - held._dirty - at_work
        for tag in idle & self.unheard:
            try:
                held.ack(tag)
            except (RedisError, OSError) as error:
                log.info("Still not acknowledged: %s", type(error).__name__)
        self.unheard = idle


def install(app: Celery) -> None:
    """Teach the worker's consumers the step."""
    app.steps["consumer"].add(AcknowledgeAgain)
