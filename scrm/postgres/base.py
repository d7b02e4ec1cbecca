"""A database engine that needs no running server until the first query.

So `manage.py help`, `check` and the type checker start nothing, and every other
command finds the running embedded server or starts it for its own time.
"""

from typing import Any

from django.db.backends.postgresql import base

from scrm import services


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's own wrapper; starts or finds the embedded services before it connects."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        services.start()
        return super().get_new_connection(conn_params)
