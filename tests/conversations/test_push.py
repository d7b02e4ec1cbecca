"""Notifications in browsers nobody looks at: who gets them, once, and how they end."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Iterator
from datetime import timedelta
from unittest.mock import Mock

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.test import Client
from django.utils import timezone

from accounts.models import User
from channels_ingest import webpush
from channels_ingest.models import Channel
from channels_ingest.webpush import NotSent, Subscription
from conversations import actions, push
from conversations.models import Notification, PushSubscription, Thread
from conversations.record import record
from tests.cast import MAYA, said
from tests.channels_ingest.test_webpush import BROWSER, decoded
from tests.conftest import BrowserOf
from tests.networks.played import Answer, Stage, staged

pytestmark = pytest.mark.django_db

GIVEN = {"endpoint": BROWSER.endpoint, "p256dh": BROWSER.p256dh, "auth": BROWSER.auth}


@pytest.fixture
def ben(colleague: User, browser_of: BrowserOf) -> Client:
    """A colleague whose browser shows notifications."""
    browser = browser_of(colleague)
    assert browser.post("/profile/push/", GIVEN).status_code == 204
    return browser


@pytest.fixture
def pushed(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    """What push servers were given."""
    taken: list[dict[str, str]] = []
    monkeypatch.setattr(webpush, "send", lambda to, message: taken.append(message))
    return taken


@pytest.fixture
def note(channel: Channel, agent: User, ben: Client) -> Thread:
    """A note that calls the colleague."""
    record(channel, [said("1", MAYA, "My number is secret")])
    thread = Thread.objects.get()
    actions.write_note(thread, by=agent, text="@Ben, and a secret")
    return thread


def test_a_thread_of_ones_team_is_not_pushed(
    note: Thread, agent: User, colleague: User, pushed: list[dict[str, str]]
) -> None:
    Notification.objects.update(kind="given")
    assert (push.push_due(timezone.now()), pushed) == (0, [])


def test_a_mention_is_pushed_once_and_says_nothing_of_what_was_said(note: Thread, pushed: list[dict[str, str]]) -> None:
    assert [push.push_due(timezone.now()) for _time in range(2)] == [1, 0]
    (message,) = pushed
    assert message["body"] == "Ana mentions you in a note about Maya Keller."
    assert message["url"].startswith(f"/threads/{note.pk}/")
    assert "secret" not in str(message)


@pytest.fixture
def died(note: Thread, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker died with a push in its hands."""
    with monkeypatch.context() as trap:
        trap.setattr(webpush, "send", Mock(side_effect=SystemExit))
        with pytest.raises(SystemExit):
            push.push_due(timezone.now())


def test_what_a_worker_died_with_is_pushed_when_its_lease_is_over(died: None, pushed: list[dict[str, str]]) -> None:
    before = push.push_due(timezone.now())
    Notification.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    after = [push.push_due(timezone.now()) for _time in range(2)]
    assert (before, after, len(pushed)) == (0, [1, 0], 1)


def test_what_a_worker_died_with_is_not_pushed_when_it_is_old(died: None, pushed: list[dict[str, str]]) -> None:
    Notification.objects.update(lease_until=None)
    assert push.push_due(timezone.now() + timedelta(hours=2)) == 0


def test_what_was_read_is_not_pushed(note: Thread, colleague: User, pushed: list[dict[str, str]]) -> None:
    actions.mark_seen(note, by=colleague)
    assert push.push_due(timezone.now()) == 0


def test_who_left_the_brand_gets_no_push_about_it(note: Thread, colleague: User, pushed: list[dict[str, str]]) -> None:
    colleague.brands.clear()
    assert push.push_due(timezone.now()) == 0


def test_a_kind_that_is_switched_off_is_not_pushed(
    channel: Channel, agent: User, colleague: User, ben: Client, pushed: list[dict[str, str]]
) -> None:
    User.objects.filter(pk=colleague.pk).update(muted=["mention"])
    record(channel, [said("1", MAYA)])
    actions.write_note(Thread.objects.get(), by=agent, text="@Ben")
    assert push.push_due(timezone.now()) == 0


def test_what_was_switched_off_since_is_not_pushed(note: Thread, colleague: User, pushed: list[dict[str, str]]) -> None:
    User.objects.filter(pk=colleague.pk).update(muted=["mention"])
    assert push.push_due(timezone.now()) == 0


def test_signing_out_ends_it(note: Thread, ben: Client, pushed: list[dict[str, str]]) -> None:
    ben.post("/sign-out/")
    assert push.push_due(timezone.now()) == 0
    assert not PushSubscription.objects.exists()


def test_a_new_password_ends_it_in_the_browsers_that_it_signs_out(
    note: Thread, colleague: User, pushed: list[dict[str, str]]
) -> None:
    colleague.set_password("another-1")
    colleague.save()
    assert (push.push_due(timezone.now()), PushSubscription.objects.count()) == (0, 0)


def test_a_browser_is_told_whether_its_session_is_pushed_to(
    ben: Client, colleague: User, browser_of: BrowserOf
) -> None:
    browsers = (ben, browser_of(colleague))
    assert [one.get("/notifications/count/").json()["pushed"] for one in browsers] == [True, False]


def test_it_is_switched_off(note: Thread, ben: Client, pushed: list[dict[str, str]]) -> None:
    ben.post("/profile/push/removal/", {"endpoint": BROWSER.endpoint})
    assert push.push_due(timezone.now()) == 0


def test_a_browser_of_a_colleague_is_not_switched_off(ben: Client, agent: User, browser_of: BrowserOf) -> None:
    browser_of(agent).post("/profile/push/removal/", {"endpoint": BROWSER.endpoint})
    assert PushSubscription.objects.count() == 1


def test_a_subscription_that_is_gone_is_forgotten_and_a_failing_one_given_up(
    note: Thread, agent: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(to: Subscription, message: dict[str, str]) -> None:
        raise NotSent("answered 410", gone=gone)

    monkeypatch.setattr(webpush, "send", refuse)
    gone = False
    push.push_due(timezone.now())
    assert PushSubscription.objects.get().failures == 1
    gone = True
    push.push_due(timezone.now() + timedelta(minutes=5))
    assert not PushSubscription.objects.exists()


# -- a push service on loopback, and what a browser reads of it --------------------------------------------------------


class Reader:
    """A browser: its keys, and how it opens what comes (RFC 8291 by its own words, none of the sender's code)."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.point = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self.auth = bytes(range(16))

    def opened(self, body: bytes) -> dict[str, str]:
        salt, size, length = body[:16], int.from_bytes(body[16:20], "big"), body[20]
        theirs, sealed = body[21 : 21 + length], body[21 + length :]
        assert len(sealed) <= size
        shared = self.key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), theirs))
        secret = self._expanded(shared, self.auth, b"WebPush: info\0" + self.point + theirs, 32)
        key = self._expanded(secret, salt, b"Content-Encoding: aes128gcm\0", 16)
        nonce = self._expanded(secret, salt, b"Content-Encoding: nonce\0", 12)
        words = AESGCM(key).decrypt(nonce, sealed, None).rstrip(b"\0")
        assert words.endswith(b"\x02")  # the mark of the last record
        message: dict[str, str] = json.loads(words[:-1])
        return message

    @staticmethod
    def _expanded(material: bytes, salt: bytes, info: bytes, length: int) -> bytes:
        prepared = hmac.digest(salt, material, "sha256")
        return hmac.digest(prepared, info + b"\x01", "sha256")[:length]


@pytest.fixture
def reader() -> Reader:
    return Reader()


@pytest.fixture
def service(note: Thread, reader: Reader, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """The colleague's browser is reached by a push service on this machine."""
    monkeypatch.setattr(webpush, "INSIDE", True)
    written = [base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in (reader.point, reader.auth)]
    with staged() as stage:
        address = f"{stage.base_url}/push/one"
        PushSubscription.objects.update(endpoint=address, p256dh=written[0], auth=written[1])
        yield stage


def test_the_browser_reads_what_its_push_service_was_given(note: Thread, service: Stage, reader: Reader) -> None:
    service.play(Answer(status=201))
    assert push.push_due(timezone.now()) == 1
    (asked,) = service.asked
    message = reader.opened(asked.body)
    assert (message["body"], message["title"]) == ("Ana mentions you in a note about Maya Keller.", "Social CRM")
    assert message["url"].startswith(f"/threads/{note.pk}/")
    assert (asked.method, asked.path, asked.headers["content-encoding"]) == ("POST", "/push/one", "aes128gcm")
    assert int(asked.headers["ttl"]) > 0


def test_its_push_service_sees_who_sends_and_until_when(service: Stage) -> None:
    service.play(Answer(status=201))
    push.push_due(timezone.now())
    token, key = (part.split("=", 1)[1] for part in service.asked[0].headers["authorization"][6:].split(", "))
    signed, _dot, signature = token.rpartition(".")
    head, claims = (json.loads(decoded(part)) for part in signed.split("."))
    r, s = (int.from_bytes(half, "big") for half in (decoded(signature)[:32], decoded(signature)[32:]))
    sender = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), decoded(key))
    sender.verify(encode_dss_signature(r, s), signed.encode(), ec.ECDSA(SHA256()))
    assert (head["alg"], claims["aud"], key) == ("ES256", service.base_url, webpush.public_key())
    assert (claims["sub"].startswith("mailto:"), 0 < claims["exp"] - time.time() <= 24 * 3600) == (True, True)


def test_a_push_service_that_asks_to_wait_is_left_alone_and_loses_nothing(service: Stage) -> None:
    service.play(Answer(status=429, headers={"retry-after": "600"}), Answer(status=201))
    now = timezone.now()
    pushed = [push.push_due(now + timedelta(minutes=after)) for after in (0, 1, 9, 11, 12)]
    assert (pushed, len(service.asked)) == ([0, 0, 0, 1, 0], 2)
    assert PushSubscription.objects.get().failures == 0


def test_a_push_service_that_fails_is_asked_less_and_less_often(service: Stage) -> None:
    service.play(Answer(status=503))
    now = timezone.now()
    for minutes in range(30):
        push.push_due(now + timedelta(minutes=minutes))
    assert (len(service.asked), PushSubscription.objects.get().failures) == (4, 4)


@pytest.mark.parametrize(("status", "left"), [(404, 0), (410, 0), (429, 1), (500, 1)])
def test_only_a_subscription_that_is_gone_is_removed(service: Stage, status: int, left: int) -> None:
    service.play(Answer(status=status))
    assert push.push_due(timezone.now()) == 0
    assert (PushSubscription.objects.count(), len(service.asked)) == (left, 1)


def test_what_is_no_subscription_is_refused(agent: User, browser_of: BrowserOf) -> None:
    assert browser_of(agent).post("/profile/push/", GIVEN | {"endpoint": "http://10.0.0.1/"}).status_code == 422
