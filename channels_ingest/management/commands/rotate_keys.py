"""`manage.py rotate_keys`: every stored secret under the first of ENCRYPTION_KEYS, so that the old keys can go."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from channels_ingest.models import App, Channel, PushKey
from channels_ingest.vault import VaultError


class Command(BaseCommand):
    help = (
        "Encrypts all stored credentials anew with the first of ENCRYPTION_KEYS. Put the new key first and keep the "
        "old ones behind it, restart, run this, then remove the old ones. Safe to run again."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        done = rotate(App, "secrets") + rotate(Channel, "credentials") + rotate(PushKey, "secrets")
        self.stdout.write(f"{done} sets of keys are encrypted with the first key now.")


def rotate(model: type[App] | type[Channel] | type[PushKey], field: str) -> int:
    """Reads each row's secrets with whatever key fits and writes them with the first; returns how many rows."""
    ids = list(model._default_manager.order_by("pk").values_list("pk", flat=True))
    for pk in ids:
        with transaction.atomic():
            try:
                row = model._default_manager.select_for_update(of=("self",)).get(pk=pk)
            except VaultError as error:
                raise CommandError(f"{model.__name__} {pk}: {error} Its old key is missing.") from error
            row.save(update_fields=[field])
    return len(ids)
