"""What may be done with an item, and why not: the one answer that composer, API and worker ask for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from channels_ingest.networks import network
from channels_ingest.networks.base import Account, Action, Network, Situation, Verdict, Visibility

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
PUBLIC = Situation("5", Visibility.PUBLIC, "7", False, NOW - timedelta(hours=1), NOW)
PRIVATE = replace(PUBLIC, visibility=Visibility.PRIVATE, last_private_in=NOW - timedelta(hours=1))


def verdict(key: str, action: Action, situation: Situation) -> Verdict:
    speaker: Network = network(key)(Account("1000", "trailhead", {}))
    return speaker.verdict(action, situation)


def x(action: Action, situation: Situation = PUBLIC, **facts: Any) -> Verdict:
    return verdict("twitter", action, replace(situation, facts=facts))


def facebook(action: Action, situation: Situation = PUBLIC, **facts: Any) -> Verdict:
    return verdict("facebook", action, replace(situation, facts=facts))


# -- X -----------------------------------------------------------------------------------------------------------------


def test_x_answers_who_called_us() -> None:
    assert x(Action.REPLY, summoned=True) == Verdict(True)


def test_x_does_not_answer_who_did_not_call_us_and_says_where_to_do_it() -> None:
    found = x(Action.REPLY, summoned=False)
    assert not found.allowed
    assert "Open the post on X" in found.reason


def test_x_does_not_answer_where_it_is_not_known_whether_we_were_called() -> None:
    assert not x(Action.REPLY).allowed


def test_x_warns_where_the_author_limits_who_may_reply() -> None:
    found = x(Action.REPLY, summoned=True, reply_settings="following")
    assert found.allowed
    assert "may refuse" in found.reason


def test_x_goes_on_below_our_own_post() -> None:
    assert x(Action.REPLY, replace(PUBLIC, ours=True)).allowed


def test_x_answers_a_message_in_private_only() -> None:
    assert not x(Action.REPLY, PRIVATE, summoned=True).allowed
    assert x(Action.MESSAGE, PRIVATE).allowed


@pytest.mark.parametrize(("facts", "allowed"), [({"can_dm": False}, False), ({"can_dm": True}, True), ({}, True)])
def test_x_writes_to_who_receives_messages(facts: Any, allowed: bool) -> None:
    assert x(Action.MESSAGE, **facts).allowed is allowed


def test_x_writes_to_who_has_written_to_us_whatever_the_profile_says() -> None:
    assert x(Action.MESSAGE, PRIVATE, can_dm=False).allowed


@pytest.mark.parametrize(("facts", "allowed"), [({"our_conversation": True}, True), ({}, False)])
def test_x_hides_replies_in_our_conversations(facts: Any, allowed: bool) -> None:
    assert x(Action.HIDE, **facts).allowed is allowed


@pytest.mark.parametrize("ours", [True, False])
def test_x_deletes_ours_alone(ours: bool) -> None:
    assert x(Action.DELETE, replace(PUBLIC, ours=ours)).allowed is ours


# -- Facebook ----------------------------------------------------------------------------------------------------------


def test_facebook_answers_a_comment_below_it() -> None:
    assert facebook(Action.REPLY).allowed


def test_facebook_replies_to_a_comment_in_private_for_seven_days() -> None:
    found = facebook(Action.MESSAGE)
    assert (found.allowed, found.until) == (True, PUBLIC.posted_at + timedelta(days=7))
    late = replace(PUBLIC, posted_at=NOW - timedelta(days=7))
    assert not facebook(Action.MESSAGE, late).allowed


def test_facebook_replies_to_a_comment_in_private_once() -> None:
    assert not facebook(Action.MESSAGE, replace(PUBLIC, private_replied=True)).allowed


def test_facebook_writes_on_to_a_commenter_who_has_written_in_private() -> None:
    written = replace(PUBLIC, private_replied=True, last_private_in=NOW - timedelta(hours=2))
    assert facebook(Action.MESSAGE, written).allowed


@pytest.mark.parametrize("author", ["unknown:5", "7"])
def test_facebook_replies_in_private_only_to_somebody(author: str) -> None:
    assert facebook(Action.MESSAGE, replace(PUBLIC, author_id=author)).allowed is (author == "7")


WINDOWS = {
    timedelta(hours=23, minutes=59): (True, True),
    timedelta(hours=24): (True, False),
    timedelta(hours=24, seconds=1): (True, False),
    timedelta(days=6, hours=23): (True, False),
    timedelta(days=7): (False, False),
}


@pytest.mark.parametrize("ago", WINDOWS, ids=str)
def test_messenger_is_open_for_24_hours_and_for_people_seven_days(ago: timedelta) -> None:
    situation = replace(PRIVATE, last_private_in=NOW - ago)
    by_human = facebook(Action.MESSAGE, situation).allowed
    by_machine = facebook(Action.MESSAGE, replace(situation, human=False)).allowed
    assert (by_human, by_machine) == WINDOWS[ago]


def test_messenger_says_until_when_it_is_open() -> None:
    last = NOW - timedelta(hours=2)
    assert facebook(Action.MESSAGE, replace(PRIVATE, last_private_in=last)).until == last + timedelta(hours=24)


def test_messenger_does_not_write_first() -> None:
    assert not facebook(Action.MESSAGE, replace(PRIVATE, last_private_in=None)).allowed


@pytest.mark.parametrize("action", [Action.HIDE, Action.DELETE, Action.REPLY])
def test_a_message_can_be_neither_hidden_nor_deleted_nor_answered_in_public(action: Action) -> None:
    assert not facebook(action, replace(PRIVATE, ours=True)).allowed


@pytest.mark.parametrize(("facts", "allowed"), [({"can_hide": False}, False), ({"can_hide": True}, True), ({}, True)])
def test_facebook_hides_what_it_says_can_be_hidden(facts: Any, allowed: bool) -> None:
    assert facebook(Action.HIDE, **facts).allowed is allowed


@pytest.mark.parametrize(("facts", "allowed"), [({"can_remove": True}, True), ({}, False)])
def test_facebook_deletes_theirs_where_it_says_so(facts: Any, allowed: bool) -> None:
    assert facebook(Action.DELETE, **facts).allowed is allowed
