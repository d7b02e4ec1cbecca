"""The production shape: what compose passes is what the code reads, and a bad start is refused."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.fernet import Fernet

from scrm.services import BASE_DIR

APP_SERVICES = ("migrate", "web", "worker", "schedule")
READ_BY_IMAGES = {
    "POSTGRES_BUFFERS",
    "WEB_PROCESSES",
    "WORKER_PROCESSES",
    "PUBLISH",
    "TRUSTED_PROXIES",
    "POSTGRES_PASSWORD",
    "REDIS_PASSWORD",
}
REFERENCE = re.compile(r"(?<!\$)\$\{(\w+)(:[?-])?([^}]*)\}")
SECRETS = {"SECRET_KEY", "ENCRYPTION_KEYS", "POSTGRES_PASSWORD", "REDIS_PASSWORD"}
PRINT_READ = """
import json, os
os.environ["DJANGO_SETTINGS_MODULE"] = "scrm.settings"
from django.conf import settings
settings.DEBUG
from scrm import env
print(json.dumps({name: variable.kind for name, variable in env.READ.items()}))
"""
PRODUCTION = {
    "PRODUCTION": "1",
    "SECRET_KEY": "a-long-secret-for-this-test-" * 3,
    "ENCRYPTION_KEYS": Fernet.generate_key().decode(),
    "ALLOWED_HOSTS": "crm.example.com",
    "DATABASE_URL": "postgresql://scrm:word@postgres:5432/scrm",
    "REDIS_URL": "redis://:word@redis:6379/0",
    "PATH": "/usr/bin:/bin",
}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((BASE_DIR / "docker-compose.yml").read_text())
    return found


@pytest.fixture(scope="module")
def read() -> dict[str, str]:
    """Every name that the settings read in production, with its kind."""
    found: dict[str, str] = json.loads(start(PRODUCTION).stdout)
    return found


def start(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Load the settings in a process of its own."""
    argv = [sys.executable, "-c", PRINT_READ]
    return subprocess.run(argv, cwd=BASE_DIR, env=environment, capture_output=True, text=True, check=False)


def references(path: Path) -> list[tuple[str, str, str]]:
    return REFERENCE.findall(path.read_text())


@pytest.mark.parametrize("service", APP_SERVICES)
def test_what_compose_passes_is_read_by_the_settings(
    compose: dict[str, Any], read: dict[str, str], service: str
) -> None:
    assert set(compose["services"][service]["environment"]) - set(read) == set()


@pytest.mark.parametrize("service", APP_SERVICES)
def test_what_the_settings_require_is_passed_by_compose(
    compose: dict[str, Any], read: dict[str, str], service: str
) -> None:
    required = {name for name, kind in read.items() if kind == "required"}
    assert required == {"SECRET_KEY", "ENCRYPTION_KEYS", "ALLOWED_HOSTS", "DATABASE_URL", "REDIS_URL"}
    assert required - set(compose["services"][service]["environment"]) == set()


def test_no_secret_has_a_default() -> None:
    kinds = {(name, kind) for name, kind, _ in references(BASE_DIR / "docker-compose.yml") if name in SECRETS}
    assert kinds == {(name, ":?") for name in SECRETS}


def test_every_long_running_service_is_watched_and_comes_back(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        if name != "migrate":
            assert service["healthcheck"]["test"], name
            assert service["restart"] == "unless-stopped", name


def test_data_is_kept_in_named_volumes(compose: dict[str, Any]) -> None:
    used = {volume.split(":")[0] for service in compose["services"].values() for volume in service["volumes"]}
    assert used == set(compose["volumes"])


def test_the_example_file_names_what_compose_asks_for(read: dict[str, str]) -> None:
    example = re.findall(r"^(\w+)=", (BASE_DIR / ".env.example").read_text(), re.MULTILINE)
    asked = {name for name, _, _ in references(BASE_DIR / "docker-compose.yml")}
    assert set(example) == asked
    assert asked - set(read) <= READ_BY_IMAGES


def test_the_example_file_holds_no_secret() -> None:
    filled = re.findall(r"^(\w+)=\S", (BASE_DIR / ".env.example").read_text(), re.MULTILINE)
    assert SECRETS & set(filled) == set()


def test_the_image_runs_as_an_ordinary_user() -> None:
    lines = (BASE_DIR / "Dockerfile").read_text().splitlines()
    assert [line for line in lines if line.startswith("USER ")] == ["USER crm"]


@pytest.mark.parametrize("missing", ["SECRET_KEY", "ENCRYPTION_KEYS", "ALLOWED_HOSTS", "DATABASE_URL", "REDIS_URL"])
def test_production_refuses_to_start_without(missing: str) -> None:
    refused = start(PRODUCTION | {missing: ""})
    assert refused.returncode != 0
    assert f"{missing} is not set." in refused.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("name", "value"), [("ENCRYPTION_KEYS", "too-short"), ("PRODUCTION", "perhaps"), ("EMAIL_PORT", "smtp")]
)
def test_a_value_that_cannot_be_understood_stops_the_start(name: str, value: str) -> None:
    refused = start(PRODUCTION | {name: value})
    assert refused.returncode != 0
    assert name in refused.stderr.splitlines()[-1]


def test_the_environment_is_read_in_one_place_only() -> None:
    reading = re.compile(r"os\.(environ\b(?!\.setdefault)|getenv)")
    handed_on = {"scrm/bootstrap.py", "scrm/run.py"}
    defined_elsewhere = {
        "channels_ingest/networks/http.py",
        "accounts/failpoints.py",
    }  # requests, tests
    allowed = {"scrm/env.py", *handed_on, *defined_elsewhere}
    apps = ("scrm", "accounts", "contacts", "channels_ingest", "conversations", "insights")
    found = {
        str(path.relative_to(BASE_DIR))
        for app in apps
        for path in (BASE_DIR / app).rglob("*.py")
        if reading.search(path.read_text())
    }
    assert found - allowed == set()
