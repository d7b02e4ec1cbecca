"""What is looked for on every page: violations of WCAG 2.2 A and AA that axe-core knows, a page that scrolls sideways,
a menu that does not fit, a control that Tab does not reach or that does not show that it has the focus."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Literal

from playwright.sync_api import Page, ViewportSize

WIDTHS = (1440, 360)
NARROW = (720, 360, 320)  # 200 % zoom of a small desk, a phone, 400 % zoom
MOST_TABS = 400
ALL_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
RULES_OF_COLOUR = ["color-contrast", "link-in-text-block"]  # the others say the same in every theme
Theme = Literal["light", "dark"]
THEMES: tuple[tuple[Theme, list[str]], ...] = (("light", ALL_RULES), ("dark", RULES_OF_COLOUR))
LOOKS: tuple[tuple[int, Theme, list[str]], ...] = (*((1440, *theme) for theme in THEMES), (360, "light", ALL_RULES))
RUN = """
    async rules => (await axe.run({
        runOnly: rules,
        rules: rules.includes("wcag22aa") ? {"target-size": {enabled: true}} : {},
        resultTypes: ["violations"],
    })).violations.flatMap(found => found.nodes.map(node => ({
        rule: found.id, at: node.target.join(" "), why: node.failureSummary, html: node.html.slice(0, 200),
    })))
"""


# Whatever can be used by mouse, and is seen.
CONTROLS = """
    [...document.querySelectorAll("a[href], button, input, select, textarea, summary")].filter(one =>
        !one.disabled && one.checkVisibility({visibilityProperty: true}) && !one.closest("[role=option], dialog"))
"""
NOWHERE = "document.activeElement === document.body"
LISTEN = """
    () => {
        window.controls = CONTROLS;
        window.reached = new Set();
        window.unseen = new Set();
        const marked = one => {
            const style = getComputedStyle(one);
            return style.outlineStyle !== "none" && style.outlineWidth !== "0px" || style.boxShadow !== "none";
        };
        document.addEventListener("focusin", ({target}) => {
            window.reached.add(target);
            const where = target.getBoundingClientRect();
            const there = where.bottom > 0 && where.right > 0 && where.top < innerHeight && where.left < innerWidth;
            if (!there || ![target, target.parentElement].some(marked)) window.unseen.add(target);
        });
    }
"""
FOUND = """
    () => {
        const words = one => one.outerHTML.slice(0, 160);
        const groups = new Set([...window.reached].filter(one => one.type === "radio").map(one => one.name));
        const known = one => window.reached.has(one) || one.type === "radio" && groups.has(one.name);
        const missed = window.controls.filter(one => one.isConnected && !known(one));
        return [...missed.map(one => "not reached: " + words(one)),
            ...[...window.unseen].map(one => "not seen: " + words(one))].slice(0, 8);
    }
"""
STICKS_OUT = """
    () => {
        const page = document.scrollingElement;
        if (page.scrollWidth <= page.clientWidth) return [];
        const beyond = one => one.getBoundingClientRect().right > innerWidth + 1;
        const out = [...document.body.querySelectorAll("*")].filter(beyond);
        return [`${page.scrollWidth} px wide: ` + out.slice(-3).map(one => one.outerHTML.slice(0, 120)).join(" | ")];
    }
"""
OPEN_MENUS = "[...document.querySelectorAll('details.drop > summary')].filter(one => one.checkVisibility())"
BEYOND = """
    () => MENUS.flatMap(opener => {
        opener.parentElement.open = true;
        const menu = opener.parentElement.querySelector(".menu");
        const {left, right, top} = menu ? menu.getBoundingClientRect() : opener.getBoundingClientRect();
        opener.parentElement.open = false;
        const fits = left >= -1 && right <= innerWidth + 1 && top >= -1 && top < innerHeight;
        return fits ? [] : [`sticks out, ${Math.round(left)} to ${Math.round(right)}: ` + menu.outerHTML.slice(0, 120)];
    })
"""
SPREAD = """
    () => MENUS.forEach(opener => {
        opener.parentElement.open = true;
        const menu = opener.parentElement.querySelector(".menu");
        if (menu) menu.style.position = "static"; // side by side: what lies below another one cannot be judged
    })
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
    for width, theme, rules in LOOKS:
        page.set_viewport_size(ViewportSize(width=width, height=900))
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        if lines := violations(page, rules):
            found[f"{width} px, {theme}"] = lines
    for width in NARROW:
        page.set_viewport_size(ViewportSize(width=width, height=640))
        if lines := page.evaluate(STICKS_OUT):
            found[f"{width} px"] = lines
    return found


def look_into_menus(page: Page) -> dict[str, list[str]]:
    """The menus that do not fit on a desk or a phone, and the violations inside the open menus."""
    found = {}
    for width in WIDTHS:
        page.set_viewport_size(ViewportSize(width=width, height=900))
        if lines := page.evaluate(BEYOND.replace("MENUS", OPEN_MENUS)):
            found[f"{width} px"] = lines
    page.set_viewport_size(ViewportSize(width=WIDTHS[0], height=900))
    page.evaluate(SPREAD.replace("MENUS", OPEN_MENUS))
    page.evaluate(axe())
    for theme, rules in THEMES:
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        if lines := violations(page, rules):
            found[theme] = lines
    return found


def walk_by_tab(page: Page) -> list[str]:
    """The controls that Tab does not reach, and those that do not show that they have the focus."""
    page.evaluate(LISTEN.replace("CONTROLS", CONTROLS.strip()))
    rounds = 1 if page.evaluate(NOWHERE) else 2  # where the focus is somewhere already, the first one begins there
    for _turn in range(MOST_TABS):
        page.keyboard.press("Tab")
        rounds -= page.evaluate(NOWHERE)
        if not rounds:
            break
    missed: list[str] = page.evaluate(FOUND)
    return missed
