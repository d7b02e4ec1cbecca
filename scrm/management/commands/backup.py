"""`manage.py backup`: the database in one file."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from scrm import services
from scrm.keeping import backup
from scrm.keeping.programs import ProgramFailed


class Command(BaseCommand):
    help = (
        "Writes the whole database into FILE (0600), while everything goes on. The networks' credentials stay "
        "encrypted: keep ENCRYPTION_KEYS elsewhere. The last line printed is JSON."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("file", type=Path, nargs="?", help="default: backups/ below DATA_DIR, named by the time")

    def handle(self, *, file: Path | None, **options: Any) -> None:
        path = file or services.data_dir() / "backups" / f"scrm-{timezone.now():%Y%m%d-%H%M%S}.backup"
        if path.exists():
            raise CommandError(f"{path} exists already.")
        started = time.monotonic()
        try:
            manifest = backup.back_up(path)
        except (ProgramFailed, OSError) as error:
            raise CommandError(f"No backup was made: {error}") from error
        told = {"file": str(path), "bytes": path.stat().st_size, "rows": sum(manifest.rows.values())}
        self.stdout.write(json.dumps({**told, "seconds": round(time.monotonic() - started, 1)}))
