"""Web Push: encrypted as the standard's own example, signed by our key, and only to places outside."""

from __future__ import annotations

import base64
import json

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from channels_ingest import webpush
from channels_ingest.models import PushKey
from channels_ingest.webpush import BadSubscription, NotSent, Subscription
from tests.networks.played import Answer, staged

# RFC 8291, appendix A
WORDS = b"When I grow up, I want to be a watermelon"
KEY = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
BROWSER = Subscription(
    "https://push.example.net/push/JzLQ3raZJfFBR0aqvOMsLrt54w4rJUsV",
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
    "BTBZMqHH6r4Tts7J_aSIgg",
)
SALT = "DGv6ra1nlYgDCS1FRnbzlw"
SEALED = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27ml"
    "mlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPT"
    "pK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)


def decoded(words: str) -> bytes:
    return base64.urlsafe_b64decode(words + "=" * (-len(words) % 4))


def test_a_message_is_encrypted_as_the_standards_example() -> None:
    key = ec.derive_private_key(int.from_bytes(decoded(KEY), "big"), ec.SECP256R1())
    assert webpush.encrypted(WORDS, BROWSER, key=key, salt=decoded(SALT)) == decoded(SEALED)


@pytest.mark.django_db
def test_the_key_is_made_once_and_kept_encrypted() -> None:
    first = webpush.public_key()
    assert (webpush.public_key(), PushKey.objects.count(), len(decoded(first))) == (first, 1, 65)
    assert PushKey.objects.get().secrets["vapid"] not in str(PushKey.objects.values_list("secrets", flat=True).query)


@pytest.mark.django_db
def test_a_push_is_signed_for_its_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webpush, "INSIDE", True)
    with staged() as stage:
        stage.play(Answer(status=201))
        webpush.send(Subscription(f"{stage.base_url}/p/1", BROWSER.p256dh, BROWSER.auth), {"body": "Hello"})
        asked = stage.asked[0]
        origin = stage.base_url
    headers = {name.lower(): value for name, value in asked.headers.items()}
    assert (asked.path, headers["content-encoding"], b"Hello" in asked.body) == ("/p/1", "aes128gcm", False)
    token, key = (part.split("=", 1)[1] for part in headers["authorization"].removeprefix("vapid ").split(", "))
    signed, _dot, signature = token.rpartition(".")
    assert json.loads(decoded(signed.split(".")[1]))["aud"] == origin
    assert key == webpush.public_key()
    r, s = (int.from_bytes(part, "big") for part in (decoded(signature)[:32], decoded(signature)[32:]))
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), decoded(key))
    public.verify(utils.encode_dss_signature(r, s), signed.encode(), ec.ECDSA(hashes.SHA256()))


@pytest.mark.django_db
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "169.254.169.254", "[::1]", "10.0.0.7"])
def test_nothing_inside_our_own_network_is_called(host: str) -> None:
    with pytest.raises(NotSent, match="not a public host"):
        webpush.send(Subscription(f"https://{host}/", BROWSER.p256dh, BROWSER.auth), {"body": "Hello"})


@pytest.mark.parametrize(
    "given",
    [
        Subscription("http://push.example.net/1", BROWSER.p256dh, BROWSER.auth),
        Subscription("javascript:alert(1)", BROWSER.p256dh, BROWSER.auth),
        Subscription("https://user@push.example.net/1", BROWSER.p256dh, BROWSER.auth),
        Subscription(BROWSER.endpoint, "AAAA", BROWSER.auth),
        Subscription(BROWSER.endpoint, BROWSER.p256dh, "short"),
        Subscription(BROWSER.endpoint, "é", BROWSER.auth),
        Subscription("", "", ""),
    ],
)
def test_what_is_no_subscription_is_refused(given: Subscription) -> None:
    with pytest.raises(BadSubscription):
        webpush.checked(given)
