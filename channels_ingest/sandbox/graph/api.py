"""The doors of Graph: nodes and edges, by any living version."""

from __future__ import annotations

from aiohttp import web

from . import apps, reading, writing


def routes() -> list[web.RouteDef]:
    base = r"/graph/{version:v\d+\.\d+}"
    one, two = base + "/{node}", base + "/{node}/{edge}"
    return [
        web.get(base + "/debug_token", apps.debug_token),
        web.get(base + "/", reading.several),
        web.route("*", base + r"/{app:\d+}/subscriptions", apps.app_subscriptions),
        web.get(one, reading.node),
        web.post(one, writing.write),
        web.delete(one, writing.remove),
        web.get(two, reading.edge),
        web.post(two, writing.write_edge),
        web.delete(two, writing.remove_edge),
    ]
