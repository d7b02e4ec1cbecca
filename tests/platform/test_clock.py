"""A process whose clock is wrong leaves its work to others, and a clock that is set back stops nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from celery import Celery
from celery.beat import ScheduleEntry, SchedulingError
from celery.schedules import schedule

from scrm import clock
from scrm.schedule import Scheduler

RAN: list[str] = []
app = Celery("clock", task_cls=clock.CarefulTask, set_as_current=False)


@app.task
def work() -> None:
    RAN.append("ran")


@pytest.fixture(autouse=True)
def not_looked_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    RAN.clear()
    monkeypatch.setattr(clock.CarefulTask, "_looked_at", None)
    monkeypatch.setattr(clock.CarefulTask, "_wrong", False)


@pytest.mark.django_db
def test_by_the_clock_of_the_database_a_task_runs() -> None:
    assert abs(clock.skew()) < clock.MOST_SKEW
    work()
    assert RAN == ["ran"]


@pytest.mark.parametrize("skew", [7200.0, -7200.0, 40 * 86_400.0])
def test_by_a_wrong_clock_no_task_runs(monkeypatch: pytest.MonkeyPatch, skew: float) -> None:
    monkeypatch.setattr(clock, "skew", lambda: skew)
    work()
    assert RAN == []


@pytest.mark.django_db
def test_when_the_clock_is_right_again_tasks_run_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock.CarefulTask, "_wrong", True)
    work()
    assert RAN == ["ran"]


def test_a_run_noted_by_a_wrong_clock_is_not_waited_for() -> None:
    celery = Celery("schedule", set_as_current=False)
    entry = ScheduleEntry(name="sweep", task="sweep", schedule=schedule(5.0), app=celery)
    entry.last_run_at = entry.default_now() + timedelta(days=40)
    scheduler = Scheduler(app=celery, schedule_filename="unused", lazy=True)
    due, seconds = scheduler.is_due(entry)
    assert not due
    assert seconds <= 5.0


def test_a_schedule_without_its_broker_says_so_in_one_line(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise SchedulingError("Couldn't apply scheduled task sweep: no broker")

    monkeypatch.setattr(Scheduler, "apply_async", fail)
    celery = Celery("schedule", set_as_current=False)
    entry = ScheduleEntry(name="sweep", task="sweep", schedule=schedule(5.0), app=celery)
    Scheduler(app=celery, schedule_filename="unused", lazy=True).apply_entry(entry)
    assert [(one.levelname, one.exc_info) for one in caplog.records] == [("WARNING", None)]
