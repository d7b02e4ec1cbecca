"""The weather page: faults, tokens, ledgers, the last calls."""

from __future__ import annotations

from typing import Any

from ..ledger import Record
from ..site import Site
from ..things import Member
from ..weather import FAULTS, Fault
from .html import Markup, tag
from .scene import NAMES, Scene, avatar, button, chip, document, labelled, when, who

PRESETS: dict[str, tuple[str, dict[str, Any]]] = {
    "Answers get lost": (
        "5 % of what is sent is accepted, but its answer never arrives.",
        {"fault": "cut_after", "methods": ["POST"], "probability": 0.05},
    ),
    "Slow": ("Every call takes two seconds.", {"fault": "latency", "ms": 2000, "for_s": 120}),
    "Rate limited": (
        "429 and throttling codes for one minute.",
        {"fault": "rate_limited", "for_s": 60, "reset_in_s": 60},
    ),
    "Down": ("503 for one minute.", {"fault": "server_error", "for_s": 60}),
    "Webhooks twice": ("Every webhook body is sent five times.", {"fault": "webhook_duplicate", "for_s": 300}),
    "Out of order": (
        "Half of the webhooks come late.",
        {"fault": "webhook_out_of_order", "probability": 0.5, "for_s": 300},
    ),
}
INTRODUCTION = (
    "Faults that the networks make on purpose. They last until they are taken back, or until the sandbox stops."
)
LAST_CALLS = 20


def weather(site: Site, csrf: str, notice: str = "") -> Markup:
    scene = Scene(site, "x", None, None, csrf)
    presets = tag("div", [_preset(scene, label, words) for label, (words, _) in PRESETS.items()], class_="presets")
    main = tag(
        "main",
        tag("h1", "The weather"),
        tag("p", INTRODUCTION, class_="soft"),
        tag("p", notice, class_="notice", role="alert") if notice else None,
        tag("div", faults(site, csrf), id="faults", data_part="faults"),
        _card("Usual weather", presets),
        _card("Make your own", _fault_form(scene)),
        _tokens(scene),
        _card("Ledgers", tag("div", counts(site), id="counts", data_part="counts")),
        _card("Last calls", tag("div", calls(site), id="calls", data_part="calls", class_="wide", tabindex="0")),
        id="content",
        tabindex="-1",
        class_="weather",
    )
    return document("Weather", main, here="weather")


def _card(title: str, *inside: object) -> Markup:
    return tag("section", tag("h2", title), *inside, class_="card")


def faults(site: Site, csrf: str) -> Markup:
    """What is switched on."""
    scene, on = Scene(site, "x", None, None, csrf), site.weather.faults
    if not on:
        return tag("p", "☀ Fair: no fault is switched on.", class_="card fair")
    everything = scene.form("calm", tag("button", "Take all back", class_="button"), fault="all", class_="inline")
    return _card("Now", tag("ul", [_fault(scene, one) for one in on], class_="rows"), everything)


def _fault(scene: Scene, fault: Fault) -> Markup:
    network = "both networks" if fault.network == "*" else fault.network
    facts = [chip(network), chip(f"{fault.probability:.0%}"), chip(f"{fault.hits} hits", "warn")]
    back = scene.form("calm", tag("button", "Take back", class_="button"), fault=str(fault.id), class_="inline")
    return tag("li", tag("b", fault.fault), facts, tag("span", class_="grow"), back)


def _preset(scene: Scene, label: str, words: str) -> Markup:
    return scene.form("preset", tag("button", tag("b", label), tag("span", words), class_="preset"), preset=label)


def _fault_form(scene: Scene) -> Markup:
    choices = [tag("option", one, value=one) for one in FAULTS]
    names = [("*", "both"), *NAMES.items()]
    networks = [tag("option", label, value=value) for value, label in names]
    return scene.form(
        "fault",
        labelled("Fault", tag("select", choices, name="fault")),
        labelled("Network", tag("select", networks, name="on")),
        labelled("Probability, %", tag("input", name="percent", type="number", min=0, max=100, value=100)),
        labelled("How often (empty: always)", tag("input", name="count", type="number", min=1)),
        labelled("Milliseconds, where it waits", tag("input", name="ms", type="number", min=0)),
        button("Switch on"),
        class_="grid",
    )


def _tokens(scene: Scene) -> Markup | None:
    world = scene.site.world
    brands = [one for one in world.members.values() if one.brand and world.tokens_of(one.network, one.id)]
    if not brands:
        return None
    return _card("Tokens", tag("ul", [_token(scene, one) for one in brands[:50]], class_="rows"))


def _token(scene: Scene, brand: Member) -> Markup:
    dead = scene.site.world.tokens_of(brand.network, brand.id)[-1].dead is not None
    state = chip("revoked", "bad") if dead else chip("works", "good")
    change = tag("button", "Give it back" if dead else "Revoke", class_="button")
    what = "restore" if dead else "revoke"
    form = scene.form("token", change, account=brand.id, on=brand.network, what=what, class_="inline")
    return tag("li", avatar(brand), who(brand, f" on {NAMES[brand.network]}", grow=True), state, form)


def counts(site: Site) -> Markup:
    shown = [tag("div", tag("dt", kind), tag("dd", f"{book.count:,}")) for kind, book in site.ledgers.items()]
    return tag("dl", shown, class_="counts")


def calls(site: Site) -> Markup:
    lines = list(site.calls.read(after=site.calls.count - LAST_CALLS))[::-1]
    if not lines:
        return tag("p", "Nobody has called yet.", class_="soft empty")
    head = tag("tr", [tag("th", label, scope="col") for label in ("When", "Method", "Path", "Status", "Took", "Fault")])
    return tag("table", tag("thead", head), tag("tbody", [_call(one) for one in lines]))


def _call(line: Record) -> Markup:
    cells: list[object] = [when(line["at"]), line["method"], tag("code", line["path"]), str(line["status"] or "cut")]
    cells += [f"{line['ms']:.0f} ms", line.get("fault", "")]
    return tag("tr", [tag("td", cell) for cell in cells])
