"""Background work on conversations. Every task may run twice or not at all: the next sweep finds what is due."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from accounts.closing import closing
from conversations import actions, blocking, bulk, deliver, digest, notify, push, readings, reconcile, search


@shared_task
def send_due() -> None:
    deliver.send_due()


@shared_task
def index_texts() -> None:
    while not closing() and search.index_texts():
        pass


@shared_task
def wake_threads() -> None:
    actions.wake_due(timezone.now())


@shared_task
def understand_texts() -> None:
    while not closing() and readings.understand_due():
        pass


@shared_task
def tell_due() -> None:
    notify.tell_due(timezone.now())


@shared_task
def mail_due() -> None:
    """Speaks to other machines, which may be slow: nobody waits behind it who only looks into the database."""
    digest.mail_due(timezone.now())
    push.push_due(timezone.now())


@shared_task
def reconcile_due() -> None:
    reconcile.reconcile_due(timezone.now())


@shared_task
def recheck_due() -> None:
    reconcile.recheck_due(timezone.now())


@shared_task
def block_due() -> None:
    blocking.work_due()


@shared_task
def go_on_with_bulk() -> None:
    bulk.go_on_with_all()
