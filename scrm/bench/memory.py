"""How much memory everything that `make run` started takes while nothing happens."""

from __future__ import annotations

import re
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from scrm.bench.stack import Stack

PROC = Path("/proc")
QUIET_SECONDS = 20.0
_PARTS = {
    "scrm.run": "parent",
    "scrm.web": "web",
    "celery": "worker",
    "channels_ingest.sandbox": "sandbox",
    "postgres": "postgres",
    "valkey": "valkey",
}


def memory(stack: Stack) -> dict[str, Any]:
    """Megabytes by part and together. `pss_mb` shares out what processes have in common, `rss_mb` does not."""
    time.sleep(QUIET_SECONDS)
    rss: dict[str, float] = defaultdict(float)
    pss: dict[str, float] = defaultdict(float)
    pids = family(stack.pid)
    for pid in pids:
        part = _part(pid)
        figures = _figures(pid)
        rss[part] += figures["Rss"]
        pss[part] += figures["Pss"]
    return {
        "processes": len(pids),
        "rss_mb": round(sum(rss.values())),
        "pss_mb": round(sum(pss.values())),
        "pss_mb_by_part": {part: round(size) for part, size in sorted(pss.items())},
    }


def family(pid: int) -> list[int]:
    """The process and all that descend from it."""
    children: dict[int, list[int]] = defaultdict(list)
    for entry in PROC.iterdir():
        if entry.name.isdigit() and (parent := _parent(int(entry.name))) is not None:
            children[parent].append(int(entry.name))
    found, waiting = [], [pid]
    while waiting:
        found.append(waiting.pop())
        waiting += children[found[-1]]
    return found


def _parent(pid: int) -> int | None:
    try:
        return int((PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None


def _part(pid: int) -> str:
    words = (PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    return next((part for mark, part in _PARTS.items() if mark in words), "other")


def _figures(pid: int) -> dict[str, float]:
    """Megabytes of the kernel's summary of the process's memory."""
    said = (PROC / str(pid) / "smaps_rollup").read_text()
    return {name: int(size) / 1024 for name, size in re.findall(r"^(\w+): +(\d+) kB", said, re.MULTILINE)}
