"""What people do, and brands in the native apps."""

from __future__ import annotations

from dataclasses import asdict

from .. import acts
from ..acts import Refused
from ..site import Site
from ..things import Item, Member, Message
from ..x.render import iso
from .asked import JSON, Asked


def _via(author: Member) -> acts.Via:
    return "native" if author.brand else "person"


def post(asked: Asked) -> JSON:
    """A post, reply or quote on X; a post on or about a Page, or a comment, on Facebook."""
    network = asked.network
    author, text = asked.member("author"), asked.text("text")
    parent = asked.maybe_item("reply_to", network)
    if network == "x":
        quoted = asked.maybe_item("quote", network)
        made = acts.post_on_x(
            asked.world, author, text, reply_to=parent, quoted=quoted, via=_via(author), at=asked.at,
            media=asked.media, lang=asked.text("lang", ""),
        )  # fmt: skip
    elif parent is not None:
        made = acts.comment(asked.world, parent, author, text, via=_via(author), at=asked.at, media=asked.media)
    else:
        page = author if author.brand else asked.member("page")
        tagged = bool(asked.body.get("tagged"))
        made = acts.post_on_page(
            asked.world, page, author, text, tagged=tagged, via=_via(author), at=asked.at, media=asked.media
        )
    return shown_item(asked.site, made)


def shown_item(site: Site, item: Item) -> JSON:
    shown = {name: value for name, value in asdict(item).items() if value not in (None, False, "")}
    if item.network == "x":
        shown["conversation_id"] = site.world.root_of(item)
    return shown | {"deleted": item.deleted, "hidden": item.hidden, "created_at": iso(item.created)}


def show_item(asked: Asked) -> JSON:
    item = asked.item("id")
    below = [one.id for one in asked.world.below(item.network, item.id)]
    return shown_item(asked.site, item) | {"below": below}


def edit(asked: Asked) -> JSON:
    item = asked.item("id")
    author = asked.world.member(item.network, item.author)
    return shown_item(
        asked.site, acts.edit(asked.world, item, asked.text("text"), via=_via(author) if author else "person")
    )


def delete(asked: Asked) -> JSON:
    item = asked.item("id")
    author = asked.world.member(item.network, item.author)
    acts.delete(asked.world, item, via=_via(author) if author else "person")
    return shown_item(asked.site, item)


def like(asked: Asked) -> JSON:
    item = asked.item("id")
    acts.like(asked.world, item, asked.member("author"))
    return shown_item(asked.site, item)


def message(asked: Asked) -> JSON:
    author, to = asked.member("author"), asked.member("to")
    if author.brand == to.brand and asked.network == "facebook":
        raise Refused("On Facebook a message runs between a person and a Page.")
    sent = acts.send_message(
        asked.world, author, to, asked.text("text"), via=_via(author), at=asked.at, media=asked.media
    )
    return shown_message(asked.site, sent)


def shown_message(site: Site, message: Message) -> JSON:
    shown = asdict(message)
    if message.network == "facebook":
        page, user = site.world.page_and_user(message)
        shown["psid"] = site.world.know(page, user)
    return shown | {"created_at": iso(message.created)}


def follow(asked: Asked) -> JSON:
    acts.follow(asked.world, asked.member("author"), asked.member("whom"), on=bool(asked.body.get("on", True)))
    return {"followed": bool(asked.body.get("on", True))}
