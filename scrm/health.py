"""`/health/`, `/health/ready/` and `/health/live/`: what a load balancer, a container or a watchman asks."""

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.access import public
from conversations.standstill import overdue


@public
@never_cache
@require_safe
def health(_request: HttpRequest) -> HttpResponse:
    """200 when the database answers, 503 when it does not; says nothing more to strangers."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return HttpResponse("The database does not answer.\n", status=503, content_type="text/plain")
    return HttpResponse("Well.\n", content_type="text/plain")


@public
@never_cache
@require_safe
def live(_request: HttpRequest) -> HttpResponse:
    """200 while due work is being done, 503 when it lies about or nobody can tell."""
    try:
        waiting = sum(overdue().values())
    except DatabaseError:
        return HttpResponse("The database does not answer.\n", status=503, content_type="text/plain")
    if waiting:
        return HttpResponse("Work is due and none is done.\n", status=503, content_type="text/plain")
    return HttpResponse("Well.\n", content_type="text/plain")
