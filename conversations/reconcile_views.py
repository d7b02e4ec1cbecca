"""What reading the networks back found, for admins."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access import requires
from accounts.keyset import page
from accounts.roles import Permission
from channels_ingest.models import Channel
from conversations import reconcile

if TYPE_CHECKING:
    from django.http import HttpResponse

    from accounts.access import SignedIn

LINES_PER_PAGE = 50
WINDOWS = {"26": timedelta(hours=26), "168": timedelta(days=7), "720": timedelta(days=30)}  # hours


@requires(Permission.CHANNELS)
@require_safe
def reconciles(request: SignedIn, pk: int) -> HttpResponse:
    channel = get_object_or_404(Channel.objects.visible_to(request.user).select_related("brand"), pk=pk)
    shown = page(channel.reconciles.all(), by=("-id",), after=request.GET.get("after", ""), size=LINES_PER_PAGE)
    context = {"section": "channels", "area": "reconciles", "channel": channel, "page": shown}
    return render(request, "channels_ingest/reconciles.html", context)


@requires(Permission.CHANNELS)
@require_POST
def reconcile_now(request: SignedIn, pk: int) -> HttpResponse:
    """Has a worker read the channel back over the window; where it is already asked for, nothing is added."""
    channel = get_object_or_404(Channel.objects.visible_to(request.user), pk=pk)
    window = WINDOWS.get(request.POST.get("window", ""), reconcile.WINDOW)
    if reconcile.ask(channel, window=window, by=request.user):
        messages.success(request, _("%(handle)s is being read back.") % {"handle": channel.handle})
    else:
        messages.warning(request, _("It is asked for already, or the channel is not active."))
    return redirect("channel-reconciles", pk)
