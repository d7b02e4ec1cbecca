"""Safe from the first day: every answer forbids foreign code, and production is strict."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from scrm.services import BASE_DIR
from tests.conftest import BrowserOf
from tests.platform.test_deployment import PRODUCTION
from tests.test_routes import an_address, routes

STRICT = {"default-src 'none'", "script-src 'self'", "style-src 'self'", "base-uri 'none'", "frame-ancestors 'none'"}
ASK_FOR_SIGN_IN = """
import json, os
os.environ["DJANGO_SETTINGS_MODULE"] = "scrm.settings"
import django
django.setup()
from django.conf import settings
from django.test import Client
settings.ALLOWED_HOSTS = ["crm.example.com"]
settings.STORAGES = settings.STORAGES | {
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
}
client = Client(headers={"host": "crm.example.com"})
answer, plain = client.get("/sign-in/", secure=True), client.get("/sign-in/")
print(json.dumps({
    "cookies": {name: {key: value for key, value in one.items() if value} for name, one in answer.cookies.items()},
    "headers": dict(answer.headers),
    "plain": [plain.status_code, plain.headers.get("Location")],
    "session": [settings.SESSION_COOKIE_SECURE, settings.SESSION_COOKIE_HTTPONLY, settings.SESSION_COOKIE_SAMESITE],
}))
"""


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=BASE_DIR,
        env=PRODUCTION | environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def in_production() -> dict[str, Any]:
    """What a browser gets from the sign-in page in production."""
    said = run("-c", ASK_FOR_SIGN_IN)
    assert said.returncode == 0, said.stderr
    found: dict[str, Any] = json.loads(said.stdout)
    return found


def test_every_answer_forbids_foreign_and_inline_code(browser_of: BrowserOf, admin: User) -> None:
    client = browser_of(admin)
    client.raise_request_exception = False
    answers = {route: client.get(an_address(route, pattern)) for route, pattern in routes()}
    answers["nowhere"] = client.get("/nowhere/")
    policies = {route: answer.headers.get("Content-Security-Policy", "") for route, answer in answers.items()}
    picture = policies.pop("media/")  # allows nothing at all, and has its own words for that
    assert {*picture.split("; ")} >= {"default-src 'none'", "sandbox"}
    weak = {route for route, policy in policies.items() if not {*policy.split("; ")} >= STRICT or "unsafe" in policy}
    assert weak == set()
    assert len(policies) > 60


def test_refusals_forbid_it_too(nobody: Client, agent: User, browser_of: BrowserOf) -> None:
    careful = Client(enforce_csrf_checks=True)
    answers = [nobody.get("/people/"), browser_of(agent).get("/people/"), careful.post("/sign-in/", {})]
    assert [answer.status_code for answer in answers] == [302, 403, 403]
    assert all({*answer.headers["Content-Security-Policy"].split("; ")} >= STRICT for answer in answers)


def test_djangos_own_check_of_a_deployment_is_content() -> None:
    said = run("manage.py", "check", "--deploy", "--fail-level", "WARNING")
    assert said.returncode == 0, said.stderr
    assert "no issues" in said.stdout


def test_that_check_would_find_a_weak_secret() -> None:
    said = run("manage.py", "check", "--deploy", "--fail-level", "WARNING", SECRET_KEY="short")
    assert "security.W009" in said.stderr


def test_cookies_travel_over_tls_only_and_not_to_other_sites(in_production: dict[str, Any]) -> None:
    cookie = in_production["cookies"]["csrftoken"]
    assert (cookie["secure"], cookie["samesite"]) == (True, "Lax")
    assert in_production["session"] == [True, True, "Lax"]


def test_browsers_are_told_to_come_back_by_tls_only(in_production: dict[str, Any]) -> None:
    headers = in_production["headers"]
    assert headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains; preload"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["X-Frame-Options"] == "DENY"


def test_a_plain_request_is_sent_to_tls(in_production: dict[str, Any]) -> None:
    assert in_production["plain"] == [301, "https://crm.example.com/sign-in/"]
