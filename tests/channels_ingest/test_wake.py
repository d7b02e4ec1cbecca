from __future__ import annotations

import threading

import pytest
from celery import current_app
from django.conf import settings

from channels_ingest import tasks, wake, webhooks
from channels_ingest.models import WebhookEvent


def test_every_thread_wakes_workers_through_our_broker() -> None:
    found: list[str] = []
    thread = threading.Thread(target=lambda: found.append(current_app.conf.broker_url))
    thread.start()
    thread.join()
    assert found == [settings.CELERY_BROKER_URL]


def test_an_answer_goes_before_a_burst_of_webhooks() -> None:
    def priority(task: str) -> int:
        found: int = current_app.amqp.router.route({}, task)["priority"]  # with Redis the lowest goes first
        return found

    assert priority("conversations.tasks.send_due") < priority("channels_ingest.tasks.process_events")
    assert priority("channels_ingest.tasks.process_events") < priority("conversations.tasks.recheck_due")


@pytest.mark.django_db
def test_a_heap_of_webhooks_is_left_after_a_while_and_gone_on_with(monkeypatch: pytest.MonkeyPatch) -> None:
    woken: list[str] = []
    monkeypatch.setattr(wake, "up", woken.append)
    monkeypatch.setattr(webhooks, "_claim", lambda: [WebhookEvent(state=WebhookEvent.State.SET_ASIDE)])
    monkeypatch.setattr(tasks, "A_WHILE", 0.01)
    tasks.process_events()
    assert woken == ["channels_ingest.tasks.process_events"]
