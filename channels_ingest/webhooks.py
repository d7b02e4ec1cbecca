"""What networks push to us: verified, stored as it came, and only then answered 200. It becomes posts afterwards."""

from __future__ import annotations

import hashlib
import json
import logging
import math
import time
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import OperationalError, transaction
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from accounts.access import public
from accounts.closing import closing
from accounts.conflicts import is_conflict
from accounts.failpoints import failpoint
from channels_ingest import wake
from channels_ingest.health import failed
from channels_ingest.ingest import Pushed, hand_over_pushed
from channels_ingest.models import App, Channel, WebhookEvent
from channels_ingest.networks import network, networks
from channels_ingest.networks.base import Event, NetworkError, Post, Removal, Trouble

log = logging.getLogger(__name__)

AT_ONCE: tuple[int, ...] = (20, 5, 1)  # bodies in one transaction: at their first try, the second, and the last
MOST_TRIES = len(AT_ONCE)
AFTER_CONFLICT = timedelta(seconds=2)


@public
@csrf_exempt  # a network cannot have our token; its signature is its proof
@require_http_methods(["GET", "POST"])
def hook(request: HttpRequest, network_key: str, hook_id: str) -> HttpResponse:
    """The address a network pushes to: GET is its hand-shake, POST an event."""
    app = get_object_or_404(App, network=network_key, hook_id=hook_id)
    if network_key not in networks():
        return HttpResponse(status=404)
    return _shake_hands(request, app) if request.method == "GET" else _take(request, app)


def _shake_hands(request: HttpRequest, app: App) -> HttpResponse:
    answer = network(app.network).challenge(request.GET.dict(), app.secrets)
    if answer is None:
        return HttpResponse("This hand-shake is not ours.", status=403, content_type="text/plain")
    content_type, body = answer
    return HttpResponse(body, content_type=content_type)


def _take(request: HttpRequest, app: App) -> HttpResponse:
    if int(request.META.get("CONTENT_LENGTH") or 0) > settings.WEBHOOK_LIMIT:
        return HttpResponse("Too large.", status=413, content_type="text/plain")
    body = request.read(settings.WEBHOOK_LIMIT + 1)
    if len(body) > settings.WEBHOOK_LIMIT:
        return HttpResponse("Too large.", status=413, content_type="text/plain")
    headers = {name.lower(): value for name, value in request.headers.items()}
    if not network(app.network).signed(body, headers, app.secrets):
        return HttpResponse("The signature is wrong.", status=403, content_type="text/plain")
    failpoint("hook.verified")
    store(app, body)
    failpoint("hook.stored")
    return HttpResponse("ok", content_type="text/plain")


def store(app: App, body: bytes) -> bool:
    """Keeps an authentic body, once; tells whether it was new. Committed when this returns."""
    with transaction.atomic():
        found = WebhookEvent.objects.bulk_create(
            [WebhookEvent(app=app, digest=hashlib.sha256(body).hexdigest(), body=body)], ignore_conflicts=True
        )
        transaction.on_commit(lambda: wake.up("channels_ingest.tasks.process_events"))
        failpoint("hook.storing")
    return bool(found)


# -- afterwards -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Read:
    """A body that was taken up, and what it says."""

    event: WebhookEvent
    told: Sequence[Event]


def process_due(*, seconds: float = math.inf) -> int:
    """Turns stored bodies into posts, oldest first, for so many seconds; returns how many were taken up.

    What lies there for one channel is stored in one transaction. A body that fails is tried again among fewer, then by
    itself, then set aside with its error.
    """
    taken, until = 0, time.monotonic() + seconds
    while time.monotonic() < until and not closing() and (claimed := _claim()):
        taken += len(claimed)
        _work(claimed)
    return taken


def _claim() -> list[WebhookEvent]:
    """Takes up due bodies, the longest waiting first."""
    with transaction.atomic():
        due = (
            WebhookEvent.objects.select_for_update(no_key=True, skip_locked=True, of=("self",))
            .select_related("app")
            .filter(state=WebhookEvent.State.RECEIVED, due_at__lte=timezone.now())
            .order_by("due_at", "id")
        )
        claimed = _tried_alike(due[: AT_ONCE[0]])
        for event in claimed:
            # counted in a transaction of its own, so that a body that kills its process is not tried for ever
            event.tries += 1
            event.due_at = timezone.now() + timedelta(seconds=settings.EVENT_LEASE * event.tries)
            if event.tries > MOST_TRIES:
                event.state = WebhookEvent.State.SET_ASIDE
                event.error = event.error or "Its processing ended without an answer each time."
        WebhookEvent.objects.bulk_update(claimed, ("tries", "due_at", "state", "error"))
        failpoint("event.claiming")
    failpoint("event.claimed")
    return claimed


def _tried_alike(due: Iterable[WebhookEvent]) -> list[WebhookEvent]:
    """The first, and those that were tried as often as it."""
    found = list(due)
    tries = found[0].tries if found else 0
    return [event for event in found if event.tries == tries][: AT_ONCE[min(tries, MOST_TRIES - 1)]]


def _work(claimed: Sequence[WebhookEvent]) -> None:
    for batch in _batches([read for event in claimed if (read := _read(event))]):
        try:
            _store_batch(batch)
        except OperationalError as error:
            if not is_conflict(error):
                raise
            _give_back(batch)


def _give_back(batch: Sequence[Read]) -> None:
    """Others held the rows: no fault of the bodies, and no try of theirs."""
    mine = WebhookEvent.objects.filter(pk__in=[one.event.pk for one in batch], state=WebhookEvent.State.RECEIVED)
    mine.update(tries=F("tries") - 1, due_at=timezone.now() + AFTER_CONFLICT)


def _read(event: WebhookEvent) -> Read | None:
    """What a body says; None where it is set aside."""
    if event.state != WebhookEvent.State.RECEIVED:
        return None
    try:
        payload = json.loads(bytes(event.body))
    except (ValueError, RecursionError) as error:
        event.state, event.processed_at = WebhookEvent.State.SET_ASIDE, timezone.now()
        event.error = f"This is not JSON: {error}"[:1000]
        event.save(update_fields=("state", "error", "processed_at"))
        return None
    return Read(event, network(event.app.network).parse_event(payload))


def _batches(found: Iterable[Read]) -> list[list[Read]]:
    """What speaks to one channel together; what speaks to several, or says that an account is lost, by itself."""
    batches: dict[Hashable, list[Read]] = {}
    for one in found:
        accounts = {told.account_id for told in one.told}
        alone = len(accounts) > 1 or any(told.broken for told in one.told)
        batches.setdefault(one.event.pk if alone else (one.event.app.network, *accounts), []).append(one)
    return list(batches.values())


def _store_batch(batch: Sequence[Read]) -> None:
    """Stores what these bodies of one network say, in one transaction with their own marks."""
    with transaction.atomic():
        waiting = _still_waiting(batch)
        pushed = _addressed(waiting)
        for channel, told in pushed:
            hand_over_pushed(channel, told)
        _mark_stored(waiting, [one for _, told in pushed for one in told])
        failpoint("event.storing")
    failpoint("event.stored")


def _still_waiting(batch: Sequence[Read]) -> list[Read]:
    """Of these, locked, the ones that nobody else has done meanwhile."""
    ours = WebhookEvent.objects.filter(pk__in=[one.event.pk for one in batch]).order_by("pk")
    locked = dict(ours.select_for_update(no_key=True).values_list("pk", "state"))
    return [one for one in batch if locked.get(one.event.pk) == WebhookEvent.State.RECEIVED]


def _addressed(batch: Sequence[Read]) -> list[tuple[Channel, list[Pushed]]]:
    """What is said to each channel, in the order of their ids; why the rest is dropped stands on the bodies."""
    accounts = {told.account_id for one in batch for told in one.told}
    found = Channel.objects.filter(network__in={one.event.app.network for one in batch}, external_id__in=accounts)
    channels = {channel.external_id: channel for channel in found.order_by("pk")}
    pushed: dict[str, list[Pushed]] = {account: [] for account in channels}
    for one in batch:
        one.event.dropped = []
        for told in one.told:
            if told.account_id not in channels:
                one.event.dropped.append("It speaks to an account that is not connected here.")
                continue
            one.event.dropped += [dropped.reason for dropped in told.dropped]
            if told.broken:
                failed(channels[told.account_id], NetworkError(told.broken, Trouble.BROKEN))
            pushed[told.account_id].append(Pushed(one.event, told.items, told.dropped))
    return [(channel, pushed[account]) for account, channel in channels.items()]


def _mark_stored(batch: Sequence[Read], pushed: Sequence[Pushed]) -> None:
    for one in batch:
        event, counts = one.event, [said for said in pushed if said.event is one.event]
        event.state, event.error, event.processed_at = WebhookEvent.State.STORED, "", timezone.now()
        event.stored, event.known = sum(said.stored for said in counts), sum(said.known for said in counts)
        event.external_ids = sorted(set().union(*(_ids(told) for told in one.told)))
    WebhookEvent.objects.bulk_update([one.event for one in batch], _MARKED)


_MARKED = ("state", "error", "processed_at", "dropped", "stored", "known", "external_ids")


def _ids(one: Event) -> set[str]:
    ids: set[str] = set()
    for item in one.items:
        if isinstance(item, Post):
            ids.update((item.external_id, *item.alias_ids))
        elif isinstance(item, Removal):
            ids.add(item.external_id)
    return {pk[:255] for pk in ids}


def replay(event: WebhookEvent) -> None:
    """Makes a stored body due again."""
    WebhookEvent.objects.filter(pk=event.pk).update(
        state=WebhookEvent.State.RECEIVED, tries=0, due_at=timezone.now(), error=""
    )
