"""Does the web server on this machine answer? `python -m scrm.probe` for container health checks."""

import socket
import sys
from contextlib import suppress

from scrm import env

LOOPBACK = "127.0.0.1"
SECONDS = 5.0


def answers(port: int, host: str = "localhost") -> bool:
    """True when `/health/`, asked for under this host name, gives 200."""
    question = f"GET /health/ HTTP/1.0\r\nHost: {host}\r\n\r\n".encode()
    with suppress(OSError), socket.create_connection((LOOPBACK, port), timeout=SECONDS) as connection:
        connection.sendall(question)
        return connection.recv(64).split(b" ")[1:2] == [b"200"]
    return False


def main() -> int:
    """0 when the server on PORT is well."""
    hosts = env.names("ALLOWED_HOSTS", ("localhost",))
    return 0 if answers(env.number("PORT", 8000), hosts[0].lstrip(".*")) else 1


if __name__ == "__main__":
    sys.exit(main())
