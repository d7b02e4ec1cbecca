"""Writes a backup: a dump and the row counts of the same moment."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

from scrm.keeping import archive, programs

_TABLES = """
    SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') ORDER BY c.relname
"""


def tables(using: str = "default") -> list[str]:
    with connections[using].cursor() as cursor:
        cursor.execute(_TABLES)
        return [name for (name,) in cursor.fetchall()]


def rows(using: str = "default") -> dict[str, int]:
    """How many rows each table holds."""
    counts: dict[str, int] = {}
    with connections[using].cursor() as cursor:
        for table in tables(using):
            cursor.execute(f"SELECT count(*) FROM {connections[using].ops.quote_name(table)}")  # noqa: S608 (quoted)
            counts[table] = cursor.fetchone()[0]
    return counts


def applied_migrations(wrapper: BaseDatabaseWrapper | None = None) -> list[str]:
    """As "app.name", in order of the alphabet."""
    found = MigrationLoader(wrapper or connection).applied_migrations
    return sorted(f"{app}.{name}" for app, name in found)


def known_migrations() -> set[str]:
    """Those that this version of the product has."""
    return {f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations}


@contextmanager
def _snapshot() -> Iterator[str]:
    """The name of a view of the database that stays as it is, for us and for pg_dump."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        cursor.execute("SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0")
        cursor.execute("SELECT pg_export_snapshot()")
        yield cursor.fetchone()[0]


def back_up(path: Path) -> archive.Manifest:
    """Writes the backup; raises programs.ProgramFailed, OSError."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(prefix="scrm-backup-", dir=path.parent) as name, _snapshot() as snapshot:
        dump, taken_at = Path(name) / archive.DUMP, timezone.now()
        programs.run(
            "pg_dump",
            *("--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}", f"--file={dump}"),
        )
        manifest = archive.Manifest(
            taken_at=taken_at.isoformat(),
            postgres=connection.cursor().connection.server_version,
            migrations=applied_migrations(),
            rows=rows(),
            sha256=archive.digest_of(dump),
            bytes=dump.stat().st_size,
        )
        archive.write(path, manifest, dump)
    return manifest
