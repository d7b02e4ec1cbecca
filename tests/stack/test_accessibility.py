"""axe-core finds nothing on any page: WCAG 2.2 A and AA, light and dark, on a phone and on a desk."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any, Literal

import pytest
from playwright.sync_api import Page, ViewportSize

from tests.stack.running import SignedIn, Stack
from tests.stack.visits import NO_PAGE, PAGES, SANDBOX, Visit
from tests.test_routes import routes

pytestmark = pytest.mark.browser

WIDTHS = (1440, 360)
ALL_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
RULES_OF_COLOUR = ["color-contrast", "link-in-text-block"]  # the others say the same in every theme
THEMES: tuple[tuple[Literal["light", "dark"], list[str]], ...] = (("light", ALL_RULES), ("dark", RULES_OF_COLOUR))
RUN = """
    async rules => (await axe.run({
        runOnly: rules,
        rules: rules.includes("wcag22aa") ? {"target-size": {enabled: true}} : {},
        resultTypes: ["violations"],
    })).violations.flatMap(found => found.nodes.map(node => ({
        rule: found.id, at: node.target.join(" "), why: node.failureSummary, html: node.html.slice(0, 200),
    })))
"""


@cache
def axe() -> str:
    """axe-core's own script. It is evaluated past the page's Content-Security-Policy, which would refuse it."""
    return (files("axe_playwright_python") / "axe.min.js").read_text()


def violations(page: Page, rules: list[str]) -> list[str]:
    """What axe-core finds on the page as it is, one line each."""
    found: list[dict[str, str]] = page.evaluate(RUN, rules)
    return [f"{one['rule']} at {one['at']}: {one['why']}\n    {one['html']}" for one in found]


def look_at(page: Page) -> dict[str, list[str]]:
    """The violations in each width and theme that has any."""
    page.evaluate(axe())
    found = {}
    for width in WIDTHS:
        page.set_viewport_size(ViewportSize(width=width, height=900))
        for theme, rules in THEMES:
            page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            if lines := violations(page, rules):
                found[f"{width} px, {theme}"] = lines
    return found


@pytest.mark.parametrize("visit", PAGES, ids=lambda visit: visit.name)
def test_a_page_is_accessible(stack: Stack, signed_in: SignedIn, things: dict[str, Any], visit: Visit) -> None:
    with signed_in(visit.role, reduced_motion="reduce") as context:
        page = context.new_page()
        visit.go(page, stack, things)
        found = look_at(page)
    assert found == {}, "\n".join(f"{where}: {line}" for where, lines in found.items() for line in lines)


def test_a_page_that_is_not_accessible_is_found(signed_in: SignedIn) -> None:
    with signed_in("") as context:
        page = context.new_page()
        page.set_content("<html lang=en><title>t</title><img src=a><p style='color:#aaa'>pale</p><button></button>")
        found = look_at(page)
    rules = {line.split(" ")[0] for lines in found.values() for line in lines}
    assert rules == {"image-alt", "color-contrast", "button-name"}


def test_every_route_is_visited_or_shows_no_page() -> None:
    named = {str(pattern.name) for _, pattern in routes()}
    visited = {visit.route for visit in PAGES} - {SANDBOX}
    assert named - visited - NO_PAGE == set()
    assert visited & NO_PAGE == set()
    assert (visited | NO_PAGE) - named == set()
