"""`/health/`: what a load balancer or a container asks."""

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.access import public


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
