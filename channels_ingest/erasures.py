"""What was erased, kept outside the database: a restored backup must not bring it back.

One JSON line for each erasure in `settings.ERASURE_LOG`: when, on which network and channel, the network's ids of the
items or authors, why. No content. A line is on the disk before the erasure is committed.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.utils import timezone

log = logging.getLogger(__name__)

ITEMS_IN_A_LINE = 500


@dataclass(frozen=True, slots=True)
class Erasure:
    """Items, or all of an author, that may not be kept. `account` is the external id of the channel that was told."""

    at: datetime
    network: str
    account: str
    reason: str
    items: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()


def note(
    network: str, account: str, reason: str, *, items: Collection[str] = (), authors: Collection[str] = ()
) -> None:
    """Writes down an erasure. Where that is impossible (disk full) the erasure goes on: the next look-up of all stored
    posts, which a restore begins anew, finds it again."""
    told = {"at": timezone.now().isoformat(), "network": network, "account": account, "reason": reason}
    ids = sorted(items)
    batches = [ids[start : start + ITEMS_IN_A_LINE] for start in range(0, len(ids), ITEMS_IN_A_LINE)]
    lines = [{**told, "items": batch} for batch in batches]
    lines += [{**told, "authors": sorted(authors)}] if authors else []
    try:
        _append(Path(settings.ERASURE_LOG), "".join(json.dumps(line) + "\n" for line in lines))
    except OSError as error:
        log.warning("The erasure log cannot be written: %s", error.strerror)


def _append(path: Path, text: str) -> None:
    if not text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def since(moment: datetime) -> Iterator[Erasure]:
    """The erasures from that moment (aware) on, the oldest first. A damaged line is passed over."""
    path = Path(settings.ERASURE_LOG)
    if not path.exists():
        return
    with path.open() as file:
        for line in file:
            found = _read(line)
            if found is not None and found.at >= moment:
                yield found


def _read(line: str) -> Erasure | None:
    try:
        told = json.loads(line)
        items, authors = tuple(map(str, told.get("items", ()))), tuple(map(str, told.get("authors", ())))
        at = datetime.fromisoformat(told["at"])
        return Erasure(at, str(told["network"]), str(told["account"]), str(told["reason"]), items, authors)
    except (ValueError, KeyError, TypeError, AttributeError):
        log.warning("A line of the erasure log cannot be read.")
        return None
