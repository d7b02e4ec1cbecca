"""Prints measurements as JSON."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from scrm.bench.storing import storing


class Command(BaseCommand):
    help = "Measures storing, pages and waiting times, each beside a plain reference in the same run."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--already", type=int, default=100_000, help="interactions to have before measuring")

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(json.dumps({"storing": storing(already=options["already"])}, indent=2))
