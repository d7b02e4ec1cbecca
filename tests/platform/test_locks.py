"""Advisory locks share one space of numbers: two kinds with one number would wait for each other for nothing."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from django.conf import settings

APPS = ("accounts", "contacts", "channels_ingest", "conversations", "insights", "scrm")
LOCK = re.compile(r"^([A-Z_]+_LOCK) = (\d+)\b", re.MULTILINE)


def test_every_kind_of_lock_has_a_number_of_its_own() -> None:
    modules = [path for app in APPS for path in (Path(settings.BASE_DIR) / app).rglob("*.py")]
    numbers = Counter(number for path in modules for _name, number in LOCK.findall(path.read_text()))
    assert len(numbers) >= 7
    assert [number for number, uses in numbers.items() if uses > 1] == []
