"""What Graph's refusals mean. https://developers.facebook.com/docs/graph-api/guides/error-handling"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from channels_ingest.networks import http
from channels_ingest.networks.base import NetworkError, Trouble
from channels_ingest.networks.parts import values
from channels_ingest.networks.parts.values import Obj

if TYPE_CHECKING:
    import requests

TRANSIENT = {1, 2}
THROTTLED = {4, 17, 32, 341, 613, *range(80_000, 80_015)}
HOURLY = {4, 17, 32}  # counted over an hour that slides
OUTSIDE_WINDOW = {2018278, 1545041}
PAGE_RESTRICTED = 1893063
DUPLICATE = {506}

_WINDOW_WORDS = re.compile(r"outside (?:of )?(?:the )?allowed window", re.IGNORECASE)


def refusal(answer: requests.Response) -> NetworkError | None:
    """What is wrong with an answer; None when it can be read. Also makes JSON known as JSON: Graph calls some of its
    answers javascript, and facebook-sdk then does not read them."""
    try:
        body: Any = values.parse_json(answer.content)
    except ValueError:
        body = None
    error = body.get("error") if isinstance(body, dict) else None
    if isinstance(error, dict):
        return _refused(answer, error)
    if answer.status_code >= 500:
        return http.server_failure(answer)
    if not 200 <= answer.status_code < 300:
        return _without_words(answer)
    if error or not (isinstance(body, dict) or body is True):
        return http.broken_answer(answer)
    answer.headers["content-type"] = "application/json"
    return None


def _without_words(answer: requests.Response) -> NetworkError:
    words = f"{answer.status_code} {answer.reason or ''}".strip()
    if answer.status_code == 429:
        return NetworkError(words, Trouble.TEMPORARY, retry_after=http.asked_wait(answer.headers), code="429")
    if answer.status_code == 401:
        return NetworkError(words, Trouble.BROKEN, code="401", advice=_reconnect())
    return NetworkError(words, Trouble.PERMANENT, code=str(answer.status_code))


def _refused(answer: requests.Response, error: Obj) -> NetworkError:
    number, subcode = values.count(error.get("code")) or 0, values.count(error.get("error_subcode")) or 0
    words = values.text(error.get("message"), 500) or f"Graph error {number}"
    code = f"{number}/{subcode}" if subcode else str(number)
    writing = http.writes(answer.request)
    if number in THROTTLED or answer.status_code == 429:
        return NetworkError(words, Trouble.TEMPORARY, retry_after=_wait(answer, number), code=code)
    if number in TRANSIENT or answer.status_code >= 500 or error.get("is_transient") is True:
        return NetworkError(words, Trouble.TEMPORARY, ambiguous=writing, code=code)
    if _is_outside_window(words, subcode):
        return NetworkError(words, Trouble.PERMANENT, code=code)
    advice = _advice(number, subcode, writing)
    if advice:
        return NetworkError(words, Trouble.BROKEN, code=code, advice=advice)
    return NetworkError(words, Trouble.PERMANENT, duplicate=number in DUPLICATE, code=code)


def _is_outside_window(words: str, subcode: int) -> bool:
    return subcode in OUTSIDE_WINDOW or bool(_WINDOW_WORDS.search(words))


def _reconnect() -> str:
    return _("Facebook no longer accepts this access. Connect the Page again.")


def _advice(number: int, subcode: int, writing: bool) -> str:
    """What an admin can do about a channel that is broken; "" where it is not."""
    if number in (102, 190):
        return _token_advice(subcode)
    if subcode == PAGE_RESTRICTED:
        return _("Facebook has restricted this Page for a time. Its support inbox says why.")
    if number in (3, 10) or 200 <= number <= 299:
        return _("The access lacks a permission. Connect the Page again and allow everything that is asked for.")
    if number == 368 and not writing:
        return _("Facebook has blocked this Page or app. Its support inbox says why.")
    return ""


def _token_advice(subcode: int) -> str:
    reasons = {
        458: _("The app was removed from the account. Connect the Page again."),
        460: _("The password of the person who connected the Page was changed. Connect the Page again."),
        463: _("The access has run out. Connect the Page again."),
        464: _("The person who connected the Page must confirm their account. Then connect the Page again."),
        467: _("The person who connected the Page signed out everywhere. Connect the Page again."),
        492: _("The person who connected the Page no longer has a role on it. Connect the Page as someone who has."),
    }
    return reasons.get(subcode, _reconnect())


# -- waiting --------------------------------------------------------------------------------------------------------


def _wait(answer: requests.Response, number: int) -> timedelta:
    usual = timedelta(minutes=15) if number in HOURLY or number >= 80_000 else timedelta(minutes=1)
    return _regained_in(answer) or http.asked_wait(answer.headers) or usual


def _regained_in(answer: requests.Response) -> timedelta | None:
    """The longest `estimated_time_to_regain_access` (minutes) in the usage headers."""
    waits = [0]
    for name in ("x-business-use-case-usage", "x-ad-account-usage"):
        waits += _minutes(answer.headers.get(name, ""))
    return http.sane_wait(max(waits) * 60) if max(waits) else None


def _minutes(header: str) -> list[int]:
    try:
        usage = values.parse_json(header.encode()) if header else {}
    except ValueError:
        return []
    rows = [row for rows in values.mapping(usage).values() for row in values.objects(rows)]
    return [values.count(row.get("estimated_time_to_regain_access")) or 0 for row in rows]
