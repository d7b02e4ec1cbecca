"""One running product for all the workers of a run: the first that needs it starts it, and ends it after the others."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fcntl import LOCK_EX, LOCK_SH, flock
from pathlib import Path
from typing import IO, Any

from tests.platform.places import Site
from tests.stack.crowd import FEW
from tests.stack.running import Stack, running
from tests.stack.visits import things_of


@dataclass(frozen=True)
class Shared:
    """The product, and what its pages can be about."""

    stack: Stack
    things: dict[str, Any]


@contextmanager
def shared() -> Iterator[Shared]:
    """The product of this run; it lasts until the end of every worker's block."""
    place = Path(os.environ["TEST_DATA_DIR"])
    with (place / "stack.begin").open("a") as begin, (place / "stack.users").open("a") as users:
        flock(begin, LOCK_EX)
        flock(users, LOCK_SH)
        address = place / "stack.json"
        if address.exists():
            begin.close()
            yield _read(address)
        else:
            yield from _own(address, begin, users)


def _own(address: Path, begin: IO[str], users: IO[str]) -> Iterator[Shared]:
    with running() as stack:
        found = Shared(stack, things_of(stack) | things_of(stack, "tests.stack.crowd", FEW))
        _write(address, found)
        begin.close()
        try:
            yield found
        finally:
            flock(users, LOCK_EX)  # who comes from here on starts one anew
            address.unlink()


def _write(address: Path, found: Shared) -> None:
    stack = found.stack
    told = {"root": str(stack.site.root), "url": stack.url, "sandbox": stack.sandbox, "things": found.things}
    address.write_text(json.dumps(told))


def _read(address: Path) -> Shared:
    told = json.loads(address.read_text())
    return Shared(Stack(Site(Path(told["root"])), told["url"], told["sandbox"], []), told["things"])
