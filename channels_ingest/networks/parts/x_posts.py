"""What X sends, as our values: posts and direct messages of API v2 in both dialects, and of its webhooks.

X renamed tweet to post in August 2026 (specification v2.167): `referenced_tweets` became `referenced_posts`,
`edit_history_tweet_ids` became `edit_history_post_ids`, `note_tweet` became `note_post`, `includes.tweets` became
`includes.posts`, `retweet_count` became `repost_count`. Both are read here, without asking which one it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from channels_ingest.networks.base import Author, Kind, Media, Post, Visibility
from channels_ingest.networks.parts import values
from channels_ingest.networks.parts.values import Obj, Unusable, either

SNOWFLAKE_EPOCH_MS = 1_288_834_974_657  # 4 November 2010; ids before it hold no time
FIRST_SNOWFLAKE = 1 << 40
EDIT_WINDOW = timedelta(hours=2)  # X allows edits for one hour

_LANGUAGE = re.compile(r"[a-zA-Z]{2,3}(?:-[a-zA-Z0-9]{2,8})?")
_NO_LANGUAGE = {"und", "zxx", "art", "qam", "qct", "qht", "qme", "qst"}
_METRICS = {
    "reposts": ("retweet_count", "repost_count"),
    "replies": ("reply_count",),
    "likes": ("like_count",),
    "quotes": ("quote_count",),
    "bookmarks": ("bookmark_count",),
    "views": ("impression_count",),
}
_MEDIA = {"photo": "image", "video": "video", "animated_gif": "video"}


@dataclass(frozen=True, slots=True)
class Us:
    """The account that listens."""

    id: str
    handle: str = ""


@dataclass(frozen=True, slots=True)
class Includes:
    """What came along with the items, by id."""

    users: Mapping[str, Obj] = field(default_factory=dict)
    posts: Mapping[str, Obj] = field(default_factory=dict)
    media: Mapping[str, Obj] = field(default_factory=dict)


def includes_of(answer: Obj) -> Includes:
    """The `includes` of an answer or an event; users come flat or wrapped in `{"data": ...}`."""
    found = values.mapping(answer.get("includes"))
    return Includes(
        users=_by_id(map(_unwrapped, values.objects(found.get("users")))),
        posts=_by_id(values.objects(either(found, "tweets", "posts"))),
        media={str(one.get("media_key")): one for one in values.objects(found.get("media"))},
    )


def _unwrapped(user: Obj) -> Obj:
    return values.mapping(user["data"]) if isinstance(user.get("data"), dict) else user


def _by_id(found: Iterable[Obj]) -> dict[str, Obj]:
    return {values.identifier(one.get("id")): one for one in found if values.identifier(one.get("id"))}


# -- people ---------------------------------------------------------------------------------------------------------


def author_from(external_id: str, user: Obj) -> Author:
    """The author of that id, with what is known about the user ({} is allowed)."""
    handle = values.name(either(user, "username", "screen_name"))
    followers = either(values.mapping(user.get("public_metrics")), "followers_count")
    return Author(
        external_id=external_id,
        handle=handle,
        name=values.name(user.get("name")),
        avatar_url=values.url(either(user, "profile_image_url", "profile_image_url_https")),
        followers=values.count(user.get("followers_count") if followers is None else followers),
        verified=values.truth(user.get("verified")),
        permalink=f"https://x.com/{handle}" if re.fullmatch(r"\w{1,20}", handle) else "",
    )


# -- posts ----------------------------------------------------------------------------------------------------------


def post_from(raw: Obj, includes: Includes, us: Us, source: str) -> Post:
    """One public post. `source` says where it was seen. Raises Unusable."""
    own_id = needed_digits(raw.get("id"), "post id")
    history = edit_history(raw, own_id)
    author_id = needed_digits(raw.get("author_id"), "author id")
    references = _references(raw)
    if "retweeted" in references:
        raise Unusable("a repost says nothing of its own")
    parent_id = _first_id(references.get("replied_to") or values.digits(raw.get("in_reply_to_tweet_id")), includes)
    written_at = values.needed_moment(raw.get("created_at"))
    posted_at = _first_written(history, written_at)
    author = author_from(author_id, includes.users.get(author_id, {}))
    return Post(
        external_id=history[0],
        kind=Kind.REPLY if parent_id else Kind.QUOTE if "quoted" in references else Kind.POST,
        visibility=Visibility.PUBLIC,
        author=author,
        text=full_text(raw),
        posted_at=posted_at,
        root_id=_root(raw, includes, history) or parent_id or history[0],
        parent_id=parent_id or None,
        addressee=_addressee(raw, includes),
        version=history.index(own_id) + 1,
        edited_at=written_at if own_id != history[0] else None,
        alias_ids=tuple(history[1:]),
        language=_language(raw.get("lang")),
        permalink=f"https://x.com/{author.handle if author.permalink else 'i'}/status/{own_id}",
        media=_media(raw, includes),
        metrics=_metrics(raw),
        facts=_facts(raw, includes, us, source),
        raw=values.storable(raw),
    )


def needed_digits(value: object, what: str) -> str:
    found = values.digits(value)
    if not found:
        raise Unusable(f"no usable {what}")
    return found


def edit_history(raw: Obj, own_id: str) -> list[str]:
    """Every id this post ever had, the first one first: each edit makes a new one."""
    listed = {
        values.digits(one) for one in values.listing(either(raw, "edit_history_tweet_ids", "edit_history_post_ids"))
    }
    return sorted({*listed, own_id} - {""}, key=int)


def _first_id(post_id: str, includes: Includes) -> str:
    """The first id of a post that may have been edited, as far as the post came along."""
    found = includes.posts.get(post_id)
    return edit_history(found, post_id)[0] if post_id and found else post_id


def _root(raw: Obj, includes: Includes, history: list[str]) -> str:
    root_id = values.digits(raw.get("conversation_id"))
    return history[0] if root_id in history else _first_id(root_id, includes)


def snowflake_time(post_id: str) -> datetime | None:
    """When X made this id."""
    number = int(post_id)
    if number < FIRST_SNOWFLAKE:
        return None
    return values.milliseconds((number >> 22) + SNOWFLAKE_EPOCH_MS)


def snowflake_at(moment: datetime) -> str:
    """The id that X would have made at this moment (aware); "0" for one before its ids held time."""
    ms = int(moment.timestamp() * 1000) - SNOWFLAKE_EPOCH_MS
    return str(ms << 22) if ms > 0 else "0"


def _first_written(history: list[str], written_at: datetime) -> datetime:
    first = snowflake_time(history[0]) if len(history) > 1 else None
    return first if first and written_at - EDIT_WINDOW <= first <= written_at else written_at


def _references(raw: Obj) -> dict[str, str]:
    found = values.objects(either(raw, "referenced_tweets", "referenced_posts"))
    return {str(one.get("type")): values.digits(one.get("id")) for one in found if values.digits(one.get("id"))}


def full_text(raw: Obj) -> str:
    """The whole text of a post, also of a long one, as people read it: links spelled out, `&amp;` undone."""
    note = values.mapping(either(raw, "note_tweet", "note_post"))
    words = values.text(note.get("text")) or values.text(raw.get("text"))
    entities = values.mapping(note.get("entities") if note.get("text") else raw.get("entities"))
    return unescaped(_spelled_out(words, entities))


def _spelled_out(words: str, entities: Obj) -> str:
    for link in values.objects(entities.get("urls")):
        short, full = values.url(link.get("url")), values.url(link.get("expanded_url"))
        if short and full and short != full:
            words = words.replace(short, full) if not link.get("media_key") else words.replace(short, "").rstrip()
    return words


def unescaped(words: str) -> str:
    """X escapes these three characters in every text it sends."""
    return words.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _addressee(raw: Obj, includes: Includes) -> Author | None:
    user_id = values.digits(raw.get("in_reply_to_user_id"))
    if not user_id:
        return None
    named = next((one for one in _mentions(raw) if values.digits(one.get("id")) == user_id), {})
    return author_from(user_id, includes.users.get(user_id, named))


def _mentions(raw: Obj) -> list[Obj]:
    note = values.mapping(either(raw, "note_tweet", "note_post"))
    entities = (values.mapping(raw.get("entities")), values.mapping(note.get("entities")))
    return [one for source in entities for one in values.objects(source.get("mentions"))]


def _language(value: object) -> str:
    found = value if isinstance(value, str) and _LANGUAGE.fullmatch(value) else ""
    return "" if found.lower() in _NO_LANGUAGE else found


def _metrics(raw: Obj) -> dict[str, int]:
    metrics = values.mapping(raw.get("public_metrics"))
    counted = {ours: values.count(either(metrics, *theirs)) for ours, theirs in _METRICS.items()}
    return {what: number for what, number in counted.items() if number is not None}


def _media(raw: Obj, includes: Includes) -> tuple[Media, ...]:
    keys = values.listing(values.mapping(raw.get("attachments")).get("media_keys"))
    found = [includes.media[key] for key in keys if isinstance(key, str) and key in includes.media]
    return tuple(one for one in map(media_from, found) if one.url or one.preview_url)


def media_from(raw: Obj) -> Media:
    films = [one for one in values.objects(raw.get("variants")) if one.get("content_type") == "video/mp4"]
    best = max(films, key=lambda one: values.count(either(one, "bit_rate", "bitrate")) or 0, default={})
    return Media(
        kind=_MEDIA.get(str(raw.get("type")), "file"),
        url=values.url(either(raw, "url", "media_url_https")) or values.url(best.get("url")),
        alt=values.text(either(raw, "alt_text", "ext_alt_text"), 1_000),
        preview_url=values.url(raw.get("preview_image_url")),
    )


# -- what our own verdict wants to know later -----------------------------------------------------------------------


def _facts(raw: Obj, includes: Includes, us: Us, source: str) -> dict[str, Any]:
    author = includes.users.get(str(raw.get("author_id")), {})
    references, history = _references(raw), edit_history(raw, values.digits(raw.get("id")))
    facts: dict[str, Any] = {"source": source, "summoned": _summoned(raw, includes, us, source, references)}
    if isinstance(author.get("receives_your_dm"), bool):
        facts["can_dm"] = author["receives_your_dm"]
    if _in_our_conversation(raw, includes, us, references):
        facts["our_conversation"] = True
    if references.get("quoted"):
        facts["quoted_id"] = references["quoted"]
    if len(history) > 1:
        facts["latest_id"] = history[-1]
    settings = values.name(raw.get("reply_settings"))
    if settings and settings != "everyone":
        facts["reply_settings"] = settings
    return facts


def _summoned(raw: Obj, includes: Includes, us: Us, source: str, references: Mapping[str, str]) -> bool:
    """Whether the author called us: named us, or quoted one of our posts."""
    return source in ("mentions", "quotes") or _names(raw, us) or _quotes(includes, us, references)


def _names(raw: Obj, us: Us) -> bool:
    mentions, handle = _mentions(raw), us.handle.lower()
    if any(values.digits(one.get("id")) == us.id for one in mentions):
        return True
    if any(handle and str(one.get("username")).lower() == handle for one in mentions):
        return True
    pattern = rf"(?<![\w@]){re.escape('@' + handle)}(?!\w)"
    return bool(handle and not mentions and re.search(pattern, full_text(raw).lower()))


def _quotes(includes: Includes, us: Us, references: Mapping[str, str]) -> bool:
    quoted = includes.posts.get(references.get("quoted", ""), {})
    return values.digits(quoted.get("author_id")) == us.id


def _in_our_conversation(raw: Obj, includes: Includes, us: Us, references: Mapping[str, str]) -> bool:
    root_id = values.digits(raw.get("conversation_id"))
    if not root_id or root_id == values.digits(raw.get("id")):
        return False
    if values.digits(includes.posts.get(root_id, {}).get("author_id")) == us.id:
        return True
    return references.get("replied_to") == root_id and values.digits(raw.get("in_reply_to_user_id")) == us.id


# -- direct messages ------------------------------------------------------------------------------------------------


def message_from(raw: Obj, includes: Includes, us: Us) -> Post:
    """One direct message as API v2 gives it. Raises Unusable."""
    if raw.get("event_type", "MessageCreate") != "MessageCreate":
        raise Unusable(f"{values.name(raw.get('event_type'))} is no message")
    sender_id = needed_digits(raw.get("sender_id"), "sender id")
    conversation_id = values.needed_id(raw.get("dm_conversation_id"), "conversation id")
    return _message(
        own_id=needed_digits(raw.get("id"), "message id"),
        sender_id=sender_id,
        other_id=_other(conversation_id, sender_id),
        conversation_id=conversation_id,
        words=_spelled_out(values.text(raw.get("text")), values.mapping(raw.get("entities"))),
        posted_at=values.needed_moment(raw.get("created_at")),
        users=includes.users,
        media=_media(raw, includes),
        raw=raw,
    )


def _other(conversation_id: str, sender_id: str) -> str:
    """The other person of a conversation between two, whose id is made of both; "" in a group."""
    pair = conversation_id.split("-")
    others = [one for one in pair if one != sender_id]
    return others[0] if len(pair) == 2 and sender_id in pair and others else ""


def conversation_of(one: str, other: str) -> str:
    """The id of the conversation between these two people."""
    return "-".join(sorted((one, other), key=int))


def legacy_message_from(raw: Obj, users: Mapping[str, Obj]) -> Post:
    """One direct message in the shape that webhooks still use. Raises Unusable."""
    if raw.get("type") != "message_create":
        raise Unusable(f"{values.name(raw.get('type')) or 'an event without type'} is no message")
    body = values.mapping(raw.get("message_create"))
    data = values.mapping(body.get("message_data"))
    sender_id = needed_digits(body.get("sender_id"), "sender id")
    other_id = needed_digits(values.mapping(body.get("target")).get("recipient_id"), "recipient id")
    posted_at = values.milliseconds(raw.get("created_timestamp"))
    if posted_at is None:
        raise Unusable("no usable time")
    attached = values.mapping(values.mapping(data.get("attachment")).get("media"))
    return _message(
        own_id=needed_digits(raw.get("id"), "message id"),
        sender_id=sender_id,
        other_id=other_id,
        conversation_id=conversation_of(sender_id, other_id),
        words=_spelled_out(values.text(data.get("text")), values.mapping(data.get("entities"))),
        posted_at=posted_at,
        users=users,
        media=(media_from(attached),) if attached else (),
        raw=raw,
    )


def legacy_users(found: object) -> dict[str, Obj]:
    """The users beside a webhook's direct messages: an object by id, its members flat or wrapped."""
    users = values.mapping(found)
    return {str(key): _unwrapped(user) for key, user in users.items() if isinstance(user, dict)}


def _message(
    *,
    own_id: str,
    sender_id: str,
    other_id: str,
    conversation_id: str,
    words: str,
    posted_at: datetime,
    users: Mapping[str, Obj],
    media: tuple[Media, ...],
    raw: Obj,
) -> Post:
    can_dm = users.get(sender_id, {}).get("receives_your_dm")
    return Post(
        external_id=own_id,
        kind=Kind.MESSAGE,
        visibility=Visibility.PRIVATE,
        author=author_from(sender_id, users.get(sender_id, {})),
        text=unescaped(words),
        posted_at=posted_at.astimezone(UTC),
        root_id=conversation_id,
        addressee=author_from(other_id, users.get(other_id, {})) if other_id else None,
        permalink=f"https://x.com/messages/{conversation_id}",
        media=media,
        facts={"source": "messages"} | ({"can_dm": can_dm} if isinstance(can_dm, bool) else {}),
        raw=values.storable(raw),
    )
