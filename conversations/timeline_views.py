"""The timeline of a contact, as a fragment of the contact's page and as a page of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from accounts.access import requires
from accounts.roles import Permission
from contacts.models import Contact
from conversations.timeline import timeline

if TYPE_CHECKING:
    from django.http import HttpResponse

    from accounts.access import SignedIn


@requires(Permission.READ)
@require_safe
def contact_timeline(request: SignedIn, pk: int) -> HttpResponse:
    contact = get_object_or_404(Contact.objects.visible_to(request.user), pk=pk)
    page = timeline(contact, request.user, after=request.GET.get("after", ""))
    part = "HX-Request" in request.headers
    template = "conversations/_timeline.html" if part else "conversations/timeline.html"
    return render(request, template, {"section": "contacts", "contact": contact, "page": page})
