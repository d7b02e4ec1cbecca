"""One click: an account in the real sandbox becomes a channel, and what is posted there is pushed to us."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import reverse
from pytest_django import Settings

from accounts.models import Brand, User
from channels_ingest import speaking
from channels_ingest.connect import ask_for_missing_pushes
from channels_ingest.models import Channel, WebhookEvent
from tests.conftest import BrowserOf
from tests.networks.sandbox import Sandbox, running


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running(tmp_path_factory.mktemp("sandbox")) as found:
        yield found


@pytest.fixture
def in_the_sandbox(sandbox: Sandbox, settings: Settings) -> None:
    settings.SANDBOX_URL = sandbox.base_url
    settings.PUBLIC_URL = "http://127.0.0.1:9"


def click(browser_of: BrowserOf, admin: User, brand: Brand, network: str, handle: str = "") -> Any:
    form = {"brand": brand.pk, "network": network, "handle": handle}
    return browser_of(admin).post(reverse("connect-sandbox"), form)


@pytest.mark.parametrize("network", ["twitter", "facebook"])
@pytest.mark.usefixtures("in_the_sandbox")
@pytest.mark.django_db
def test_one_click_connects_an_account(brand: Brand, admin: User, browser_of: BrowserOf, network: str) -> None:
    click(browser_of, admin, brand, network)
    channel = Channel.objects.get(network=network)
    assert (channel.brand, channel.state) == (brand, Channel.State.ACTIVE)
    assert speaking.speak_for(channel).identify().external_id == channel.external_id


@pytest.mark.usefixtures("in_the_sandbox")
@pytest.mark.django_db
def test_a_second_click_connects_the_same_account(brand: Brand, admin: User, browser_of: BrowserOf) -> None:
    for _ in range(2):
        click(browser_of, admin, brand, "twitter", "@again")
    assert Channel.objects.filter(handle="again").count() == 1


@pytest.mark.parametrize("handle", ["two words", "x" * 16, "<b>", "naïve"])
@pytest.mark.usefixtures("in_the_sandbox")
@pytest.mark.django_db
def test_a_bad_handle_is_refused_with_words(brand: Brand, admin: User, browser_of: BrowserOf, handle: str) -> None:
    answer = click(browser_of, admin, brand, "twitter", handle)
    assert "handle" in answer.context["sandbox"].errors
    assert not Channel.objects.exists()


@pytest.mark.django_db
def test_a_sandbox_that_is_down_is_said_in_words(
    brand: Brand, admin: User, browser_of: BrowserOf, settings: Settings
) -> None:
    settings.SANDBOX_URL = "http://127.0.0.1:9"
    assert "cannot be reached" in click(browser_of, admin, brand, "twitter").content.decode()


@pytest.mark.django_db
def test_where_there_is_no_sandbox_there_is_no_such_page(
    brand: Brand, admin: User, browser_of: BrowserOf, settings: Settings
) -> None:
    settings.SANDBOX_URL = ""
    assert click(browser_of, admin, brand, "twitter").status_code == 404


@pytest.fixture
def reachable(sandbox: Sandbox, settings: Settings, live_server: Any) -> None:
    settings.SANDBOX_URL, settings.PUBLIC_URL = sandbox.base_url, live_server.url


@pytest.mark.parametrize(("network", "kind"), [("twitter", "x"), ("facebook", "facebook")])
@pytest.mark.usefixtures("reachable")
@pytest.mark.django_db(transaction=True)
def test_what_is_posted_in_the_sandbox_is_pushed_to_us(
    sandbox: Sandbox, admin: User, browser_of: BrowserOf, network: str, kind: str
) -> None:
    brand = Brand.objects.create(name="Pushed", slug=f"pushed-{kind}")
    click(browser_of, admin, brand, network)
    channel = Channel.objects.get(network=network)
    assert channel.push_since is not None
    ann = sandbox.person()["person"]
    given = {"author": ann, "text": f"@{channel.handle} help"}
    sandbox.says(kind, **given, **({"page": channel.external_id} if kind == "facebook" else {}))
    until(lambda: WebhookEvent.objects.filter(app=channel.app_id).exists())


@pytest.mark.django_db(transaction=True)
def test_pushes_that_could_not_be_had_are_asked_for_again(
    sandbox: Sandbox, settings: Settings, live_server: Any, admin: User, browser_of: BrowserOf
) -> None:
    settings.SANDBOX_URL, settings.PUBLIC_URL = sandbox.base_url, "http://127.0.0.1:9"
    click(browser_of, admin, Brand.objects.create(name="Late", slug="late"), "twitter", "late")
    assert Channel.objects.get().push_since is None
    settings.PUBLIC_URL = live_server.url
    assert ask_for_missing_pushes() == 1
    assert Channel.objects.get().push_since is not None


def until(condition: Any, seconds: float = 15) -> None:
    """Waits for it. Fails where it does not come true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.05)
