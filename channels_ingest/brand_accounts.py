"""The channels of the brands that a file of real posts speaks of."""

from __future__ import annotations

from django.db.models import Q
from django.utils.text import slugify

from accounts.models import Brand
from channels_ingest.models import Channel
from channels_ingest.twcs import NETWORK, account_id


def brand_called(name: str) -> Brand:
    """The brand of that name, made where there is none."""
    known = Brand.objects.filter(name__iexact=name).first()
    if known is not None:
        return known
    brand, _new = Brand.objects.get_or_create(slug=slugify(name)[:50] or "brand", defaults={"name": name[:120]})
    return brand


def channel_of(account: str, brand: Brand | None) -> Channel:
    """The channel of that account: the connected one, the one an earlier import made, or a new one that holds history
    only. A new one belongs to `brand`, or to a brand of the account's own name."""
    same = Q(external_id=account_id(account)) | Q(handle__iexact=account)
    known = Channel.objects.filter(same, network=NETWORK).order_by("id").first()
    if known is not None:
        return known
    channel, _new = Channel.objects.get_or_create(
        network=NETWORK,
        external_id=account_id(account),
        defaults={
            "brand": brand or brand_called(account),
            "handle": account,
            "name": account,
            "state": Channel.State.HISTORY,
        },
    )
    return channel
