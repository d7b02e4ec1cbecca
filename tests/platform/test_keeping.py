"""A backup comes back whole, without what was erased since; an upgrade is tried on a copy first."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import psycopg2
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Brand, User
from channels_ingest import erasures
from channels_ingest.ingest import hand_over
from channels_ingest.models import Channel
from channels_ingest.networks.base import Action, AuthorRemoval, Removal
from channels_ingest.vault import unseal
from conversations.models import Delivery, Interaction
from conversations.reply import reply
from scrm.keeping import programs
from tests.cast import JONAS, MAYA, SOFIA, said

pytestmark = pytest.mark.django_db(transaction=True)

COPY = "restored_copy"


@pytest.fixture(autouse=True)
def erasure_log(tmp_path: Path, settings: Settings) -> Path:
    settings.ERASURE_LOG = tmp_path / "erasures.jsonl"
    return tmp_path / "erasures.jsonl"


def address(name: str) -> str:
    """Of a database beside that of the tests, as DATABASE_URL writes it."""
    given = connection.settings_dict
    port = f":{given['PORT']}" if given["PORT"] else ""
    password = f":{quote(given['PASSWORD'], safe='')}" if given["PASSWORD"] else ""
    return f"postgresql://{given['USER']}{password}@{quote(given['HOST'], safe='')}{port}/{name}"


@pytest.fixture
def copy() -> Iterator[str]:
    """The address of an empty database beside that of the tests."""
    with connection.cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{COPY}" WITH (FORCE)')
        cursor.execute(f'CREATE DATABASE "{COPY}" TEMPLATE template0')
    yield address(COPY)
    with connection.cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{COPY}" WITH (FORCE)')


def back_up(path: Path) -> dict[str, Any]:
    out = StringIO()
    call_command("backup", path, stdout=out)
    told: dict[str, Any] = json.loads(out.getvalue().splitlines()[-1])
    return told


def command(database: str, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    """By a process of its own, on that database."""
    given = {"DATABASE_URL": database, "ERASURE_LOG": str(settings.ERASURE_LOG), **more}
    keys = {"SECRET_KEY": settings.SECRET_KEY, "ENCRYPTION_KEYS": ",".join(settings.ENCRYPTION_KEYS)}
    argv = [sys.executable, "manage.py", *words]
    return subprocess.run(
        argv, cwd=settings.BASE_DIR, env={**os.environ, **keys, **given}, capture_output=True, text=True, check=False
    )


def restore(path: Path, copy: str, *options: str) -> subprocess.CompletedProcess[str]:
    return command(copy, "restore", str(path), *options, DJANGO_SETTINGS_MODULE="scrm.settings")


def asked(copy: str, query: str) -> Any:
    with psycopg2.connect(copy) as other, other.cursor() as cursor:
        cursor.execute(query)
        (found,) = cursor.fetchone() or (None,)
        return found


def dumped(copy: str) -> str:
    done = subprocess.run(
        [programs.program("pg_dump"), "--data-only", f"--dbname={copy}"], capture_output=True, text=True, check=True
    )
    return done.stdout


def test_a_backup_comes_back_whole_and_what_was_erased_since_does_not(
    channel: Channel, agent: User, tmp_path: Path, copy: str
) -> None:
    channel.keep_credentials({"access_token": "hush-token"})
    channel.save()
    hand_over(channel, [said("1", MAYA, "words to be kept"), said("2", JONAS, "words to be erased")])
    hand_over(channel, [said("3", SOFIA, "words of somebody who leaves")])
    thread = Interaction.objects.get(external_id="1").thread
    assert thread is not None
    reply(thread, by=agent, text="An answer that waits.", action=Action.REPLY, key=uuid4())
    path = tmp_path / "crm.backup"
    told = back_up(path)
    hand_over(channel, [Removal("2")])
    hand_over(channel, [AuthorRemoval(SOFIA.external_id)])

    done = restore(path, copy)
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout.splitlines()[-1])
    assert (summary["rows"], summary["erased_again"]) == (told["rows"], 3)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    everything = dumped(copy)
    assert "words to be kept" in everything
    assert "words to be erased" not in everything
    assert "somebody who leaves" not in everything
    assert asked(copy, "SELECT count(*) FROM conversations_interaction WHERE removed_at IS NOT NULL") == 2
    sealed = asked(copy, "SELECT credentials FROM channels_ingest_channel")
    assert "hush" not in everything
    assert unseal(sealed) == {"access_token": "hush-token"}
    assert asked(copy, "SELECT state FROM conversations_delivery") == Delivery.State.UNKNOWN
    assert asked(copy, "SELECT outage_from IS NOT NULL FROM channels_ingest_channel")

    again = restore(path, copy)
    assert again.returncode != 0
    assert "The database is not empty" in again.stderr
    assert "Traceback" not in again.stderr
    assert restore(path, copy, "--replace").returncode == 0


@pytest.mark.parametrize("place", [600, -2000])
def test_a_damaged_backup_is_refused_in_one_line(channel: Channel, tmp_path: Path, place: int) -> None:
    path = tmp_path / "crm.backup"
    back_up(path)
    content = bytearray(path.read_bytes())
    content[len(content) // 2 if place < 0 else place] ^= 0xFF
    path.write_bytes(bytes(content))
    with pytest.raises(CommandError, match=r"damaged|newer"):
        call_command("restore", path, "--replace")
    assert Channel.objects.exists()


def test_a_file_that_is_no_backup_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "holiday.jpg"
    path.write_bytes(b"no tar at all")
    with pytest.raises(CommandError, match="damaged, or no backup"):
        call_command("restore", path)


def test_a_backup_of_a_newer_version_is_refused(channel: Channel, tmp_path: Path) -> None:
    path, changed = tmp_path / "crm.backup", tmp_path / "newer.backup"
    back_up(path)
    with tarfile.open(path) as tar:
        tar.extractall(tmp_path / "inside", filter="data")
    manifest = tmp_path / "inside" / "manifest.json"
    told = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**told, "migrations": [*told["migrations"], "accounts.0999_flying"]}))
    with tarfile.open(changed, "w") as tar:
        for name in ("manifest.json", "database.dump"):
            tar.add(tmp_path / "inside" / name, name)
    with pytest.raises(CommandError, match=r"newer version.*accounts\.0999_flying"):
        call_command("restore", changed, "--replace")


def test_a_backup_is_never_written_over_another(tmp_path: Path) -> None:
    path = tmp_path / "crm.backup"
    path.touch()
    with pytest.raises(CommandError, match="exists already"):
        call_command("backup", path)


def test_the_erasure_log_holds_no_content_and_survives_a_damaged_line(channel: Channel, erasure_log: Path) -> None:
    before = timezone.now()
    hand_over(channel, [said("5", MAYA, "secret words")])
    hand_over(channel, [Removal("5")])
    with erasure_log.open("a") as file:
        file.write('{"at": "yes\n')
    assert [one.items for one in erasures.since(before)] == [("5",)]
    assert "secret" not in erasure_log.read_text()
    assert stat.S_IMODE(erasure_log.stat().st_mode) == 0o600


# -- upgrades ---------------------------------------------------------------------------------------------------------


def rehearsed(pending: str) -> tuple[int, dict[str, Any]]:
    """The exit status and the report of a rehearsal, where the product has these migrations more."""
    ours = {"DJANGO_SETTINGS_MODULE": "tests.platform.upgrade_settings", "PENDING": pending}
    done = command(address(connection.settings_dict["NAME"]), "rehearse_upgrade", **ours)
    assert done.stdout, done.stderr[-2000:]
    return done.returncode, json.loads(done.stdout)


def test_nothing_is_rehearsed_where_nothing_is_pending() -> None:
    out = StringIO()
    call_command("rehearse_upgrade", stdout=out)
    assert json.loads(out.getvalue()) == {"pending": 0, "migrations": []}


def test_a_rehearsal_tells_what_an_upgrade_takes_and_touches_nothing(brand: Brand) -> None:
    status, told = rehearsed("tests.platform.pending")
    (step,) = told["migrations"]
    assert (status, told["ok"], step["migration"]) == (0, True, "insights.0001_initial")
    assert {"table": "accounts_brand", "lock": "AccessExclusiveLock"}.items() <= step["locks"][0].items()
    assert told["rows_changed"]["insights_mark"] == [None, 2]
    assert told["rows_before"] > 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('insights_mark')")
        assert cursor.fetchone() == (None,)
        cursor.execute("SELECT count(*) FROM pg_database WHERE datname LIKE '%rehearsal%'")
        assert cursor.fetchone() == (0,)


def test_a_rehearsal_says_which_migration_would_fail(brand: Brand) -> None:
    status, told = rehearsed("tests.platform.failing")
    assert status != 0
    assert "already exists" in told["migrations"][0]["error"]
