"""The page where one plays a customer: people, composer, feed, private messages."""

from __future__ import annotations

from ..things import Member, Message
from .feed import feed
from .html import Markup, join, tag
from .scene import NAMES, Scene, area, avatar, button, chip, document, ending, labelled, linked, picture, when, who


def play(scene: Scene) -> Markup:
    notice = tag("p", scene.notice, class_="notice", role="alert") if scene.notice else None
    public = tag("div", feed(scene), id="feed", data_part="feed")
    main = tag("main", notice, _composer(scene), public, id="content", tabindex="-1")
    people = tag("aside", _people(scene), _new_person(scene), class_="people", aria_label="People")
    side = tag("aside", _brand_card(scene), _messages(scene), class_="side", aria_label="Private messages")
    title = f"{scene.me.name} on {NAMES[scene.network]}" if scene.me else NAMES[scene.network]
    return document(title, tag("div", people, main, side, class_="columns"), here=scene.network, scene=scene)


def _people(scene: Scene) -> Markup:
    members = [one for one in scene.site.world.members.values() if one.network == scene.network]
    persons = sorted((one for one in members if one.person and not one.brand), key=lambda one: one.name.lower())
    brands = sorted((one for one in members if one.brand), key=lambda one: one.name.lower())
    nobody = tag("p", "Nobody is here yet: make a person below.", class_="soft")
    shown = [tag("h2", "Be somebody"), _choices(scene, persons) if persons else nobody]
    if brands:
        words = tag("p", "As in the network’s own app, past the inbox.", class_="soft small")
        shown += [tag("h2", "Or the brand itself"), words, _choices(scene, brands)]
    return join(*shown)


def _choices(scene: Scene, members: list[Member]) -> Markup:
    return tag("ul", [_choice(scene, one) for one in members], class_="choices")


def _choice(scene: Scene, member: Member) -> Markup:
    current = scene.me is not None and scene.me.id == member.id
    there = scene.url(**{"as": member.username})
    link = tag("a", avatar(member), who(member), href=there, aria_current="true" if current else None)
    return tag("li", link)


def _new_person(scene: Scene) -> Markup:
    summary = tag("summary", "+ New person")
    pattern = "@?[A-Za-z0-9_]{1,15}"
    handle = tag("input", name="handle", maxlength=16, autocomplete="off", pattern=pattern, placeholder="mayak")
    fields = join(
        labelled("Name", tag("input", name="name", maxlength=50, autocomplete="off", placeholder="Maya Keller")),
        labelled("Handle", handle),
        labelled("Followers", tag("input", name="followers", type="number", min=0, value=120)),
        tag("label", tag("input", type="checkbox", name="verified"), " verified", class_="check"),
        button("Become this person"),
        tag("p", "Leave all empty to be somebody at random.", class_="soft small"),
    )
    empty = not scene.site.world.people
    return tag("details", summary, scene.form("person", fields, class_="stack"), class_="fold", open=empty)


def _composer(scene: Scene) -> Markup:
    if scene.me is None:
        title = tag("h1", f"Be a customer on {NAMES[scene.network]}")
        return tag("section", title, _first_steps(scene), class_="card welcome")
    ours = scene.me.brand
    start = f"@{scene.brand.username} " if scene.brand and not ours and scene.network == "x" else ""
    placeholder = "Say something as the brand…" if ours else "Say something to the brand, in public…"
    words = area(start, label="Your post", placeholder=placeholder, rows=3, most=scene.limit)
    picture = tag("label", tag("input", type="checkbox", name="picture"), " with a picture", class_="check")
    where = _where(scene.brand) if scene.brand and scene.network == "facebook" and not ours else None
    heading = tag("h1", "Post as ", tag("span", scene.me.name, dir="auto"), class_="as")
    form = scene.form("post", words, ending(where, picture, label="Post", counted=True))
    return tag("section", avatar(scene.me), tag("div", heading, form, class_="grow"), class_="card composer")


def _where(page: Member) -> Markup:
    choices = {"page": f"on the Page of {page.name}", "tagged": "on my own wall, tagging the Page"}
    options = [tag("option", label, value=value) for value, label in choices.items()]
    return tag("select", options, name="where", aria_label="Where")


def _first_steps(scene: Scene) -> Markup:
    if scene.brand is None:
        fields = join(
            labelled("Name of the brand", tag("input", name="name", value="Trailhead", maxlength=50)),
            labelled("Handle", tag("input", name="handle", value="trailhead", maxlength=15, required=True)),
            button("Make the brand’s account"),
        )
        words = tag("p", "There is no brand here yet that one could write to.")
        return join(words, scene.form("brand", fields, class_="stack"))
    words = tag("p", f"{scene.brand.name} is listening. Pick a person, or be a new one, and complain about something.")
    return join(words, scene.form("person", button("Be somebody at random")))


# -- private --------------------------------------------------------------------------------------------------------
def _brand_card(scene: Scene) -> Markup | None:
    ours = scene.brand
    if ours is None:
        return None
    others = [_other(scene, one) for one in scene.site.world.brands(scene.network) if one.id != ours.id]
    follow = _follow(scene, scene.me, ours) if scene.me and scene.me.id != ours.id else None
    row = tag("div", avatar(ours), who(ours, f" · {ours.followers} followers", grow=True), follow, class_="row")
    return tag("section", row, tag("div", others, class_="chips") if others else None, class_="card")


def _follow(scene: Scene, me: Member, brand: Member) -> Markup:
    following = (scene.network, me.id, brand.id) in scene.site.world.follows
    label, value = ("Unfollow", "off") if following else ("Follow", "on")
    return scene.form("follow", tag("button", label, class_="button"), on=value, class_="inline")


def _other(scene: Scene, brand: Member) -> Markup:
    return tag("a", brand.name, href=scene.url(**{"with": brand.username}), class_="chip")


def _messages(scene: Scene) -> Markup:
    title = "Direct messages" if scene.network == "x" else "Messenger"
    shown = messages(scene)
    inside = tag(
        "div", shown, class_="bubbles", id="messages", data_part="messages", tabindex="0", role="log", aria_label=title
    )
    return tag("section", tag("h2", title), inside, _message_form(scene), class_="card private")


def messages(scene: Scene) -> Markup:
    """The conversation of the person with the brand; all conversations for the brand itself."""
    if scene.me is None:
        return tag("p", "Be somebody first.", class_="soft")
    world = scene.site.world
    mine = [world.messages[one] for one in world.mailbox.get((scene.network, scene.me.id), [])][-200:]
    if not scene.me.brand and scene.brand:
        mine = [one for one in mine if scene.brand.id in (one.sender, one.recipient)]
    if not mine:
        return tag("p", "No messages yet.", class_="soft empty")
    return join(*(_bubble(scene, one) for one in mine))


def _bubble(scene: Scene, message: Message) -> Markup:
    me = scene.me is not None and message.sender == scene.me.id
    sender = scene.site.world.member(scene.network, message.sender)
    to = scene.site.world.member(scene.network, message.recipient)
    label = f"to {to.name}" if me and to else (sender.name if sender else "")
    words = tag("p", "Deleted.", class_="gone") if message.deleted else _said(message)
    via = chip("through the inbox", "good") if message.via == "api" else None
    foot = tag("div", label, " · ", when(message.created), via, class_="soft small")
    return tag("div", words, foot, class_="bubble mine" if me else "bubble")


def _said(message: Message) -> Markup:
    words = tag("p", linked(message.text), dir="auto") if message.text else None
    return join(words, *(picture(one) for one in message.media or ()))


def _message_form(scene: Scene) -> Markup | None:
    if scene.me is None or scene.brand is None:
        return None
    to: object = tag("input", type="hidden", name="to", value=scene.brand.id)
    if scene.me.brand:
        everyone = scene.site.world.members.values()
        people = [one for one in everyone if one.network == scene.network and one.person and not one.brand]
        if not people:
            return None
        to = tag("select", [tag("option", one.name, value=one.id) for one in people], name="to", aria_label="To")
    words = area(label="Your message", placeholder="In private…")
    also = tag("label", tag("input", type="checkbox", name="picture"), " with a picture", class_="check")
    return scene.form("message", to, words, ending(also, label="Send"))
