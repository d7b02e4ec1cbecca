"""Connects accounts: tries the keys, keeps them encrypted, and asks the network to push. Calls to a network stand
outside every transaction."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.audit import audit
from accounts.failpoints import failpoint
from channels_ingest import pull, renewal, speaking, wake, webhooks
from channels_ingest.ingest import hand_over
from channels_ingest.models import App, Channel, SetAside, WebhookEvent
from channels_ingest.networks import network as network_class
from channels_ingest.networks.base import Access, Account, Author, NetworkError, Trouble
from channels_ingest.vault import Sealed

if TYPE_CHECKING:
    from accounts.models import Brand, User


log = logging.getLogger(__name__)

LOOK_AT_PUSHES = timedelta(minutes=15)  # how often networks are asked whether they still push


class Refused(Exception):
    """The account cannot be connected so; the message says why, in words for the admin."""


@dataclass(frozen=True, slots=True)
class Proven:
    """Keys that were tried: whom they speak for, and what to keep of them."""

    author: Author
    access: Access


def prove(
    network: str, credentials: Mapping[str, str], *, base_url: str = "", allow: Callable[[Author], None]
) -> Proven:
    """Tries keys. `allow` raises Refused for an account that may not be connected so: it is asked before anything is
    used up that is good only once. Calls the network; raises NetworkError."""
    adapter = network_class(network)(Account("", "", credentials, base_url=base_url))
    try:
        author = adapter.identify()
    except NetworkError as error:
        if error.code != "401" or not adapter.renewable:
            raise
        access = adapter.sign_in()  # the access token has ended since it was copied
        author = network_class(network)(Account("", "", access.credentials, base_url=base_url)).identify()
        allow(author)
        return Proven(author, access)
    allow(author)
    return Proven(author, adapter.sign_in())


def connect(
    *, by: User | None, brand: Brand, network: str, credentials: Mapping[str, str], base_url: str = ""
) -> Channel:
    """Tries the keys and connects their account to the brand, or connects it anew. Pulling starts at once.

    Raises NetworkError where the network refuses the keys, Refused where the account belongs to another brand.
    """
    proven = prove(
        network, credentials, base_url=base_url, allow=lambda author: _must_be_free(_known(network, author), brand)
    )
    author = proven.author
    with transaction.atomic():
        known = _known(network, author, lock=True)
        _must_be_free(known, brand)
        channel = known or Channel(brand=brand, network=network)
        channel.external_id = author.external_id
        channel.base_url = base_url
        _keep_keys(channel, proven)
        audit(by=by, verb="connected", on=channel, brand=brand, network=network, handle=channel.handle)
    _start(channel)
    return channel


def _must_be_free(known: Channel | None, brand: Brand) -> None:
    if known is not None and known.brand_id != brand.pk:
        raise Refused(
            _("%(handle)s is connected to the brand %(brand)s already.")
            % {"handle": known.handle or known.name, "brand": known.brand}
        )


def _known(network: str, author: Author, *, lock: bool = False) -> Channel | None:
    """The account's channel: the one with its id, else imported history that bears its handle."""
    every = Channel.objects.select_for_update(no_key=True, of=("self",)) if lock else Channel.objects.all()
    ours = every.select_related("brand").filter(network=network)
    return ours.filter(external_id=author.external_id).first() or (
        ours.filter(state=Channel.State.HISTORY, handle__iexact=author.handle).first() if author.handle else None
    )


def _keep_keys(channel: Channel, proven: Proven) -> None:
    """Writes keys and profile. A broken channel is whole again, and the hole since it broke is to be back-filled."""
    author, access = proven.author, proven.access
    for_app = {field.name for field in channel.adapter.fields if field.app}
    channel.app = _keep_app(channel.network, {name: access.credentials.get(name, "") for name in for_app})
    channel.keep_credentials(access.credentials)
    channel.token_expires_at, channel.access_checked_at = access.ends_at, timezone.now()
    channel.handle = (author.handle or author.name or author.external_id)[:255]
    channel.name = author.name[:255]
    channel.avatar_url = author.avatar_url[:2000]
    channel.outage_from = channel.outage_from or channel.broken_since
    channel.broken_since = channel.limited_until = channel.push_since = None
    channel.last_error = channel.last_error_code = channel.advice = ""
    channel.state = Channel.State.ACTIVE
    channel.save()
    renewal.schedule(channel, access)


def _keep_app(network: str, secrets: Mapping[str, str]) -> App | None:
    """The developer app of these keys, which its other channels share; None where the network has none."""
    key = secrets.get(network_class(network).app_field, "")
    if not key:
        return None
    app, new = App.objects.select_for_update(no_key=True).get_or_create(
        network=network, key=key, defaults={"secrets": Sealed(secrets)}
    )
    if not new:
        app.secrets = Sealed({**app.secrets, **{name: value for name, value in secrets.items() if value}})
        app.save(update_fields=["secrets"])
    return app


def renew(*, by: User, channel: Channel, credentials: Mapping[str, str]) -> Channel:
    """New keys for a channel; app keys left out stay as they are. What was missed meanwhile is pulled.

    Raises NetworkError where the network refuses the keys, Refused where they are those of another account.
    """
    kept = dict(channel.app.secrets) if channel.app else {}
    merged = {**kept, **{name: value for name, value in credentials.items() if value}}
    proven = prove(
        channel.network, merged, base_url=channel.base_url, allow=lambda author: _must_be_the_same(channel, author)
    )
    with transaction.atomic():
        locked = Channel.objects.select_for_update(no_key=True, of=("self",)).get(pk=channel.pk)
        _keep_keys(locked, proven)
        audit(by=by, verb="renewed keys", on=locked, brand=locked.brand_id)
        failpoint("connect.keeping")
    failpoint("connect.kept")
    _start(locked)
    return locked


def _must_be_the_same(channel: Channel, author: Author) -> None:
    if author.external_id != channel.external_id:
        raise Refused(
            _("These keys belong to %(other)s, not to %(handle)s.")
            % {"other": author.handle or author.name, "handle": channel.handle}
        )


def _start(channel: Channel) -> None:
    pull.pull_now(channel)
    wake.up("channels_ingest.tasks.pull_channel", channel.pk)


# -- pushes -----------------------------------------------------------------------------------------------------------


def callback_url(app: App | None) -> str:
    """Where the network pushes to. Raises NetworkError where there is no app."""
    if app is None:
        raise NetworkError(_("Pushes need the keys of a developer app."), Trouble.PERMANENT)
    return settings.PUBLIC_URL + reverse("hook", args=[app.network, app.hook_id])


def ask_for_pushes(channel: Channel) -> None:
    """Has the network tell us at once what happens. Idempotent; calls the network. Raises NetworkError.

    Without pushes everything still arrives, by pulling.
    """
    address = callback_url(channel.app)
    if not address.startswith("https://") and not channel.base_url:
        raise NetworkError(
            _("Networks push to public https addresses only; PUBLIC_URL is %(url)s.") % {"url": settings.PUBLIC_URL},
            Trouble.PERMANENT,
        )
    speaking.speak_for(channel).subscribe(address)
    channel.push_since = channel.pushes_checked_at = timezone.now()
    channel.save(update_fields=["push_since", "pushes_checked_at"])


def ask_for_missing_pushes() -> int:
    """Asks again for the active sandbox channels that have no pushes, as when we were not reachable yet; returns how
    many now have them."""
    missing = Channel.objects.filter(
        state=Channel.State.ACTIVE, push_since=None, app__isnull=False, base_url__startswith=settings.SANDBOX_URL
    )
    done = 0
    for channel in missing.select_related("app") if settings.SANDBOX_URL else ():
        try:
            ask_for_pushes(channel)
        except NetworkError as error:
            log.info("No pushes for %s yet: %s", channel, error.message)  # it is pulled all the same
        else:
            _start(channel)  # what was said before the pushes is not left to the next round
            done += 1
    return done


def keep_pushes(now: datetime) -> int:
    """Asks again for the pushes that should be there: a network that could not reach us for an hour (Facebook's Pages)
    or whose challenge went unanswered (X) stops, and tells nobody. Returns how many were looked after.

    Where a network refuses for good, the channel's page says that its items come by pulling.
    """
    stale = Q(pushes_checked_at=None) | Q(pushes_checked_at__lte=now - LOOK_AT_PUSHES)
    pushed = Channel.objects.filter(stale, state=Channel.State.ACTIVE, push_since__isnull=False, app__isnull=False)
    return sum(_keep_pushes(channel, now) for channel in pushed.select_related("app").order_by("pk"))


def _keep_pushes(channel: Channel, now: datetime) -> bool:
    before, since = channel.pushes_checked_at, channel.push_since
    mine = Channel.objects.filter(pk=channel.pk, pushes_checked_at=before)
    if not mine.update(pushes_checked_at=now):
        return False  # another worker has it
    try:
        speaking.speak_for(channel).subscribe(callback_url(channel.app))
    except NetworkError as error:
        log.warning("The pushes of %s cannot be looked after: %s", channel, error.message)
        if error.trouble == Trouble.PERMANENT:
            Channel.objects.filter(pk=channel.pk, push_since=since).update(push_since=None)
    return True


# -- rest -------------------------------------------------------------------------------------------------------------


def pause(*, channel: Channel, by: User) -> bool:
    """Nothing is pulled or sent until it is resumed. False where there is nothing to pause."""
    working = (Channel.State.ACTIVE, Channel.State.BROKEN)
    with transaction.atomic():
        paused = Channel.objects.filter(pk=channel.pk, state__in=working).update(state=Channel.State.PAUSED)
        if paused:
            audit(by=by, verb="paused", on=channel, brand=channel.brand_id)
    return bool(paused)


def resume(*, channel: Channel, by: User) -> bool:
    """Goes on where it stopped. False where the channel was not paused."""
    with transaction.atomic():
        resumed = Channel.objects.filter(pk=channel.pk, state=Channel.State.PAUSED).update(
            state=Channel.State.ACTIVE, outage_from=Coalesce(F("outage_from"), F("broken_since")), broken_since=None
        )
        if resumed:
            audit(by=by, verb="resumed", on=channel, brand=channel.brand_id)
    if resumed:
        _start(channel)
    return bool(resumed)


def pull_soon(*, channel: Channel, by: User) -> None:
    """Has a worker pull every stream of the channel now."""
    audit(by=by, verb="pulled", on=channel, brand=channel.brand_id)
    Channel.objects.filter(pk=channel.pk).update(limited_until=None)
    _start(channel)


def settle(*, item: SetAside, by: User) -> None:
    """Marks an item that was set aside as looked at."""
    with transaction.atomic():
        if SetAside.objects.filter(pk=item.pk, settled_at=None).update(settled_at=timezone.now()):
            audit(by=by, verb="settled", on=item, reason=item.reason)


def try_again(*, item: SetAside, channel: Channel, by: User) -> str:
    """Has another look at an item that was set aside; returns what became of it, in words. Calls the network for one
    that was pulled; raises NetworkError."""
    if item.event is not None:
        replay(event=item.event, channel=channel, by=by)
        return _("Its event is being read again.")
    external_id = str(item.raw.get("id", "")) if isinstance(item.raw, dict) else ""
    if not external_id:
        return _("The network sent no id with it, so it cannot be asked for.")
    found = speaking.speak_for(channel).lookup([external_id])
    recorded = hand_over(channel, found)
    if not found:
        return _("The network does not give it out alone; the next pull tries it again.")
    audit(by=by, verb="tried again", on=item, brand=channel.brand_id, stored=recorded.stored)
    settle(item=item, by=by)
    return _("It is stored now.") if recorded.stored else _("It is known here already, or was left out again.")


def replay(*, event: WebhookEvent, channel: Channel, by: User) -> None:
    """Has a stored webhook body read again; what it tells is stored once all the same."""
    with transaction.atomic():
        webhooks.replay(event)
        audit(by=by, verb="replayed", on=event, brand=channel.brand_id)
    wake.up("channels_ingest.tasks.process_events")
