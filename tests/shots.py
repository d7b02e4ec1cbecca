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
from tests.stack.running import SignedIn, Stack, chromium, running
from tests.stack.visits import PAGES, Visit, things_of

FOLDER = BASE_DIR / "test-results" / "shots"
DESK, PHONE = ViewportSize(width=1440, height=900), ViewportSize(width=360, height=780)
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
    Look("zoom-200", {"viewport": ZOOMED, "device_scale_factor": 2, "color_scheme": "light"}),
)

EXTREMES = (
    Visit("inbox", "/?view=all", "admin", "crowd"),
    Visit("inbox", "/?view=all&q=Donaudampfschiff", "admin", "long-words"),
    Visit("thread", "/threads/{long_thread}/?view=all", "admin", "long-words"),
    Visit("thread", "/threads/{arabic_thread}/?view=all", "admin", "arabic"),
    Visit("contact", "/contacts/{long_contact}/", "admin", "long-words"),
    Visit("contact", "/contacts/{arabic_contact}/", "admin", "arabic"),
    Visit("contacts", "/contacts/", "admin", "crowd"),
    Visit("channels", "/channels/", "admin", "crowd"),
)
EMPTY = tuple(
    Visit(route, path, "nobody", "empty") for route, path in (("inbox", "/?view=all"), ("contacts", "/contacts/"))
)


def main(wanted: list[str]) -> int:
    """Take the pictures; with words, only of pages whose names hold one of them."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    with sync_playwright() as playwright, chromium(playwright) as browser, running() as stack:
        windows = SignedIn(browser, stack)
        things = things_of(stack)
        take(windows, stack, things, [visit for visit in PAGES if chosen(visit, wanted)])
        stack.site.run("-m", "tests.stack.crowd")
        things |= things_of(stack, "tests.stack.crowd", "--tell")
        take(windows, stack, things, [visit for visit in (*EXTREMES, *EMPTY) if chosen(visit, wanted)])
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
