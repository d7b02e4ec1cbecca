"""`python -m channels_ingest.sandbox --data DIR --port N`: the sandbox networks, until SIGTERM or Ctrl-C."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from aiohttp import web

from .sender import LOOPBACK
from .server import application, open_site

STOP_WITHIN_S = 2.0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m channels_ingest.sandbox", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="directory of the journal and the ledgers")
    parser.add_argument("--port", type=int, default=8900)
    parser.add_argument("--host", default="127.0.0.1", choices=LOOPBACK, help="loopback only")
    return parser.parse_args()


def main() -> int:
    given = arguments()
    base_url = f"http://{given.host}:{given.port}"
    site, sender = open_site(given.data, base_url)
    try:
        web.run_app(
            application(site, sender),
            host=given.host,
            port=given.port,
            access_log=None,
            shutdown_timeout=STOP_WITHIN_S,
            print=lambda _: print(f"Sandbox networks at {base_url}", flush=True),
        )
    except OSError as error:
        print(f"The sandbox cannot listen on {given.host}:{given.port}: {error.strerror}.", file=sys.stderr)
        return 1
    finally:
        site.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
