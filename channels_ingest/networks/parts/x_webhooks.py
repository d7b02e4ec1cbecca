"""X's webhooks: shaking hands, telling real ones from others, asking for them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from channels_ingest.networks.base import NetworkError, Trouble
from channels_ingest.networks.parts import values

if TYPE_CHECKING:
    from channels_ingest.networks.parts.x_client import Client

PUSHED = (
    "post.create",
    "post.delete",
    "post.mention.create",
    "post.reply.create",
    "post.quote.create",
    "dm.received",
    "dm.sent",
)


def challenge(query: Mapping[str, str], secrets: Mapping[str, str]) -> tuple[str, str] | None:
    token, secret = query.get("crc_token", ""), secrets.get("consumer_secret", "")
    if not token or not secret:
        return None
    return "application/json", json.dumps({"response_token": _signature(secret, token.encode("utf-8", "replace"))})


def signed(body: bytes, headers: Mapping[str, str], secrets: Mapping[str, str]) -> bool:
    secret = secrets.get("consumer_secret", "")
    given = headers.get("x-twitter-webhooks-signature", "")
    return bool(secret) and hmac.compare_digest(_signature(secret, body).encode(), given.encode("utf-8", "replace"))


def _signature(secret: str, body: bytes) -> str:
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    return "sha256=" + base64.b64encode(digest).decode()


def subscribe(client: Client, user_id: str, callback_url: str) -> None:
    """Asks for all that concerns the account of that id; what is there already is not asked for twice. Raises
    NetworkError."""
    webhook_id = _webhook(client, callback_url)
    there = {
        (one.get("event_type"), values.mapping(one.get("filter")).get("user_id"), one.get("webhook_id"))
        for one in client.request("GET", "/2/activity/subscriptions")
    }
    for event_type in PUSHED:
        if (event_type, user_id, webhook_id) not in there:
            _subscribe_to(client, user_id, event_type, webhook_id)


def _webhook(client: Client, callback_url: str) -> str:
    """The id of the webhook at that address, made or made valid again where needed."""
    known = client.request("GET", "/2/webhooks", app=True)
    found = next((one for one in known if one.get("url") == callback_url), None)
    if found is None:
        found = next(iter(client.request("POST", "/2/webhooks", {"url": callback_url}, app=True)), {})
    elif found.get("valid") is not True:
        client.request("PUT", f"/2/webhooks/{values.digits(found.get('id'))}", app=True)
    webhook_id = values.digits(found.get("id"))
    if not webhook_id:
        raise NetworkError(_("X did not register the webhook."), Trouble.TEMPORARY, code="webhook")
    return webhook_id


def _subscribe_to(client: Client, user_id: str, event_type: str, webhook_id: str) -> None:
    asked = {
        "event_type": event_type,
        "filter": {"user_id": user_id},
        "tag": event_type,
        "webhook_id": webhook_id,
    }
    try:
        client.request("POST", "/2/activity/subscriptions", asked)
    except NetworkError as problem:
        # An event that this access does not offer, or one that is subscribed already: polling still brings it.
        if problem.trouble != Trouble.PERMANENT:
            raise
