"""Who is playing, and the small pieces all pages are made of."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from ..site import Site
from ..text import LIMIT, URL
from ..things import Member, Network
from .html import Markup, join, tag

NAMES: dict[Network, str] = {"x": "X", "facebook": "Facebook"}
LINKED = re.compile(rf"(?P<url>{URL.pattern})|(?<![\w@])@(?P<name>[A-Za-z0-9_]{{1,15}})\b", re.IGNORECASE)


@dataclass(slots=True)
class Scene:
    """Who is playing, where, and with which brand."""

    site: Site
    network: Network
    me: Member | None
    brand: Member | None
    csrf: str
    notice: str = ""

    def url(self, **changes: str) -> str:
        network = changes.pop("network", self.network)
        query = {"as": self.me.username if self.me else "", "with": self.brand.username if self.brand else ""} | changes
        return f"/play/{network}?" + urlencode({name: value for name, value in query.items() if value})

    @property
    def limit(self) -> int | None:
        """What the character counter counts down from."""
        return LIMIT if self.network == "x" else None

    def form(self, do: str, *inside: object, class_: str = "", **hidden: str) -> Markup:
        """A form that does something and comes back."""
        fields = {"csrf": self.csrf, "do": do, "network": self.network, "as": self.me.username if self.me else ""}
        fields |= {"with": self.brand.username if self.brand else ""} | hidden
        inputs = [tag("input", type="hidden", name=name, value=value) for name, value in fields.items()]
        return tag("form", inputs, *inside, method="post", action="/play/act", class_=class_ or None)


def document(title: str, *body: object, here: str, scene: Scene | None = None) -> Markup:
    """A whole page."""
    links = {network: scene.url(network=network) if scene else f"/play/{network}" for network in NAMES}
    places: list[tuple[str, str, str]] = [(network, links[network], label) for network, label in NAMES.items()]
    places.append(("weather", "/play/weather", "Weather"))
    nav = [tag("a", label, href=href, aria_current="page" if key == here else None) for key, href, label in places]
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", f"{title} · Sandbox networks"),
        tag("link", rel="stylesheet", href="/play/static/play.css"),
        tag("link", rel="icon", href="/play/static/icon.svg", type="image/svg+xml"),
        tag("script", src="/play/static/play.js", defer=True),
    )
    top = tag(
        "header",
        tag("a", "Skip to the content", href="#content", class_="skip"),
        tag("a", tag("span", "◍", aria_hidden="true", class_="mark"), "Sandbox networks", href="/", class_="brandname"),
        tag("nav", nav, aria_label="Places"),
        tag("span", class_="live", data_live=True, role="status"),
        class_="top",
    )
    page = tag("html", head, tag("body", top, *body, class_=f"on-{here}"), lang="en")
    return Markup("<!doctype html>\n" + page)


def button(label: str) -> Markup:
    return tag("button", label, class_="button primary")


def ending(*before: object, label: str, counted: bool = False) -> Markup:
    """The last line of a form: what stands before, then the button on the right."""
    counter = tag("span", class_="count", data_counter=True) if counted else None
    return tag("div", *before, tag("span", class_="grow"), counter, button(label), class_="row")


def area(text: str = "", *, label: str, placeholder: str = "", rows: int = 2, most: int | None = None) -> Markup:
    """A field for words; `most` is what the counter counts down from."""
    return tag(
        "textarea",
        text,
        name="text",
        rows=rows,
        required=True,
        dir="auto",
        placeholder=placeholder or None,
        aria_label=label,
        data_count=most,
    )


def chip(label: str, kind: str = "") -> Markup:
    return tag("span", label, class_=f"chip {kind}".strip())


def who(member: Member, more: str = "", *, grow: bool = False) -> Markup:
    """Name above handle."""
    handle = tag("i", f"@{member.username}{more}")
    return tag("span", tag("b", member.name, dir="auto"), handle, class_="who grow" if grow else "who")


def avatar(member: Member | None) -> Markup:
    if member is None:
        return tag("span", class_="avatar none")
    return tag("img", src=f"/avatars/{member.network}/{member.id}.png", alt="", class_="avatar", width=40, height=40)


def picture(media: dict[str, Any]) -> Markup:
    return tag("img", src=media["url"], alt=media["alt_text"], class_="picture", width=480, height=320, loading="lazy")


def labelled(label: str, field: Markup) -> Markup:
    return tag("label", tag("span", label), field, class_="field")


def linked(text: str) -> Markup:
    """The text with links and names marked; everything else is plain text."""
    parts: list[object] = []
    position = 0
    for match in LINKED.finditer(text):
        parts.append(text[position : match.start()])
        if match["url"]:
            parts.append(tag("a", match["url"], href=match["url"], rel="nofollow noopener noreferrer", target="_blank"))
        else:
            parts.append(tag("span", match[0], class_="mention"))
        position = match.end()
    return join(*parts, text[position:])


def when(at_ms: int) -> Markup:
    moment = datetime.fromtimestamp(at_ms / 1000, UTC)
    seconds = int(time.time() - at_ms / 1000)
    steps = ((60, 1, "s"), (3600, 60, "min"), (86_400, 3600, "h"))
    short = next((f"{max(seconds, 0) // size} {unit}" for limit, size, unit in steps if seconds < limit), None)
    exact = moment.strftime("%Y-%m-%d %H:%M:%S UTC")
    return tag("time", short or moment.strftime("%d %b %Y"), datetime=moment.isoformat(), title=exact)
