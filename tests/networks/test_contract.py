"""What every network keeps to, whichever it is: each one found is held to the same rules."""

from __future__ import annotations

import dataclasses
import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.template.loader import render_to_string

from channels_ingest.checks import connect_template, networks_are_whole
from channels_ingest.networks import network, networks
from channels_ingest.networks.base import (
    Account,
    Action,
    Event,
    Network,
    NetworkError,
    Outgoing,
    Post,
    Situation,
    Visibility,
)
from tests.networks.played import Stage
from tests.networks.recorded import expectation, only_expected, recordings, shown, shown_events

HOSTILE: tuple[Any, ...] = (
    None, True, 0, -1, 2**70, 1.5, float("inf"), "", "\x00", "\ud800", "x" * 200_000, [], [[]], {}, {"id": None},
    [None] * 10, {"data": 7}, "../../etc", "<script>", ["a"] * 5000, {"a": {"b": {"c": []}}},
)  # fmt: skip
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture(params=sorted(networks()))
def found(request: pytest.FixtureRequest) -> type[Network]:
    return network(str(request.param))


def speaking(found: type[Network], base_url: str = "http://127.0.0.1:9", **settings: Any) -> Network:
    """An object of the network with something plausible for every field of its form."""
    credentials = {field.name: f"value-of-{field.name}" for field in found.fields}
    return found(Account("1000", "trailhead", credentials, settings, base_url))


def secrets(found: type[Network]) -> dict[str, str]:
    return {field.name: f"value-of-{field.name}" for field in found.fields if field.app}


def webhooks(found: type[Network]) -> list[Any]:
    return [json.loads(path.read_text()) for key, path in recordings("webhook") if key == found.key]


# -- what it says about itself -----------------------------------------------------------------------------------------


def test_it_has_a_key_a_name_and_a_short_mark(found: type[Network]) -> None:
    assert found.key.isidentifier()
    assert found.name
    assert 1 <= len(found.badge) <= 3


def test_its_streams_and_fields_have_names_of_their_own(found: type[Network]) -> None:
    for names in ([stream.name for stream in found.streams], [field.name for field in found.fields]):
        assert len(names) == len(set(names))


def test_its_streams_are_not_pulled_without_a_pause(found: type[Network]) -> None:
    assert all(stream.every >= timedelta(seconds=10) for stream in found.streams)


def test_its_icon_and_connect_page_are_there(found: type[Network]) -> None:
    assert [message for message in networks_are_whole(None) if message.obj is found] == []


def test_its_connect_page_can_be_shown(found: type[Network]) -> None:
    assert "<script" not in render_to_string(connect_template(found.key))


def test_it_says_where_each_key_comes_from(found: type[Network]) -> None:
    assert all(field.label and field.help for field in found.fields)


# -- what it reads -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("key", "path"), recordings("webhook"), ids=lambda value: getattr(value, "stem", value))
def test_a_recorded_webhook_says_what_it_should(key: str, path: Path) -> None:
    said = shown_events(network(key).parse_event(json.loads(path.read_text())))
    assert only_expected(said, expectation(path)) == expectation(path)


@pytest.mark.parametrize(("key", "path"), recordings("page"), ids=lambda value: getattr(value, "stem", value))
def test_a_recorded_page_brings_what_it_should(key: str, path: Path, stage: Stage) -> None:
    recorded = json.loads(path.read_text())
    stage.play(*recorded["answers"])
    pages = list(speaking(network(key), stage.base_url).pull(recorded["stream"], {}))
    said = shown([item for page in pages for item in page.items], [one for page in pages for one in page.dropped])
    assert only_expected(said, expectation(path)) == expectation(path)


def test_a_network_that_is_pushed_to_has_recorded_webhooks(found: type[Network]) -> None:
    assert bool(webhooks(found)) == ("parse_event" in vars(found))


@pytest.mark.parametrize("payload", HOSTILE, ids=lambda value: repr(value)[:20])
def test_a_strange_webhook_raises_nothing(found: type[Network], payload: Any) -> None:
    assert_storable(found.parse_event(payload))


@pytest.mark.parametrize("seed", range(40))
def test_a_webhook_damaged_anywhere_raises_nothing_and_stays_storable(found: type[Network], seed: int) -> None:
    dice = random.Random(seed)
    for payload in webhooks(found):
        for _ in range(5):
            assert_storable(found.parse_event(damaged(payload, dice)))


@pytest.mark.parametrize("seed", range(15))
def test_a_page_damaged_anywhere_stops_with_a_network_error_at_most(stage: Stage, seed: int) -> None:
    dice = random.Random(seed)
    for key, path in recordings("page"):
        recorded = json.loads(path.read_text())
        stage.play(*[damaged(answer, dice) for answer in recorded["answers"]], {"data": []})
        for page in pulled(speaking(network(key), stage.base_url), recorded["stream"]):
            storable = json.dumps([dataclasses.asdict(one) for one in (*page.items, *page.dropped)], default=str)
            json.dumps(page.cursor)
            assert "\\u0000" not in storable


def pulled(speaker: Network, stream: str) -> Iterator[Any]:
    try:
        yield from speaker.pull(stream, {})
    except NetworkError:
        return


def damaged(value: Any, dice: random.Random) -> Any:
    """The same JSON with one member, anywhere in it, replaced by something hostile."""
    places = list(_places(value))
    if not places:
        return dice.choice(HOSTILE)
    copy = json.loads(json.dumps(value))
    *way, last = dice.choice(places)
    inner = copy
    for step in way:
        inner = inner[step]
    inner[last] = dice.choice([one for one in HOSTILE if one != float("inf")])
    return copy


def _places(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in members:
        yield (*way, key)
        yield from _places(member, (*way, key))


def assert_storable(events: tuple[Event, ...]) -> None:
    kept = json.dumps([dataclasses.asdict(event) for event in events], default=str, allow_nan=False)
    assert "\\u0000" not in kept
    kept.encode("utf-8")
    for event in events:
        for item in event.items:
            if isinstance(item, Post):
                assert item.external_id and item.author.external_id and item.root_id
                assert item.posted_at.tzinfo is not None
                item.text.encode("utf-8")


def test_the_same_webhook_says_the_same_twice(found: type[Network]) -> None:
    for payload in webhooks(found):
        assert found.parse_event(payload) == found.parse_event(payload)


# -- what it believes --------------------------------------------------------------------------------------------------


def test_a_webhook_without_a_signature_is_not_believed(found: type[Network]) -> None:
    assert not found.signed(b"{}", {}, secrets(found))


def test_a_webhook_is_not_believed_where_no_secret_is_set(found: type[Network]) -> None:
    assert not found.signed(b"{}", {}, {})


@pytest.mark.parametrize("given", ["", "sha256=", "sha256=é", "\ud800"])
def test_a_strange_signature_is_not_believed(found: type[Network], given: str) -> None:
    headers = dict.fromkeys(("x-twitter-webhooks-signature", "x-hub-signature-256"), given)
    assert not found.signed(b"{}", headers, secrets(found))


def test_an_empty_hand_shake_is_refused(found: type[Network]) -> None:
    assert found.challenge({}, secrets(found)) is None


# -- what it allows ----------------------------------------------------------------------------------------------------


def situations() -> Iterator[Situation]:
    for visibility in Visibility:
        for ours in (False, True):
            for removed in (False, True):
                yield Situation("5", visibility, "7", ours, NOW - timedelta(hours=1), NOW, removed=removed)


@pytest.mark.parametrize("action", Action)
def test_each_refusal_says_why(found: type[Network], action: Action) -> None:
    verdicts = [speaking(found).verdict(action, situation) for situation in situations()]
    assert all(verdict.allowed or verdict.reason for verdict in verdicts)


@pytest.mark.parametrize("action", Action)
def test_nothing_can_be_done_with_what_was_removed(found: type[Network], action: Action) -> None:
    removed = [situation for situation in situations() if situation.removed]
    assert not any(speaking(found).verdict(action, situation).allowed for situation in removed)


def test_what_is_not_supported_is_never_allowed(found: type[Network]) -> None:
    supported = {
        Action.REPLY: found.supports.public_reply,
        Action.MESSAGE: found.supports.private_message,
        Action.HIDE: found.supports.hide,
        Action.DELETE: found.supports.delete,
        Action.BLOCK: found.supports.block,
    }
    missing = [action for action, there in supported.items() if not there]
    assert not any(speaking(found).verdict(action, one).allowed for action in missing for one in situations())


def test_an_empty_text_has_no_length(found: type[Network]) -> None:
    assert speaking(found).length("") == 0


def test_a_longer_text_is_never_shorter(found: type[Network]) -> None:
    speaker, text = speaking(found), "Hello wörld 你好 🙂 and more"
    lengths = [speaker.length(text[:size]) for size in range(len(text) + 1)]
    assert lengths == sorted(lengths)


# -- what it sends -----------------------------------------------------------------------------------------------------


def test_what_it_cannot_send_it_refuses_with_the_one_error(found: type[Network], stage: Stage) -> None:
    stage.play({})
    for action in (Action.REPLY, Action.MESSAGE):
        with pytest.raises(NetworkError):
            speaking(found, stage.base_url).send(Outgoing(action, "Hello", "k", parent_id="5", recipient_id="7"))


def test_no_client_is_made_before_the_network_is_called(found: type[Network]) -> None:
    speaker = speaking(found)
    speaker.length("Hello")
    assert not any("client" in name or "graph" in name for name in vars(speaker))
