"""Recorded payloads: `payloads/<network>/{webhook,page}/<name>.json`, each with its `<name>.expect.json`.

A webhook file is a body as it is delivered. A page file is `{"stream": ..., "answers": [...]}`: what the network
answers, one call after the other, when account 1000 (@trailhead) pulls that stream. An expectation names of each item
only the members that matter; times are ISO 8601.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from channels_ingest.networks import networks
from channels_ingest.networks.base import Dropped, Event, Item

FOLDER = Path(__file__).parent / "payloads"


def recordings(kind: str) -> list[tuple[str, Path]]:
    """(network key, file) of every recording of that kind, for every network there is."""
    found = [(key, path) for key in networks() for path in sorted((FOLDER / key / kind).glob("*.json"))]
    return [(key, path) for key, path in found if not path.name.endswith(".expect.json")]


def expectation(path: Path) -> Any:
    return json.loads(path.with_suffix(".expect.json").read_text())


def shown_events(events: Iterable[Event]) -> list[dict[str, Any]]:
    return [
        {"account": event.account_id, "broken": bool(event.broken), **shown(event.items, event.dropped)}
        for event in events
    ]


def shown(items: Iterable[Item], dropped: Iterable[Dropped]) -> dict[str, Any]:
    return {"items": [_plain(item) for item in items], "dropped": [one.reason for one in dropped]}


def _plain(item: Item) -> dict[str, Any]:
    found = json.loads(json.dumps(dataclasses.asdict(item), default=_iso))
    return {"is": type(item).__name__, **found}


def _iso(value: object) -> str:
    assert isinstance(value, datetime), value
    return value.isoformat()


def only_expected(found: Any, expected: Any) -> Any:
    """What was found, cut down to the members that the expectation names."""
    if isinstance(expected, dict) and isinstance(found, dict):
        return {key: only_expected(found.get(key), value) for key, value in expected.items()}
    if isinstance(expected, list) and isinstance(found, list) and len(found) == len(expected):
        return [only_expected(one, two) for one, two in zip(found, expected, strict=True)]
    return found
