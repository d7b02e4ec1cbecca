"""An access that ends by itself is renewed by one renewer at a time, and a lost answer ends in words, not in a loop."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Brand
from channels_ingest import connect, renewal, speaking
from channels_ingest.models import Channel, Renewal
from channels_ingest.networks.base import Access, NetworkError, Trouble
from channels_ingest.networks.twitter import Twitter
from tests.networks.sandbox import Sandbox, running

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running(tmp_path_factory.mktemp("sandbox")) as found:
        found.control("PATCH", "settings", {"x": {"rate_limits": False}})
        yield found


@pytest.fixture
def account(sandbox: Sandbox) -> dict[str, Any]:
    """A brand's account with a pair of tokens, as its owner gets them by signing in."""
    made = sandbox.brand("x")
    return _token(sandbox, made, "pair")


def _token(sandbox: Sandbox, account: dict[str, Any], action: str) -> dict[str, Any]:
    told: dict[str, Any] = sandbox.control("POST", f"x/brands/{account['id']}/token", {"action": action})
    return told


def _connected(account: dict[str, Any], brand: Brand) -> Channel:
    return connect.connect(
        by=None, brand=brand, network="twitter", credentials=account["credentials"], base_url=account["base_url"]
    )


@pytest.fixture
def ours(account: dict[str, Any], brand: Brand) -> Channel:
    return _connected(account, brand)


def _token_calls(sandbox: Sandbox, account: dict[str, Any]) -> int:
    spent = [line for line in sandbox.ledger("accepted") if line["kind"] == "token.issued"]
    return sum(line["token"]["account"] == account["id"] for line in spent)


def test_connecting_proves_the_refresh_token_and_keeps_the_next_pair(account: dict[str, Any], ours: Channel) -> None:
    assert ours.credentials["access_token"] != account["credentials"]["access_token"]
    assert ours.credentials["refresh_token"] != account["credentials"]["refresh_token"]
    assert ours.app is not None and ours.app.secrets["client_id"] == account["credentials"]["client_id"]
    assert timedelta(minutes=100) < Renewal.objects.get().due_at - timezone.now() < timedelta(minutes=115)


def test_an_access_token_that_ended_before_it_was_pasted_is_renewed(
    sandbox: Sandbox, account: dict[str, Any], brand: Brand
) -> None:
    _token(sandbox, account, "expire")
    assert _connected(account, brand).state == Channel.State.ACTIVE


def test_keys_of_another_brands_account_are_refused_before_the_refresh_token_is_used(
    account: dict[str, Any], brand: Brand, other_brand: Brand
) -> None:
    plain = {name: value for name, value in account["credentials"].items() if name != "refresh_token"}
    _connected({**account, "credentials": plain}, brand)
    with pytest.raises(connect.Refused):
        _connected(account, other_brand)
    assert _connected(account, brand).renewal.refused_at is None


def test_it_is_renewed_before_it_ends(ours: Channel) -> None:
    assert renewal.renew_due() == 0
    Renewal.objects.update(due_at=timezone.now())
    assert renewal.renew_due() == 1
    fresh = Channel.objects.get()
    assert fresh.credentials["access_token"] != ours.credentials["access_token"]
    assert speaking.speak_for(fresh).identify().external_id == ours.external_id


def test_a_call_refused_for_its_token_is_made_again_with_a_fresh_one(
    sandbox: Sandbox, account: dict[str, Any], ours: Channel
) -> None:
    _token(sandbox, account, "expire")
    assert speaking.speak_for(ours).identify().external_id == ours.external_id
    assert Channel.objects.get().credentials["access_token"] != ours.credentials["access_token"]


def test_who_still_holds_the_old_token_gets_the_new_one_without_another_renewal(
    sandbox: Sandbox, account: dict[str, Any], ours: Channel
) -> None:
    stale = Channel.objects.get()
    renewal.renew(ours.pk)
    before = _token_calls(sandbox, account)
    assert speaking.speak_for(stale).identify().external_id == ours.external_id
    assert _token_calls(sandbox, account) == before


def test_the_tokens_are_encrypted_in_the_database(ours: Channel) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT credentials FROM channels_ingest_channel WHERE id = %s", [ours.pk])
        (stored,) = cursor.fetchone()
    assert Channel.objects.get().credentials["refresh_token"] not in stored


def test_while_one_renews_the_others_wait(ours: Channel) -> None:
    Renewal.objects.update(lease_until=timezone.now() + timedelta(seconds=30))
    with pytest.raises(NetworkError, match="being renewed") as refused:
        renewal.renew(ours.pk)
    assert refused.value.trouble == Trouble.TEMPORARY


@pytest.mark.django_db(transaction=True)
def test_many_at_once_renew_once(sandbox: Sandbox, account: dict[str, Any], ours: Channel) -> None:
    _token(sandbox, account, "expire")
    before, told = _token_calls(sandbox, account), []

    def call() -> None:
        try:
            told.append(speaking.speak_for(Channel.objects.get(pk=ours.pk)).identify().external_id)
        except NetworkError as error:
            told.append(error.trouble)
        finally:
            connection.close()

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert _token_calls(sandbox, account) == before + 1
    assert ours.external_id in told
    assert set(told) <= {ours.external_id, Trouble.TEMPORARY}


def test_an_answer_that_was_lost_ends_in_sign_in_again_and_in_no_loop(
    sandbox: Sandbox, account: dict[str, Any], ours: Channel
) -> None:
    with sandbox.weather("x", "cut_after", path="oauth2/token", account="", count=1), pytest.raises(NetworkError):
        renewal.renew(ours.pk)
    ours.refresh_from_db()
    assert ours.state == Channel.State.ACTIVE
    Renewal.objects.update(due_at=timezone.now())
    calls = len([line for line in sandbox.ledger("calls") if "oauth2" in line["path"]])
    for _ in range(3):
        renewal.renew_due()
    ours.refresh_from_db()
    assert (ours.state, ours.last_error_code) == (Channel.State.BROKEN, "sign-in")
    assert "Sign in at X again" in ours.advice
    assert len([line for line in sandbox.ledger("calls") if "oauth2" in line["path"]]) == calls + 1
    with pytest.raises(NetworkError, match="does not renew"):
        speaking.speak_for(ours).identify()


def test_new_keys_heal_a_renewal_that_was_refused(
    sandbox: Sandbox, account: dict[str, Any], ours: Channel, admin: Any
) -> None:
    _token(sandbox, account, "revoke")
    with pytest.raises(NetworkError):
        renewal.renew(ours.pk)
    fresh = _token(sandbox, _token(sandbox, account, "restore"), "pair")
    connect.renew(by=admin, channel=ours, credentials=fresh["credentials"])
    ours.refresh_from_db()
    assert (ours.state, ours.renewal.refused_at) == (Channel.State.ACTIVE, None)
    assert speaking.speak_for(ours).identify().external_id == ours.external_id


def test_a_network_that_fails_is_asked_again_later_and_breaks_nothing(sandbox: Sandbox, ours: Channel) -> None:
    with sandbox.weather("x", "server_error", path="oauth2/token"), pytest.raises(NetworkError):
        renewal.renew(ours.pk)
    with pytest.raises(NetworkError, match="tried again soon"):
        renewal.renew(ours.pk)
    Renewal.objects.update(due_at=timezone.now())
    assert renewal.renew_due() == 1
    ours.refresh_from_db()
    assert ours.state == Channel.State.ACTIVE


def test_new_keys_entered_during_a_renewal_are_not_overwritten(ours: Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(network: Twitter) -> Access:
        other = Channel.objects.get(pk=ours.pk)
        other.keep_credentials({"access_token": "typed", "refresh_token": "typed-too"})
        other.save(update_fields=["credentials"])
        return Access({"access_token": "late", "refresh_token": "late-too"})

    monkeypatch.setattr(Twitter, "renew", slow)
    renewal.renew(ours.pk)
    assert Channel.objects.get().credentials["access_token"] == "typed"
