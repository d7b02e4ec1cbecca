"""The embedded services: started by whoever needs them, ended with them, whole after every crash."""

import os
import stat
from pathlib import Path

import pytest

from scrm import services
from scrm.embedded.places import Places
from scrm.embedded.postgres import shared_buffers
from tests.platform.places import Site, line_of

CONNECT = """
import psycopg2, redis, sys
from scrm import services
services.start()
database = psycopg2.connect(services.database_url())
database.autocommit = True
cursor = database.cursor()
"""
SAY_START = CONNECT + "cursor.execute('SELECT pg_postmaster_start_time()'); print('since', cursor.fetchone()[0])\n"
HOLD = SAY_START + "sys.stdin.readline()\n"
WRITE = CONNECT + "cursor.execute('CREATE TABLE kept (word text); INSERT INTO kept VALUES (%s)', ['kept'])\n"
WRITE_AND_HOLD = WRITE + "print('written'); sys.stdin.readline()\n"
READ = CONNECT + "cursor.execute('SELECT word FROM kept'); print(cursor.fetchone()[0])\n"
PING = CONNECT + "print('pong', redis.Redis.from_url(services.redis_url()).ping())\n"


def test_a_program_that_needs_them_starts_them_and_leaves_no_process(site: Site) -> None:
    assert "pong True" in site.run("-c", PING)
    assert site.processes() == []


def test_what_was_committed_is_there_at_the_next_start(site: Site) -> None:
    site.run("-c", WRITE)
    assert "kept" in site.run("-c", READ)


def test_a_second_program_uses_the_running_ones(site: Site) -> None:
    first = site.start("-c", HOLD)
    since = line_of(first, "since")
    assert site.run("-c", SAY_START) == since


def test_the_first_program_waits_for_the_second(site: Site) -> None:
    first = site.start("-c", HOLD)
    since = line_of(first, "since")
    second = site.start("-c", HOLD + "cursor.execute('SELECT 1'); print('still', *cursor.fetchone())\n")
    assert line_of(second, "since") == since
    first.stdin.write("end\n") if first.stdin else None
    first.stdin.flush() if first.stdin else None
    line_of(first, "Another command still uses the database")
    assert "still 1" in second.communicate("end\n")[0]
    assert first.wait(30) == 0


def test_services_end_when_their_starter_is_killed(site: Site) -> None:
    starter = site.start("-c", HOLD)
    line_of(starter, "since")
    starter.kill()
    assert site.is_quiet()


def test_after_everything_was_killed_the_next_start_finds_all_that_was_committed(site: Site) -> None:
    starter = site.start("-c", WRITE_AND_HOLD)
    line_of(starter, "written")
    site.kill_all()
    assert "kept" in site.run("-c", READ)


def test_lock_files_that_name_a_living_foreign_process_do_not_stop_the_start(site: Site) -> None:
    site.run("-c", WRITE)
    places = Places(site.root)
    (places.postgres / "data" / "postmaster.pid").write_text(f"{os.getpid()}\n{places.postgres}/data\n")
    (places.sockets / ".s.PGSQL.5432.lock").write_text(f"{os.getpid()}\n")
    assert "kept" in site.run("-c", READ)


def test_a_cluster_that_was_only_half_made_is_made_anew(site: Site) -> None:
    (site.root / "postgres" / "data.new").mkdir(parents=True)
    (site.root / "postgres" / "data.new" / "PG_VERSION").write_text("18\n")
    assert "pong True" in site.run("-c", PING)


def test_a_valkey_whose_file_is_broken_starts_without_it(site: Site) -> None:
    site.run("-c", PING)
    for file in (site.root / "valkey" / "appendonlydir").glob("*.rdb"):
        file.write_bytes(b"not a snapshot")
    assert "pong True" in site.run("-c", PING)


def test_a_long_data_directory_works_too(site: Site) -> None:
    long = Site(site.root / ("long" * 20) / ("name" * 20))
    assert "pong True" in long.run("-c", PING)
    assert long.processes() == []
    assert not Places(long.root).sockets.exists()


def test_data_is_checksummed_and_written_through(site: Site) -> None:
    said = CONNECT + (
        "for name in ('data_checksums', 'fsync', 'synchronous_commit'):\n"
        "    cursor.execute(f'SHOW {name}'); print(name, *cursor.fetchone())\n"
    )
    durable = site.start("-c", said, EMBEDDED_FSYNC="1").communicate(timeout=60)[0]
    assert durable.split() == ["data_checksums", "on", "fsync", "on", "synchronous_commit", "on"]


@pytest.mark.parametrize(("gigabytes", "megabytes"), [(1, 48), (8, 256), (256, 512)])
def test_the_embedded_database_keeps_a_share_of_the_memory_within_bounds(
    monkeypatch: pytest.MonkeyPatch, gigabytes: int, megabytes: int
) -> None:
    pages = {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": gigabytes * 2**18}
    monkeypatch.setattr(os, "sysconf", pages.__getitem__)
    assert shared_buffers() == megabytes


def test_the_extensions_that_search_needs_can_be_created(site: Site) -> None:
    create = "cursor.execute('CREATE EXTENSION pg_trgm; CREATE EXTENSION unaccent'); print('created')\n"
    assert "created" in site.run("-c", CONNECT + create)


def test_others_on_the_machine_can_neither_read_nor_connect(site: Site) -> None:
    site.run("-c", PING)
    places = Places(site.root)
    for directory in (places.postgres, places.valkey, places.sockets):
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def test_a_secret_is_made_once_and_kept_privately(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    made = services.dev_secret("SECRET_KEY")
    assert services.dev_secret("SECRET_KEY") == made
    assert services.dev_secret("ENCRYPTION_KEYS") != made
    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("url", "broker"),
    [
        ("unix:///run/valkey.sock", "redis+socket:///run/valkey.sock"),
        ("redis://cache:6379/0", "redis://cache:6379/0"),
    ],
)
def test_celery_gets_the_redis_url_in_its_own_spelling(url: str, broker: str) -> None:
    assert services.broker_url(url) == broker
