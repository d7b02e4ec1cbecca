"""`manage.py rehearse_upgrade`: what the pending migrations would take, tried on a copy."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import ProgrammingError

from scrm.keeping import rehearsal
from scrm.keeping.programs import ProgramFailed


class Command(BaseCommand):
    help = (
        "Runs the pending migrations on a copy of the database and prints, as JSON, how long each took, which locks "
        "others would wait for, and which row counts changed. The database itself is only read; the copy needs as "
        "much room, and the right to make databases."
    )

    def handle(self, **options: Any) -> None:
        try:
            report = rehearsal.rehearse()
        except (ProgramFailed, ProgrammingError) as error:
            raise CommandError(f"The upgrade could not be rehearsed: {error}".strip()) from error
        self.stdout.write(json.dumps(report, indent=1))
        if not report.get("ok", True):
            raise CommandError("The upgrade would fail.")
