"""How a Page's access is made from a person's token, and when it ends."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from channels_ingest.networks import network
from channels_ingest.networks.base import Account, Network, NetworkError
from tests.networks.played import Stage
from tests.networks.sandbox import Sandbox

KEYS = {"app_id": "77", "app_secret": "secret-of-the-app", "verify_token": "pw", "user_token": "token-of-a-person"}
EXTENDED = {"access_token": "long-lived", "token_type": "bearer", "expires_in": 5_184_000}
SHOP = {"id": "1000", "name": "Shop", "access_token": "token-of-the-page"}
CAFE = {"id": "2000", "name": "Café", "access_token": "token-of-the-other"}
PAGE = {"id": "1000", "name": "Shop"}
DEBUGGED = {"data": {"expires_at": 0, "data_access_expires_at": 1_800_000_000, "is_valid": True}}


def speaking(stage: Stage, page: str = "", **more: str) -> Network:
    return network("facebook")(Account(page, "", {**KEYS, **more}, {}, stage.base_url))


def test_the_pages_token_is_taken_from_a_persons_and_the_persons_is_not_kept(stage: Stage) -> None:
    stage.play(EXTENDED, {"data": [SHOP]}, PAGE, DEBUGGED)
    found = speaking(stage)
    assert found.identify().external_id == "1000"
    access = found.sign_in()
    assert access.credentials["access_token"] == "token-of-the-page"
    assert "user_token" not in access.credentials
    assert access.ends_at == datetime.fromtimestamp(1_800_000_000, UTC)
    assert "fb_exchange_token=token-of-a-person" in stage.asked[0].path


def test_of_several_pages_one_has_to_be_named(stage: Stage) -> None:
    stage.play(EXTENDED, {"data": [SHOP, CAFE]})
    with pytest.raises(NetworkError, match=r"Shop \(1000\), Café \(2000\)"):
        speaking(stage).identify()
    stage.play(EXTENDED, {"data": [SHOP, CAFE]}, {"id": "2000", "name": "Café"}, DEBUGGED)
    named = speaking(stage, page_id="2000")
    named.identify()
    assert named.sign_in().credentials["access_token"] == "token-of-the-other"


def test_no_token_of_a_person_stands_in_an_error(stage: Stage) -> None:
    stage.play({"error": {"message": "Cannot parse token-of-a-person", "code": 190}})
    with pytest.raises(NetworkError) as refused:
        speaking(stage).identify()
    assert "token-of-a-person" not in refused.value.message


def test_the_right_to_see_data_ends_after_ninety_days(sandbox: Sandbox) -> None:
    account: dict[str, Any] = sandbox.brand("facebook")
    ends = sandbox.speak("facebook", account).access_ends()
    assert ends is not None
    assert 85 < (ends - datetime.now(UTC)).days < 91
