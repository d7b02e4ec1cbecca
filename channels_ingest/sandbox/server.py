"""Puts the doors together into one web application."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web

from . import control
from .door import door
from .graph import api as graph_api
from .play import doors
from .sender import LOOPBACK, Sender
from .site import SENDER, SITE, Site
from .x import api as x_api
from .x import push as x_push

LARGEST_BODY = 64 * 1024 * 1024  # a batch of loaded posts
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


def application(site: Site, sender: Sender) -> web.Application:
    app = web.Application(middlewares=[only_from_here, doors.kind_errors, door], client_max_size=LARGEST_BODY)
    app[SITE] = site
    app[SENDER] = sender
    app[doors.STREAMS] = set()
    app.on_shutdown.append(doors.close_streams)
    app.cleanup_ctx.append(_sending)
    app.add_routes([*x_api.routes(), *x_push.routes(), *graph_api.routes(), *control.routes(), *doors.routes()])
    return app


async def _sending(app: web.Application) -> AsyncIterator[None]:
    task = asyncio.create_task(app[SENDER].run())
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def open_site(directory: Path, base_url: str) -> tuple[Site, Sender]:
    """The site with its state as the journal tells it, and the sender with what it still has to tell."""
    site = Site(directory, base_url)
    sender = Sender(site)
    site.world.replay(sender.catch_up)
    sender.resume()
    site.world.listeners.append(sender.on_event)
    return site, sender
