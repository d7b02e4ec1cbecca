"""The overview of keys, held against the scripts that act on them; and the palette, which offers the same by name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import resolve

from accounts.models import User
from accounts.roles import Role
from channels_ingest.models import Channel
from conversations.models import Macro, SavedView, Thread
from conversations.record import record
from scrm.places import PLACES, places_of
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


def overview(browser_of: BrowserOf, user: User, page: str = "/") -> set[str]:
    whole = browser_of(user).get(page).content.decode()
    return listed(whole.split('<dialog id="keys"')[1].split("</dialog>")[0])


def test_the_overview_lists_exactly_the_keys_there_are(admin: User, browser_of: BrowserOf) -> None:
    assert overview(browser_of, admin) == taken("shell.js", "palette.js", "inbox.js", "bulk.js")


def test_elsewhere_it_lists_the_keys_of_every_page(admin: User, browser_of: BrowserOf) -> None:
    assert overview(browser_of, admin, "/contacts/") == taken("shell.js", "palette.js")


def test_a_role_is_told_only_where_it_may_go(agent: User, browser_of: BrowserOf) -> None:
    assert ("g i" in overview(browser_of, agent), "g h" in overview(browser_of, agent)) == (True, False)


def test_a_place_asks_for_what_its_route_asks_for() -> None:
    asked = {place.route: getattr(resolve(place.url).func, "access", None) for place in PLACES}
    assert asked == {place.route: place.may or "signed in" for place in PLACES}


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


def test_the_palette_is_on_every_page_and_lists_the_places_of_the_role(agent: User, browser_of: BrowserOf) -> None:
    page = browser_of(agent).get("/contacts/").content.decode()
    palette = page.split('<dialog id="palette"')[1].split("</dialog>")[0]
    assert re.findall(r'data-go="([^"]+)"', palette) == [place.route for place in places_of(Role.AGENT)]
    assert "data-thread" not in palette


def test_the_palette_asks_for_the_views_by_name(agent: User, browser_of: BrowserOf) -> None:
    SavedView.objects.create(name="Angry in German", owner=agent, asks={"q": "lang:de mood:negative"})
    views = browser_of(agent).get("/palette/?views=1", headers=HTMX).content.decode()
    assert ("Left hanging in public" in views, "Angry in German" in views) == (True, True)


def test_the_palette_offers_nothing_for_a_thread_of_another_brand(
    thread: Thread, stranger: User, browser_of: BrowserOf
) -> None:
    assert browser_of(stranger).get("/palette/", {"thread": thread.pk}, headers=HTMX).status_code == 404
