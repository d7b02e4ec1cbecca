"""Prints measurements as JSON."""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from argparse import ArgumentParser
from dataclasses import replace
from typing import Any

from django.core.management.base import BaseCommand

from scrm.bench.latency import latency
from scrm.bench.memory import memory
from scrm.bench.pages import pages
from scrm.bench.pushing import pushing
from scrm.bench.reading import reading
from scrm.bench.stack import Stack, running
from scrm.bench.storing import storing
from scrm.bench.workspace import ROUNDS, workspace
from scrm.services import BASE_DIR


class Command(BaseCommand):
    help = (
        "Measures storing, pages and waiting times on a product of its own, each beside a plain reference in the same "
        "run, and prints one JSON object. Nothing of the present database is touched, except with --here."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--already", type=int, default=100_000, help="interactions to have before measuring")
        parser.add_argument("--here", action="store_true", help="only storing, in the present database")
        parser.add_argument(
            "--filled", action="store_true", help="only pages, of what bench_fill put into the database"
        )
        parser.add_argument("--rounds", type=int, default=ROUNDS, help="of --filled")
        parser.add_argument("--processes", type=int, default=1, help="of the web server, for --filled")

    def handle(self, *args: Any, **options: Any) -> None:
        already: int = options["already"]
        if options["here"]:
            found = {"storing": storing(already=already), "pushing": pushing(), "understanding": reading()}
        elif options["filled"]:
            found = {"workspace": workspace(options["rounds"], options["processes"])}
        else:
            found = self._all(already)
        self.stdout.write(json.dumps(found, indent=2))

    def _all(self, already: int) -> dict[str, Any]:
        began = time.monotonic()
        found: dict[str, Any] = {}
        with tempfile.TemporaryDirectory(prefix="scrm-bench-", ignore_cleanup_errors=True) as root:
            self._tell("Starting a product of its own ...")
            with running(root) as stack:
                found["seconds_to_ready_and_pushed"] = round(time.monotonic() - began, 1)
                self._tell("Measuring idle memory ...")
                found["memory"] = memory(stack)
                self._tell("Measuring the time from a post to the open inbox ...")
                found["latency"] = latency(stack)
                found["memory_after_work"] = memory(stack)  # every worker process has read texts by now
            self._tell(f"Storing {already:,} posts, then measuring ...")
            found |= _storing(stack, already)
            self._tell("Measuring pages ...")
            found["pages"] = pages(stack)
            self._tell("Filling a bigger inbox, then measuring the workspace ...")
            found["workspace"] = _workspace(replace(stack, data_dir=f"{root}/bigger"))
        return found | {"seconds": round(time.monotonic() - began, 1)}

    def _tell(self, words: str) -> None:
        self.stderr.write(words)


def _storing(stack: Stack, already: int) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_said(stack, "bench", "--here", "--already", str(already)))
    return found


def _workspace(stack: Stack) -> dict[str, Any]:
    """Of a small filling, so that it takes a minute: `bench_fill` and `bench --filled` by hand measure a big one."""
    _said(stack, "migrate", "--verbosity", "0")
    filled = json.loads(_said(stack, "bench_fill", "--threads", "10000", "--interactions", "100000"))
    measured: dict[str, Any] = json.loads(_said(stack, "bench", "--filled", "--rounds", "10"))["workspace"]
    return {"seconds_to_fill": filled["all"]} | measured


def _said(stack: Stack, *arguments: str) -> str:
    argv = stack.command("manage.py", *arguments)
    return subprocess.run(argv, cwd=BASE_DIR, stdout=subprocess.PIPE, text=True, check=True).stdout
