"""What X's refusals mean: problem+json with `title`, `detail`, `type`, and rate-limit headers."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from channels_ingest.networks import http
from channels_ingest.networks.base import NetworkError, Trouble
from channels_ingest.networks.parts import values
from channels_ingest.networks.parts.values import Obj

if TYPE_CHECKING:
    import requests

WINDOW = timedelta(minutes=15)  # every rate limit of X but the daily ones

_SUSPENDED = re.compile(r"your account\b.*\b(?:suspended|locked)", re.IGNORECASE | re.DOTALL)
_SCOPE = re.compile(
    r"scope|oauth.?1 app permissions|not permitted to access this endpoint|app permissions", re.IGNORECASE
)


def refusal(answer: requests.Response) -> NetworkError | None:
    """What is wrong with an answer; None when it can be read."""
    try:
        body = values.parse_json(answer.content)
    except ValueError:
        body = None
    if 200 <= answer.status_code < 300:
        return None if isinstance(body, dict) else http.broken_answer(answer)
    if answer.status_code >= 500:
        return http.server_failure(answer)
    return _refused(answer, values.mapping(body))


def _refused(answer: requests.Response, body: Obj) -> NetworkError:
    words = _words(body) or f"{answer.status_code} {answer.reason or ''}".strip()
    kind = str(body.get("type", "")).rsplit("/", 1)[-1][:60]
    match answer.status_code:
        case 429:
            return _too_many(answer, words, kind)
        case 401:
            return _broken(words, "401", _("X no longer accepts this access. Connect the account again."))
        case 403:
            return _forbidden(answer, words, kind)
        case 408 | 425:
            return NetworkError(words, Trouble.TEMPORARY, ambiguous=http.writes(answer.request), code="408")
        case status:
            return NetworkError(words, Trouble.PERMANENT, code=kind if kind not in ("", "about:blank") else str(status))


def _words(body: Obj) -> str:
    inner = next(values.objects(body.get("errors")), {})
    oauth = body.get("error_description")
    found = (body.get("detail"), inner.get("message"), inner.get("detail"), oauth, body.get("title"))
    return next((values.text(one, 500) for one in found if isinstance(one, str) and one), "")


def _broken(words: str, code: str, advice: str) -> NetworkError:
    return NetworkError(words, Trouble.BROKEN, code=code, advice=advice)


def _too_many(answer: requests.Response, words: str, kind: str) -> NetworkError:
    if kind == "usage-capped":
        advice = _("The app has used up its monthly allowance at X. Raise the cap in X's developer console.")
        return _broken(words, kind, advice)
    headers = answer.headers
    wait = _daily_wait(answer) or http.wait_until(headers.get("x-rate-limit-reset"), headers)
    return NetworkError(words, Trouble.TEMPORARY, retry_after=wait or http.asked_wait(headers) or WINDOW, code="429")


def _daily_wait(answer: requests.Response) -> timedelta | None:
    headers = answer.headers
    for who in ("user", "app"):
        if headers.get(f"x-{who}-limit-24hour-remaining") == "0":
            return http.wait_until(headers.get(f"x-{who}-limit-24hour-reset"), headers)
    return None


def _forbidden(answer: requests.Response, words: str, kind: str) -> NetworkError:
    if "duplicate content" in words.lower():
        return NetworkError(words, Trouble.PERMANENT, duplicate=True, code="duplicate")
    if kind in ("client-forbidden", "unsupported-authentication"):
        return _broken(words, kind, _("X's developer console does not give this app access to what was asked."))
    if _SUSPENDED.search(words):
        return _broken(words, "suspended", _("X has locked or suspended this account. Sign in at x.com to see why."))
    if _SCOPE.search(words) or not http.writes(answer.request):
        advice = _("The access lacks a permission. Connect the account again and allow reading, writing and messages.")
        return _broken(words, "scope", advice)
    return NetworkError(words, Trouble.PERMANENT, code=kind if kind not in ("", "about:blank") else "403")
