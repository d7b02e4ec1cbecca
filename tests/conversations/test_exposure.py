"""The order by exposure, computed by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Brand, User
from channels_ingest.models import Channel
from channels_ingest.networks.base import Author
from conversations import exposure, inbox
from conversations.models import Thread
from conversations.readings import CHOICES
from conversations.record import record
from conversations.understanding.base import UNKNOWN, UNSURE
from conversations.wanted import Wanted
from tests.cast import said

pytestmark = pytest.mark.django_db

# followers, hours, mood -> reach x hours x negativity under a cap of 10,000
TWENTY = [
    (0, 30, "", 30), (2, 10, "negative", 20), (3, 9, "neutral", 27), (9, 40, "negative", 240), (10, 1, "", 10),
    (29, 5, "positive", 50), (30, 2, "negative", 120), (99, 70, "", 2_100), (100, 3, "", 300),
    (250, 8, "negative", 1_600), (310, 6, "neutral", 1_800), (999, 0.5, "", 150), (1_000, 7, "negative", 14_000),
    (2_400, 4, "", 4_000), (3_000, 11, "unknown", 33_000), (9_999, 20, "negative", 120_000),
    (10_000, 15, "", 150_000), (18_200, 12, "negative", 240_000), (1_000_000, 13, "", 130_000),
    (30_000_000, 16, "negative", 320_000),
]  # fmt: skip


@pytest.fixture
def twenty(channel: Channel, brand: Brand) -> None:
    Brand.objects.filter(pk=brand.pk).update(reach_cap=10_000)
    now = timezone.now()
    posts = []
    for number, (followers, hours, _mood, _score) in enumerate(TWENTY):
        author = Author(f"e{number}", handle=f"e{number}", name=str(number), followers=followers)
        posts.append(replace(said(f"p{number}", author), posted_at=now - timedelta(hours=hours)))
    record(channel, posts)
    for number, (_followers, _hours, mood, _score) in enumerate(TWENTY):
        Thread.objects.filter(identity__external_id=f"e{number}").update(mood=mood)


def listed(user: User, influence: int = 100, size: int = 50, **query: str) -> list[int]:
    """The numbers of the twenty in the list's order, read page by page."""
    seen: list[int] = []
    before = ""
    while True:
        asked = {"view": "all", "order": "exposure", "influence": str(influence), "before": before, **query}
        page = inbox.page(user, Wanted.read(asked), inbox.brand_ids(user))
        seen += [int(row.name) for row in page.rows]
        before = page.older
        if not before:
            return seen


def test_the_order_is_that_of_the_scores_computed_by_hand(twenty: None, agent: User) -> None:
    by_hand = sorted(range(20), key=lambda number: -TWENTY[number][3])
    assert listed(agent) == by_hand


def test_a_row_tells_its_factors(twenty: None, agent: User) -> None:
    page = inbox.page(agent, Wanted(view="all", order="exposure"), inbox.brand_ids(agent))
    factors = page.rows[0].factors
    assert factors is not None
    assert (factors.reach, round(factors.hours), factors.negativity, round(factors.score, -3)) == (
        10_000, 16, 2.0, 320_000,
    )  # fmt: skip


def test_without_influence_the_order_is_that_of_age(twenty: None, agent: User) -> None:
    assert listed(agent, influence=0) == sorted(range(20), key=lambda number: -TWENTY[number][1])


def test_a_cap_of_one_makes_everybody_equal(twenty: None, agent: User, brand: Brand) -> None:
    Brand.objects.filter(pk=brand.pk).update(reach_cap=1)
    hours = {number: TWENTY[number][1] * exposure.negativity_of(TWENTY[number][2]) for number in range(20)}
    assert listed(agent) == sorted(range(20), key=lambda number: -hours[number])


def test_pages_follow_each_other_without_gap_or_overlap(
    twenty: None, agent: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = listed(agent)
    monkeypatch.setattr(inbox, "PAGE_SIZE", 3)
    assert listed(agent) == whole


def test_mine_are_ordered_too(twenty: None, agent: User) -> None:
    Thread.objects.filter(identity__external_id__in=("e4", "e17")).update(assignee=agent)
    assert listed(agent, view="mine") == [17, 4]


def test_a_filter_narrows_the_order(twenty: None, agent: User) -> None:
    assert listed(agent, q="mood:negative reach:10k") == [19, 17]


def test_what_nobody_waits_for_has_no_exposure(twenty: None, agent: User) -> None:
    Thread.objects.filter(identity__external_id="e19").update(waiting_since=None)
    assert 19 not in listed(agent)


def test_every_mood_there_is_has_a_walk() -> None:
    assert {*CHOICES["mood"], UNKNOWN, UNSURE, ""} <= set(exposure.MOODS)


@pytest.mark.parametrize("cursor", ["", "x", "1~2~3", "9" * 17 + "~1~1", "1~-1~1", "1~nan~1", "1~1e999~1"])
def test_any_cursor_is_taken(twenty: None, agent: User, cursor: str) -> None:
    wanted = Wanted(view="all", order="exposure", before=cursor)
    assert len(inbox.page(agent, wanted, inbox.brand_ids(agent)).rows) <= 20


def test_the_order_walks_its_index(twenty: None, brand: Brand) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off")
    place = exposure.Place(timezone.now())
    with connection.execute_wrapper(_explain):
        plan = exposure.page({brand.pk: 100}, 1.0, place, limit=51)
    assert any("thread_exposure" in str(line) for line in plan)
    assert not any("Seq Scan on conversations_thread" in str(line) for line in plan)


def _explain(execute, sql, params, many, context):  # type: ignore[no-untyped-def]
    return execute(f"EXPLAIN {sql}", params, many, context)
