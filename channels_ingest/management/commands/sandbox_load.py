"""`manage.py sandbox_load FILE`: real conversations on the sandbox's X."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any, TextIO

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from channels_ingest import playback, staging
from channels_ingest.brand_accounts import brand_called
from channels_ingest.networks.base import NetworkError
from channels_ingest.sandbox_api import Sandbox, SandboxError
from channels_ingest.staging import Report
from channels_ingest.twcs import NotTwcs

SANDBOX_SECONDS = 15.0


class Command(BaseCommand):
    help = (
        "Load the CSV of Customer Support on Twitter into the sandbox's X, with its ids, authors, times and reply "
        "links. Safe to run again. Rate limits of the sandbox are switched off for it. The last line printed is JSON."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--connect", action="store_true", help="connect a channel for every brand account in it")
        parser.add_argument("--brand", help="the brand of new channels; without it each account is a brand of its own")
        parser.add_argument(
            "--replay",
            type=_speed,
            metavar="SPEED",
            help="do not load it: say it again from now on, SPEED times as fast (each run says everything again)",
        )
        parser.add_argument("--sandbox", default=settings.SANDBOX_URL, metavar="URL", help="default: SANDBOX_URL")

    def handle(self, *, file: Path, sandbox: str, **options: Any) -> None:
        if not sandbox:
            raise CommandError("There is no sandbox: set SANDBOX_URL, or name it with --sandbox.")
        stream = options.get("stderr") or sys.stderr
        try:
            summary = _run(file, Sandbox(sandbox), stream, options)
        except NotTwcs as error:
            raise CommandError(f"{file} is not of this format: {error}") from error
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}") from error
        except (SandboxError, NetworkError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(json.dumps(summary))


def _speed(value: str) -> float:
    speed = float(value)
    if not 0 < speed <= 1_000_000:
        raise argparse.ArgumentTypeError("a number greater than 0 and not above a million")
    return speed


def _run(file: Path, sandbox: Sandbox, stream: TextIO, options: dict[str, Any]) -> dict[str, Any]:
    began = time.monotonic()
    sandbox.wait(SANDBOX_SECONDS)
    report = Report(stream)
    summary: dict[str, Any] = {}
    speed: float | None = options["replay"]
    if speed is None:
        summary |= playback.load(file, sandbox, report)
    else:
        playback.introduce(file, sandbox)
    if speed is not None or options["connect"]:
        with staging.staged(file, report if speed is not None else Report()):
            if options["connect"]:
                brand = brand_called(options["brand"]) if options["brand"] else None
                summary["channels"] = len(playback.connect_brands(sandbox, brand))
            if speed is not None:
                summary["posts"] = playback.replay(sandbox, speed, stream)
    report.close()
    counts = {"rows": report.rows, "bad": report.bad, "mended": report.mended}
    return counts | summary | {"seconds": round(time.monotonic() - began, 2)}
