"""The channels admin: how each channel fares, connecting and repairing."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib import messages
from django.db.models import Q
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from accounts.access import form_page, requires
from accounts.keyset import page
from accounts.models import Brand
from accounts.roles import Permission
from channels_ingest import connect, sandbox_accounts
from channels_ingest.checks import connect_template, icon_path
from channels_ingest.forms import ConnectForm, KeysForm, SandboxForm
from channels_ingest.health import health
from channels_ingest.models import Channel, SetAside
from channels_ingest.networks import networks
from channels_ingest.networks.base import NetworkError

if TYPE_CHECKING:
    from django import forms
    from django.http import HttpResponse

    from accounts.access import SignedIn
    from accounts.models import User
    from channels_ingest.networks.base import Network

LINES_PER_PAGE = 50


def show(request: SignedIn, template: str, **context: Any) -> HttpResponse:
    return render(request, f"channels_ingest/{template}", {"section": "channels", **context})


def _has_brand(user: User) -> bool:
    """A channel speaks for a brand, so the first brand comes before it."""
    return Brand.objects.visible_to(user).exists()


def channel_of(user: User, pk: int) -> Channel:
    return get_object_or_404(Channel.objects.visible_to(user).select_related("brand", "app"), pk=pk)


def _network(key: str) -> type[Network]:
    try:
        return networks()[key]
    except KeyError as error:
        raise Http404 from error


# -- how they fare ----------------------------------------------------------------------------------------------------


@requires(Permission.CHANNELS)
@require_safe
def channels(request: SignedIn) -> HttpResponse:
    after = request.GET.get("after", "")
    found = Channel.objects.visible_to(request.user).select_related("brand")
    words = request.GET.get("q", "").replace("\0", "").strip()
    if words:
        found = found.filter(Q(handle__icontains=words) | Q(name__icontains=words) | Q(brand__name__icontains=words))
    shown = page(found, by=("handle", "id"), after=after, size=LINES_PER_PAGE)
    now = timezone.now()
    return show(
        request,
        "channels.html",
        page=shown,
        rows=[(channel, health(channel, now), icon_path(channel.network)) for channel in shown.rows],
        words=words,
    )


@requires(Permission.CHANNELS)
@require_safe
def channel(request: SignedIn, pk: int) -> HttpResponse:
    channel = channel_of(request.user, pk)
    now = timezone.now()
    last_day = channel.pages.filter(at__gte=now - timedelta(days=1))
    return show(
        request,
        "channel.html",
        channel=channel,
        health=health(channel, now),
        icon=icon_path(channel.network),
        cursors=channel.cursors.order_by("stream"),
        pages=last_day[:10],
        set_aside=channel.set_aside.filter(kind=SetAside.Kind.POISON, settled_at=None)[:10],
    )


# -- connecting -------------------------------------------------------------------------------------------------------


@requires(Permission.CHANNELS)
@require_safe
def choose_network(request: SignedIn) -> HttpResponse:
    """Which network? The sandbox stands first, where there is one."""
    sandbox = SandboxForm(user=request.user) if settings.SANDBOX_URL else None
    return show(
        request, "choose_network.html", choices=_choices(), sandbox=sandbox, brandless=not _has_brand(request.user)
    )


def _choices() -> list[tuple[str, str, str]]:
    """Key, name and icon of every network."""
    return [(key, found.name, icon_path(key)) for key, found in networks().items()]


@requires(Permission.CHANNELS)
@require_POST
def connect_sandbox(request: SignedIn) -> HttpResponse:
    """One click: an account in the sandbox, made where it is missing, connected to the brand."""
    if not settings.SANDBOX_URL:
        raise Http404
    form = SandboxForm(request.POST, user=request.user)
    if form.is_valid() and (made := _try_sandbox(request, form)):
        return _connected(request, made)
    return show(request, "choose_network.html", choices=_choices(), sandbox=form)


def _try_sandbox(request: SignedIn, form: SandboxForm) -> Channel | None:
    try:
        return sandbox_accounts.connect_brand_account(
            by=request.user,
            brand=form.cleaned_data["brand"],
            network=form.cleaned_data["network"],
            handle=form.wanted_handle(),
        )
    except (NetworkError, connect.Refused) as error:
        _explain(form, error)
        return None


@requires(Permission.CHANNELS)
@form_page
@sensitive_post_parameters()
def connect_network(request: SignedIn, key: str) -> HttpResponse:
    """The connect form of a network: its keys are tried before anything is saved."""
    network = _network(key)
    form = ConnectForm(request.POST or None, network=network, user=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            brand = form.cleaned_data["brand"]
            made = connect.connect(by=request.user, brand=brand, network=key, credentials=form.credentials())
        except (NetworkError, connect.Refused) as error:
            _explain(form, error)
        else:
            return _connected(request, made)
    return show(
        request,
        "connect.html",
        form=form,
        name=network.name,
        help_page=connect_template(key),
        brandless=not _has_brand(request.user),
    )


@requires(Permission.CHANNELS)
@form_page
@sensitive_post_parameters()
def renew_keys(request: SignedIn, pk: int) -> HttpResponse:
    """New keys, as after a token broke. The old ones are never shown."""
    channel = channel_of(request.user, pk)
    form = KeysForm(request.POST or None, network=_network(channel.network), renewing=True)
    if request.method == "POST" and form.is_valid():
        try:
            made = connect.renew(by=request.user, channel=channel, credentials=form.credentials())
        except (NetworkError, connect.Refused) as error:
            _explain(form, error)
        else:
            return _connected(request, made)
    return show(
        request,
        "connect.html",
        form=form,
        channel=channel,
        name=channel.network_name,
        help_page=connect_template(channel.network),
    )


def _explain(form: forms.Form, error: NetworkError | connect.Refused) -> None:
    """In the network's own words, with what can be done about it."""
    form.add_error(None, str(error))
    if isinstance(error, NetworkError) and error.advice:
        form.add_error(None, error.advice)


def _connected(request: SignedIn, channel: Channel) -> HttpResponse:
    messages.success(request, _("%(handle)s is connected.") % {"handle": channel.handle})
    _ask_for_pushes(request, channel)
    return redirect("channel", channel.pk)


def _ask_for_pushes(request: SignedIn, channel: Channel) -> None:
    try:
        connect.ask_for_pushes(channel)
    except NetworkError as error:
        text = _("The network does not push yet, so we pull: %(reason)s") % {"reason": error.message}
        messages.warning(request, text)


# -- what an admin does -----------------------------------------------------------------------------------------------


@requires(Permission.CHANNELS)
@require_POST
def pause(request: SignedIn, pk: int) -> HttpResponse:
    channel = channel_of(request.user, pk)
    if connect.pause(channel=channel, by=request.user):
        messages.success(request, _("%(handle)s rests.") % {"handle": channel.handle})
    return redirect("channel", pk)


@requires(Permission.CHANNELS)
@require_POST
def resume(request: SignedIn, pk: int) -> HttpResponse:
    channel = channel_of(request.user, pk)
    if connect.resume(channel=channel, by=request.user):
        messages.success(request, _("%(handle)s goes on.") % {"handle": channel.handle})
    return redirect("channel", pk)


@requires(Permission.CHANNELS)
@require_POST
def pull_now(request: SignedIn, pk: int) -> HttpResponse:
    channel = channel_of(request.user, pk)
    connect.pull_soon(channel=channel, by=request.user)
    messages.success(request, _("%(handle)s is being pulled.") % {"handle": channel.handle})
    return redirect("channel", pk)


@requires(Permission.CHANNELS)
@require_POST
def ask_for_pushes(request: SignedIn, pk: int) -> HttpResponse:
    channel = channel_of(request.user, pk)
    _ask_for_pushes(request, channel)
    if channel.push_since:
        messages.success(request, _("The network pushes to us."))
    return redirect("channel", pk)
