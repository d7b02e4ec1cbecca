"""`manage.py restore FILE`: the database as a backup has it, without what was erased since."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError

from scrm.keeping import restore
from scrm.keeping.archive import BadArchive
from scrm.keeping.programs import ProgramFailed


class Command(BaseCommand):
    help = (
        "Puts the backup FILE in the place of the database: all of it, or nothing. Stop web, worker and schedule "
        "first. What was erased since the backup is erased again. The last line printed is JSON."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--replace", action="store_true", help="also where the database is not empty")

    def handle(self, *, file: Path, replace: bool, **options: Any) -> None:
        started = time.monotonic()
        try:
            done = restore.restore(file, replace=replace)
        except (restore.Refused, BadArchive, ProgramFailed, OperationalError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(json.dumps({**done, "seconds": round(time.monotonic() - started, 1)}))
