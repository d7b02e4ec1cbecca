"""What lies there for one channel is stored together; each body is still counted, and fails, by itself."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from channels_ingest import webhooks
from channels_ingest.models import App, Channel, SetAside, WebhookEvent
from channels_ingest.networks.base import Dropped, Event, Post
from channels_ingest.networks.twitter import Twitter
from channels_ingest.webhooks import process_due
from conversations.models import Interaction
from tests.cast import JONAS, TRAILHEAD, make_channel, said

pytestmark = pytest.mark.django_db

TOLD: dict[str, tuple[Event, ...]] = {}  # what the network makes of a body, by its name


@pytest.fixture(autouse=True)
def _reads_from_the_script(monkeypatch: pytest.MonkeyPatch) -> None:
    TOLD.clear()
    monkeypatch.setattr(Twitter, "parse_event", classmethod(lambda _cls, payload: TOLD[payload]))


@pytest.fixture
def app(channel: Channel) -> App:
    return App.objects.create(network=channel.network, key="k")


def pushed(app: App, name: str, *events: Event) -> WebhookEvent:
    TOLD[name] = events
    return WebhookEvent.objects.create(app=app, digest=name, body=json.dumps(name).encode())


def speaks(*posts: Post, to: str = TRAILHEAD.external_id, dropped: Sequence[Dropped] = ()) -> Event:
    return Event(to, posts, tuple(dropped))


def outcome(event: WebhookEvent) -> tuple[str, int, int, int]:
    event.refresh_from_db()
    return event.state, event.stored, event.known, event.tries


def test_each_body_of_a_batch_is_counted_by_itself(app: App) -> None:
    first, second = said("1"), said("2", JONAS)
    events = [
        pushed(app, "one", speaks(first)),
        pushed(app, "two", speaks(first, second, dropped=[Dropped("a like")])),
        pushed(app, "elsewhere", speaks(said("3"), to="unknown")),
        pushed(app, "nothing"),
    ]
    assert process_due() == 4
    stored = WebhookEvent.State.STORED
    assert [outcome(event) for event in events] == [
        (stored, 1, 0, 1),
        (stored, 1, 1, 1),
        (stored, 0, 0, 1),
        (stored, 0, 0, 1),
    ]
    assert [event.dropped for event in events] == [
        [],
        ["a like"],
        ["It speaks to an account that is not connected here."],
        [],
    ]
    assert [event.external_ids for event in events] == [["1"], ["1", "2"], ["3"], []]
    assert SetAside.objects.get().event == events[1]


def test_a_heap_costs_hardly_more_statements_than_one(app: App) -> None:
    def statements(names: Sequence[str]) -> int:
        for name in names:
            pushed(app, name, speaks(said(name)))
        with CaptureQueriesContext(connection) as asked:
            process_due()
        return len(asked)

    statements(["before"])
    assert statements([f"many-{number}" for number in range(webhooks.AT_ONCE[0])]) <= statements(["one"]) + 3
    assert Interaction.objects.count() == webhooks.AT_ONCE[0] + 2


def test_poison_in_a_batch_is_set_aside_with_its_own_body(app: App) -> None:
    good = [pushed(app, f"good-{number}", speaks(said(f"{number}"))) for number in range(3)]
    poison = pushed(app, "poison", speaks(said("9", text="a \x00 in it"), said("10")))
    not_json = WebhookEvent.objects.create(app=app, digest="broken", body=b"{")
    process_due()
    assert [outcome(event)[:2] for event in (*good, poison)] == [(WebhookEvent.State.STORED, 1)] * 4
    assert outcome(not_json)[0] == WebhookEvent.State.SET_ASIDE
    assert SetAside.objects.get().event == poison


@pytest.mark.parametrize(("tries", "together"), [(0, [7]), (1, [5, 2]), (2, [1] * 7), (3, [1] * 7)])
def test_the_more_often_bodies_failed_the_fewer_come_together(
    app: App, monkeypatch: pytest.MonkeyPatch, tries: int, together: list[int]
) -> None:
    for number in range(7):
        pushed(app, f"failed-{number}", speaks(said(f"1{number}")))
    WebhookEvent.objects.update(tries=tries)
    pushed(app, "fresh", speaks(said("2")))
    claimed = list[int]()
    monkeypatch.setattr(webhooks, "_work", lambda batch: claimed.append(len(batch)))
    assert process_due() == 8
    assert claimed == ([8] if tries == 0 else [*together, 1])


def test_a_body_for_two_channels_reaches_both(app: App, channel: Channel) -> None:
    other = make_channel(channel.brand, account=JONAS)
    both = pushed(app, "both", speaks(said("1")), speaks(said("2"), to=other.external_id))
    pushed(app, "one", speaks(said("3")))
    process_due()
    assert outcome(both)[1] == 2
    assert sorted(Interaction.objects.values_list("channel_id", "external_id")) == [
        (channel.pk, "1"), (channel.pk, "3"), (other.pk, "2"),
    ]  # fmt: skip


def test_what_others_have_done_meanwhile_is_not_done_again(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = pushed(app, "ours", speaks(said("1"))), pushed(app, "theirs", speaks(said("2")))
    store = webhooks._store_batch

    def late(batch: Sequence[webhooks.Read]) -> None:
        WebhookEvent.objects.filter(pk=theirs.pk).update(state=WebhookEvent.State.STORED, stored=7)
        store(batch)

    monkeypatch.setattr(webhooks, "_store_batch", late)
    process_due()
    assert (outcome(ours)[1], outcome(theirs)[1]) == (1, 7)
    assert [row.external_id for row in Interaction.objects.all()] == ["1"]
