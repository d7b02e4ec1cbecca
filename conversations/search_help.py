"""What the search box understands, with an example for each: shown below the box, and as a page of its own."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from accounts.access import requires
from accounts.roles import Permission
from conversations.pages import Request
from conversations.query import AUDIENCES, STATES

EXAMPLES = (
    ("maya", _("people by name or handle, also misspelt, and words that were said")),
    ("maya refund", _("a name beside words: the threads of these people that speak of it")),
    ('"without stakes"', _("these words side by side")),
    ("tent -refund", _("with the one word and without the other; a minus turns every filter around")),
    ("from:maya", _("what this person is about")),
    ("is:public", _("state: %(all)s")),
    ("tag:refund", _("with this tag")),
    ("before:2026-11-20", _("last active before this day, or beside words: said before it; also today, yesterday, 3d")),
    ("after:2h", _("last active since then, or beside words: said since then")),
    ("in:facebook", _("on this network or channel")),
    ("channel:trailhead", _("in this channel")),
    ("brand:trailhead", _("of this brand")),
    ("assignee:me", _("assigned to me, to nobody, or to a name")),
    ("team:repairs", _("that this team or one of its people has")),
    ("audience:one-to-many", _("how it is held: %(audiences)s")),
    ("reach:10k", _("from people with at least so many followers")),
    ("lang:de", _("in this language")),
    ("mood:negative", _("in this mood")),
    ("urgency:high", _("with this urgency")),
    ("priority:high", _("the same")),
    ("waiting:4h", _("waiting for an answer for longer than this")),
    ("age:2w", _("begun longer ago than this")),
    ("due:1d", _("with a promise due within this time, or overdue")),
)


@requires(Permission.READ)
@require_safe
def search_help(request: Request) -> HttpResponse:
    """The grammar of the search box; with htmx only the list of it."""
    template = "_search_help" if request.htmx else "search_help"
    context = {"section": "inbox", "examples": [(one, _filled(words)) for one, words in EXAMPLES]}
    return render(request, f"conversations/{template}.html", context)


def _filled(words: object) -> str:
    return str(words).replace("%(all)s", ", ".join(STATES)).replace("%(audiences)s", ", ".join(AUDIENCES))
