"""What the Graph API sends, as our values: Page posts, comments, Messenger messages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from channels_ingest.networks.base import Author, Kind, Media, Post, Visibility
from channels_ingest.networks.parts import values
from channels_ingest.networks.parts.values import Obj, Unusable

GONE = "100/33"  # the code and subcode by which Graph refuses what is not there, or not for us
UNNAMED = "Facebook user"  # shown where Graph keeps the author to itself

POST_FIELDS = (
    "id,message,story,from{id,name},created_time,updated_time,permalink_url,"
    "attachments{media_type,type,url,title,description,media,subattachments},is_hidden,status_type,message_tags,shares"
)
COMMENT_FIELDS = (
    "id,message,from{id,name},parent{id,from{id,name}},created_time,attachment,comment_count,like_count,can_hide,"
    "can_remove,can_reply_privately,is_hidden,permalink_url,message_tags"
)
MESSAGE_FIELDS = "id,created_time,from,to,message,attachments{id,mime_type,name,size,image_data,video_data,file_url}"

_KINDS = {"photo": "image", "image": "image", "video": "video", "sticker": "sticker", "animated_image_share": "image"}


@dataclass(frozen=True, slots=True)
class Page:
    """The Page that listens."""

    id: str
    name: str = ""


def person_from(raw: object, page: Page) -> Author | None:
    """A person or a Page; None where Graph does not say who it is."""
    who = values.mapping(raw)
    external_id = values.identifier(who.get("id"))
    if not external_id:
        return None
    ours = external_id == page.id
    return Author(external_id=external_id, name=values.name(who.get("name")) or (page.name if ours else ""))


def author_of(raw: object, page: Page, item_id: str) -> Author:
    """The author of an item; where Graph keeps silent (no Page Public Content Access), a stand-in that is the same
    whenever this item is read, and never the same for two items."""
    return person_from(raw, page) or Author(external_id=f"unknown:{item_id}", name=UNNAMED)


# -- public ---------------------------------------------------------------------------------------------------------


def post_from(raw: Obj, page: Page, source: str) -> Post:
    """A post on the Page or about it. Raises Unusable."""
    own_id = values.needed_id(raw.get("id"), "post id")
    return Post(
        external_id=own_id,
        kind=Kind.POST,
        visibility=Visibility.PUBLIC,
        author=author_of(raw.get("from"), page, own_id),
        text=values.text(raw.get("message")) or values.text(raw.get("story")),
        posted_at=values.needed_moment(raw.get("created_time")),
        root_id=own_id,
        permalink=values.url(raw.get("permalink_url")),
        media=tuple(attached(values.mapping(raw.get("attachments")))),
        metrics=_numbers(reposts=values.mapping(raw.get("shares")).get("count")),
        facts=_facts(raw, source, "is_hidden", "can_reply_privately"),
        raw=without_links(values.storable(raw)),
    )


def comment_from(raw: Obj, root_id: str, page: Page, source: str) -> Post:
    """A comment at any depth under the post `root_id`. Raises Unusable."""
    own_id = values.needed_id(raw.get("id"), "comment id")
    parent = values.mapping(raw.get("parent"))
    return Post(
        external_id=own_id,
        kind=Kind.COMMENT,
        visibility=Visibility.PUBLIC,
        author=author_of(raw.get("from"), page, own_id),
        text=values.text(raw.get("message")),
        posted_at=values.needed_moment(raw.get("created_time")),
        root_id=root_id,
        parent_id=values.identifier(parent.get("id")) or root_id,
        addressee=person_from(parent.get("from"), page),
        permalink=values.url(raw.get("permalink_url")),
        media=tuple(attached({"data": [raw.get("attachment")]})),
        metrics=_numbers(likes=raw.get("like_count"), replies=raw.get("comment_count")),
        facts=_facts(raw, source, "can_hide", "can_remove", "can_reply_privately", "is_hidden"),
        raw=without_links(values.storable(raw)),
    )


def _numbers(**counted: object) -> dict[str, int]:
    return {what: number for what, given in counted.items() if (number := values.count(given)) is not None}


def _facts(raw: Obj, source: str, *names: str) -> dict[str, Any]:
    return {"source": source} | {name: raw[name] for name in names if isinstance(raw.get(name), bool)}


def attached(attachments: Obj) -> Iterator[Media]:
    """The pictures, films and links of a post or comment, albums taken apart."""
    for one in values.objects(attachments.get("data")):
        inside = values.mapping(one.get("subattachments"))
        if inside.get("data"):
            yield from attached({"data": inside["data"]})
        else:
            yield from _medium(one)


def _medium(one: Obj) -> Iterator[Media]:
    media = values.mapping(one.get("media"))
    picture = values.url(values.mapping(media.get("image")).get("src"))
    kind = _KINDS.get(str(one.get("media_type") or one.get("type")), "file")
    film = values.url(media.get("source"))
    address = film or (picture if kind in ("image", "sticker") else values.url(one.get("url")) or picture)
    if address:
        words = values.text(one.get("title"), 1_000) or values.text(one.get("description"), 1_000)
        yield Media(kind, address, words, picture if picture != address else "")


def without_links(value: Any) -> Any:
    """The value without `paging`: its addresses hold the access token."""
    if isinstance(value, dict):
        return {key: without_links(member) for key, member in value.items() if key not in ("paging", "access_token")}
    return [without_links(member) for member in value] if isinstance(value, list) else value


# -- private --------------------------------------------------------------------------------------------------------


def conversation_with(person_id: str) -> str:
    """How we call the conversation with a person: Graph's own id of it is not in its webhooks."""
    return f"messenger:{person_id}"


def partner_in(conversation: Obj, page: Page) -> Author:
    """Whom a Messenger conversation is held with. Raises Unusable."""
    people = values.objects(values.mapping(conversation.get("participants")).get("data"))
    found = [who for one in people if (who := person_from(one, page)) and who.external_id != page.id]
    if not found:
        raise Unusable("a conversation with nobody")
    return found[0]


def message_from(raw: Obj, partner: Author, page: Page) -> Post:
    """A message of the conversation with `partner`. Raises Unusable."""
    own_id = values.needed_id(raw.get("id"), "message id")
    sender = person_from(raw.get("from"), page)
    if sender is None:
        raise Unusable("no usable sender")
    ours = sender.external_id == page.id
    return Post(
        external_id=own_id,
        kind=Kind.MESSAGE,
        visibility=Visibility.PRIVATE,
        author=sender,
        text=values.text(raw.get("message")),
        posted_at=values.needed_moment(raw.get("created_time")),
        root_id=conversation_with(partner.external_id),
        addressee=partner if ours else Author(page.id, name=page.name),
        media=tuple(_message_media(values.mapping(raw.get("attachments")))),
        facts={"source": "messages"},
        raw=without_links(values.storable(raw)),
    )


def _message_media(attachments: Obj) -> Iterator[Media]:
    for one in values.objects(attachments.get("data")):
        image, film = values.mapping(one.get("image_data")), values.mapping(one.get("video_data"))
        kind = "image" if image else "video" if film else "file"
        address = values.url(image.get("url")) or values.url(film.get("url")) or values.url(one.get("file_url"))
        if address:
            preview = values.url(image.get("preview_url")) or values.url(film.get("preview_url"))
            # a picture's name is the name of its file, no description
            yield Media(kind, address, "" if image else values.text(one.get("name"), 1_000), preview)
