"""The schedule as a thread of the worker, for one machine: a process of its own would cost 100 MB.

`celery worker --with-schedule` switches it on. In production the schedule is a
service of its own (`celery beat`), of which there must be one.
"""

import logging
from typing import Any

from celery import Celery, bootsteps
from celery.beat import EmbeddedService, PersistentScheduler, ScheduleEntry, SchedulingError
from click import Option

LONGEST_LINE = 300

log = logging.getLogger(__name__)


class Scheduler(PersistentScheduler):
    """Knows that clocks are set back: a run in the future was noted by a wrong clock, and nobody waits for it."""

    def is_due(self, entry: ScheduleEntry) -> Any:
        now = entry.default_now()
        if entry.last_run_at is not None and entry.last_run_at > now:
            entry.last_run_at = now
        return super().is_due(entry)

    def apply_entry(self, entry: ScheduleEntry, producer: Any = None) -> None:
        """Sends one; a broker that is away costs a line, not Celery's hundred for each task every few seconds."""
        try:
            self.apply_async(entry, producer=producer, advance=False)
        except SchedulingError as error:
            log.warning("%s", str(error)[:LONGEST_LINE])


class Schedule(bootsteps.StartStopStep):
    """Starts after the worker's processes were forked, and ends before them."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, worker: Any, with_schedule: bool = False, **options: Any) -> None:
        super().__init__(worker, **options)
        self.enabled = with_schedule

    def create(self, worker: Any) -> Any:
        return EmbeddedService(
            worker.app, thread=True, schedule_filename=worker.schedule_filename, scheduler_cls=Scheduler
        )


def install(app: Celery) -> None:
    """Teach the worker command the option."""
    app.user_options["worker"].add(Option(("--with-schedule",), is_flag=True, help="Run the schedule as well."))
    app.steps["worker"].add(Schedule)
