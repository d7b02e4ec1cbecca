"""Pictures of strangers, fetched by us: browsers never speak to the places that posts name.

Only addresses that we put into a page ourselves (they are signed) are fetched, only from public hosts, and only
pictures are handed on. A host is resolved once, every address is checked, and the connection goes to the checked
address: an answer that changes between the look-up and the call changes nothing. Each redirect is held to the same.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlencode, urljoin, urlsplit

from django.conf import settings
from django.core import signing
from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.access import signed_in

if TYPE_CHECKING:
    from accounts.access import SignedIn

MOST_BYTES = 8 * 1024 * 1024
MOST_REDIRECTS = 3
CONNECT_SECONDS = 4
WHOLE_SECONDS = 12
MOST_AT_ONCE = 4  # fetches per process, so that slow hosts cannot take all its threads
WAIT_SECONDS = 3  # for a place among them
KEPT_SECONDS = 3600  # by the browser; short, because a post may be deleted
PORTS = {"http": 80, "https": 443}

_signer = signing.Signer(salt="channels_ingest.media")
_places = threading.BoundedSemaphore(MOST_AT_ONCE)


class Unfetchable(Exception):
    """There is no picture to be had from there; the message says why."""


@dataclass(frozen=True, slots=True)
class Picture:
    content_type: str
    content: bytes


# -- addresses --------------------------------------------------------------------------------------------------------


def proxied(url: str) -> str:
    """The address under which our pages show the picture at `url`; empty for anything but http and https."""
    if not url.startswith(("https://", "http://")):
        return ""
    return f"{reverse('media')}?{urlencode({'u': _signer.sign(url)})}"


@signed_in
@require_safe
def show(request: SignedIn) -> HttpResponse:
    """The picture at a signed address; 404 where there is none to be had."""
    try:
        url = _signer.unsign(request.GET.get("u", ""))
        with _a_place():
            picture = fetch(url)
    except (signing.BadSignature, Unfetchable):
        return _answer(HttpResponse(status=404), seconds=300)
    except _Full:
        return HttpResponse(status=503, headers={"Retry-After": "5"})
    return _answer(HttpResponse(picture.content, content_type=picture.content_type), seconds=KEPT_SECONDS)


def _answer(response: HttpResponse, *, seconds: int) -> HttpResponse:
    response.headers["Cache-Control"] = f"private, max-age={seconds}"
    response.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers["Content-Disposition"] = "inline"
    return response


class _Full(Exception):
    """As many pictures are being fetched as may be."""


@contextmanager
def _a_place() -> Iterator[None]:
    if not _places.acquire(timeout=WAIT_SECONDS):
        raise _Full
    try:
        yield
    finally:
        _places.release()


# -- fetching ---------------------------------------------------------------------------------------------------------


def fetch(url: str) -> Picture:
    """The picture at `url`. Raises Unfetchable. Lasts WHOLE_SECONDS at most, redirects included."""
    ends_at = time.monotonic() + WHOLE_SECONDS
    from_sandbox = _is_sandbox(url)
    for _ in range(MOST_REDIRECTS + 1):
        status, headers, content = _get(url, inside=from_sandbox, ends_at=ends_at)
        if status not in (301, 302, 303, 307, 308):
            break
        url = urljoin(url, headers.get("Location") or "")
        from_sandbox = False  # only an address of our own pages may lead there, never somebody's redirect
    else:
        raise Unfetchable("too many redirects")
    if status != 200:
        raise Unfetchable(f"answered {status}")
    content_type = sniff(content)
    if not content_type and from_sandbox and headers.get_content_type() == "image/svg+xml":
        content_type = "image/svg+xml"
    if not content_type:
        raise Unfetchable("not a picture")
    return Picture(content_type, content)


def _is_sandbox(url: str) -> bool:
    """Whether the address is on the sandbox's own origin: the one loopback place that is allowed."""
    if not settings.SANDBOX_URL:
        return False
    asked, ours = urlsplit(url), urlsplit(settings.SANDBOX_URL)
    return (asked.scheme, asked.netloc) == (ours.scheme, ours.netloc)


def sniff(content: bytes) -> str:
    """The media type of a picture by its first bytes; empty for everything else, whatever it calls itself."""
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    if content[4:12] in (b"ftypavif", b"ftypavis"):
        return "image/avif"
    return ""


def _get(url: str, *, inside: bool, ends_at: float) -> tuple[int, http.client.HTTPMessage, bytes]:
    headers = {"Accept": "image/*", "User-Agent": "social-crm-media/1"}
    return _call("GET", url, headers, inside=inside, ends_at=ends_at)


def post(
    url: str, body: bytes, headers: dict[str, str], *, inside: bool = False
) -> tuple[int, http.client.HTTPMessage]:
    """Hands something to a foreign place, held to the same rules; the status and the headers of its answer. Raises
    Unfetchable."""
    status, answered, _content = _call(
        "POST", url, headers, body, inside=inside, ends_at=time.monotonic() + WHOLE_SECONDS
    )
    return status, answered


def _call(
    method: str, url: str, headers: dict[str, str], body: bytes | None = None, *, inside: bool, ends_at: float
) -> tuple[int, http.client.HTTPMessage, bytes]:
    asked, host, port = _where(url, inside=inside)
    addresses = resolve(host, port) if inside else _checked(resolve(host, port))
    connection = _Pinned(host, port, addresses, secure=asked.scheme == "https")
    guard = threading.Timer(max(ends_at - time.monotonic(), 0), connection.cut)
    guard.daemon = True
    guard.start()
    try:
        path = (asked.path or "/") + (f"?{asked.query}" if asked.query else "")
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        content = answer.read(MOST_BYTES + 1)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Unfetchable(f"no answer: {type(error).__name__}") from error
    finally:
        guard.cancel()
        connection.close()
    if time.monotonic() > ends_at:
        raise Unfetchable("too slow")
    if len(content) > MOST_BYTES:
        raise Unfetchable("too large")
    return answer.status, answer.headers, content


def _where(url: str, *, inside: bool) -> tuple[SplitResult, str, int]:
    """The parts of an address that may be called: http(s), the scheme's own port, no user in it."""
    try:
        asked = urlsplit(url)
        port = asked.port or PORTS.get(asked.scheme, 0)
        host = (asked.hostname or "").encode("idna").decode()
    except (ValueError, UnicodeError) as error:
        raise Unfetchable("not an address") from error
    if asked.scheme not in PORTS or not host or asked.username or asked.password:
        raise Unfetchable("not a web address")
    if not inside and port != PORTS[asked.scheme]:
        raise Unfetchable("not a web port")
    return asked, host, port


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host. Raises Unfetchable."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unfetchable("unknown host") from error
    return [str(sockaddr[0]) for *_, sockaddr in found]


def _checked(addresses: list[str]) -> list[str]:
    """The same addresses, if every one is public: a host that also names a private one is not to be trusted."""
    if not addresses or not all(is_public(address) for address in addresses):
        raise Unfetchable("not a public host")
    return addresses


_TRANSLATED = tuple(ipaddress.IPv6Network(net) for net in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32"))
_OPEN = ipaddress.IPv6Network("2000::/3")


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the public internet: not private, loopback, link-local, shared, reserved,
    multicast, nor IPv6 that stands for another address."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        return found in _OPEN and found.is_global and not any(found in net for net in _TRANSLATED)
    return found.is_global and not found.is_multicast


class _Pinned(http.client.HTTPConnection):
    """A connection to one of some checked addresses that speaks to (and, by TLS, proves) the host."""

    def __init__(self, host: str, port: int, addresses: list[str], *, secure: bool) -> None:
        super().__init__(host, port, timeout=CONNECT_SECONDS)
        self.default_port = PORTS["https" if secure else "http"]
        self._addresses = addresses
        self._secure = secure
        self._open: socket.socket | None = None  # also while an answer, which takes over `sock`, is being read

    def connect(self) -> None:
        plain = self._dial()
        self.sock = self._open = plain
        if self._secure:
            tls = ssl.create_default_context().wrap_socket(
                plain, server_hostname=self.host, do_handshake_on_connect=False
            )
            self.sock = self._open = tls
            tls.do_handshake()

    def _dial(self) -> socket.socket:
        for address in self._addresses[:-1]:
            try:
                return socket.create_connection((address, self.port), timeout=CONNECT_SECONDS)
            except OSError:
                continue
        return socket.create_connection((self._addresses[-1], self.port), timeout=CONNECT_SECONDS)

    def cut(self) -> None:
        """Ends a call that lasts too long, from another thread."""
        if self._open is not None:
            with suppress(OSError):
                self._open.shutdown(socket.SHUT_RDWR)
