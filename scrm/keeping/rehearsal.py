"""Plays the pending migrations on a copy of the database, and says what each took, locked and changed."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from django.db import Error, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor

from scrm.keeping import backup, programs

ALIAS = "rehearsal"
HARMLESS = ("AccessShareLock", "RowShareLock", "RowExclusiveLock")  # neither readers nor writers wait for these
_LOCKS = """
    SELECT c.relname, l.mode FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
    WHERE l.pid = pg_backend_pid() AND l.granted AND c.relkind IN ('r', 'p') AND c.relname NOT LIKE 'pg\\_%%'
"""


@dataclass
class Locks:
    """The locks that stop others, as seen after every statement: within a transaction they last until its end."""

    wrapper: BaseDatabaseWrapper
    seen: dict[tuple[str, str], float] = field(default_factory=dict)

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        found = execute(sql, params, many, context)
        with self.wrapper.connection.cursor() as cursor:
            cursor.execute(_LOCKS)
            for lock in cursor.fetchall():
                self.seen.setdefault(lock, time.monotonic())
        return found

    def told(self, ended: float) -> list[dict[str, Any]]:
        """Each lock that makes others wait, with how long it was held (seconds)."""
        return [
            {"table": table, "lock": mode, "seconds": round(ended - since, 3)}
            for (table, mode), since in sorted(self.seen.items())
            if mode not in HARMLESS
        ]


def pending(wrapper: BaseDatabaseWrapper) -> list[Any]:
    """The migrations that are to be applied, in order."""
    executor = MigrationExecutor(wrapper)
    return [migration for migration, _back in executor.migration_plan(executor.loader.graph.leaf_nodes())]


def rehearse() -> dict[str, Any]:
    """What an upgrade would do, as JSON values. The database itself is only read. Raises programs.ProgramFailed."""
    if not pending(connection):
        return {"pending": 0, "migrations": []}
    started = time.monotonic()
    with _copied() as copy:
        copied = time.monotonic() - started
        before = backup.rows(ALIAS)
        steps = list(_steps(copy))
        failed = any("error" in step for step in steps)
        after = {} if failed else backup.rows(ALIAS)
        size = _size(copy)
    names = sorted({*before, *after}) if after else []
    changed = {name: [before.get(name), after.get(name)] for name in names if before.get(name) != after.get(name)}
    return {
        "pending": len(steps),
        "ok": not failed,
        "copy_seconds": round(copied, 1),
        "copy_bytes": size,
        "seconds": round(sum(step["seconds"] for step in steps), 3),
        "migrations": steps,
        "rows_before": sum(before.values()),
        "rows_changed": changed,
    }


def _steps(copy: BaseDatabaseWrapper) -> Iterator[dict[str, Any]]:
    """Each pending migration in turn; the first that fails is the last."""
    for migration in pending(copy):
        executor, locks = MigrationExecutor(copy), Locks(copy)
        step: dict[str, Any] = {"migration": f"{migration.app_label}.{migration.name}"}
        started = time.monotonic()
        try:
            with copy.execute_wrapper(locks):
                executor.migrate([(migration.app_label, migration.name)])
        except Error as error:
            step["error"] = programs.last_words(str(error))
        ended = time.monotonic()
        yield {**step, "seconds": round(ended - started, 3), "locks": locks.told(ended)}
        if "error" in step:
            return


@contextmanager
def _copied() -> Iterator[BaseDatabaseWrapper]:
    """A copy of the database beside it, gone afterwards."""
    given = connection.settings_dict
    name = f"{given['NAME']}_rehearsal_{uuid4().hex[:8]}"
    settings = {**given, "NAME": name}
    _execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
    try:
        _pour(settings)
        connections.settings[ALIAS] = {**settings, "CONN_MAX_AGE": 0}
        copy = connections[ALIAS]
        with copy.cursor() as cursor:
            cursor.execute("SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0")
        yield copy
    finally:
        if ALIAS in connections.settings:
            connections[ALIAS].close()
            del connections[ALIAS]
            del connections.settings[ALIAS]
        _execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _execute(sql: str) -> None:
    """Outside any transaction, as statements about whole databases must be."""
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        try:
            cursor.execute(sql)
        finally:
            cursor.execute("RESET statement_timeout")


def _pour(settings: dict[str, Any]) -> None:
    dumping = [programs.program("pg_dump"), "--format=custom", "--compress=0", "--no-owner", "--no-privileges"]
    with subprocess.Popen(
        dumping, env=programs.surroundings(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=False
    ) as source:
        arguments = ("--no-owner", "--no-privileges", "--exit-on-error", f"--dbname={settings['NAME']}")
        try:
            programs.run("pg_restore", *arguments, settings=settings, stdin=source.stdout)
        finally:
            if source.stdout is not None:
                source.stdout.close()
        complaints = source.stderr.read().decode(errors="replace") if source.stderr is not None else ""
    if source.returncode:
        raise programs.ProgramFailed(f"pg_dump: {programs.last_words(complaints)}")


def _size(copy: BaseDatabaseWrapper) -> int:
    with copy.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        return int(cursor.fetchone()[0])
