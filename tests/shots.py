"""Pictures of every page, to look at: `python -m tests.shots [part of a name ...]`, into test-results/shots.

Light and dark, on a desk and on a phone, at 200 % zoom; then with long German words, Arabic, a crowd, and nothing.
"""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import ViewportSize, sync_playwright

from scrm.services import BASE_DIR
from tests.stack.crowd import FEW
from tests.stack.running import SignedIn, Stack, chromium, running
from tests.stack.visits import PAGES, Visit, things_of

FOLDER = BASE_DIR / "test-results" / "shots"
DESK, PHONE = ViewportSize(width=1440, height=900), ViewportSize(width=360, height=780)
WALL = ViewportSize(width=2560, height=1440)
ZOOMED = ViewportSize(width=720, height=450)


@dataclass(frozen=True)
class Look:
    """One way to look at a page: the name of its folder, and the window's options."""

    name: str
    options: dict[str, Any] = field(default_factory=dict)


LOOKS = (
    Look("desk-light", {"viewport": DESK, "color_scheme": "light"}),
    Look("desk-dark", {"viewport": DESK, "color_scheme": "dark"}),
    Look("phone-light", {"viewport": PHONE, "color_scheme": "light"}),
    Look("phone-dark", {"viewport": PHONE, "color_scheme": "dark"}),
    Look("wall-light", {"viewport": WALL, "color_scheme": "light"}),
    Look("zoom-200", {"viewport": ZOOMED, "device_scale_factor": 2, "color_scheme": "light"}),
)

CROWDED = (
    Visit("inbox", "/?view=all", "admin", "crowd"),
    Visit("inbox", "/?view=all&q=Donaudampfschiff", "admin", "long-words"),
    Visit("contacts", "/contacts/", "admin", "crowd"),
)


def main(wanted: list[str]) -> int:
    """Take the pictures; with words, only of pages whose names hold one of them."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    with sync_playwright() as playwright, chromium(playwright) as browser, running() as stack:
        windows = SignedIn(browser, stack)
        things = things_of(stack) | things_of(stack, "tests.stack.crowd", FEW)
        take(windows, stack, things, [visit for visit in PAGES if chosen(visit, wanted)])
        things_of(stack, "tests.stack.crowd")
        take(windows, stack, things, [visit for visit in CROWDED if chosen(visit, wanted)])
    return 0


def chosen(visit: Visit, wanted: list[str]) -> bool:
    return not wanted or any(word in visit.name for word in wanted)


def take(windows: SignedIn, stack: Stack, things: dict[str, Any], visits: list[Visit]) -> None:
    for look in LOOKS:
        (FOLDER / look.name).mkdir(parents=True, exist_ok=True)
        for visit in visits:
            with windows(visit.role, reduced_motion="reduce", **look.options) as window:
                page = window.new_page()
                visit.go(page, stack, things)
                page.wait_for_load_state("networkidle")
                page.screenshot(path=FOLDER / look.name / f"{visit.name}.png")
        print(f"{look.name}: {len(visits)} pages", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
