"""What Facebook's webhooks say about a Page: its feed, its mentions, its messages.

Shapes: developers.facebook.com, Webhooks for Pages and Messenger Platform webhook events. A body holds several entries
(one for each Page), an entry several changes or messages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from channels_ingest.networks.base import JSON, Author, Dropped, Event, Item, Kind, Media, Post, Removal, Visibility
from channels_ingest.networks.parts import values
from channels_ingest.networks.parts.graph_objects import Page, author_of, conversation_with, person_from, without_links
from channels_ingest.networks.parts.values import Obj, Unusable

_POSTS = {"post", "status", "photo", "video", "share", "album", "link", "note", "event"}
_EDITED = {"edit", "edited"}
_NEWS = {"add", "edited", "edit"}


def events(payload: JSON) -> tuple[Event, ...]:
    """What a verified body says, Page by Page. Pure; never raises for a strange body."""
    body = values.mapping(payload)
    if body.get("object") != "page":
        kind = values.name(body.get("object")) or "an unknown object"
        return (Event("", dropped=(Dropped(f"{kind} is not a Page", values.storable(payload)),)),)
    return tuple(_entry(entry) for entry in values.objects(body.get("entry")))


def _entry(entry: Obj) -> Event:
    page = Page(values.identifier(entry.get("id")))
    items: list[Item] = []
    dropped: list[Dropped] = []
    for raw, read in _parts(entry, page):
        try:
            items.append(read())
        except Unusable as problem:
            dropped.append(Dropped(str(problem), without_links(values.storable(raw))))
    return Event(page.id, tuple(items), tuple(dropped))


def _parts(entry: Obj, page: Page) -> Iterator[tuple[JSON, Callable[[], Item]]]:
    """Every single thing an entry tells of, with what reads it."""
    happened = entry.get("time")
    for change in values.listing(entry.get("changes")):
        yield change, partial(_change, values.mapping(change), page, happened)
    for source in ("messaging", "standby"):
        for message in values.listing(entry.get(source)):
            yield message, partial(_messaging, values.mapping(message), page, source)
    if not any(isinstance(entry.get(name), list) for name in ("changes", "messaging", "standby")):
        yield entry, _nothing


def _nothing() -> Item:
    raise Unusable("an entry that tells of nothing known")


# -- the feed -------------------------------------------------------------------------------------------------------


def _change(change: Obj, page: Page, happened: object) -> Item:
    field, value = values.name(change.get("field")), values.mapping(change.get("value"))
    if field not in ("feed", "mention"):
        raise Unusable(f"{field or 'a change without field'} brings nothing to keep")
    item, verb = values.name(value.get("item")), values.name(value.get("verb"))
    if item != "comment" and item not in _POSTS:
        raise Unusable(f"{item or 'an unknown item'} brings nothing to keep")
    if verb == "remove":
        return Removal(values.needed_id(value.get("comment_id" if item == "comment" else "post_id"), f"{item} id"))
    if verb not in _NEWS:
        raise Unusable(f"{verb or 'an unknown verb'} changes no words")
    if value.get("published") == 0:
        raise Unusable("not published yet")
    return _said(value, page, item, field, happened)


def _said(value: Obj, page: Page, item: str, source: str, happened: object) -> Post:
    post_id = values.needed_id(value.get("post_id"), "post id")
    comment = item == "comment"
    own_id = values.needed_id(value.get("comment_id"), "comment id") if comment else post_id
    who = value.get("from") or {"id": value.get("sender_id"), "name": value.get("sender_name")}
    edited_at = values.moment(happened) if value.get("verb") in _EDITED else None
    return Post(
        external_id=own_id,
        kind=Kind.COMMENT if comment else Kind.POST,
        visibility=Visibility.PUBLIC,
        author=author_of(who, page, own_id),
        text=values.text(value.get("message")),
        posted_at=values.needed_moment(value.get("created_time")),
        root_id=post_id,
        parent_id=(values.identifier(value.get("parent_id")) or post_id) if comment else None,
        # Graph counts no versions: the second of the edit stands for one.
        version=max(1, int(edited_at.timestamp())) if edited_at else 1,
        edited_at=edited_at,
        permalink=values.url(values.mapping(value.get("post")).get("permalink_url")),
        media=tuple(_pictures(value)),
        facts={"source": source},
        raw=without_links(values.storable(value)),
    )


def _pictures(value: Obj) -> Iterator[Media]:
    photos = values.listing(value.get("photos")) or ([value.get("photo")] if value.get("photo") else [])
    kind, links = ("video", [value.get("video")]) if value.get("video") else ("image", photos)
    if not any(links) and value.get("item") in ("photo", "video") and value.get("link"):
        kind, links = ("video" if value.get("item") == "video" else "image"), [value.get("link")]
    yield from (Media(kind, address) for one in links if (address := values.url(one)))


# -- messages -------------------------------------------------------------------------------------------------------


def _messaging(raw: Obj, page: Page, source: str) -> Item:
    message, edit = values.mapping(raw.get("message")), values.mapping(raw.get("message_edit"))
    if message.get("is_deleted") is True:
        return Removal(values.needed_id(message.get("mid"), "message id"))
    if not message and not edit:
        known = ("read", "delivery", "reaction", "postback", "referral", "optin", "pass_thread_control")
        kind = next((name for name in known if name in raw), "an event without a message")
        raise Unusable(f"{kind} says nothing in words")
    return _message(raw, message or edit, page, source, edits=(values.count(edit.get("num_edit")) or 1) if edit else 0)


def _message(raw: Obj, message: Obj, page: Page, source: str, *, edits: int) -> Post:
    sender, recipient = person_from(raw.get("sender"), page), person_from(raw.get("recipient"), page)
    if sender is None or recipient is None:
        raise Unusable("no usable sender or recipient")
    own_id = values.needed_id(message.get("mid"), "message id")
    at = values.milliseconds(raw.get("timestamp"))
    if at is None:
        raise Unusable("no usable time")
    partner = _partner(sender, recipient, page)
    return Post(
        external_id=own_id,
        kind=Kind.MESSAGE,
        visibility=Visibility.PRIVATE,
        author=sender,
        text=values.text(message.get("text")),
        posted_at=at,
        root_id=conversation_with(partner.external_id),
        parent_id=values.identifier(values.mapping(message.get("reply_to")).get("mid")) or None,
        addressee=recipient,
        version=1 + edits,
        edited_at=at if edits else None,
        media=tuple(_attachments(message)),
        facts={"source": source},
        echo_key=values.text(message.get("metadata"), 1_000),
        raw=without_links(values.storable(raw)),
    )


def _partner(sender: Author, recipient: Author, page: Page) -> Author:
    """The person on the other side. Raises Unusable where neither is the Page: then it is none of its messages."""
    if page.id == sender.external_id:
        return recipient
    if page.id == recipient.external_id:
        return sender
    raise Unusable("neither from the Page nor to it")


def _attachments(message: Obj) -> Iterator[Media]:
    found = [
        (str(one.get("type")), values.mapping(one.get("payload"))) for one in values.objects(message.get("attachments"))
    ]
    # Until August 2026 a sticker came twice, as image and as sticker.
    stickers = {values.identifier(payload.get("sticker_id")) for kind, payload in found if kind == "sticker"}
    for kind, payload in found:
        sticker, address = values.identifier(payload.get("sticker_id")), values.url(payload.get("url"))
        if not address or (sticker and kind == "image" and sticker in stickers):
            continue
        known = kind if kind in ("image", "video", "sticker") else "file"
        yield Media("sticker" if sticker else known, address, values.text(payload.get("title"), 1_000))
