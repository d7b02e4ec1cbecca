"""Connects accounts of the sandbox networks: those that a click asks for, and those that a command has staged."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from channels_ingest import connect
from channels_ingest.models import Channel
from channels_ingest.networks import network as network_class
from channels_ingest.networks import networks
from channels_ingest.networks.base import NetworkError, Trouble
from channels_ingest.sandbox_api import JSON, Sandbox, SandboxError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from accounts.models import Brand, User


def network_key(name: str) -> str:
    """Our key of the network that the sandbox calls so."""
    return next(key for key, network in networks().items() if network.sandbox == name)


def connect_brand_account(*, by: User, brand: Brand, network: str, handle: str) -> Channel:
    """Connects a brand's account on the sandbox's network, made where it is missing.

    Raises NetworkError where the sandbox cannot be reached, Refused as `connect.connect`.
    """
    sandbox = Sandbox(settings.SANDBOX_URL, patience=10)
    path = f"/{network_class(network).sandbox}/brands"
    try:
        account = sandbox.post(path, handle=handle, name=brand.name, if_missing=True)
    except SandboxError as error:
        if error.status:
            raise NetworkError(str(error), Trouble.PERMANENT, code=str(error.status)) from error
        raise NetworkError(_("The sandbox cannot be reached."), Trouble.TEMPORARY) from error
    finally:
        sandbox.close()
    base_url = settings.SANDBOX_URL + urlsplit(account["base_url"]).path
    return connect.connect(by=by, brand=brand, network=network, credentials=_credentials(account), base_url=base_url)


def connect_account(account: JSON, network: str, brand: Brand) -> Channel:
    """Connects an account as the control API shows it (`GET /control/{network}/brands/{id}`) as a channel.

    A channel that has its history becomes the connected one, and stays with its brand. Raises NetworkError.
    """
    key = network_key(network)
    known = Channel.objects.filter(network=key, external_id=account["id"]).select_related("brand").first()
    return connect.connect(
        by=None,
        brand=known.brand if known else brand,
        network=key,
        credentials=_credentials(account),
        base_url=account["base_url"],
    )


def _credentials(account: JSON) -> Mapping[str, str]:
    return {str(name): str(value) for name, value in account["credentials"].items()}
