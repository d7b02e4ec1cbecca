"""Secrets at rest: a JSON field encrypted with the keys of `settings.ENCRYPTION_KEYS` (the first one encrypts)."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models


class VaultError(Exception):
    """A stored secret cannot be opened with the keys at hand."""


@lru_cache(maxsize=4)
def _lock(keys: tuple[str, ...]) -> MultiFernet:
    try:
        return MultiFernet([Fernet(key) for key in keys])
    except ValueError as error:
        raise ImproperlyConfigured("ENCRYPTION_KEYS must be url-safe base64 keys of 32 bytes.") from error


def seal(value: Any) -> str:
    """A JSON value, encrypted."""
    return _lock(tuple(settings.ENCRYPTION_KEYS)).encrypt(json.dumps(value).encode()).decode()


def unseal(sealed: str) -> Any:
    """Raises VaultError when none of the keys fits."""
    try:
        return json.loads(_lock(tuple(settings.ENCRYPTION_KEYS)).decrypt(sealed.encode()))
    except InvalidToken as error:
        raise VaultError("No encryption key opens this secret.") from error


def reseal(sealed: str) -> str:
    """The same secret under the first key. Raises VaultError."""
    try:
        return _lock(tuple(settings.ENCRYPTION_KEYS)).rotate(sealed.encode()).decode()
    except InvalidToken as error:
        raise VaultError("No encryption key opens this secret.") from error


class Sealed(dict[str, str]):
    """Secrets by name. Never shows its values, so that a log line or an error page cannot."""

    def __repr__(self) -> str:
        return f"<{len(self)} sealed values>"

    __str__ = __repr__


if TYPE_CHECKING:
    _Text = models.TextField[Sealed, Sealed]
else:
    _Text = models.TextField


class SealedField(_Text):
    """A dict of strings, encrypted in the database."""

    def from_db_value(self, value: str | None, *_: Any) -> Sealed:
        return Sealed(unseal(value)) if value else Sealed()

    def to_python(self, value: Any) -> Sealed:
        return Sealed(value or {})

    def get_prep_value(self, value: Any) -> str:
        return seal(dict(value)) if value else ""

    def value_to_string(self, obj: models.Model) -> str:
        return self.get_prep_value(self.value_from_object(obj))
