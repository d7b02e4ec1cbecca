"""The one HTTP exit: each client library gets a session from here.

It has time-outs and a limit on what it reads, sends to another origin where one is set (the sandbox), keeps no cookies,
follows no redirects, and turns everything that can go wrong into the one `NetworkError`, with no token in any message
or log line.
"""

from __future__ import annotations

import email.utils
import io
import logging
import os
import re
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter

from accounts.failpoints import failpoint
from channels_ingest.networks.base import FreshToken, NetworkError, Trouble, too_late_to_write
from channels_ingest.networks.parts import values

CONNECT_SECONDS = 5
READ_SECONDS = 20  # between two pieces of an answer
WHOLE_SECONDS = 30  # from the start until the last piece is asked for; with the last read this is LONGEST_CALL
BODY_LIMIT = 16 * 1024 * 1024  # bytes

LONGEST_WAIT = timedelta(hours=24)  # a network that asks for more is not believed
MESSAGE_LIMIT = 500

Refusal = Callable[[requests.Response], NetworkError | None]

_SECRETS = re.compile(
    r"(?i)\b(access_token|appsecret_proof|client_secret|fb_exchange_token|input_token|verify_token|oauth_token|"
    r"oauth_signature|crc_token|refresh_token)([\"']?\s*[=:]\s*[\"']?)[^&\s\"',}]+|\b(Bearer|OAuth|Basic)(\s+)[\w%.~+/=|-]{8,}"
)
_CHATTY = ("urllib3.connectionpool", "tweepy.client", "requests_oauthlib.oauth1_auth", "oauthlib.oauth1.rfc5849")


def redact(words: str, secrets: Iterable[str] = ()) -> str:
    """The words without the given secrets and without anything that looks like a token."""
    for secret in secrets:
        if len(secret) >= 6:
            words = words.replace(secret, "[secret]")
    return _SECRETS.sub(lambda found: f"{found[1] or found[3]}{found[2] or found[4]}[secret]", words)


class _Redacting(logging.Filter):
    """Takes tokens out of what the HTTP libraries log (facebook-sdk puts them into addresses)."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = redact(record.getMessage()), ()
        return True


_REDACTING = _Redacting()
for _name in _CHATTY:
    logging.getLogger(_name).addFilter(_REDACTING)


class RebaseAdapter(HTTPAdapter):
    """Sends every request to `base` (an origin, perhaps with a path before), and raises `NetworkError` alone.

    `refusal` reads an answer and says what is wrong with it, if anything is. `last` is the latest answer. Where
    `fresh_token` is given, a call that was refused for its bearer token (401: nothing was done) is made once more
    with the token that took its place.
    """

    def __init__(
        self, base: str, refusal: Refusal, secrets: Iterable[str] = (), fresh_token: FreshToken | None = None
    ) -> None:
        self.base = urlsplit(base)
        self.refusal = refusal
        self.secrets = tuple(secrets)
        self.fresh_token = fresh_token
        self.last: requests.Response | None = None
        self._replaced: dict[str, str] = {}
        super().__init__()

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        request.url = self._rebased(request.url or "")
        options |= {"stream": True, "timeout": (CONNECT_SECONDS, READ_SECONDS)}
        self._replace_token(request)
        answer = self._judged(request, *args, **options)
        if self._token_refused(request, answer):
            self._renew_token(request)
            answer = self._judged(request, *args, **options)
        if isinstance(answer, NetworkError):
            raise self._clean(answer)
        return answer

    def _judged(
        self, request: requests.PreparedRequest, *args: Any, **options: Any
    ) -> requests.Response | NetworkError:
        answer = self._ask(request, *args, **options)
        if isinstance(answer, NetworkError):
            return answer
        self.last = answer
        return self.refusal(answer) or answer

    # -- a token that ended -----------------------------------------------------------------------------------------

    def _token_refused(self, request: requests.PreparedRequest, answer: requests.Response | NetworkError) -> bool:
        return (
            self.fresh_token is not None
            and isinstance(answer, NetworkError)
            and answer.code == "401"
            and bool(_bearer(request))
        )

    def _renew_token(self, request: requests.PreparedRequest) -> None:
        refused = _bearer(request)
        if self.fresh_token is not None:
            fresh = self.fresh_token(refused)
            self.secrets = (*self.secrets, fresh)
            self._replaced = dict.fromkeys((*self._replaced, refused), fresh)
            self._replace_token(request)

    def _replace_token(self, request: requests.PreparedRequest) -> None:
        fresh = self._replaced.get(_bearer(request))
        if fresh:
            request.headers["Authorization"] = f"Bearer {fresh}"

    def _rebased(self, address: str) -> str:
        asked = urlsplit(address)
        path = self.base.path.rstrip("/") + asked.path
        return urlunsplit((self.base.scheme, self.base.netloc, path, asked.query, ""))

    def _ask(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response | NetworkError:
        # The error is returned, and raised elsewhere, so that it carries no inner error: those quote whole addresses.
        started = time.monotonic()
        try:
            failpoint("http.asking")
            if writes(request) and too_late_to_write():
                return NetworkError("We were held up for too long; nothing was sent.", Trouble.TEMPORARY, code="late")
            answer = super().send(request, *args, **options)
            failpoint("http.answered")
            answer.raw = io.BytesIO(_body(answer, started))
        except (requests.RequestException, urllib3.exceptions.HTTPError) as problem:
            return transport_failure(problem, writes(request))
        return answer

    def _clean(self, failure: NetworkError) -> NetworkError:
        failure.message = values.text(redact(failure.message, self.secrets), MESSAGE_LIMIT)
        failure.args = (failure.message,)
        return failure


def _bearer(request: requests.PreparedRequest) -> str:
    scheme, _, token = str(request.headers.get("Authorization", "")).partition(" ")
    return token if scheme == "Bearer" else ""


def session(
    origin: str, base: str, refusal: Refusal, secrets: Iterable[str], fresh_token: FreshToken | None = None
) -> tuple[requests.Session, RebaseAdapter]:
    """A session that reaches `origin` (where the client library believes it is) by `base`, and nothing else."""
    adapter = RebaseAdapter(base or origin, refusal, secrets, fresh_token)
    found = requests.Session()
    found.trust_env = False  # a .netrc would replace our authorization
    found.verify = os.environ.get("REQUESTS_CA_BUNDLE") or True
    found.proxies.update(requests.utils.get_environ_proxies(base or origin))
    found.adapters.clear()
    found.mount(origin, adapter)
    return found, adapter


def writes(request: requests.PreparedRequest) -> bool:
    """Whether a request changes something on the network."""
    return request.method not in ("GET", "HEAD", "OPTIONS")


def transport_failure(problem: Exception, writing: bool) -> NetworkError:
    """What a broken connection means. A write is ambiguous once the connection stood."""
    if isinstance(problem, requests.exceptions.InvalidURL | requests.exceptions.InvalidSchema):
        return NetworkError("The address of the network is not valid.", Trouble.BROKEN, code="address")
    unsent = _never_connected(problem)
    if isinstance(problem, requests.Timeout | urllib3.exceptions.TimeoutError):
        words, code = "The network did not answer in time.", "timeout"
    elif unsent:
        words, code = "The network cannot be reached.", "unreachable"
    else:
        words, code = "The connection broke before the answer was complete.", "connection"
    return NetworkError(words, Trouble.TEMPORARY, ambiguous=writing and not unsent, code=code)


def _never_connected(problem: Exception) -> bool:
    if isinstance(problem, requests.ConnectTimeout | requests.exceptions.ProxyError | requests.exceptions.SSLError):
        return True
    inner = problem.args[0] if problem.args else None
    reason = inner.reason if isinstance(inner, urllib3.exceptions.MaxRetryError) else inner
    return isinstance(reason, urllib3.exceptions.NewConnectionError | urllib3.exceptions.ConnectTimeoutError)


def _body(answer: requests.Response, started: float) -> bytes:
    """The whole body, unpacked. Raises an urllib3 error when it is too long or too slow."""
    pieces, size = [], 0
    for piece in answer.raw.stream(65_536, decode_content=True):
        pieces.append(piece)
        size += len(piece)
        if size > BODY_LIMIT:
            answer.raw.close()
            raise urllib3.exceptions.ProtocolError("the answer is too long")
        if time.monotonic() - started > WHOLE_SECONDS:
            answer.raw.close()
            raise urllib3.exceptions.TimeoutError("the answer is too slow")
    return b"".join(pieces)


def broken_answer(answer: requests.Response) -> NetworkError:
    """A good status with a body that cannot be read: a write may have been accepted."""
    return NetworkError(
        "The network's answer cannot be read.", Trouble.TEMPORARY, ambiguous=writes(answer.request), code="body"
    )


def server_failure(answer: requests.Response) -> NetworkError:
    """The network itself failed (5xx): a write may have been accepted."""
    return NetworkError(
        f"The network failed ({answer.status_code}).",
        Trouble.TEMPORARY,
        retry_after=asked_wait(answer.headers),
        ambiguous=writes(answer.request),
        code=str(answer.status_code),
    )


def asked_wait(headers: Mapping[str, str]) -> timedelta | None:
    """What `Retry-After` asks for: seconds or a date. None where it asks for nothing sane."""
    asked = headers.get("retry-after", "")
    if asked.strip().isdigit():
        return sane_wait(int(asked[:12]))
    date = _http_date(asked)
    return sane_wait((date - network_now(headers)).total_seconds()) if date else None


def wait_until(epoch: str | None, headers: Mapping[str, str]) -> timedelta | None:
    """The time until `epoch` (seconds since 1970) by the network's own clock. None where it is not sane."""
    if not epoch or not epoch.strip().isdigit():
        return None
    return sane_wait(int(epoch.strip()[:12]) - network_now(headers).timestamp())


def sane_wait(seconds: float) -> timedelta | None:
    """A wait as long as asked, but at least a second; None for what no network can mean (negative, over a day)."""
    if not 0 <= seconds <= LONGEST_WAIT.total_seconds():
        return None
    return timedelta(seconds=max(1, seconds))


def network_now(headers: Mapping[str, str]) -> datetime:
    """The time on the network's clock (its `Date` header), or ours: our own clock may be wrong."""
    return _http_date(headers.get("date", "")) or datetime.now(UTC)


def _http_date(value: str) -> datetime | None:
    try:
        found = email.utils.parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
