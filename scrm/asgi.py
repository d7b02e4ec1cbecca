"""One ASGI server: pages run in a pool of threads that keep their database connections, live updates on the loop."""

import os

from a2wsgi import WSGIMiddleware
from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "scrm.settings")

from conversations.live import LiveConsumer
from django.urls import path

from scrm.wsgi import application as pages

WORKERS = 8

application = ProtocolTypeRouter(
    {
        "http": WSGIMiddleware(pages, workers=WORKERS),
        "websocket": AllowedHostsOriginValidator(
            AuthMiddlewareStack(URLRouter([path("live/", LiveConsumer.as_asgi())]))
        ),
    }
)
