"""axe-core finds nothing on any page: WCAG 2.2 A and AA, light and dark, on a phone and on a desk. No page scrolls
sideways, also not zoomed; every menu fits; every control is reached by Tab and shows that it is."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import ViewportSize

from tests.stack.looking import STICKS_OUT, look_at, look_into_menus, walk_by_tab
from tests.stack.running import SignedIn, Stack
from tests.stack.visits import NO_PAGE, PAGES, SANDBOX, Visit
from tests.test_routes import routes

pytestmark = pytest.mark.browser

MENUS = ("inbox-all", "thread", "thread-facebook", "contact", "channels")  # pages that have them all
TABBED = ("inbox-all", "thread-facebook", "contact", "connect-network-x", "person", "sign-in", "sandbox-x")


@pytest.mark.parametrize("visit", PAGES, ids=lambda visit: visit.name)
def test_a_page_is_accessible(stack: Stack, signed_in: SignedIn, things: dict[str, Any], visit: Visit) -> None:
    with signed_in(visit.role, reduced_motion="reduce") as context:
        page = context.new_page()
        visit.go(page, stack, things)
        found = look_at(page)
    assert found == {}, told(found)


def told(found: dict[str, list[str]]) -> str:
    return "\n".join(f"{where}: {line}" for where, lines in found.items() for line in lines)


def visits(*names: str) -> list[Visit]:
    """Those of the pages."""
    return [next(visit for visit in PAGES if visit.name == name) for name in names]


@pytest.mark.parametrize("visit", visits(*MENUS), ids=lambda visit: visit.name)
def test_a_menu_is_accessible_and_fits(stack: Stack, signed_in: SignedIn, things: dict[str, Any], visit: Visit) -> None:
    with signed_in(visit.role, reduced_motion="reduce") as context:
        page = context.new_page()
        visit.go(page, stack, things)
        found = look_into_menus(page)
    assert found == {}, told(found)


@pytest.mark.parametrize("visit", visits(*TABBED), ids=lambda visit: visit.name)
def test_every_control_is_reached_by_tab_and_shows_it(
    stack: Stack, signed_in: SignedIn, things: dict[str, Any], visit: Visit
) -> None:
    with signed_in(visit.role, reduced_motion="reduce") as context:
        page = context.new_page()
        visit.go(page, stack, things)
        missed = walk_by_tab(page)
    assert missed == []


def test_a_page_that_is_not_accessible_is_found(signed_in: SignedIn) -> None:
    with signed_in("") as context:
        page = context.new_page()
        page.set_content("<html lang=en><title>t</title><img src=a><p style='color:#aaa'>pale</p><button></button>")
        found = look_at(page)
    rules = {line.split(" ")[0] for lines in found.values() for line in lines}
    assert rules == {"image-alt", "color-contrast", "button-name"}


def test_what_tab_does_not_reach_and_what_sticks_out_is_found(signed_in: SignedIn) -> None:
    with signed_in("") as context:
        page = context.new_page()
        page.set_content(
            "<p style='width: 500px'>wide</p><a href=# tabindex=-1>a</a><a href=# style='outline: 0'>b</a>"
        )
        missed = walk_by_tab(page)
        page.set_viewport_size(ViewportSize(width=360, height=640))
        wide = page.evaluate(STICKS_OUT)
    assert [line.split(":")[0] for line in missed] == ["not reached", "not seen"]
    assert len(wide) == 1


def test_every_route_is_visited_or_shows_no_page() -> None:
    named = {str(pattern.name) for _, pattern in routes()}
    visited = {visit.route for visit in PAGES} - {SANDBOX}
    assert named - visited - NO_PAGE == set()
    assert visited & NO_PAGE == set()
    assert (visited | NO_PAGE) - named == set()
