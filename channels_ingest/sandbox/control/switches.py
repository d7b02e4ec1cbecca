"""Switches of the weather, settings, and the ledgers."""

from __future__ import annotations

from dataclasses import asdict

from ..acts import Refused
from .asked import JSON, Asked

LEDGER_PAGE = 10_000
SECRETS = ("value", "secret", "bearer", "verify_token", "refresh")


def switches(asked: Asked) -> JSON:
    return {"switches": asked.site.weather.shown()}


def add_switch(asked: Asked) -> JSON:
    return asdict(asked.site.weather.add(asked.body))


def clear_switches(asked: Asked) -> JSON:
    asked.site.weather.clear()
    return {"switches": []}


def remove_switch(asked: Asked) -> JSON:
    if not asked.site.weather.remove(int(asked.path["id"])):
        raise Refused("There is no such switch.")
    return {"switches": asked.site.weather.shown()}


def settings(asked: Asked) -> JSON:
    return dict(asked.world.settings)


def change_settings(asked: Asked) -> JSON:
    """{"x": {"rate_limits": false}}: only what is named changes."""
    for group, changes in asked.body.items():
        known = asked.world.settings.get(group)
        if known is None or not isinstance(changes, dict) or not set(changes) <= set(known):
            raise Refused(f"Unknown setting in {group}; known are {', '.join(known or asked.world.settings)}.")
    for group, changes in asked.body.items():
        asked.world.record("settings.changed", group=group, changes=changes)
    if asked.body.get("x", {}).get("rate_limits") is not None:
        asked.site.limits.forgive()
    return dict(asked.world.settings)


def ledger(asked: Asked) -> JSON:
    """?kind=accepted|served|webhooks|calls&after=N&limit=N. `last` is the number of the newest line."""
    kind = asked.text("kind", "accepted")
    book = asked.site.ledgers.get(kind)
    after, limit = asked.text("after", "0"), asked.text("limit", str(LEDGER_PAGE))
    if book is None or not after.isdecimal() or not limit.isdecimal():
        raise Refused("kind is accepted, served, webhooks or calls; after and limit are numbers.")
    lines = [_discreet(line) for line in book.read(after=int(after), limit=min(int(limit), LEDGER_PAGE))]
    return {"kind": kind, "lines": lines, "last": book.count}


def _discreet(line: JSON) -> JSON:
    """A journal line without the secrets of apps and tokens."""
    if line.get("kind") == "token.spent":
        line = {name: value for name, value in line.items() if name != "value"}
    for part in ("app", "token"):
        if isinstance(line.get(part), dict):
            line = {**line, part: {name: value for name, value in line[part].items() if name not in SECRETS}}
    return line
