"""Pictures of every page: `python -m tests.shots` runs the product and walks its links, in each look.

One picture for each kind of page (numbers in an address do not count), in
`test-results/shots/<look>/`.
"""

import re
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, sync_playwright

from scrm.demo.cast import SIGN_IN
from scrm.services import BASE_DIR
from tests import chromium
from tests.platform.places import Site, line_of

TARGET = BASE_DIR / "test-results" / "shots"
BEFORE_SIGN_IN = ("/sign-in/", "/password/reset/")
NO_PAGES = ("/api/v1/schema/", "/media/", "/static/")


@dataclass(frozen=True)
class Look:
    """A way to look at the product."""

    name: str
    scheme: str
    width: int
    height: int = 900


LOOKS = (Look("light", "light", 1280), Look("dark", "dark", 1280), Look("phone", "light", 360, 740))


@contextmanager
def product() -> Iterator[str]:
    """The whole product with its demo, on a data directory that goes away; yields its address."""
    with tempfile.TemporaryDirectory(prefix="scrm-shots-", ignore_cleanup_errors=True) as name:
        site = Site(Path(name))
        with closing(socket.create_server(("127.0.0.1", 0))) as trial:
            port = trial.getsockname()[1]
        process = site.start("-m", "scrm.run", PORT=str(port))
        try:
            line_of(process, "Ctrl-C stops everything.")
            yield f"http://localhost:{port}"
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=60)
        finally:
            site.clear()


def photograph(browser: Browser, address: str, look: Look) -> int:
    """Take every picture in one look; returns how many."""
    context = browser.new_context(
        viewport={"width": look.width, "height": look.height},
        color_scheme="dark" if look.scheme == "dark" else "light",
        reduced_motion="reduce",
    )
    page = context.new_page()
    for path in BEFORE_SIGN_IN:
        shoot(page, address, path, look)
    sign_in(page, address)
    count = walk(page, address, look)
    context.close()
    return count + len(BEFORE_SIGN_IN)


def sign_in(page: Page, address: str) -> None:
    """As the admin, who may see every page."""
    [admin] = [one for one in SIGN_IN if one.role == "admin"]
    page.goto(f"{address}/sign-in/")
    page.fill("input[name=username]", admin.email)
    page.fill("input[name=password]", admin.password)
    page.press("input[name=password]", "Enter")
    page.wait_for_url(lambda url: "/sign-in/" not in url)


def walk(page: Page, address: str, look: Look) -> int:
    """Follow the links from the first page; one picture for each kind of page."""
    seen: set[str] = set()
    ahead = ["/"]
    while ahead:
        path = ahead.pop(0)
        if kind_of(path) in seen:
            continue
        seen.add(kind_of(path))
        shoot(page, address, path, look)
        ahead += links(page, address)
    return len(seen)


def shoot(page: Page, address: str, path: str, look: Look) -> None:
    page.goto(address + path)
    target = TARGET / look.name / f"{kind_of(path).strip('/').replace('/', '-') or 'inbox'}.png"
    target.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=target, full_page=True)


def links(page: Page, address: str) -> list[str]:
    """The addresses of our own pages that this page links to."""
    found: list[str] = page.eval_on_selector_all("a[href]:not([download])", "all => all.map(a => a.href)")
    paths = [urlsplit(url).path for url in found if url.startswith(f"{address}/")]
    return [path for path in paths if not path.startswith(NO_PAGES)]


def kind_of(path: str) -> str:
    return re.sub(r"\d+", "N", path)


def main() -> int:
    with product() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.executable(), args=chromium.ARGUMENTS)
        for look in LOOKS:
            print(f"{photograph(browser, address, look)} pictures in {TARGET / look.name}", flush=True)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
