"""The filters of a question, asked of threads; what they name and is not there; and the orders by due time and post."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from channels_ingest.models import Channel
from channels_ingest.networks.base import Author, Removal
from conversations import inbox
from conversations.audience import Mode, audience_of
from conversations.choosing import asked_for
from conversations.exposure import step_of
from conversations.models import Promise, Thread
from conversations.question import Asker
from conversations.record import record
from conversations.wanted import Wanted
from tests.cast import JONAS, MAYA, SOFIA, TRAILHEAD, said, whispered
from tests.conftest import BrowserOf

pytestmark = pytest.mark.django_db


def names(user: User, text: str = "", **query: str) -> list[str]:
    wanted = Wanted.read({"view": "all", "q": text, **query})
    return [row.name for row in inbox.page(user, wanted, inbox.brand_ids(user)).rows]


def promised(author: Author, user: User, hours: float) -> None:
    thread = Thread.objects.get(identity__external_id=author.external_id)
    due_at = timezone.now() + timedelta(hours=hours)
    item = thread.interactions.get()
    Promise.objects.create(thread=thread, interaction=item, owner=user, words="Friday", due_at=due_at)


# -- audience ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def audiences(channel: Channel) -> None:
    """Maya writes in private, Jonas alone in public (we answer), Sofia's post is joined by somebody else."""
    alone, joined = said("2", JONAS, minutes=1), said("3", SOFIA, minutes=2)
    record(channel, [whispered("1", MAYA), alone, joined, said("4", TRAILHEAD, parent=alone, minutes=3)])
    record(channel, [said("5", Author("77", handle="peer", name="Peer"), parent=joined, minutes=4)])


@pytest.mark.parametrize(
    ("mode", "who"),
    [("one-to-one", ["Maya Keller"]), ("one-to-many", ["Jonas Okafor"]),
     ("one-to-one-to-many", ["Peer", "Sofia Rossi"])],
)  # fmt: skip
def test_the_audience_can_be_asked_for(audiences: None, agent: User, mode: str, who: list[str]) -> None:
    assert sorted(names(agent, f"audience:{mode}")) == who


def test_the_filter_and_the_open_thread_agree_on_the_audience(audiences: None, agent: User) -> None:
    told = {str(thread.contact): audience_of(thread).mode for thread in Thread.objects.all()}
    found = {name: mode for mode in Mode for name in names(agent, f"audience:{mode}")}
    assert found == told


def test_who_takes_their_word_back_has_not_joined_in(audiences: None, channel: Channel, agent: User) -> None:
    record(channel, [Removal("5")])
    assert "Sofia Rossi" in names(agent, "audience:one-to-many")


# -- reach -------------------------------------------------------------------------------------------------------------

FOLLOWED = (None, 0, 1, 2, 3, 310, 999, 1_000, 1_001, 18_200, 10_000_000, 12_000_000)


@pytest.mark.parametrize("least", [0, 1, 2, 3, 4, 310, 311, 999, 1_000, 1_001, 18_200, 18_201, 10_000_000, 11_000_000])
def test_reach_is_exact_on_every_step_and_between_two(channel: Channel, agent: User, least: int) -> None:
    people = [Author(str(n), handle=f"f{n}", name=f"{n}", followers=count) for n, count in enumerate(FOLLOWED)]
    record(channel, [said(f"f{one.external_id}", one) for one in people])
    enough = {one.name for one in people if (one.followers or 0) >= least}
    others = {one.name for one in people} - enough
    assert (set(names(agent, f"reach:{least}")), set(names(agent, f"-reach:{least}"))) == (enough, others)


@pytest.mark.parametrize(("before", "since"), [(900, 50_000), (50_000, 900)])
def test_who_is_followed_by_more_or_fewer_now_is_so_in_all_their_threads(
    channel: Channel, agent: User, before: int, since: int
) -> None:
    record(channel, [said("1", replace(JONAS, followers=before))])
    record(channel, [said("2", replace(JONAS, followers=since))])
    found = names(agent, "reach:10k")
    assert (len(found), set(Thread.objects.values_list("reach_step", flat=True))) == (
        2 if since > before else 0,
        {step_of(since)},
    )


@pytest.mark.parametrize("text", ["reach:1m", "reach:25k", "-reach:25k"])
def test_reach_is_asked_of_threads_and_not_of_all_people(channel: Channel, agent: User, text: str) -> None:
    wanted = Wanted.read({"view": "all", "q": text})
    sql = str(asked_for(Asker(agent, inbox.brand_ids(agent)), wanted).query)
    assert ("reach_step" in sql, "JOIN" in sql) == (True, False)


# -- due --------------------------------------------------------------------------------------------------------------


def test_what_falls_due_soon_or_is_overdue_can_be_asked_for(channel: Channel, agent: User) -> None:
    record(channel, [said("1", MAYA), said("2", JONAS), said("3", SOFIA)])
    promised(MAYA, agent, 2)
    promised(JONAS, agent, 50)
    promised(SOFIA, agent, -1)
    assert sorted(names(agent, "due:4h")) == ["Maya Keller", "Sofia Rossi"]


def test_what_falls_due_first_stands_first(channel: Channel, agent: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "PAGE_SIZE", 2)
    record(channel, [said("1", MAYA), said("2", JONAS), said("3", SOFIA), said("4", Author("5", name="No promise"))])
    for author, hours in ((MAYA, 2), (JONAS, 50), (SOFIA, -1)):
        promised(author, agent, hours)
    first = inbox.page(agent, Wanted.read({"view": "all", "order": "due"}), inbox.brand_ids(agent))
    assert [row.name for row in first.rows] == ["Sofia Rossi", "Maya Keller"]
    assert names(agent, order="due", before=first.older) == ["Jonas Okafor"]


# -- what is not there ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["tag:nosuch", "in:nowhere", "team:none", "assignee:zzz", "brand:x", "from:qqqq"])
def test_a_name_that_nobody_bears_is_said_beside_the_box(
    channel: Channel, agent: User, browser_of: BrowserOf, text: str
) -> None:
    record(channel, [said("1", MAYA)])
    page = browser_of(agent).get("/", {"view": "all", "q": text}).content.decode()
    assert page.count('class="problem small"') == 1


def test_wrong_grammar_is_said_and_the_rest_is_searched(channel: Channel, agent: User, browser_of: BrowserOf) -> None:
    record(channel, [said("1", MAYA), whispered("2", JONAS)])
    page = browser_of(agent).get("/", {"view": "all", "q": "is:nice is:public"}).content.decode()
    rows = page.split('id="rows"')[1].split("</ul>")[0]
    assert ("is:” does not know" in page, "Maya Keller" in rows, "Jonas" in rows) == (True, True, False)


# -- many comments under one post -------------------------------------------------------------------------------------


def comments(channel: Channel, count: int) -> None:
    people = [
        Author(str(8000 + number), handle=f"c{number}", name=f"C {number}", followers=number) for number in range(count)
    ]
    record(channel, [said(f"c{one.external_id}", one, root="viral", minutes=at / 60) for at, one in enumerate(people)])


@pytest.mark.parametrize("order", ["newest", "waiting", "exposure"])
def test_a_post_with_five_hundred_comments_is_one_row_at_the_same_cost(
    channel: Channel, agent: User, browser_of: BrowserOf, order: str
) -> None:
    record(channel, [said("1", MAYA, minutes=-5)])
    address = f"/?view=all&group=1&order={order}"
    browser = browser_of(agent)
    costs, shown = [], []
    for count in (5, 500):
        comments(channel, count)
        with CaptureQueriesContext(connection) as captured:
            page = browser.get(address).content.decode()
        costs.append(len(captured))
        shown.append(page.count("<li id="))
    # (by exposure the list is read in rounds: one more query steps over the rest of the post)
    assert (shown, "499 more under this post" in page) == ([2, 2], True)
    assert costs[1] - costs[0] == (1 if order == "exposure" else 0)


def test_the_row_of_a_post_is_its_most_exposed_thread_and_opens_in_that_order(channel: Channel, agent: User) -> None:
    comments(channel, 40)
    Thread.objects.update(waiting_since=timezone.now() - timedelta(hours=1))
    (row,) = inbox.page(
        agent, Wanted.read({"view": "all", "group": "1", "order": "exposure"}), inbox.brand_ids(agent)
    ).rows
    wanted = {"view": "all", "group": "1", "order": "exposure", "under": str(row.thread.pk)}
    under = inbox.page(agent, Wanted.read(wanted), inbox.brand_ids(agent)).rows
    scores = [found.factors.score for found in under if found.factors]
    assert (row.others, len(scores), row.thread.reach_step) == (39, 39, 3)
    assert scores == sorted(scores, reverse=True)
