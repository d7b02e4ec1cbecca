"""The product's addresses and two more: a page that does as little as a Django view can, and a plain list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpResponse
from django.template import Context, Engine
from django.urls import path

from accounts.access import public, requires
from accounts.roles import Permission
from conversations.models import Thread
from scrm.urls import handler500
from scrm.urls import urlpatterns as all_addresses

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.urls import URLPattern, URLResolver

__all__ = ["handler500", "urlpatterns"]

# As one writes a list in Django: six fields of fifty rows, with the filters such lists have, and nothing around them.
_PLAIN = Engine().from_string("""<!doctype html><html lang="en"><title>Threads</title><table>{% for thread in threads %}
<tr><td><a href="{% url 'thread' thread.pk %}">{{ thread.pk }}</a></td><td>{{ thread.contact.name }}</td>
<td>{{ thread.latest.text|truncatechars:80 }}</td><td>{{ thread.get_state_display }}</td>
<td>{{ thread.last_activity_at|date:"j M Y H:i" }}</td><td>{{ thread.last_inbound_at|timesince }}</td></tr>
{% endfor %}</table></html>""")


@public
def bare(_request: HttpRequest) -> HttpResponse:
    return HttpResponse("Well.\n", content_type="text/plain")


@requires(Permission.READ)
def plain(_request: HttpRequest) -> HttpResponse:
    """The reference: session, sign-in, one indexed query of fifty rows, and a plain template."""
    threads = Thread.objects.filter(state="open").select_related("contact", "latest")
    return HttpResponse(_PLAIN.render(Context({"threads": threads.order_by("-last_activity_at", "-pk")[:50]})))


urlpatterns: list[URLPattern | URLResolver] = [
    path("bench/bare/", bare, name="bench-bare"),
    path("bench/plain/", plain, name="bench-plain"),
    *all_addresses,
]
