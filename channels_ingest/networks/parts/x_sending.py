"""Says things on X, and reads back what was said."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from channels_ingest.networks.base import Action, NetworkError, Outgoing, Picture, Removal, Sent, Trouble
from channels_ingest.networks.parts import values, x_said
from channels_ingest.networks.parts.values import Obj

if TYPE_CHECKING:
    from channels_ingest.networks.parts.x_client import Client
    from channels_ingest.networks.parts.x_reading import Reading

CLOCKS_DIFFER = timedelta(minutes=5)
READ_BACK_PAGES = 5


def post(client: Client, handle: str, out: Outgoing) -> Sent:
    """A reply, or a post of our own, by the account of that handle. Raises NetworkError."""
    parent = str(out.facts.get("latest_id") or out.parent_id) or None
    pictures = _upload(client, out, "tweet_image")
    answer = client.user.create_tweet(
        text=out.text, in_reply_to_tweet_id=parent, media_ids=pictures or None, user_auth=client.signs
    )
    external_id = _accepted(values.digits(values.mapping(answer.get("data")).get("id")))
    return Sent(external_id, f"https://x.com/{handle or 'i'}/status/{external_id}")


def message(client: Client, out: Outgoing) -> Sent:
    """A direct message. Raises NetworkError."""
    pictures = _upload(client, out, "dm_image")
    answer = client.user.create_direct_message(
        participant_id=out.recipient_id or None,
        dm_conversation_id=None if out.recipient_id else out.root_id,
        text=out.text,
        media_id=pictures[0] if pictures else None,
        user_auth=client.signs,
    )
    data = values.mapping(answer.get("data"))
    external_id = _accepted(values.digits(data.get("dm_event_id")))
    return Sent(external_id, f"https://x.com/messages/{values.identifier(data.get('dm_conversation_id'))}")


def _upload(client: Client, out: Outgoing, category: str) -> list[str]:
    """The ids of its pictures. Whatever goes wrong here, nothing was said yet."""
    try:
        return [_upload_one(client, picture, category) for picture in out.pictures]
    except NetworkError as problem:
        problem.ambiguous = False
        raise


def _upload_one(client: Client, picture: Picture, category: str) -> str:
    encoded = base64.b64encode(picture.content).decode()
    asked = {"media": encoded, "media_category": category, "media_type": picture.content_type}
    (found,) = client.request("POST", "/2/media/upload", asked) or [{}]
    media_id = _accepted(values.digits(found.get("id")))
    if picture.alt:
        described = {"id": media_id, "metadata": {"alt_text": {"text": picture.alt}}}
        client.request("POST", "/2/media/metadata", described)
    return media_id


def _accepted(external_id: str) -> str:
    if not external_id:
        raise NetworkError(_("X's answer cannot be read."), Trouble.TEMPORARY, ambiguous=True, code="body")
    return external_id


def find(reading: Reading, out: Outgoing) -> Sent | None:
    """What `out` became; None where it is not there. Raises NetworkError."""
    for page in _latest(reading, out):
        for item in page:
            if item.external_id not in out.already and x_said.is_it(item, out, reading.us.id):
                return Sent(item.external_id, item.permalink)
    return None


def _latest(reading: Reading, out: Outgoing) -> Iterator[list[Any]]:
    """What we said lately where `out` would stand, newest first, back to before the first attempt."""
    began = (out.started_at or datetime.now(UTC) - timedelta(days=1)) - CLOCKS_DIFFER
    where: dict[str, str] = {}
    for _number in range(READ_BACK_PAGES):
        answer = _said(reading, out, where)
        made = reading.message_items if out.action == Action.MESSAGE else partial(reading.items, "posts")
        items, _dropped = made(answer)
        found = [item for item in items if not isinstance(item, Removal)]
        yield [item for item in found if getattr(item, "posted_at", began) >= began]
        token = values.identifier(values.mapping(answer.get("meta")).get("next_token"))
        if not token or any(getattr(item, "posted_at", began) < began for item in found):
            return
        where = {"token": token}


def _said(reading: Reading, out: Outgoing, where: Mapping[str, str]) -> Obj:
    if out.action != Action.MESSAGE:
        return reading.own(where)
    place = {"participant_id": out.recipient_id} if out.recipient_id else {"dm_conversation_id": out.root_id}
    return reading.messages(where, **place)
