"""Knowledge made of helpers' answers: credits, and simple pages to list and edit articles."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access import form_page, requires
from accounts.ids import id_of
from accounts.keyset import page
from accounts.models import Brand
from accounts.roles import Permission
from channels_ingest.networks.base import Action
from contacts.models import Contact
from conversations import drafts, helpers
from conversations.actions import NotPossible
from conversations.difference import difference
from conversations.forms import ArticleForm
from conversations.item_views import load_item
from conversations.models import Article, HelperCredit, Thread
from conversations.pages import Request, thread_of

PAGE_SIZE = 50
MOST_CREDITS = 50


@requires(Permission.REPLY)
@require_POST
def crediting(request: Request, pk: int, item_pk: int) -> HttpResponse:
    """Marks the item as solving; with `article` an article draft is made of it, too."""
    thread, item = load_item(request, pk, item_pk)
    try:
        helpers.credit(item, thread=thread, by=request.user)
        if request.POST.get("article"):
            article = helpers.draft(item, by=request.user)
            return HttpResponseRedirect(reverse("article", args=[article.pk]))
    except NotPossible as refused:
        messages.error(request, str(refused))
        return HttpResponseRedirect(reverse("item", args=[thread.pk, item.pk]))
    messages.success(request, _("Marked as solving."))
    return HttpResponseRedirect(reverse("thread", args=[thread.pk]))


@requires(Permission.READ)
@require_safe
def articles(request: Request) -> HttpResponse:
    shown = page(_visible(request), by=("-id",), after=request.GET.get("after", ""), size=PAGE_SIZE)
    return render(request, "conversations/articles.html", {"section": "articles", "page": shown})


@requires(Permission.REPLY)
@form_page
def article(request: Request, pk: int) -> HttpResponse:
    """One article: its words, and the next steps."""
    found = get_object_or_404(_visible(request), pk=pk)
    form = ArticleForm(request.POST or None, initial=_words(found))
    if request.method != "POST" or not form.is_valid():
        return _article(request, found, form)
    try:
        helpers.edit(found, by=request.user, **form.cleaned_data)
    except helpers.Changed as refused:
        return _changed(request, found, form, str(refused))
    messages.success(request, _("Saved."))
    return HttpResponseRedirect(reverse("article", args=[pk]))


def _words(found: Article) -> dict[str, str]:
    return {"title": found.title, "text": found.text, "read": found.version}


def _changed(request: Request, found: Article, form: ArticleForm, problem: str) -> HttpResponse:
    """What was typed stays, beside what somebody else saved; whoever saves it again has seen that."""
    mine = {**_words(found), "title": form.cleaned_data["title"], "text": form.cleaned_data["text"]}
    parts = {name: difference(_words(found)[name], mine[name].replace("\r\n", "\n")) for name in ("title", "text")}
    again = _article(request, found, ArticleForm(initial=mine), problem=problem, parts=parts)
    again.status_code = 409
    return again


def _article(request: Request, found: Article, form: ArticleForm, **more: object) -> HttpResponse:
    context = {"section": "articles", "article": found, "form": form, "said": helpers.said_since(found)}
    return render(request, "conversations/article.html", context | {"asking": helpers.asking(found)} | more)


@requires(Permission.REPLY)
@require_POST
def article_step(request: Request, pk: int) -> HttpResponse:
    """Asked, consented (with the item that shows it), published or withdrawn."""
    found = get_object_or_404(_visible(request), pk=pk)
    try:
        match request.POST.get("step"):
            case "ask":
                helpers.ask(found, by=request.user)
            case "propose" if found.source is not None and found.source.thread_id is not None:
                return _proposed(request, found, thread_of(request, found.source.thread_id))
            case "consent":
                shown_by = get_object_or_404(helpers.said_since(found), pk=id_of(request.POST.get("item")))
                helpers.consent(found, shown_by=shown_by, by=request.user)
            case "publish":
                helpers.publish(found, by=request.user)
            case "withdraw":
                helpers.withdraw(found, by=request.user)
    except NotPossible as refused:
        messages.error(request, str(refused))
    return HttpResponseRedirect(reverse("article", args=[pk]))


def _proposed(request: Request, found: Article, thread: Thread) -> HttpResponse:
    """Puts the question into the public lane of the helper's thread, once, and goes there. It is not sent yet."""
    lane = Action.REPLY.value
    drafts.add(thread, by=request.user, lane=lane, words=helpers.asking(found))
    return HttpResponseRedirect(reverse("thread", args=[thread.pk]) + f"?lane={lane}")


@requires(Permission.READ)
@require_safe
def contact_credits(request: Request, pk: int) -> HttpResponse:
    """Fragment of a contact's page: where this person helped."""
    contact = get_object_or_404(Contact.objects.visible_to(request.user), pk=pk)
    mine = HelperCredit.objects.filter(interaction__contact=contact)
    seen = mine.filter(thread__brand__in=Brand.objects.visible_to(request.user))
    credits = seen.select_related("interaction", "thread").order_by("-at", "-pk")[:MOST_CREDITS]
    return render(request, "conversations/_credits.html", {"credits": credits})


def _visible(request: Request) -> QuerySet[Article]:
    seen = Article.objects.filter(brand__in=Brand.objects.visible_to(request.user))
    return seen.select_related("source__author", "consent", "brand")
