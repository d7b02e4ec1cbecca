"""Speaks to a channel's network as the channel's account, with an access that is renewed where it ended meanwhile."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from channels_ingest import renewal

if TYPE_CHECKING:
    from channels_ingest.models import Channel
    from channels_ingest.networks.base import Network


def speak_for(channel: Channel) -> Network:
    """The adapter acting for this account."""
    account = channel.account
    if account.credentials.get("refresh_token"):
        account = replace(account, fresh_token=partial(renewal.fresh_token, channel.pk))
    return channel.adapter(account)
