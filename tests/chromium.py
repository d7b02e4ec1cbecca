"""The browser that the browser tests drive: found, or installed by `python -m tests.chromium`."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

# The headless shell draws the same pages for a third of the work of a whole browser without its window.
PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
APT = ("apt-get", "install", "-y", "-q", "--no-install-recommends")
PACKAGES = ("chromium-headless-shell", "chromium")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


class NoBrowser(Exception):
    """There is no Chromium and none could be installed."""


def executable() -> Path:
    """The browser's program. Raises NoBrowser, with one clear line, where there is none."""
    for name in PROGRAMS:
        if found := shutil.which(name):
            return Path(found)
    with sync_playwright() as playwright:
        own = Path(playwright.chromium.executable_path)
    if own.exists():
        return own
    raise NoBrowser("The browser tests need Chromium: install it with apt-get or `playwright install chromium`.")


def install() -> None:
    """Install it by apt where we may, else by Playwright; `executable` then says how that went."""
    root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if shutil.which("apt-get") and (not root or shutil.which("sudo")):
        print("Installing Chromium (apt-get) ...", flush=True)
        if run(*root, "apt-get", "update", "-q") and any(run(*root, *APT, package) for package in PACKAGES):
            return
    print("Installing Chromium (Playwright) ...", flush=True)
    run(sys.executable, "-m", "playwright", "install", "chromium")


def install_package(name: str) -> bool:
    """Installs a package of the system by apt, where we may."""
    root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if not shutil.which("apt-get") or (root and not shutil.which("sudo")):
        return False
    return run(*root, "apt-get", "update", "-q") and run(*root, *APT, name)


def run(*argv: str) -> bool:
    """True when the program ended well; its words go to a log that is shown on failure."""
    done = subprocess.run(argv, check=False, capture_output=True, text=True)
    if done.returncode:
        print(done.stderr.strip()[-500:])
    return done.returncode == 0


def main() -> int:
    try:
        executable()
    except NoBrowser:
        install()
    try:
        executable()
    except NoBrowser as error:
        print(error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
