"""The product's web server with a plain page beside its own: `python -m scrm.bench.server FD`.

Each answer says in `X-Queries` how many statements the database was asked.
"""

from __future__ import annotations

import os
import socket
import sys
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import connection

from scrm.web import serve

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse


def count_queries(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: the number of statements of the request, as a header."""

    def counted(request: HttpRequest) -> HttpResponse:
        asked = 0

        def one_more(execute: Callable[..., Any], *arguments: Any) -> Any:
            nonlocal asked
            asked += 1
            return execute(*arguments)

        with connection.execute_wrapper(one_more):
            answer = get_response(request)
        answer["X-Queries"] = str(asked)
        return answer

    return counted


def main(listener: socket.socket) -> None:
    """Serve until SIGTERM."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "scrm.settings")
    settings.MIDDLEWARE = ["scrm.bench.server.count_queries", *settings.MIDDLEWARE]
    settings.ROOT_URLCONF = "scrm.bench.urls"
    serve(listener)


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
