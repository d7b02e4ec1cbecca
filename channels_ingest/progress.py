"""How far a long command has come: a bar on a terminal, a line now and then anywhere else."""

from __future__ import annotations

import time
from typing import TextIO

WIDTH = 30
EVERY = 5.0  # seconds between two lines where there is no terminal
REDRAW = 0.1


class Progress:
    """One phase of work, drawn on `stream` (usually stderr). Nothing is drawn where `stream` is None."""

    def __init__(self, stream: TextIO | None, label: str) -> None:
        self.stream = stream
        self.label = label
        self.bar = bool(stream is not None and stream.isatty())
        self._drawn = time.monotonic()

    def at(self, done: int, total: int, note: str = "") -> None:
        """Work stands at `done` of `total`."""
        now = time.monotonic()
        if now - self._drawn >= (REDRAW if self.bar else EVERY):
            self._drawn = now
            self._draw(done, total, note)

    def end(self, done: int, total: int, note: str = "") -> None:
        """The phase is over."""
        self._draw(done, total, note)
        if self.bar and self.stream is not None:
            self.stream.write("\n")

    def _draw(self, done: int, total: int, note: str) -> None:
        if self.stream is None:
            return
        part = min(1.0, done / total) if total else 1.0
        words = f"{self.label}: {part:4.0%} {note}".rstrip()
        if self.bar:
            full = round(part * WIDTH)
            self.stream.write(f"\r\x1b[K[{'#' * full}{'.' * (WIDTH - full)}] {words}")
        else:
            self.stream.write(words + "\n")
        self.stream.flush()
