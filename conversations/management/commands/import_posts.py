"""`manage.py import_posts FILE --format twcs`: real conversations from a file, as history."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from channels_ingest.brand_accounts import brand_called
from channels_ingest.twcs import NotTwcs
from conversations.history import import_twcs

FORMATS = {"twcs": import_twcs}


class Command(BaseCommand):
    help = "Import posts from a file as history. The last line printed is a summary in JSON. Safe to run again."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--format", choices=sorted(FORMATS), default="twcs", help="twcs: the CSV of Customer Support on Twitter"
        )
        parser.add_argument("--brand", help="the brand of new channels; without it each account is a brand of its own")

    def handle(self, *, file: Path, format: str, brand: str | None, **options: Any) -> None:
        stream = options.get("stderr") or sys.stderr  # as it is: Django's wrapper ends every write with a line break
        try:
            imported = FORMATS[format](file, brand=brand_called(brand) if brand else None, stream=stream)
        except NotTwcs as error:
            raise CommandError(f"{file} is not of the format {format}: {error}") from error
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}") from error
        self.stdout.write(json.dumps(asdict(imported)))
