"""What networks push to us: verified, stored as it came, and only then answered 200. It becomes posts afterwards."""

from __future__ import annotations

import hashlib
import json
import logging
import math
import time
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import OperationalError, transaction
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
from channels_ingest.ingest import Recorded, hand_over
from channels_ingest.models import App, Channel, WebhookEvent
from channels_ingest.networks import network, networks
from channels_ingest.networks.base import Event, NetworkError, Post, Removal, Trouble

log = logging.getLogger(__name__)

MOST_TRIES = 3
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


def process_due(*, seconds: float = math.inf) -> int:
    """Turns stored bodies into posts, oldest first, for so many seconds; returns how many were taken up.

    Every body is its own transaction. One that fails is tried three times, then set aside with its error.
    """
    taken, until = 0, time.monotonic() + seconds
    while time.monotonic() < until and not closing() and _process_one():
        taken += 1
    return taken


def _process_one() -> bool:
    with transaction.atomic():
        event = (
            WebhookEvent.objects.select_for_update(no_key=True, skip_locked=True, of=("self",))
            .select_related("app")
            .filter(state=WebhookEvent.State.RECEIVED, due_at__lte=timezone.now())
            .order_by("due_at", "id")
            .first()
        )
        if event is None:
            return False
        # counted in a transaction of its own, so that a body that kills its process is not tried for ever
        event.tries += 1
        event.due_at = timezone.now() + timedelta(seconds=settings.EVENT_LEASE * event.tries)
        if event.tries > MOST_TRIES:
            event.state = WebhookEvent.State.SET_ASIDE
            event.error = event.error or "Its processing ended without an answer each time."
        event.save(update_fields=("tries", "due_at", "state", "error"))
        failpoint("event.claiming")
    failpoint("event.claimed")
    if event.state == WebhookEvent.State.RECEIVED:
        try:
            process(event)
        except OperationalError as error:
            if not is_conflict(error):
                raise
            _give_back(event)
    return True


def _give_back(event: WebhookEvent) -> None:
    """Others held the rows: no fault of the body, and no try of it."""
    mine = WebhookEvent.objects.filter(pk=event.pk, state=WebhookEvent.State.RECEIVED)
    mine.update(tries=event.tries - 1, due_at=timezone.now() + AFTER_CONFLICT)


def process(event: WebhookEvent) -> None:
    """Stores what a body says, in one transaction with the body's own mark."""
    try:
        payload = json.loads(bytes(event.body))
    except (ValueError, RecursionError) as error:
        _finish(event, WebhookEvent.State.SET_ASIDE, error=f"This is not JSON: {error}")
        return
    told = network(event.app.network).parse_event(payload)
    with transaction.atomic():
        locked = WebhookEvent.objects.select_for_update(no_key=True).get(pk=event.pk)
        if locked.state != WebhookEvent.State.RECEIVED:
            return
        total, dropped, ids = Recorded(), [], set()
        for one in told:
            recorded, reasons = _hand_over(event, one)
            total += recorded
            dropped += reasons
            ids |= _ids(one)
        WebhookEvent.objects.filter(pk=event.pk).update(
            stored=total.stored, known=total.known, external_ids=sorted(ids)
        )
        _finish(event, WebhookEvent.State.STORED, dropped=dropped)
        failpoint("event.storing")
    failpoint("event.stored")


def _hand_over(event: WebhookEvent, one: Event) -> tuple[Recorded, list[str]]:
    channel = Channel.objects.filter(network=event.app.network, external_id=one.account_id).first()
    if channel is None:
        return Recorded(), ["It speaks to an account that is not connected here."]
    reasons = [dropped.reason for dropped in one.dropped]
    if one.broken:
        failed(channel, NetworkError(one.broken, Trouble.BROKEN))
    return hand_over(channel, one.items, event=event), reasons


def _ids(one: Event) -> set[str]:
    ids: set[str] = set()
    for item in one.items:
        if isinstance(item, Post):
            ids.update((item.external_id, *item.alias_ids))
        elif isinstance(item, Removal):
            ids.add(item.external_id)
    return {pk[:255] for pk in ids}


def _finish(event: WebhookEvent, state: str, *, error: str = "", dropped: Any = ()) -> None:
    WebhookEvent.objects.filter(pk=event.pk).update(
        state=state, processed_at=timezone.now(), error=error[:1000], dropped=list(dropped)
    )


def replay(event: WebhookEvent) -> None:
    """Makes a stored body due again."""
    WebhookEvent.objects.filter(pk=event.pk).update(
        state=WebhookEvent.State.RECEIVED, tries=0, due_at=timezone.now(), error=""
    )
