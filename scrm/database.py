"""DATABASE_URL as Django's settings want it."""

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from scrm import env, services

SCHEMES = frozenset({"postgres", "postgresql"})


def settings() -> dict[str, Any]:
    """The entry for DATABASES: the server named by DATABASE_URL, or the embedded one.

    Raises env.BadSetting where the URL names no PostgreSQL database.
    """
    embedded = env.text("DATABASE_URL") is None
    engine = "scrm.postgres" if embedded else "django.db.backends.postgresql"
    return {"ENGINE": engine, **parse(services.database_url())}


def parse(url: str) -> dict[str, Any]:
    """Split `postgresql://user:password@host:port/name?option=value`.

    A host given as an option wins, as libpq has it: that is how sockets are written.
    """
    parts = urlsplit(url)
    name = unquote(parts.path.lstrip("/"))
    if parts.scheme not in SCHEMES or not name:
        raise env.BadSetting("DATABASE_URL must read postgresql://user:password@host:port/name.")
    options = dict(parse_qsl(parts.query))
    return {
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", unquote(parts.hostname or "")),
        "PORT": str(parts.port or ""),
        "OPTIONS": options,
    }
