"""One database is migrated in a run; the databases of its workers are copies of that one."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.core.management import call_command
from django.db import connection
from psycopg2.sql import SQL, Identifier

NAME = "test_template"


def migrated() -> str:
    """The name of the migrated database, to which nobody is connected. Whoever asks first makes it."""
    place = Path(os.environ["TEST_DATA_DIR"])
    done = place / "template-is-migrated"
    with (place / "template.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            _make()
            done.touch()
    return NAME


def _make() -> None:
    with connection._nodb_cursor() as cursor:
        cursor.execute(SQL("DROP DATABASE IF EXISTS {}").format(Identifier(NAME)))
        cursor.execute(SQL("CREATE DATABASE {}").format(Identifier(NAME)))
    with _connected_to(NAME):
        call_command("migrate", verbosity=0, interactive=False)


@contextmanager
def _connected_to(name: str) -> Iterator[None]:
    """Django's connection leads to that database until the end of the block."""
    usual = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = usual
