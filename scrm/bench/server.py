"""The product's web server with a plain page beside its own: `python -m scrm.bench.server FD`.

Each answer says how many statements the database was asked (`X-Queries`), how many milliseconds passed in the server
(`X-Server-Ms`), and for how many of them its thread computed (`X-Cpu-Ms`): that figure hardly minds busy neighbours.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import connection

from scrm.web import serve

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse


def measure(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: what the request cost, as headers."""

    def measured(request: HttpRequest) -> HttpResponse:
        asked = 0

        def one_more(execute: Callable[..., Any], *arguments: Any) -> Any:
            nonlocal asked
            asked += 1
            return execute(*arguments)

        began, computing = time.perf_counter(), time.thread_time()
        with connection.execute_wrapper(one_more):
            answer = get_response(request)
        answer["X-Queries"] = str(asked)
        answer["X-Server-Ms"] = f"{(time.perf_counter() - began) * 1000:.2f}"
        answer["X-Cpu-Ms"] = f"{(time.thread_time() - computing) * 1000:.2f}"
        return answer

    return measured


def main(listener: socket.socket) -> None:
    """Serve until SIGTERM."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "scrm.settings")
    settings.MIDDLEWARE = ["scrm.bench.server.measure", *settings.MIDDLEWARE]
    settings.ROOT_URLCONF = "scrm.bench.urls"
    serve(listener)


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
