"""Asks the sandbox networks, where this install has them, for accounts to connect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from channels_ingest.networks.base import NetworkError, Trouble

TIMEOUT = (3, 10)  # seconds to connect, to read


@dataclass(frozen=True, slots=True)
class SandboxAccount:
    """A brand's account in the sandbox. Its credentials are not shown."""

    handle: str
    name: str
    base_url: str
    credentials: Mapping[str, str] = field(repr=False)


def brand_account(network: str, *, handle: str, name: str) -> SandboxAccount:
    """The sandbox account of that handle, made where there is none. Raises NetworkError."""
    told = _call("POST", f"/control/{network}/brands", {"handle": handle, "name": name, "if_missing": True})
    return _account(told)


def _account(told: Any) -> SandboxAccount:
    try:
        path = urlsplit(told["base_url"]).path
        credentials = {str(key): str(value) for key, value in told["credentials"].items()}
        return SandboxAccount(
            handle=str(told["username"]),
            name=str(told.get("name", "")),
            base_url=settings.SANDBOX_URL + path,
            credentials=credentials,
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise NetworkError(_("The sandbox gave no account."), Trouble.PERMANENT) from error


def _call(method: str, path: str, body: Mapping[str, Any]) -> Any:
    import requests  # heavy, and needed by an admin's click alone

    if not settings.SANDBOX_URL:
        raise NetworkError(_("This install has no sandbox."), Trouble.PERMANENT)
    with requests.Session() as session:
        session.trust_env = False  # loopback: no proxy, no .netrc
        try:
            answer = session.request(
                method, settings.SANDBOX_URL + path, json=body, timeout=TIMEOUT, allow_redirects=False
            )
            told = answer.json()
        except requests.RequestException:
            raise NetworkError(_("The sandbox cannot be reached."), Trouble.TEMPORARY) from None
    if not answer.ok:
        words = str(told.get("error", "")) if isinstance(told, dict) else ""
        raise NetworkError(words[:300] or _("The sandbox refused."), Trouble.PERMANENT, code=str(answer.status_code))
    return told
