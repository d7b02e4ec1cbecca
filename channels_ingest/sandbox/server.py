"""Puts the doors together into one web application."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web

from . import control
from .door import door
from .graph import api as graph_api
from .site import SITE, Site
from .x import api as x_api

LARGEST_BODY = 64 * 1024 * 1024  # a batch of loaded posts
LOOPBACK = ("127.0.0.1", "localhost", "::1")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def only_from_here(request: web.Request, handler: Handler) -> web.StreamResponse:
    """No foreign page may drive the sandbox: the Host must be ours, and so must the Origin of whatever changes."""
    host = (urlsplit(f"//{request.host}").hostname or "").lower()
    if host not in LOOPBACK:
        return web.Response(status=421, text="The sandbox answers on the loopback address only.\n")
    origin = request.headers.get("Origin")
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    foreign = (origin is not None and urlsplit(origin).netloc != request.host) or site not in ("same-origin", "none")
    if request.method not in ("GET", "HEAD") and foreign:
        return web.Response(status=403, text="This request comes from another site.\n")
    return await handler(request)


def application(site: Site) -> web.Application:
    app = web.Application(middlewares=[only_from_here, door], client_max_size=LARGEST_BODY)
    app[SITE] = site
    app.add_routes([*x_api.routes(), *graph_api.routes(), *control.routes()])
    return app


def open_site(directory: Path, base_url: str) -> Site:
    """The site with its state as the journal tells it."""
    site = Site(directory, base_url)
    site.world.replay()
    return site
