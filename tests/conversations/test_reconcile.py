from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import timedelta
from io import StringIO

import psycopg2
import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from channels_ingest import speaking
from channels_ingest.models import Channel, Recheck, Reconcile, StreamCursor
from channels_ingest.networks.base import Author, Item, Page, Removal, Trouble
from conversations import reconcile
from conversations.models import Interaction
from conversations.record import record
from tests.cast import NOON, SOFIA, make_channel, said
from tests.fakes import FakeNetwork, trouble

pytestmark = pytest.mark.django_db

FIRST, SECOND, THIRD = said("1"), said("2", SOFIA, minutes=1), said("3", minutes=2)


class Readable(FakeNetwork):
    gone: frozenset[str] = frozenset()
    now: tuple[Item, ...] = ()

    def lookup(self, external_ids: Iterable[str]) -> tuple[Item, ...]:
        return (*(Removal(one) for one in external_ids if one in self.gone), *self.now)


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch, channel: Channel) -> Readable:
    fake = Readable()
    fake.pages = [Page((FIRST, SECOND), {}), Page((THIRD,), {})]
    monkeypatch.setattr(speaking, "speak_for", lambda channel: fake)
    monkeypatch.setattr(Channel, "adapter", FakeNetwork)
    StreamCursor.objects.create(channel=channel, stream="mentions", succeeded_at=NOON + timedelta(hours=1))
    return fake


def read_back(channel: Channel) -> Reconcile:
    found = reconcile.reconcile(channel, since=NOON - timedelta(hours=1))
    assert found is not None
    return found


def test_exactly_what_is_missing_is_reported_and_stored(network: Readable, channel: Channel) -> None:
    record(channel, [FIRST, THIRD])
    found = read_back(channel)
    assert (found.read, found.missing, found.repaired, found.missing_ids) == (3, 1, 1, ["2"])
    assert Interaction.objects.count() == 3


def test_a_row_deleted_by_hand_is_found_and_healed(network: Readable, channel: Channel) -> None:
    record(channel, [FIRST, SECOND, THIRD])
    Interaction.objects.filter(external_id="2").delete()
    assert read_back(channel).missing_ids == ["2"]
    assert read_back(channel).missing == 0


def test_what_is_only_on_its_way_is_stored_and_not_called_missing(network: Readable, channel: Channel) -> None:
    StreamCursor.objects.update(succeeded_at=NOON)
    assert read_back(channel).missing == 0
    assert Interaction.objects.count() == 3


def test_a_refusal_of_the_network_stands_in_the_report(network: Readable, channel: Channel) -> None:
    network.pages = [trouble(words="come back later")]
    assert read_back(channel).error == "come back later"


def test_an_outage_is_back_filled_by_itself_and_is_over_then(network: Readable, channel: Channel) -> None:
    Channel.objects.update(outage_from=NOON)
    record(channel, [FIRST])
    assert reconcile.reconcile_due(timezone.now()) == 1
    channel.refresh_from_db()
    assert channel.outage_from is None
    assert Interaction.objects.count() == 3


def test_an_outage_whose_back_fill_failed_is_not_over(network: Readable, channel: Channel) -> None:
    Channel.objects.update(outage_from=NOON)
    network.pages = [trouble(words="not yet", kind=Trouble.TEMPORARY)]
    reconcile.reconcile_due(timezone.now())
    channel.refresh_from_db()
    assert channel.outage_from == NOON


def test_every_active_channel_is_read_back_once_a_day(network: Readable, channel: Channel) -> None:
    Channel.objects.update(created_at=NOON - timedelta(days=9))
    assert [reconcile.reconcile_due(timezone.now()) for _ in range(2)] == [1, 0]


@pytest.fixture
def night(network: Readable, channel: Channel) -> Readable:
    """The channel is due to be read back."""
    Channel.objects.update(created_at=NOON - timedelta(days=9))
    return network


class Killed(BaseException):
    """What a worker's death looks like from within."""


def die_on_the_second_page(network: Readable, monkeypatch: pytest.MonkeyPatch) -> None:
    def pull(*_: object) -> Iterator[Page]:
        yield Page((FIRST,), {})
        raise Killed

    monkeypatch.setattr(network, "pull", pull)


def test_a_night_that_died_midway_is_gone_on_with_soon(night: Readable, monkeypatch: pytest.MonkeyPatch) -> None:
    StreamCursor.objects.update(succeeded_at=timezone.now())
    monkeypatch.setattr(reconcile, "WINDOW", timezone.now() - NOON + timedelta(hours=1))
    with monkeypatch.context() as patched, pytest.raises(Killed):
        die_on_the_second_page(night, patched)
        reconcile.reconcile_due(timezone.now())
    assert reconcile.reconcile_due(timezone.now()) == 1
    (row,) = Reconcile.objects.all()
    assert (row.cause, row.tries, row.finished_at is not None) == ("nightly", 2, True)
    assert (row.read, row.missing, row.repaired, row.missing_ids) == (3, 3, 3, ["1", "2", "3"])
    assert Interaction.objects.count() == 3
    assert reconcile.reconcile_due(timezone.now()) == 0


def test_a_run_that_kills_every_worker_is_given_up_and_begins_again_the_next_night(
    night: Readable, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = timezone.now()
    with monkeypatch.context() as patched:
        die_on_the_second_page(night, patched)
        for _try in range(reconcile.MOST_TRIES):
            with pytest.raises(Killed):
                reconcile.reconcile_due(now + timedelta(hours=1))
    reconcile.reconcile_due(now + timedelta(hours=1))
    assert "5 times" in Reconcile.objects.get(cause="nightly").error
    assert [reconcile.reconcile_due(now + timedelta(hours=hours)) for hours in (2, 25)] == [0, 1]


def test_a_worker_that_is_asked_to_end_leaves_the_rest_to_another(
    night: Readable, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = iter((False, True))
    with monkeypatch.context() as patched:
        patched.setattr(reconcile, "closing", lambda: next(asked))
        reconcile.reconcile_due(timezone.now())
    row = Reconcile.objects.get()
    assert (row.read, row.tries, row.finished_at) == (2, 0, None)
    assert reconcile.reconcile_due(timezone.now()) == 1
    assert Interaction.objects.count() == 3


def test_what_somebody_is_at_is_left_to_them(night: Readable, channel: Channel) -> None:
    Reconcile.objects.create(channel=channel, cause=Reconcile.Cause.NIGHTLY, since=NOON)
    with psycopg2.connect(**connection.get_connection_params()) as other, other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s, %s)", [reconcile.RECONCILE_LOCK, channel.pk])
        assert reconcile.reconcile_due(timezone.now()) == 0
        cursor.execute("SELECT pg_advisory_unlock_all()")
    assert reconcile.reconcile_due(timezone.now()) == 1


def test_channels_with_nothing_due_cost_no_statements(channel: Channel) -> None:
    def statements() -> tuple[int, int]:
        with CaptureQueriesContext(connection) as read_back:
            assert reconcile.reconcile_due(timezone.now()) == 0
        with CaptureQueriesContext(connection) as looked_up:
            assert reconcile.recheck_due(timezone.now()) == 0
        return len(read_back), len(looked_up)

    Recheck.objects.create(channel=channel, finished_at=timezone.now())
    for number in range(4):
        other = make_channel(channel.brand, account=Author(f"8{number}"))
        Recheck.objects.create(channel=other, finished_at=timezone.now())
    assert statements() == (1, 1)


def test_a_post_that_is_gone_on_the_network_is_emptied_here(network: Readable, channel: Channel) -> None:
    record(channel, [FIRST, SECOND])
    network.gone = frozenset({"2"})
    assert reconcile.recheck_due(timezone.now()) == 1
    assert Interaction.objects.get(external_id="2").text == ""
    assert Interaction.objects.get(external_id="1").text != ""


def test_an_edit_that_nobody_told_of_is_taken_over(network: Readable, channel: Channel) -> None:
    record(channel, [FIRST, SECOND])
    network.now = (said("1", text="With stakes, after all.", version=9), said("2", SOFIA, minutes=1, version=9))
    reconcile.recheck_due(timezone.now())
    first, second = Interaction.objects.order_by("external_id")
    assert (first.text, second.edited_at) == ("With stakes, after all.", None)


def test_a_round_of_looking_up_begins_again_the_next_day_only(network: Readable, channel: Channel) -> None:
    record(channel, [FIRST])
    reconcile.recheck_due(timezone.now())
    network.gone = frozenset({"1"})
    assert reconcile.recheck_due(timezone.now()) == 0
    assert reconcile.recheck_due(timezone.now() + timedelta(hours=21)) == 1


def test_the_command_says_what_it_found_in_json(network: Readable, channel: Channel) -> None:
    record(channel, [FIRST])
    hours = (timezone.now() - NOON).total_seconds() / 3600 + 1
    out = StringIO()
    call_command("reconcile", "--hours", str(hours), "--deletions", stdout=out)
    first, second = (json.loads(line) for line in out.getvalue().splitlines())
    assert (first["missing"], first["repaired"], second) == (2, 2, {"gone": 0})
