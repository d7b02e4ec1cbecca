from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from conversations.promises import find

WEDNESDAY = datetime(2026, 11, 18, 10, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("Sorry Maya! I will get back to you by Friday.", "2026-11-20 18:00"),
        ("We'll refund it tomorrow.", "2026-11-19 18:00"),
        ("I'll call you within 2 hours", "2026-11-18 13:00"),
        ("We will send a set today.", "2026-11-18 18:00"),
        ("You will hear from us next week", "2026-11-27 18:00"),
        ("We can let you know in three days", "2026-11-21 11:00"),
        ("Ich melde mich bis Donnerstag bei Ihnen.", "2026-11-19 18:00"),
        ("Wir schicken das morgen los", "2026-11-19 18:00"),
        ("We'll be in touch shortly", "2026-11-18 15:00"),
        ("I’ll check and reply on Wednesday", "2026-11-25 18:00"),
    ],
)
def test_a_promise_is_found_with_its_due_time_in_the_writers_zone(text: str, due: str) -> None:
    promise = find(text, now=WEDNESDAY, zone=BERLIN)
    assert promise is not None
    assert promise.due_at.astimezone(BERLIN).strftime("%Y-%m-%d %H:%M") == due


@pytest.mark.parametrize(
    "text",
    ["Sorry to hear that.", "Did you order on Friday?", "We are open tomorrow.", "", "Friday is a good day", "I will."],
)
def test_what_is_no_promise_is_left_alone(text: str) -> None:
    assert find(text, now=WEDNESDAY, zone=BERLIN) is None


def test_a_promise_for_today_in_the_evening_is_due_soon() -> None:
    late = WEDNESDAY.replace(hour=20)
    promise = find("We'll call you today", now=late, zone=BERLIN)
    assert promise is not None
    assert promise.due_at > late


def test_a_long_draft_is_read_in_time() -> None:
    assert find("i will " * 20_000, now=WEDNESDAY, zone=BERLIN) is None
