"""The overview of keys, held against the scripts that act on them; and the palette, which offers the same by name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

from accounts.models import User
from channels_ingest.models import Channel
from conversations.models import Macro, Thread
from conversations.record import record
from tests.cast import MAYA, said
from tests.conftest import BrowserOf

pytestmark = pytest.mark.django_db
SCRIPTS = Path(settings.BASE_DIR) / "static" / "js"
HTMX = {"HX-Request": "true"}


def taken(*scripts: str) -> set[str]:
    """The keys that these scripts act on."""
    return {key for name in scripts for key in re.findall(r'keys\.on\("([^"]+)"', (SCRIPTS / name).read_text())}


def listed(page: str) -> set[str]:
    return set(re.findall(r"<kbd>([^<]+)</kbd>", page))


def test_the_overview_lists_exactly_the_keys_there_are(agent: User, browser_of: BrowserOf) -> None:
    page = browser_of(agent).get("/").content.decode()
    overview = page.split('<dialog id="keys"')[1].split("</dialog>")[0]
    assert listed(overview) == taken("shell.js", "inbox.js", "bulk.js")


def test_the_approval_queue_names_its_own_keys(manager: User, browser_of: BrowserOf) -> None:
    page = browser_of(manager).get("/approvals/").content.decode()
    assert listed(page.split("<main")[1].split("</header>")[0]) == taken("approvals.js")


def test_no_script_listens_for_single_keys_on_its_own() -> None:
    alone = re.compile(r'event\.key === "[a-zA-Z?/]"')
    assert [path.name for path in sorted(SCRIPTS.glob("*.js")) if alone.search(path.read_text())] == []


@pytest.fixture
def thread(channel: Channel) -> Thread:
    record(channel, [said("1", MAYA)])
    return Thread.objects.get()


def offered(browser_of: BrowserOf, user: User, thread: Thread, words: str = "") -> str:
    asked = {"thread": str(thread.pk), "q": words}
    return browser_of(user).get("/palette/", asked, headers=HTMX).content.decode()


def test_the_palette_offers_colleagues_times_and_macros(
    thread: Thread, agent: User, colleague: User, browser_of: BrowserOf
) -> None:
    Macro.objects.create(name="Sorry", text="Sorry, {first name|there}!")
    found = offered(browser_of, agent, thread)
    assert [word in found for word in ("Assign to Ben", "Tomorrow at nine", "Sorry, Maya!")] == [True] * 3


def test_words_narrow_what_the_palette_offers(
    thread: Thread, agent: User, colleague: User, browser_of: BrowserOf
) -> None:
    found = offered(browser_of, agent, thread, "assign ben")
    assert ("Assign to Ben" in found, "Tomorrow" in found) == (True, False)


def test_the_palette_offers_nothing_for_a_thread_of_another_brand(
    thread: Thread, stranger: User, browser_of: BrowserOf
) -> None:
    assert browser_of(stranger).get("/palette/", {"thread": thread.pk}, headers=HTMX).status_code == 404
