"""What the views of the inbox share: loading what somebody may see, and answering plain forms and htmx alike."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse

from accounts.access import SignedIn
from conversations.models import Thread
from conversations.wanted import Wanted

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.forms import BaseForm
    from django_htmx.middleware import HtmxDetails


class Request(SignedIn):
    """A request of somebody who is signed in, perhaps made by htmx."""

    htmx: HtmxDetails


LONGEST_ERROR = 500  # letters


class Answer(NamedTuple):
    """How a step went: what to say, and with which status where it was refused."""

    words: str
    refused: bool = False


def visible_threads(request: Request) -> QuerySet[Thread]:
    parts = Thread.objects.select_related("brand", "channel", "channel__app", "identity", "contact", "assignee", "team")
    return parts.visible_to(request.user)


def thread_of(request: Request, pk: int) -> Thread:
    """Raises Http404 for a thread that the user may not see."""
    return get_object_or_404(visible_threads(request), pk=pk)


def done(request: Request, thread: Thread, answer: Answer) -> HttpResponse:
    """A plain form goes back to the thread with a message; htmx gets the message and a hint of what changed."""
    if not request.htmx:
        (messages.error if answer.refused else messages.success)(request, answer.words)
        return HttpResponseRedirect(back(request, thread))
    toast = {"text": answer.words, "tags": "error" if answer.refused else ""}
    return hint(HttpResponse(status=204), thread, toast=toast)


def hint(response: HttpResponse, thread: Thread, **events: Any) -> HttpResponse:
    """Tells the page that asked which thread to fetch again, and more events of htmx."""
    response["HX-Trigger"] = json.dumps({"live:changed": {"threads": [thread.pk], "many": False}, **events})
    return response


def errors_of(form: BaseForm) -> str:
    """What is wrong, in words. They may repeat what was typed, and go into a header: no more than a few lines of it."""
    return " ".join(str(error) for errors in form.errors.values() for error in errors)[:LONGEST_ERROR]


def back(request: Request, thread: Thread, **more: str) -> str:
    """The address of the thread within the list it was opened from."""
    query = Wanted.read(request.GET.dict()).query
    parts = [query, *(f"{name}={value}" for name, value in more.items())]
    asked = "&".join(part for part in parts if part)
    return reverse("thread", args=[thread.pk]) + (f"?{asked}" if asked else "")
