"""What the README tells a newcomer is so: its tables hold what the code reads and installs, its files exist."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from channels_ingest.networks import networks
from scrm.services import BASE_DIR
from tests.platform.test_deployment import PRINT_READ, PRODUCTION

README = (BASE_DIR / "README.md").read_text()
NAMED = re.compile(r"""(?:env\.(?:text|flag|number|names|required)|_secret)\(\s*"([A-Z][A-Z_]+)""")
DEVELOPMENT = {"PATH": "/usr/bin:/bin"}


def section(title: str) -> str:
    """The text below a heading, up to the next one."""
    return README.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def first_column(title: str) -> list[str]:
    """The names in the first column of a section's table."""
    return re.findall(r"^\| `([^`]+)` \|", section(title), re.MULTILINE)


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Every variable the code reads: while the settings load, here and in production, and by name in the sources."""
    here = DEVELOPMENT | {"DATA_DIR": str(tmp_path_factory.mktemp("data"))}
    return _loaded(here) | _loaded(PRODUCTION) | _in_the_sources()


def _loaded(environment: dict[str, str]) -> set[str]:
    argv = [sys.executable, "-c", PRINT_READ]
    done = subprocess.run(argv, cwd=BASE_DIR, env=environment, capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


def _in_the_sources() -> set[str]:
    apps = ("scrm", "accounts", "contacts", "channels_ingest", "conversations", "insights")
    files = [path for app in apps for path in (BASE_DIR / app).rglob("*.py")]
    return {name for path in files for name in NAMED.findall(path.read_text())}


def test_the_configuration_table_names_every_variable_the_code_reads(read: set[str]) -> None:
    assert set(first_column("Configuration")) == read


def test_the_configuration_table_names_each_once() -> None:
    names = first_column("Configuration")
    assert sorted(names) == sorted(set(names))


def test_what_production_requires_is_marked() -> None:
    marked = re.findall(r"^\| `(\w+)` \| required \|", section("Configuration"), re.MULTILINE)
    assert set(marked) == {"SECRET_KEY", "ENCRYPTION_KEYS", "ALLOWED_HOSTS", "DATABASE_URL", "REDIS_URL"}


def test_the_dependency_table_names_each_direct_dependency() -> None:
    lines = (BASE_DIR / "requirements.in").read_text().splitlines()
    direct = [re.split(r"[~=<>\[]", line)[0] for line in lines if line and not line.startswith("#")]
    assert first_column("Dependencies") == direct


def test_every_dependency_has_a_purpose_and_a_reason() -> None:
    rows = re.findall(r"^\| `[^`]+` \|(.*)\|(.*)\|$", section("Dependencies"), re.MULTILINE)
    assert len(rows) == len(first_column("Dependencies"))
    assert all(purpose.strip() and reason.strip() for purpose, reason in rows)


def test_every_make_target_it_names_exists() -> None:
    targets = set(re.findall(r"^(\w[\w-]*):", (BASE_DIR / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"make ([a-z]+)", re.sub(r"[^`]*(`[^`]*`)|[^`]+", r"\1", README))) - targets == set()


def test_every_file_it_names_exists() -> None:
    named = re.findall(r"`([a-z_./]+\.(?:py|yml|txt|in)|[a-z_]+/(?:[a-z_]+/)*)`|\]\(([\w./-]+)\)", README)
    paths = [Path(one or other) for one, other in named if not (one or other).startswith("var/")]
    assert [str(path) for path in paths if not (BASE_DIR / path).exists()] == []
    assert len(paths) > 5


def test_it_tells_how_to_connect_every_network() -> None:
    text = README.replace("\n", " ")
    assert [found.name for found in networks().values() if f"**{found.name}**" not in text] == []
