from __future__ import annotations

import threading

from celery import current_app
from django.conf import settings


def test_every_thread_wakes_workers_through_our_broker() -> None:
    found: list[str] = []
    thread = threading.Thread(target=lambda: found.append(current_app.conf.broker_url))
    thread.start()
    thread.join()
    assert found == [settings.CELERY_BROKER_URL]
