"""The picture proxy: what it hands on, and where it never goes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from django.template import Context, Template
from django.urls import reverse
from pytest_django import Settings

from accounts.models import User
from channels_ingest import media
from tests.conftest import BrowserOf

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40
SVG = b"<svg xmlns='http://www.w3.org/2000/svg'/>"


class Place(BaseHTTPRequestHandler):
    """A web server on this machine that plays the public internet."""

    seen: list[str]
    pace = threading.Event()  # never set

    def do_GET(self) -> None:
        self.seen.append(self.headers["Host"] + self.path)
        match self.path:
            case "/png":
                self._answer(PNG, "image/png")
            case "/liar":
                self._answer(b"<script>alert(1)</script>", "image/png")
            case "/svg":
                self._answer(SVG, "image/svg+xml")
            case "/large":
                self._answer(PNG + b"x" * media.MOST_BYTES, "image/png")
            case "/missing":
                self._answer(PNG, "image/png", status=404)
            case "/drip":
                self._drip()
            case "/cookies":
                self._answer(
                    PNG if "Cookie" not in self.headers and "Referer" not in self.headers else b"", "image/png"
                )
            case _ if self.path.startswith("/to/"):
                self._redirect(self.path.removeprefix("/to/"))

    def _answer(self, body: bytes, content_type: str, *, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Set-Cookie", "track=1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _redirect(self, where: str) -> None:
        self.send_response(302)
        self.send_header("Location", where)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _drip(self) -> None:
        self.send_response(200)
        self.end_headers()
        try:
            for _ in range(600):
                self.wfile.write(b"\x89")
                self.wfile.flush()
                self.pace.wait(0.05)
        except OSError:
            return

    def log_message(self, *_: object) -> None:
        """Silent."""


@contextmanager
def served() -> Iterator[tuple[int, list[str]]]:
    seen: list[str] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Here", (Place,), {"seen": seen}))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server.server_port, seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def place() -> Iterator[tuple[int, list[str]]]:
    with served() as here:
        yield here


Internet = Callable[[str], str]


@pytest.fixture
def internet(place: tuple[int, list[str]], monkeypatch: pytest.MonkeyPatch) -> Internet:
    """`internet("http://pictures.example/png")`: that host, seemingly public, is the server of this test."""
    port, _ = place
    monkeypatch.setitem(media.PORTS, "http", port)
    monkeypatch.setattr(media, "resolve", lambda host, _port: ["127.0.0.1"] if host.endswith(".example") else [host])
    monkeypatch.setattr(
        media, "is_public", lambda address, real=media.is_public: address == "127.0.0.1" or real(address)
    )
    return lambda url: url


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.1", "224.0.0.1",
        "255.255.255.255", "192.0.2.1", "198.18.0.1", "::1", "::", "fe80::1", "fd00::1", "ff02::1", "::ffff:127.0.0.1",
        "::ffff:8.8.8.8", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:db8::1", "2001:0:7f00:1::", "not an address", "",
    ],
)  # fmt: skip
def test_no_address_that_is_not_public_is_called(address: str) -> None:
    assert not media.is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111"])
def test_public_addresses_are(address: str) -> None:
    assert media.is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/png", "http://localhost/png", "http://[::1]/", "http://2130706433/", "http://0x7f.1/",
        "http://169.254.169.254/latest/meta-data/", "http://user:secret@pictures.example/", "ftp://pictures.example/",
        "file:///etc/passwd", "http:///png", "http://8.8.8.8:22/", "https://[bad", "http://exa mple/", "javascript:1",
    ],
)  # fmt: skip
def test_hostile_addresses_are_refused(url: str) -> None:
    with pytest.raises(media.Unfetchable):
        media.fetch(url)


def test_a_host_with_one_private_address_among_public_ones_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "resolve", lambda _host, _port: ["8.8.8.8", "10.0.0.1"])
    with pytest.raises(media.Unfetchable, match="not a public host"):
        media.fetch("http://pictures.example/png")


def test_the_connection_goes_to_the_checked_address(internet: Internet, place: tuple[int, list[str]]) -> None:
    picture = media.fetch(internet("http://pictures.example/png"))
    assert (picture.content_type, picture.content) == ("image/png", PNG)
    assert place[1] == ["pictures.example/png"]


def test_a_redirect_to_another_public_picture_is_followed(internet: Internet) -> None:
    assert media.fetch(internet("http://a.example/to/http://b.example/png")).content == PNG


@pytest.mark.parametrize("inner", ["http://10.0.0.1/png", "http://169.254.169.254/", "file:///etc/passwd", "//[::1]/"])
def test_a_redirect_leads_into_no_private_network(internet: Internet, inner: str) -> None:
    with pytest.raises(media.Unfetchable):
        media.fetch(internet(f"http://a.example/to/{inner}"))


def test_redirects_come_to_an_end(internet: Internet) -> None:
    with pytest.raises(media.Unfetchable, match="too many redirects"):
        media.fetch(internet("http://a.example" + "/to/http://a.example" * 5 + "/png"))


@pytest.mark.parametrize(
    ("path", "reason"),
    [("liar", "not a picture"), ("svg", "not a picture"), ("large", "too large"), ("missing", "404")],
)
def test_only_pictures_of_a_sane_size_are_handed_on(internet: Internet, path: str, reason: str) -> None:
    with pytest.raises(media.Unfetchable, match=reason):
        media.fetch(internet(f"http://a.example/{path}"))


def test_a_host_that_drips_is_cut_off(internet: Internet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "WHOLE_SECONDS", 0.5)
    started = time.monotonic()
    with pytest.raises(media.Unfetchable):
        media.fetch(internet("http://a.example/drip"))
    assert time.monotonic() - started < 3


def test_no_cookie_and_no_referrer_is_sent(internet: Internet) -> None:
    assert media.fetch(internet("http://a.example/cookies")).content == PNG


def test_the_sandbox_is_the_one_loopback_place_allowed(place: tuple[int, list[str]], settings: Settings) -> None:
    settings.SANDBOX_URL = f"http://127.0.0.1:{place[0]}"
    assert media.fetch(f"http://127.0.0.1:{place[0]}/svg").content_type == "image/svg+xml"


@pytest.mark.parametrize("origin", ["http://localhost:{}", "http://127.0.0.2:{}", "http://127.0.0.1:{}.evil.example"])
def test_only_the_sandboxs_exact_origin_is_allowed(
    place: tuple[int, list[str]], settings: Settings, origin: str
) -> None:
    settings.SANDBOX_URL = f"http://127.0.0.1:{place[0]}"
    with pytest.raises(media.Unfetchable):
        media.fetch(origin.format(place[0]) + "/png")


def test_nobody_is_redirected_into_the_sandbox(
    internet: Internet, place: tuple[int, list[str]], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served() as (port, seen):
        settings.SANDBOX_URL = f"http://127.0.0.1:{port}"
        with pytest.raises(media.Unfetchable):
            media.fetch(internet(f"http://a.example/to/http://127.0.0.1:{port}/png"))
        assert seen == []


@pytest.mark.django_db
class TestThePage:
    def test_a_picture_of_our_pages_is_shown_once_per_hour_to_each_browser(
        self, agent: User, browser_of: BrowserOf, internet: Internet
    ) -> None:
        answer = browser_of(agent).get(media.proxied(internet("http://a.example/png")))
        assert (answer.status_code, answer.headers["Content-Type"], answer.content) == (200, "image/png", PNG)
        assert answer.headers["Cache-Control"] == "private, max-age=3600"

    def test_what_is_shown_can_run_nothing(self, agent: User, browser_of: BrowserOf, internet: Internet) -> None:
        answer = browser_of(agent).get(media.proxied(internet("http://a.example/png")))
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "track" not in answer.cookies

    @pytest.mark.parametrize("signed", ["", "http://a.example/png", "http://a.example/png:forged", "\0"])
    def test_an_address_that_we_did_not_sign_is_not_fetched(
        self, agent: User, browser_of: BrowserOf, place: tuple[int, list[str]], internet: Internet, signed: str
    ) -> None:
        assert browser_of(agent).get(reverse("media"), {"u": signed}).status_code == 404
        assert place[1] == []

    def test_a_picture_that_cannot_be_had_is_a_404(
        self, agent: User, browser_of: BrowserOf, internet: Internet
    ) -> None:
        assert browser_of(agent).get(media.proxied(internet("http://a.example/liar"))).status_code == 404

    def test_a_full_house_asks_to_come_again(
        self, agent: User, browser_of: BrowserOf, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(media, "WAIT_SECONDS", 0.01)
        monkeypatch.setattr(media, "_places", threading.BoundedSemaphore(1))
        client, address = browser_of(agent), media.proxied("http://a.example/png")
        with media._a_place():
            assert client.get(address).status_code == 503


def test_the_tag_gives_our_own_address_for_a_picture() -> None:
    words = Template("{% load media %}{% proxied url as src %}{{ src }}").render(
        Context({"url": "https://a.example/1"})
    )
    assert urlsplit(words).path == reverse("media")
    assert parse_qs(urlsplit(words).query)["u"][0].startswith("https://a.example/1:")


@pytest.mark.parametrize("url", ["", None, "javascript:alert(1)", "data:image/png;base64,x", "//a.example/1"])
def test_the_tag_gives_nothing_for_what_is_no_web_address(url: str | None) -> None:
    assert Template("{% load media %}{% proxied url %}").render(Context({"url": url})) == ""
