"""A process whose clock is wrong takes up no work: what it wrote would be due in forty days, or be thrown away as old.

The database's clock counts. A worker looks at it now and then and leaves the work to others until the two agree again;
where all are wrong, `/health/live/` sees that due work lies about.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

from celery import Task
from django.db import Error, connection

if TYPE_CHECKING:
    AnyTask = Task[Any, Any]
else:
    AnyTask = Task

MOST_SKEW = 30.0  # seconds
LOOK_EVERY = 10.0  # seconds, monotonic

log = logging.getLogger(__name__)


def skew() -> float:
    """By how many seconds this process's clock is ahead of the database's."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())")
        (theirs,) = cursor.fetchone()
    return time.time() - float(theirs)


class CarefulTask(AnyTask):
    """A task that runs only by a clock that is right."""

    abstract = True
    _wrong = False
    _looked_at: float | None = None

    def __call__(self, *args: Any, **options: Any) -> Any:
        if not self._clock_is_wrong():
            return super().__call__(*args, **options)
        log.error("The clock of this process is wrong: %s is left to others.", self.name)
        return None

    @classmethod
    def _clock_is_wrong(cls) -> bool:
        now = time.monotonic()
        if CarefulTask._looked_at is None or now - CarefulTask._looked_at > LOOK_EVERY:
            try:
                CarefulTask._wrong = abs(skew()) > MOST_SKEW
            except Error:
                return False  # the work will meet the same trouble, and say so
            CarefulTask._looked_at = now
        return CarefulTask._wrong
