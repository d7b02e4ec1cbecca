"""Messages to browsers that are not looking: Web Push (RFC 8030), encrypted (RFC 8291) and signed (RFC 8292).

A push server is a place that a browser named: it is called like any other foreign place, never inside our own network,
and learns neither what is said nor to whom.
"""

from __future__ import annotations

import base64
import json
import secrets
import time
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parseaddr
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from channels_ingest import media
from channels_ingest.models import PushKey
from channels_ingest.networks.http import asked_wait
from channels_ingest.vault import Sealed

CURVE = ec.SECP256R1()
RECORD = 4096  # bytes, the least that every browser takes
LONGEST = RECORD - 86 - 17  # bytes of a message: what the header, the end mark and the tag leave
SIGNED_FOR = timedelta(hours=12)
KEPT_FOR = timedelta(hours=4)  # by the push server, while the browser is away
GONE = (404, 410)
LIMITED = 429
INSIDE = False  # tests speak to a push server of their own


class NotSent(Exception):
    """The push server did not take it. `gone` tells that the subscription is no more; `limited` that too much is sent,
    and `wait` for how long nothing more is welcome, where the server says so.
    """

    def __init__(self, words: str, *, gone: bool = False, limited: bool = False, wait: timedelta | None = None) -> None:
        super().__init__(words)
        self.gone, self.limited, self.wait = gone, limited, wait


class BadSubscription(Exception):
    """What a browser gave is no subscription."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """Where a browser is reached, and its keys, all as it named them (keys in base64url)."""

    endpoint: str
    p256dh: str
    auth: str


def checked(given: Subscription) -> Subscription:
    """The same, if it can be one. Raises BadSubscription."""
    asked = urlsplit(given.endpoint)
    if asked.scheme != "https" or not asked.hostname or asked.username or len(given.endpoint) > 1000:
        raise BadSubscription("The endpoint is no https address.")
    _keys(given)
    return given


def send(to: Subscription, message: dict[str, str]) -> None:
    """Sends a small JSON message. Raises NotSent."""
    words = json.dumps(message, ensure_ascii=False).encode()
    try:
        body = encrypted(words[:LONGEST], to)
    except BadSubscription as error:
        raise NotSent(str(error), gone=True) from error
    headers = {
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "TTL": str(int(KEPT_FOR.total_seconds())),
        "Urgency": "normal",
        "Authorization": _signed(to.endpoint),
    }
    try:
        status, answered = media.post(to.endpoint, body, headers, inside=INSIDE)
    except media.Unfetchable as error:
        raise NotSent(str(error)) from error
    if not 200 <= status < 300:
        wait = asked_wait({name.lower(): value for name, value in answered.items()})
        raise NotSent(f"answered {status}", gone=status in GONE, limited=status == LIMITED, wait=wait)


# -- keys --------------------------------------------------------------------------------------------------------------


def public_key() -> str:
    """Our key as browsers want it: an uncompressed point in base64url. Made once, then kept."""
    return _encoded(_point(_private_key().public_key()))


def _private_key() -> ec.EllipticCurvePrivateKey:
    kept = PushKey.objects.filter(pk=PushKey.ONLY).first()
    if kept is None:
        made = format(ec.generate_private_key(CURVE).private_numbers().private_value, "x")
        PushKey.objects.bulk_create([PushKey(pk=PushKey.ONLY, secrets=Sealed(vapid=made))], ignore_conflicts=True)
        kept = PushKey.objects.get(pk=PushKey.ONLY)
    return ec.derive_private_key(int(kept.secrets["vapid"], 16), CURVE)


def _signed(endpoint: str) -> str:
    """The header that proves who sends (RFC 8292)."""
    asked = urlsplit(endpoint)
    _name, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    claims = {
        "aud": f"{asked.scheme}://{asked.netloc}",
        "exp": int(time.time() + SIGNED_FOR.total_seconds()),
        "sub": f"mailto:{address}",
    }
    key = _private_key()
    parts = [_encoded(json.dumps(part).encode()) for part in ({"typ": "JWT", "alg": "ES256"}, claims)]
    signature = key.sign(".".join(parts).encode(), ec.ECDSA(hashes.SHA256()))
    r, s = utils.decode_dss_signature(signature)
    token = ".".join([*parts, _encoded(r.to_bytes(32, "big") + s.to_bytes(32, "big"))])
    return f"vapid t={token}, k={_encoded(_point(key.public_key()))}"


# -- encryption --------------------------------------------------------------------------------------------------------


def encrypted(
    words: bytes, to: Subscription, *, key: ec.EllipticCurvePrivateKey | None = None, salt: bytes = b""
) -> bytes:
    """One record of aes128gcm that only that browser reads (RFC 8291). Raises BadSubscription.

    `key` and `salt` are made anew for each message; only the RFC's example names its own.
    """
    theirs, auth = _keys(to)
    ours, salt = key or ec.generate_private_key(CURVE), salt or secrets.token_bytes(16)
    point = _point(ours.public_key())
    shared = ours.exchange(ec.ECDH(), theirs)
    material = _derived(shared, auth, b"WebPush: info\0" + _point(theirs) + point, 32)
    content_key = _derived(material, salt, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derived(material, salt, b"Content-Encoding: nonce\0", 12)
    sealed = AESGCM(content_key).encrypt(nonce, words + b"\x02", None)
    return salt + RECORD.to_bytes(4, "big") + bytes([len(point)]) + point + sealed


def _keys(given: Subscription) -> tuple[ec.EllipticCurvePublicKey, bytes]:
    try:
        point, auth = _decoded(given.p256dh), _decoded(given.auth)
        theirs = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, point)
    except (ValueError, InvalidKey) as error:
        raise BadSubscription("The browser's keys cannot be read.") from error
    if len(auth) != 16:
        raise BadSubscription("The browser's keys cannot be read.")
    return theirs, auth


def _derived(material: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt, info).derive(material)


def _point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


def _encoded(given: bytes) -> str:
    return base64.urlsafe_b64encode(given).rstrip(b"=").decode()


def _decoded(given: str) -> bytes:
    """Raises ValueError."""
    return base64.b64decode(given + "=" * (-len(given) % 4), altchars=b"-_", validate=True)
