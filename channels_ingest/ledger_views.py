"""The ingest ledger: what came in, what became of it and why; and the outages that admins must act on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.db.models import Q
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts.access import requires
from accounts.ids import ids_of
from accounts.keyset import page
from accounts.roles import Permission
from channels_ingest import connect
from channels_ingest.models import Channel, Notice, SetAside, WebhookEvent
from channels_ingest.networks.base import NetworkError
from channels_ingest.notices import MOST_IN_BANNER, open_notices
from channels_ingest.views import LINES_PER_PAGE, channel_of, show

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.http import HttpResponse

    from accounts.access import SignedIn

MOST_AT_ONCE = 200  # events read again by one press

EVENTS = {
    "": (gettext_lazy("All"), Q()),
    "waiting": (gettext_lazy("Waiting"), Q(state=WebhookEvent.State.RECEIVED)),
    "stored": (gettext_lazy("Stored"), Q(state=WebhookEvent.State.STORED)),
    "poison": (gettext_lazy("Set aside"), Q(state=WebhookEvent.State.SET_ASIDE)),
    "left-out": (gettext_lazy("With something left out"), ~Q(dropped=[])),
}
ASIDE = {
    "": (gettext_lazy("To look at"), Q(kind=SetAside.Kind.POISON, settled_at=None)),
    "left-out": (gettext_lazy("Left out: no harm"), Q(kind=SetAside.Kind.LEFT_OUT)),
    "all": (gettext_lazy("All"), Q()),
}


def _choices(known: Mapping[str, tuple[object, Q]], chosen: str) -> list[tuple[str, object, bool]]:
    """The filters of a list: value, words, whether it is the one in use."""
    return [(value, words, value == chosen) for value, (words, _query) in known.items()]


@requires(Permission.CHANNELS)
@require_safe
def pulled_pages(request: SignedIn, pk: int) -> HttpResponse:
    channel = channel_of(request.user, pk)
    streams = [stream.name for stream in channel.adapter.streams]
    stream, only = request.GET.get("stream", ""), request.GET.get("only", "")
    found = channel.pages.filter(stream=stream) if stream in streams else channel.pages.all()
    found = found.filter(dropped__gt=0) if only == "left-out" else found
    shown = page(found, by=("-id",), after=request.GET.get("after", ""), size=LINES_PER_PAGE)
    return show(
        request,
        "pulled_pages.html",
        channel=channel,
        page=shown,
        area="pages",
        streams=streams,
        stream=stream,
        only=only,
    )


@requires(Permission.CHANNELS)
@require_safe
def set_aside(request: SignedIn, pk: int) -> HttpResponse:
    channel = channel_of(request.user, pk)
    chosen = request.GET.get("only", "")
    _words, query = ASIDE.get(chosen, ASIDE[""])
    shown = page(
        channel.set_aside.filter(query).defer("raw"),
        by=("-id",),
        after=request.GET.get("after", ""),
        size=LINES_PER_PAGE,
    )
    return show(
        request, "set_aside.html", channel=channel, page=shown, area="set-aside", filters=_choices(ASIDE, chosen)
    )


@requires(Permission.CHANNELS)
@require_safe
def events(request: SignedIn, pk: int) -> HttpResponse:
    """What the network pushed to the channel's developer app, which other channels may share."""
    channel = channel_of(request.user, pk)
    chosen = request.GET.get("only", "")
    _words, query = EVENTS.get(chosen, EVENTS[""])
    found = WebhookEvent.objects.filter(query, app=channel.app_id).defer("body")
    shown = page(found, by=("-id",), after=request.GET.get("after", ""), size=LINES_PER_PAGE)
    return show(
        request,
        "events.html",
        channel=channel,
        page=shown,
        area="events",
        filters=_choices(EVENTS, chosen),
        chosen=chosen,
    )


@requires(Permission.CHANNELS)
@require_POST
def replay(request: SignedIn, pk: int) -> HttpResponse:
    """Has stored webhook bodies read again: those ticked, or all that a filter shows (the latest 200)."""
    channel = channel_of(request.user, pk)
    ours = WebhookEvent.objects.filter(app=channel.app_id).exclude(state=WebhookEvent.State.RECEIVED)
    ticked = ids_of(request.POST.getlist("event"))
    chosen = request.POST.get("only", "")
    found = ours.filter(pk__in=ticked) if ticked else ours.filter(EVENTS.get(chosen, EVENTS["poison"])[1])
    wanted = list(found.order_by("-id").defer("body")[:MOST_AT_ONCE]) if ticked or "all" in request.POST else []
    for event in wanted:
        connect.replay(event=event, channel=channel, by=request.user)
    count = len(wanted)
    words = ngettext("%(count)d event is being read again.", "%(count)d events are being read again.", count)
    messages.success(request, words % {"count": count})
    return redirect("channel-events", pk)


@requires(Permission.CHANNELS)
@require_POST
def settle(request: SignedIn, pk: int, item_pk: int) -> HttpResponse:
    """An admin has looked at an item that was set aside, and needs it no more."""
    channel = channel_of(request.user, pk)
    item = get_object_or_404(SetAside, pk=item_pk, channel=channel)
    connect.settle(item=item, by=request.user)
    return redirect("channel-set-aside", pk)


@requires(Permission.CHANNELS)
@require_POST
def try_again(request: SignedIn, pk: int, item_pk: int) -> HttpResponse:
    """Has another look at an item that could not be stored: its event is read again, or the network is asked for it."""
    channel = channel_of(request.user, pk)
    item = get_object_or_404(SetAside, pk=item_pk, channel=channel)
    try:
        words = connect.try_again(item=item, channel=channel, by=request.user)
    except NetworkError as error:
        messages.error(request, error.message)
    else:
        messages.info(request, words)
    return redirect("channel-set-aside", pk)


# -- outages ----------------------------------------------------------------------------------------------------------


@requires(Permission.CHANNELS)
@require_safe
def outages(request: SignedIn) -> HttpResponse:
    """What stands now with what to do, and what is over."""
    channels = Channel.objects.visible_to(request.user).values("pk")
    ours = Notice.objects.filter(channel__in=channels).select_related("channel__brand")
    over = page(
        ours.filter(ended_at__isnull=False), by=("-id",), after=request.GET.get("after", ""), size=LINES_PER_PAGE
    )
    return show(
        request, "outages.html", standing=ours.filter(ended_at=None).order_by("kind", "-id")[:LINES_PER_PAGE], page=over
    )


@requires(Permission.CHANNELS)
@require_safe
def banner(request: SignedIn) -> HttpResponse:
    """The banner of every page, as it is now."""
    return render(request, "channels_ingest/_banner.html", {"standing": open_notices()[:MOST_IN_BANNER]})
