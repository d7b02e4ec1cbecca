"""The web server process: `python -m scrm.web FD` serves on a listening socket it is handed.

The one who starts it holds the socket, so that a taken port is known before
anything runs, and no connection is refused while the server restarts.
"""

import gc
import socket
import sys
from importlib import import_module

import uvicorn
from django.conf import settings

# Python's collector looks through everything ever loaded again and again, for tens of milliseconds each time. What is
# there before the first request stays; of the rest, a page makes some ten thousand objects, nearly all without cycles.
OBJECTS_BETWEEN_COLLECTIONS = 25_000
GRACE_SECONDS = 5  # for requests that run when we are asked to end; live connections are cut after it


def serve(listener: socket.socket) -> None:
    """Serve the application until SIGTERM or SIGINT."""
    config = uvicorn.Config(
        "scrm.asgi:application",
        access_log=False,
        log_level="warning",
        lifespan="off",
        timeout_graceful_shutdown=GRACE_SECONDS,
        server_header=False,
    )
    config.load()
    _leave_alone_what_is_loaded()
    uvicorn.Server(config).run(sockets=[listener])


def _leave_alone_what_is_loaded() -> None:
    import_module(settings.ROOT_URLCONF)  # all pages, which would else be loaded by the first request
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
