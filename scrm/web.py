"""The web server process: `python -m scrm.web FD` serves on a listening socket it is handed.

The one who starts it holds the socket, so that a taken port is known before
anything runs, and no connection is refused while the server restarts.
"""

import socket
import sys

import uvicorn

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
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
