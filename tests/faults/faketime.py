"""Makes a process live by another clock (F17): libfaketime, found, or installed by apt where we may."""

from __future__ import annotations

import functools
from pathlib import Path

from tests.chromium import install_package

PLACES = ("/usr/lib/*/faketime/libfaketimeMT.so.1", "/usr/local/lib/faketime/libfaketimeMT.so.1")


class NoFaketime(Exception):
    """There is no libfaketime and none could be installed."""


@functools.cache
def library() -> Path:
    """The library to preload. Raises NoFaketime, with one clear line, where there is none."""
    found = _look()
    if found is None and install_package("libfaketime"):
        found = _look()
    if found is None:
        raise NoFaketime("Wrong clocks (F17) need libfaketime: install it with apt-get.")
    return found


def environment(offset: str) -> dict[str, str]:
    """What makes a process's wall clock wrong by an offset such as "+2h". Its monotonic clock stays right."""
    return {
        "LD_PRELOAD": str(library()),
        "FAKETIME": offset,
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_NO_CACHE": "1",
    }


def _look() -> Path | None:
    for pattern in PLACES:
        for found in sorted(Path("/").glob(pattern[1:])):
            return found
    return None
