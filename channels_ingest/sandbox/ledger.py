"""Append-only JSON-lines files: the network's memory, and the truth that tests compare the product with.

A line is numbered (`n`, from 1) and carries two clocks: `at` (UTC, ms since 1970) and `mono` (CLOCK_MONOTONIC,
seconds; one clock for all processes of the machine). A line torn by a crash is cut off at the next start.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

Record = dict[str, Any]

STRIDE = 256  # every so many lines the file offset is remembered, so that reading from line n does not read all


def now_ms() -> int:
    """UTC, milliseconds since 1970."""
    return time.time_ns() // 1_000_000


class Ledger:
    """One file. `durable` lines are on the disk (fsync) when `append` returns; others survive only our own crash."""

    def __init__(self, path: Path, *, durable: bool = True) -> None:
        self.path = path
        self.durable = durable
        self.count = 0
        self._offsets: list[int] = [0]
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        self._size = self._mend()

    def append(self, record: Record) -> Record:
        """Writes one line and returns it as written, with `n`, `at` and `mono`."""
        return self.extend([record])[0]

    def extend(self, records: Iterable[Record]) -> list[Record]:
        """Writes many lines with one write and one fsync."""
        at, mono = now_ms(), round(time.monotonic(), 6)
        lines = [
            {"n": number, "at": at, "mono": mono, **record} for number, record in enumerate(records, self.count + 1)
        ]
        encoded = [json.dumps(line, separators=(",", ":")).encode() + b"\n" for line in lines]
        _write_all(self._file, b"".join(encoded))
        if self.durable:
            os.fdatasync(self._file)
        for line in encoded:
            self._advance(len(line))
        return lines

    def read(self, *, after: int = 0, limit: int | None = None) -> Iterator[Record]:
        """The lines with `n` greater than `after`, oldest first."""
        after = max(after, 0)
        if after >= self.count:
            return
        with self.path.open("rb") as file:
            file.seek(self._offsets[after // STRIDE])
            for number, line in enumerate(file, after // STRIDE * STRIDE + 1):
                if limit is not None and number > after + limit:
                    return
                if number > after:
                    yield json.loads(line.decode())

    def close(self) -> None:
        os.close(self._file)

    def _advance(self, length: int) -> None:
        self._size += length
        self.count += 1
        if self.count % STRIDE == 0:
            self._offsets.append(self._size)

    def _mend(self) -> int:
        """Counts the lines and cuts off a torn last one; returns the size in bytes."""
        self._size = 0
        with self.path.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self._advance(len(line))
        if self._size != os.fstat(self._file).st_size:
            os.ftruncate(self._file, self._size)
        return self._size


def _write_all(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]
