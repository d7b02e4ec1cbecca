"""X's rate limits: so many calls of one kind in 15 minutes, for a user's token and for an app's."""

from __future__ import annotations

import time
from dataclasses import dataclass

WINDOW_S = 900
DAY_S = 86_400

# Calls in 15 minutes: (one user, one app). https://docs.x.com/x-api/fundamentals/rate-limits
LIMITS: dict[str, tuple[int, int]] = {
    "mentions": (300, 450),
    "search": (300, 450),
    "timeline": (900, 10_000),
    "posts": (900, 450),
    "users": (900, 300),
    "me": (75, 75),
    "post": (100, 100),
    "delete": (50, 50),
    "hide": (50, 50),
    "dm_read": (15, 15),
    "dm_send": (15, 15),
    "media": (500, 50_000),
    "webhooks": (450, 450),
    "subscriptions": (500, 500),
}


@dataclass(slots=True)
class Window:
    limit: int
    remaining: int
    reset: int  # UTC, seconds since 1970

    @property
    def headers(self) -> dict[str, str]:
        return {
            "x-rate-limit-limit": str(self.limit),
            "x-rate-limit-remaining": str(max(self.remaining, 0)),
            "x-rate-limit-reset": str(self.reset),
        }


class Limits:
    """Counts calls in memory. A restart of the sandbox forgives everyone."""

    def __init__(self) -> None:
        self._windows: dict[tuple[str, str], Window] = {}

    def count(self, family: str, holder: str, *, app: bool) -> Window:
        """Counts one call; `remaining` below zero says it was one too many."""
        now = int(time.time())
        key = (family, holder)
        window = self._windows.get(key)
        if window is None or window.reset <= now:
            limit = LIMITS[family][1 if app else 0]
            window = self._windows[key] = Window(limit, limit, now + WINDOW_S)
        window.remaining -= 1
        return window

    def forgive(self) -> None:
        self._windows.clear()
