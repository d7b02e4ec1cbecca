"""A message whose acknowledgement was not heard does not cost the worker its place."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from celery.worker import state
from kombu import Connection, Consumer, Queue

from scrm.acknowledge import AcknowledgeAgain


@pytest.fixture
def consumer() -> Iterator[Any]:
    """A consumer of the memory's broker that may hold one message, and holds one."""
    with Connection("memory://") as connection:
        queue = Queue("acknowledge", channel=connection.default_channel)
        with Consumer(connection.default_channel, [queue], callbacks=[lambda *_: None], prefetch_count=1) as tasks:
            connection.Producer().publish("look", routing_key="acknowledge", exchange="", declare=[queue])
            connection.drain_events(timeout=5)
            yield SimpleNamespace(task_consumer=tasks)


@pytest.fixture
def held(consumer: Any) -> Any:
    return consumer.task_consumer.channel.qos


def test_what_no_task_works_at_is_acknowledged_at_the_second_look(consumer: Any, held: Any) -> None:
    step = AcknowledgeAgain(consumer)
    step.look(consumer)
    assert not held.can_consume()
    step.look(consumer)
    assert held.can_consume()


def test_what_a_task_works_at_stays(consumer: Any, held: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (tag,) = held._delivered
    request = SimpleNamespace(message=SimpleNamespace(delivery_tag=tag))
    monkeypatch.setattr(state, "reserved_requests", [request])
    step = AcknowledgeAgain(consumer)
    step.look(consumer)
    step.look(consumer)
    assert not held.can_consume()


def test_a_broker_that_does_not_hear_is_asked_again(consumer: Any, held: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([ConnectionResetError(), None])
    really = held.ack

    def ack(tag: str) -> None:
        if error := next(answers):
            raise error
        really(tag)

    monkeypatch.setattr(held, "ack", ack)
    step = AcknowledgeAgain(consumer)
    for _ in range(3):
        step.look(consumer)
    assert held.can_consume()
