"""The weather: faults that can be switched on for a network, each with a probability, a count and an end.

The draw is seeded per fault, so that a run repeats. `sandbox/README.md` lists what each fault does.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import re
import time
from dataclasses import asdict, dataclass, field
from typing import Any

# Faults of a request, in the order in which they strike. Those before "accept" strike before the network acts.
BEFORE = (
    "latency",
    "cut_before",
    "rate_limited",
    "usage_capped",
    "server_error",
    "token_revoked",
    "scope_removed",
    "suspended",
    "late_accept",
    "page_token_expired",
)
AFTER = (
    "empty_page",
    "insert_while_paging",
    "offset_tokens",
    "delete_while_paging",
    "wrong_id",
    "broken_body",
    "cut_after",
    "hang_after",
)
WEBHOOK = ("webhook_duplicate", "webhook_out_of_order", "webhook_bad_signature", "webhook_drop", "webhook_delay")
FAULTS = (*BEFORE, *AFTER, *WEBHOOK)


class BadFault(ValueError):
    """The fault cannot be switched on as asked; the message says why."""


@dataclass(slots=True)
class Fault:
    """`until` is UTC, seconds since 1970; `count` how often it may still strike. `args` differ by fault."""

    id: int
    network: str  # "x", "facebook" or "*"
    fault: str
    probability: float = 1.0
    count: int | None = None
    until: float | None = None
    methods: list[str] = field(default_factory=list)
    path: str = ""
    account: str = ""
    seed: int = 0
    args: dict[str, Any] = field(default_factory=dict)
    hits: int = 0


class Weather:
    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self._dice: dict[int, random.Random] = {}
        self._over: dict[int, asyncio.Event] = {}
        self._ids = itertools.count(1)

    def add(self, asked: dict[str, Any]) -> Fault:
        """Switches a fault on. Unknown keys go to its `args`. Raises BadFault."""
        name = asked.get("fault")
        if name not in FAULTS:
            raise BadFault(f"Unknown fault {name!r}; known are {', '.join(FAULTS)}.")
        if asked.get("network", "*") not in ("x", "facebook", "*"):
            raise BadFault("network is x, facebook or *.")
        known = {key: asked[key] for key in _GIVEN if key in asked}
        args = {key: value for key, value in asked.items() if key not in (*_GIVEN, "for_s", "args")}
        fault = Fault(next(self._ids), asked.get("network", "*"), name, **known, args={**asked.get("args", {}), **args})
        if "for_s" in asked:
            fault.until = time.time() + float(asked["for_s"])
        _check(fault)
        self.faults.append(fault)
        self._dice[fault.id] = random.Random(fault.seed)
        self._over[fault.id] = asyncio.Event()
        return fault

    def remove(self, fault_id: int) -> bool:
        before = len(self.faults)
        self.faults = [fault for fault in self.faults if fault.id != fault_id]
        if over := self._over.pop(fault_id, None):
            over.set()
        return len(self.faults) < before

    def clear(self) -> None:
        for fault in list(self.faults):
            self.remove(fault.id)

    async def end_of(self, fault: Fault) -> None:
        """Waits until the fault is switched off."""
        if over := self._over.get(fault.id):
            await over.wait()

    def strikes(self, name: str, network: str, *, method: str = "", path: str = "", account: str = "") -> Fault | None:
        """The first matching fault of this name that strikes now (which counts as a hit), or None."""
        for fault in self.faults:
            if fault.fault == name and _concerns(fault, network, method, path, account) and self._draws(fault):
                fault.hits += 1
                if fault.count is not None:
                    fault.count -= 1
                return fault
        return None

    def _draws(self, fault: Fault) -> bool:
        if fault.count is not None and fault.count <= 0:
            return False
        if fault.until is not None and time.time() > fault.until:
            return False
        return self._dice[fault.id].random() < fault.probability

    def shown(self) -> list[dict[str, Any]]:
        return [asdict(fault) for fault in self.faults]


_GIVEN = ("probability", "count", "until", "methods", "path", "account", "seed")


def _check(fault: Fault) -> None:
    if not isinstance(fault.probability, (int, float)) or not 0 <= fault.probability <= 1:
        raise BadFault("probability lies between 0 and 1.")
    if fault.count is not None and not isinstance(fault.count, int):
        raise BadFault("count is a whole number or null.")
    try:
        re.compile(fault.path)
    except re.error as error:
        raise BadFault(f"path is no regular expression: {error}") from error


def _concerns(fault: Fault, network: str, method: str, path: str, account: str) -> bool:
    return (
        fault.network in (network, "*")
        and (not fault.methods or method in fault.methods)
        and (not fault.path or re.search(fault.path, path) is not None)
        and (not fault.account or fault.account == account)
    )
