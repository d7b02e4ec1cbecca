"""Whether this worker was asked to end. Loops over work look here between two things they do, and leave the rest to the
next sweep: each thing is committed by itself, and what is due is found by query.
"""

from __future__ import annotations

import mmap

# one byte that a worker shares with the processes it forks
_asked = mmap.mmap(-1, 1)


def closing() -> bool:
    """True once the worker was asked to end; never in a web process or a command."""
    return _asked[0] != 0


def close() -> None:
    """Asks this process and all that it forks to come to an end."""
    _asked[0] = 1


def stay_open() -> None:
    """Takes that back."""
    _asked[0] = 0
