"""One ASGI server: pages run in a pool of threads that keep their database connections, live updates on the loop."""

import os
from typing import Any, cast

from a2wsgi import WSGIMiddleware
from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.core.wsgi import get_wsgi_application
from django.urls import path
from django.utils.module_loading import import_string

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "scrm.settings")

WORKERS = 8

pages = cast(Any, get_wsgi_application())  # loads the apps, which the consumer needs
live = import_string("conversations.live.LiveConsumer")

application = ProtocolTypeRouter(
    {
        "http": WSGIMiddleware(pages, workers=WORKERS),
        "websocket": AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter([path("live/", live.as_asgi())]))),
    }
)
