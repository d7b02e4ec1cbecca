"""What the networks do to a channel, and what its doctor says of it: over real HTTP, with the faults switched on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Brand
from channels_ingest import connect, pull
from channels_ingest.health import Diagnosis, Health, health
from channels_ingest.models import Channel, StreamCursor
from tests.networks.sandbox import Sandbox, running

pytestmark = pytest.mark.django_db

KINDS: tuple[tuple[str, dict[str, Any], Diagnosis, str], ...] = (
    ("token_revoked", {}, Diagnosis.BROKEN, "Connect the"),
    ("scope_removed", {}, Diagnosis.BROKEN, "lacks a permission"),
    ("suspended", {}, Diagnosis.BROKEN, ""),
    ("rate_limited", {"reset_in_s": 600, "regain_min": 10}, Diagnosis.SLOW, ""),
    ("server_error", {}, Diagnosis.SLOW, ""),
)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running(tmp_path_factory.mktemp("sandbox")) as found:
        found.control("PATCH", "settings", {"x": {"rate_limits": False}})
        yield found


def connected(sandbox: Sandbox, brand: Brand, kind: str, key: str) -> Channel:
    account = sandbox.brand(kind)
    return connect.connect(
        by=None, brand=brand, network=key, credentials=account["credentials"], base_url=account["base_url"]
    )


def examined(channel: Channel) -> Health:
    StreamCursor.objects.update(due_at=timezone.now())
    pull.pull_channel(channel.pk, everything=True)
    channel.refresh_from_db()
    return health(channel, timezone.now())


@pytest.mark.parametrize(("kind", "key"), [("x", "twitter"), ("facebook", "facebook")])
def test_five_injected_errors_give_the_five_right_diagnoses(
    sandbox: Sandbox, brand: Brand, kind: str, key: str
) -> None:
    channel = connected(sandbox, brand, kind, key)
    assert examined(channel).diagnosis == Diagnosis.HEALTHY
    found: dict[str, Any] = {}
    for fault, how, diagnosis, advice in KINDS:
        with sandbox.weather(kind, fault, account=channel.external_id, **how):
            told = examined(channel)
        found[fault] = told.words
        assert told.diagnosis == diagnosis, fault
        assert advice in told.advice
        assert examined(channel).diagnosis == Diagnosis.HEALTHY, f"after {fault}"
    assert len(set(found.values())) == len(KINDS)
