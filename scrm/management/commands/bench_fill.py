"""Makes a big inbox to measure."""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts.models import Brand
from scrm.bench.filling import SLUG, fill


class Command(BaseCommand):
    help = "Fills an empty database with made-up threads and interactions, to be measured by `bench`."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--threads", type=int, default=100_000)
        parser.add_argument("--interactions", type=int, default=1_000_000)

    def handle(self, *, threads: int, interactions: int, **_: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("Not in production: made-up data would stand among the real.")
        if Brand.objects.filter(slug=SLUG).exists():
            raise CommandError("It is filled already. Take another DATA_DIR.")
        began = time.perf_counter()
        took = fill(threads=threads, interactions=interactions, say=self.stderr.write)
        took["all"] = round(time.perf_counter() - began, 1)
        self.stdout.write(json.dumps(took))
