"""What X's webhooks say: the X Activity API, and what is left of the older Account Activity API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from channels_ingest.networks.base import JSON, Dropped, Event, Item, Removal
from channels_ingest.networks.parts import values
from channels_ingest.networks.parts.values import Obj, Unusable
from channels_ingest.networks.parts.x_posts import (
    Us,
    includes_of,
    legacy_message_from,
    legacy_users,
    message_from,
    needed_digits,
    post_from,
)

_POSTS = {
    "post.create": "posts",
    "post.mention.create": "mentions",
    "post.reply.create": "replies",
    "post.quote.create": "quotes",
}
REVOKED = "the account's owner took the access back"
_MESSAGES = ("dm.received", "dm.sent")


def events(payload: JSON) -> tuple[Event, ...]:
    """What a verified body says, one event after the other. Pure; never raises for a strange body."""
    body = values.mapping(payload)
    if "for_user_id" in body:
        return (_older(body),)
    if "user_event" in body:
        return (_older_revocation(body),)
    data = body.get("data")
    envelopes = data if isinstance(data, list) else [data]
    return tuple(_event(values.mapping(one), one) for one in envelopes[: values.LIST_LIMIT])


def _event(envelope: Obj, raw: JSON) -> Event:
    event_type = values.name(envelope.get("event_type"))
    said = values.mapping(envelope.get("payload"))
    account_id = values.digits(values.mapping(envelope.get("filter")).get("user_id"))
    event_id = values.identifier(envelope.get("event_uuid"))
    if event_type == "oauth.revoke":
        account_id = values.digits(said.get("user_id")) or account_id
        return Event(account_id, event_id=event_id, broken=REVOKED)
    items, dropped = _sorted_out(partial(_said, event_type, said, envelope, account_id), raw)
    return Event(account_id, items, dropped, event_id)


def _sorted_out(read: Callable[[], tuple[Item, ...]], raw: JSON) -> tuple[tuple[Item, ...], tuple[Dropped, ...]]:
    try:
        return read(), ()
    except Unusable as problem:
        return (), (Dropped(str(problem), values.storable(raw)),)


def _said(event_type: str, said: Obj, envelope: Obj, account_id: str) -> tuple[Item, ...]:
    """The items of one event. Raises Unusable where it brings none."""
    if not account_id:
        raise Unusable("no account is named")
    includes = includes_of(envelope)
    us = Us(account_id, values.name(includes.users.get(account_id, {}).get("username")))
    if event_type in _POSTS:
        return (post_from(said, includes, us, _POSTS[event_type]),)
    if event_type == "post.delete":
        return (Removal(needed_digits(said.get("id"), "post id")),)
    if event_type in _MESSAGES:
        return _messages(said, envelope, us)
    if event_type.startswith("chat."):
        raise Unusable("encrypted chat: open it on X")
    raise Unusable(f"{event_type or 'an event without type'} brings nothing to keep")


def _messages(said: Obj, envelope: Obj, us: Us) -> tuple[Item, ...]:
    users = legacy_users(said.get("users"))
    found = list(values.objects(said.get("direct_message_events")))
    if found:
        return tuple(legacy_message_from(one, users) for one in found)
    return (message_from(said, includes_of(envelope), us),)


def _older(body: Obj) -> Event:
    """A body of the Account Activity API, which X has marked deprecated: messages and deletions are read."""
    account_id = values.digits(body.get("for_user_id"))
    users = legacy_users(body.get("users"))
    items: list[Item] = []
    dropped: list[Dropped] = []
    for one in values.listing(body.get("direct_message_events")):
        read, refused = _sorted_out(partial(_older_message, one, users), one)
        items += read
        dropped += refused
    for one in values.objects(body.get("tweet_delete_events")):
        gone = values.digits(values.mapping(one.get("status")).get("id"))
        items += [Removal(gone)] if gone else []
    if not items and not dropped:
        kinds = ", ".join(sorted(key for key in body if key.endswith(("events", "event"))))[:200]
        dropped.append(Dropped(f"{kinds or 'an unknown body'} brings nothing to keep", values.storable(body)))
    return Event(account_id, tuple(items), tuple(dropped))


def _older_message(raw: JSON, users: Mapping[str, Obj]) -> tuple[Item, ...]:
    return (legacy_message_from(values.mapping(raw), users),)


def _older_revocation(body: Obj) -> Event:
    revoked = values.mapping(values.mapping(body.get("user_event")).get("revoke"))
    account_id = values.digits(values.mapping(revoked.get("source")).get("user_id"))
    if account_id:
        return Event(account_id, broken=REVOKED)
    return Event("", dropped=(Dropped("an event about nobody", values.storable(body)),))
