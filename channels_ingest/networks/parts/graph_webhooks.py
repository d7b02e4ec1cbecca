"""Facebook's webhooks: shaking hands, telling real ones from others."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping

CHALLENGE = re.compile(r"[\w.-]{1,200}")


def challenge(query: Mapping[str, str], secrets: Mapping[str, str]) -> tuple[str, str] | None:
    ours, given = secrets.get("verify_token", ""), query.get("hub.verify_token", "")
    answer = query.get("hub.challenge", "")
    known = bool(ours) and hmac.compare_digest(ours.encode(), given.encode("utf-8", "replace"))
    if not known or query.get("hub.mode") != "subscribe" or not CHALLENGE.fullmatch(answer):
        return None
    return "text/plain", answer


def signed(body: bytes, headers: Mapping[str, str], secrets: Mapping[str, str]) -> bool:
    secret, given = secrets.get("app_secret", ""), headers.get("x-hub-signature-256", "")
    ours = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return bool(secret) and hmac.compare_digest(ours.encode(), given.encode("utf-8", "replace"))
