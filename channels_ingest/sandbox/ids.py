"""Ids as the networks make them: opaque decimal strings, X's beyond 2^53."""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets

X_EPOCH_MS = 1_288_834_974_657  # 4 Nov 2010, the zero of X's snowflake ids


class Snowflakes:
    """Growing 64-bit ids that carry their time (ms since 1970), as X's do."""

    def __init__(self) -> None:
        self._last = 0

    def take(self, at_ms: int) -> str:
        """A fresh id, greater than every id taken before."""
        value = max((at_ms - X_EPOCH_MS) << 22, self._last + 1)
        self._last = value
        return str(value)

    def seen(self, given: str) -> None:
        """An id that came from elsewhere; later ones are greater."""
        value = int(given)
        if value < 2**62:
            self._last = max(self._last, value)


def digits(*parts: str, length: int = 16) -> str:
    """A decimal string that follows from its parts: the same every time, never starting with zero."""
    number = int.from_bytes(hashlib.sha256("\0".join(parts).encode()).digest()[:16], "big")
    return str(10 ** (length - 1) + number % (9 * 10 ** (length - 1)))


def page_scoped_id(page_id: str, user_id: str) -> str:
    """The id under which one Page knows a Facebook user (PSID)."""
    return digits("psid", page_id, user_id, length=16)


def secret(prefix: str = "") -> str:
    return prefix + secrets.token_urlsafe(30).replace("-", "A").replace("_", "B")


def to_cursor(*parts: str) -> str:
    """An opaque paging token of at least 16 characters."""
    return base64.urlsafe_b64encode("|".join(("page", *parts)).encode()).decode().rstrip("=").ljust(16, ".")


def from_cursor(token: str) -> list[str]:
    """The parts of a paging token. Raises ValueError where it is not one of ours."""
    bare = token.rstrip(".=")
    try:
        parts = base64.urlsafe_b64decode(bare + "=" * (-len(bare) % 4)).decode().split("|")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ValueError("not a paging token") from error
    if parts[0] != "page":
        raise ValueError("not a paging token")
    return parts[1:]
