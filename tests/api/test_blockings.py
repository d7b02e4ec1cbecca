"""How far the networks came with blocking somebody, for programs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, ClassVar

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from channels_ingest import speaking
from channels_ingest.models import Channel
from channels_ingest.networks.base import NetworkError, Supports, Trouble
from contacts.models import Identity
from conversations import blocking
from conversations.models import Blocking, Interaction, Thread
from tests.api.conftest import Caller, caller_for
from tests.fakes import FakeNetwork

if TYPE_CHECKING:
    from accounts.models import User


class Refusing(FakeNetwork):
    supports: ClassVar[Supports] = Supports(public_reply=True, block=True)

    def block(self, author_id: str, *, blocked: bool) -> None:
        raise NetworkError("not today", Trouble.TEMPORARY, advice="Ask tomorrow.")


@pytest.fixture
def blocked(thread: Thread, manager: User, monkeypatch: pytest.MonkeyPatch) -> Thread:
    """Its author is to be blocked."""
    monkeypatch.setattr(speaking, "speak_for", lambda channel: Refusing())
    address = f"interactions/{Interaction.objects.get().pk}/moderate/"
    (told,) = caller_for(manager).post(address, {"deed": "block", "why": "sells coins"}).json()["blockings"]
    assert (told["state"], told["tries"], told["why"]) == ("waiting", 0, "sells coins")
    return thread


def test_it_is_told_what_the_network_said_and_when_it_is_asked_again(blocked: Thread, program: Caller) -> None:
    blocking.work_due()
    (row,) = program.get("blockings/", contact=blocked.contact_id).json()["results"]
    assert (row["state"], row["tries"], row["there"]) == ("waiting", 1, False)
    assert (row["error"], row["advice"]) == ("not today", "Ask tomorrow.")
    assert datetime.fromisoformat(row["next_try_at"]) > timezone.now()
    assert program.get(f"blockings/{row['id']}/").json() == row


def test_a_limit_of_the_channel_is_waited_for(blocked: Thread, program: Caller) -> None:
    until = datetime(2100, 1, 1, tzinfo=UTC)
    Channel.objects.update(limited_until=until)
    (row,) = program.get("blockings/", identity=blocked.identity_id).json()["results"]
    assert datetime.fromisoformat(row["next_try_at"]) == until
    Blocking.objects.update(state=Blocking.State.DONE)
    assert program.get(f"blockings/{row['id']}/").json()["next_try_at"] is None


def test_another_brand_is_told_nothing(blocked: Thread, foreign_program: Caller) -> None:
    assert foreign_program.get("blockings/", brand=blocked.brand_id).json()["results"] == []
    assert foreign_program.get(f"blockings/{Blocking.objects.get().pk}/").status_code == 404


def test_they_are_listed_by_state_in_a_steady_number_of_queries(blocked: Thread, program: Caller) -> None:
    program.get("me/")  # the first call of a key writes down when it was used
    counts = []
    for start in (0, 20):
        people = Identity.objects.bulk_create(
            Identity(network="twitter", external_id=f"n{number}") for number in range(start, start + 20)
        )
        at = timezone.now() - timedelta(hours=1)
        Blocking.objects.bulk_create(Blocking(channel=blocked.channel, identity=one, at=at) for one in people)
        with CaptureQueriesContext(connection) as captured:
            assert program.get("blockings/", state="done", wanted="false").json()["results"]
        counts.append(len(captured))
    assert counts[0] == counts[1]
    assert [row["state"] for row in program.get("blockings/", state="waiting").json()["results"]] == ["waiting"]
