"""The pages on which macros are written: one's own by anybody, those for everybody by whoever may."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access import form_page, requires
from accounts.choosing import words_typed
from accounts.keyset import page
from accounts.models import Brand
from accounts.roles import Permission
from conversations import macros
from conversations.forms import MacroForm
from conversations.models import Macro
from conversations.pages import Request

if TYPE_CHECKING:
    from django.db.models import QuerySet


@requires(Permission.REPLY)
@require_safe
def macro_list(request: Request) -> HttpResponse:
    """Everybody's macros of the brands one sees, and one's own."""
    words = words_typed(request)
    found = _visible(request).filter(Q(name__icontains=words) | Q(text__icontains=words))
    shown = page(
        found.select_related("brand", "owner"), by=("purpose", "name", "id"), after=request.GET.get("after", "")
    )
    may_share = request.user.may(Permission.MACROS)
    context = {
        "section": "macros",
        "page": shown,
        "words": words,
        "rows": [(macro, macros.told(macro), macro.owner_id is not None or may_share) for macro in shown.rows],
    }
    return render(request, "conversations/macros.html", context)


@requires(Permission.REPLY)
@form_page
def new_macro(request: Request) -> HttpResponse:
    return _edit(request, Macro())


@requires(Permission.REPLY)
@form_page
def edit_macro(request: Request, pk: int) -> HttpResponse:
    return _edit(request, get_object_or_404(_own(request), pk=pk))


@requires(Permission.REPLY)
@require_POST
def delete_macro(request: Request, pk: int) -> HttpResponse:
    macro = get_object_or_404(_own(request), pk=pk)
    macros.delete(macro, by=request.user)
    messages.success(request, _("The macro is deleted."))
    return HttpResponseRedirect(reverse("macros"))


def _edit(request: Request, macro: Macro) -> HttpResponse:
    form = MacroForm(request.POST or None, instance=macro, by=request.user)
    if request.method == "POST" and form.is_valid():
        macros.write(form.save(commit=False), by=request.user)
        messages.success(request, _("The macro is saved."))
        return HttpResponseRedirect(reverse("macros"))
    context = {"section": "macros", "form": form, "macro": macro}
    return render(request, "conversations/macro.html", context, status=422 if form.errors else 200)


def _visible(request: Request) -> QuerySet[Macro]:
    brands = Brand.objects.visible_to(request.user).values("pk")
    return Macro.objects.filter(Q(owner=None) | Q(owner=request.user), Q(brand=None) | Q(brand__in=brands))


def _own(request: Request) -> QuerySet[Macro]:
    """Those one may change."""
    visible = _visible(request)
    return visible if request.user.may(Permission.MACROS) else visible.filter(owner=request.user)
