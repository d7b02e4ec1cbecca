"""What happened for me: the bell, the list, and what I want to hear of."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from accounts.access import form_page, public, requires
from accounts.choosing import words_typed
from accounts.keyset import page
from accounts.roles import Permission
from channels_ingest import webpush
from channels_ingest.webpush import BadSubscription, Subscription
from conversations import bell, digest, mentions, notify, push
from conversations.forms import NoticeForm
from conversations.models import Notification, Thread
from conversations.pages import Request, thread_of

PAGE_SIZE = 50
TOGETHER = {"mention": ("mention", "team")}  # on one tab of the list


@requires(Permission.READ)
@require_safe
def notices(request: Request) -> HttpResponse:
    """The user's notifications, newest first; `kind=mention` shows only where somebody mentions them or their team."""
    kind = request.GET.get("kind", "")
    mine = _mine(request)
    if kind in Notification.Kind.values:
        mine = mine.filter(kind__in=TOGETHER.get(kind, (kind,)))
    shown = page(mine, by=("-id",), after=request.GET.get("after", ""), size=PAGE_SIZE)
    rows = [(notice, notify.words(notice), notify.address(notice)) for notice in shown.rows]
    context = {"section": "notices", "page": shown, "rows": rows, "kind": kind}
    return render(request, "conversations/notices.html", context)


@requires(Permission.READ)
@require_safe
def notice_count(request: Request) -> JsonResponse:
    """How many are unread (at most 100), the newest of what a browser may show, in words with its place, and whether
    this browser is pushed to.
    """
    loud = _mine(request).filter(read_at=None).exclude(kind__in=notify.QUIET)
    newest = loud.order_by("-pk").first()
    here = request.user.push_subscriptions.filter(session_key=request.session.session_key)
    told = {"pushed": here.exists(), "newest": newest.pk if newest else 0, "words": "", "address": ""}
    if newest:
        told |= {"words": notify.words(newest), "address": notify.address(newest)}
    return JsonResponse({"count": bell.unread_by(request.user), **told})


@requires(Permission.READ)
@require_POST
def notices_read(request: Request) -> HttpResponse:
    """Marks everything as read."""
    Notification.objects.filter(user=request.user, read_at=None).update(read_at=timezone.now())
    return HttpResponseRedirect(reverse("notices"))


@requires(Permission.READ)
@form_page
def notice_settings(request: Request) -> HttpResponse:
    """Which kinds the user wants to hear of, how often by mail, and which languages they read.

    What cannot come is not offered, and stays as it was chosen.
    """
    user = request.user
    offered = notify.kinds_for(user)
    wanted = [kind.value for kind in offered if kind not in user.muted]
    initial = {"kinds": wanted, "digest": user.digest, "languages": user.languages}
    form = NoticeForm(request.POST or None, initial=initial, kinds=offered, reads=user.languages)
    if request.method == "POST" and form.is_valid():
        notify.choose(user, **form.cleaned_data)
        messages.success(request, _("Saved."))
        return HttpResponseRedirect(reverse("notice-settings"))
    context = {"section": "account", "form": form, "push_key": webpush.public_key()}
    return render(request, "conversations/notice_settings.html", context)


@public
@csrf_exempt  # a mail program has no cookie of ours; the signed address is its proof (RFC 8058)
@form_page
def mails_off(request: HttpRequest, token: str) -> HttpResponse:
    """Ends somebody's mails, without signing in. To look at the address, as scanners of mails do, ends nothing."""
    reader = digest.reader_of(token)
    if reader is None:
        raise Http404
    if request.method == "POST":
        digest.stop(reader)
    context = {"reader": reader, "ended": request.method == "POST", "section": ""}
    return render(request, "conversations/mails_off.html", context)


@requires(Permission.READ)
@require_POST
def push_here(request: Request) -> HttpResponse:
    """This browser shows the user's notifications, until it is switched off or they sign out."""
    given = Subscription(*(request.POST.get(name, "") for name in ("endpoint", "p256dh", "auth")))
    try:
        push.subscribe(request.user, given, session_key=request.session.session_key or "")
    except BadSubscription:
        return HttpResponse(status=422)
    return HttpResponse(status=204)


@requires(Permission.READ)
@require_POST
def push_no_more(request: Request) -> HttpResponse:
    push.unsubscribe(request.user, request.POST.get("endpoint", ""))
    return HttpResponse(status=204)


@requires(Permission.REPLY)
@require_safe
def names(request: Request, pk: int) -> JsonResponse:
    """The first colleagues and teams that a note on this thread may call, and whether that is everybody."""
    found = mentions.names_in(thread_of(request, pk).brand_id, words_typed(request))
    told = [{"name": one.name, "team": one.team} for one in found]
    return JsonResponse({"names": told, "more": len(told) >= mentions.MOST_NAMES})


def _mine(request: Request) -> QuerySet[Notification]:
    visible = Thread.objects.visible_to(request.user).values("pk")
    return Notification.objects.filter(user=request.user, thread__in=visible).select_related("thread__contact", "by")
