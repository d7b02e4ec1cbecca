"""The schedule as a thread of the worker, for one machine: a process of its own would cost 100 MB.

`celery worker --with-schedule` switches it on. In production the schedule is a
service of its own (`celery beat`), of which there must be one.
"""

from typing import Any

from celery import Celery, bootsteps
from celery.beat import EmbeddedService
from click import Option


class Schedule(bootsteps.StartStopStep):
    """Starts after the worker's processes were forked, and ends before them."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, worker: Any, with_schedule: bool = False, **options: Any) -> None:
        super().__init__(worker, **options)
        self.enabled = with_schedule

    def create(self, worker: Any) -> Any:
        return EmbeddedService(worker.app, thread=True, schedule_filename=worker.schedule_filename)


def install(app: Celery) -> None:
    """Teach the worker command the option."""
    app.user_options["worker"].add(Option(("--with-schedule",), is_flag=True, help="Run the schedule as well."))
    app.steps["worker"].add(Schedule)
