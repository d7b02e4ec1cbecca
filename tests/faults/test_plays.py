"""What takes two processes, or the network's own weather, to go wrong; and each bug of the list, caught."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.faults.crash_points import enumerate_points
from tests.faults.judge import Judgement
from tests.faults.planted import BUGS
from tests.faults.plays import (
    a_row_was_lost,
    copies_at_once,
    held_up,
    late_accept,
    many_pages,
    merged_with_itself,
    pages_shift,
    poison_among_webhooks,
    pushes_stopped_on_facebook,
    pushes_stopped_on_x,
    refused_duplicate,
    told_once,
)
from tests.faults.scenarios import Delete, Hook, MergePeople, Poll, Press, PressFacebook, Scenario, SendComment
from tests.faults.stage import Stage

PLAYS = (
    held_up,
    late_accept,
    refused_duplicate,
    many_pages,
    pages_shift,
    copies_at_once,
    merged_with_itself,
    a_row_was_lost,
    told_once,
    pushes_stopped_on_x,
    pushes_stopped_on_facebook,
    poison_among_webhooks,
)
Play = Callable[..., Judgement]


@pytest.mark.parametrize("play", PLAYS, ids=lambda play: play.__name__)
def test_it_goes_well(stage: Stage, play: Play) -> None:
    found = play(stage)
    assert found.clean, str(found)


# By whom a bug is caught, and as which broken promise ("check" is the scenario's own complaint).
CAUGHT_BY_ENUMERATION: dict[str, tuple[type[Scenario], str]] = {
    "cursor_saved_before_the_data": (Poll, "I5"),
    "an_expired_lease_sends_again": (SendComment, "I2"),
    "answered_before_it_is_stored": (Hook, "check"),
    "done_before_it_is_done": (Delete, "check"),
    "published_before_the_commit": (Press, "check"),
    "what_was_merged_away_is_deleted": (MergePeople, "I1"),
    "the_second_press_has_another_key": (PressFacebook, "I2"),
}
CAUGHT_BY_PLAY: dict[str, tuple[Play, str]] = {
    "the_lease_is_not_looked_at_again": (held_up, "I2"),
    "an_unknown_reply_does_not_rest": (late_accept, "I2"),
    "a_duplicate_is_a_failure": (refused_duplicate, "I3"),
    "only_one_page_is_read": (many_pages, "I1"),
    "pages_are_counted": (pages_shift, "I1"),
    "looked_up_then_inserted": (copies_at_once, "I6"),
    "a_contact_may_be_merged_with_itself": (merged_with_itself, "I4"),
    "poison_ends_the_round": (poison_among_webhooks, "I12"),
    "nobody_looks_after_pushes": (pushes_stopped_on_facebook, "F16"),
    "mailed_by_whoever_looks": (told_once, "I9"),
    "noted_as_mailed_before_the_mail": (told_once, "I9"),
    "nobody_is_told_of_what_customers_write": (told_once, "I9"),
    "the_clock_runs_on": (told_once, "I9"),
}


# Two bugs first take away the constraint that would refuse them.
MENDING = {
    "looked_up_then_inserted": (
        "DELETE FROM channels_ingest_webhookevent one USING channels_ingest_webhookevent other"
        " WHERE one.app_id = other.app_id AND one.digest = other.digest AND one.id > other.id",
        "ALTER TABLE channels_ingest_webhookevent ADD CONSTRAINT webhook_event_once UNIQUE (app_id, digest)",
    ),
    "a_contact_may_be_merged_with_itself": (
        "UPDATE contacts_identitylink SET merge_id = NULL WHERE merge_id IN"
        " (SELECT id FROM contacts_merge WHERE kept_id = dropped_id)",
        "DELETE FROM contacts_merge WHERE kept_id = dropped_id",
        "DELETE FROM accounts_auditentry WHERE verb = 'merged' AND details->>'dropped' = object_id",
        "UPDATE contacts_contact SET merged_into_id = NULL WHERE merged_into_id = id",
        "ALTER TABLE contacts_contact ADD CONSTRAINT contact_not_into_itself"
        " CHECK (merged_into_id IS NULL OR merged_into_id <> id)",
        "ALTER TABLE contacts_merge ADD CONSTRAINT merge_not_with_itself CHECK (kept_id <> dropped_id)",
    ),
}


@pytest.mark.parametrize("bug", CAUGHT_BY_ENUMERATION)
def test_a_planted_bug_is_caught_by_the_enumeration(stage: Stage, bug: str) -> None:
    scenario, promise = CAUGHT_BY_ENUMERATION[bug]
    report = enumerate_points(stage, scenario, bug, every_statement=False)
    assert promise in report.broken, str(report)


@pytest.mark.parametrize("bug", CAUGHT_BY_PLAY)
def test_a_planted_bug_is_caught_by_a_play(stage: Stage, bug: str) -> None:
    play, promise = CAUGHT_BY_PLAY[bug]
    try:
        found = play(stage, bug=bug)
    finally:
        for statement in MENDING.get(bug, ()):
            stage.sql(statement)
    assert promise in found.broken, str(found)


def test_every_planted_bug_is_looked_for() -> None:
    assert set(CAUGHT_BY_ENUMERATION) | set(CAUGHT_BY_PLAY) == set(BUGS)
