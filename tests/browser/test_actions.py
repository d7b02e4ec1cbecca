"""How many actions (clicks and keys) it takes to be done with a thread: the README's table, played and hands."""

from __future__ import annotations

import re
import uuid
from functools import cache

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from channels_ingest.models import Channel
from channels_ingest.networks.base import Action, Author
from conversations.models import Delivery, Thread
from conversations.record import record
from conversations.reply import reply
from conversations.search import index_texts
from scrm.services import BASE_DIR
from tests.browser.conftest import Desk, Offstage, live
from tests.browser.hands import Hands
from tests.cast import JONAS, MAYA, said

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

ROW = re.compile(r"^\| (?P<story>[^|]+) \| (?P<keys>[^|]+) \| (?P<actions>\d+) \|$", re.MULTILINE)


@cache
def promised() -> dict[str, int]:
    """The README's table: story and the most actions it may take."""
    text = (BASE_DIR / "README.md").read_text()
    table = text.partition("### Actions per thread")[2].partition("\n## ")[0]
    return {row["story"]: int(row["actions"]) for row in ROW.finditer(table)}


def within_what_is_promised(story: str, hands: Hands) -> None:
    assert hands.actions <= promised()[story], f"{story}: {hands.actions} actions"


@pytest.fixture
def thread(channel: Channel, offstage: Offstage[Thread]) -> Thread:
    def arrive() -> Thread:
        record(channel, [said("1", MAYA, "@trailhead no stakes in the box!")])
        return Thread.objects.get()

    return offstage(arrive)


def begin(page: Page, view: str) -> None:
    page.goto(f"/?view={view}")
    live(page)
    page.locator("#rows > li[data-id]").first.wait_for()


def ended(offstage: Offstage[str], thread: Thread) -> str:
    return offstage(lambda: Thread.objects.get(pk=thread.pk).state)


def test_a_public_question(thread: Thread, agent: User, desk: Desk, offstage: Offstage[str]) -> None:
    hands = Hands(desk(agent))
    page = hands.page
    begin(page, "unassigned")
    hands.press("j", "Enter")
    page.locator("#composer").wait_for()
    hands.press("r")
    hands.write("Here is how to pitch it without stakes.")
    hands.press("Control+Enter")
    expect(page.locator("#log .msg.us")).to_contain_text("without stakes")
    hands.press("Escape", "e")
    expect(page.locator("#head")).to_contain_text("closed")
    assert ended(offstage, thread) == Thread.State.CLOSED
    within_what_is_promised("Answer and close a public question", hands)


def test_later(thread: Thread, agent: User, desk: Desk, offstage: Offstage[tuple[object, ...]]) -> None:
    hands = Hands(desk(agent))
    page = hands.page
    begin(page, "unassigned")
    hands.press("j", "Enter")
    page.locator("#composer").wait_for()
    hands.press("a")
    expect(page.locator("#head")).to_contain_text("Ana")
    hands.press("t")
    expect(page.locator("#tag-name")).to_be_focused()
    hands.write("refund")
    hands.press("Enter")
    expect(page.locator("#facts")).to_contain_text("refund")
    hands.press("s")
    expect(page.locator("#snooze-menu button").first).to_be_focused()
    hands.press("Enter")
    expect(page.locator("#head")).to_contain_text("snoozed until")
    found = offstage(lambda: Thread.objects.values_list("state", "assignee", "tags__name").get())
    assert found == ("snoozed", agent.pk, "refund")
    within_what_is_promised("Take, tag and snooze a thread", hands)


def test_to_private_and_back(thread: Thread, agent: User, desk: Desk, offstage: Offstage[str]) -> None:
    hands = Hands(desk(agent))
    page = hands.page
    begin(page, "unassigned")
    hands.press("j", "Enter")
    page.locator("#composer").wait_for()
    hands.press("d")
    expect(page.locator("#composer")).to_contain_text("waits in the public lane")
    expect(page.locator("#text")).to_be_focused()
    hands.write("Which tent is it, Maya?")
    hands.press("Control+Enter")
    expect(page.locator("#log .msg.private.us")).to_contain_text("Which tent is it")
    expect(page.locator("#close-menu")).to_be_visible()
    hands.press("Escape", "e")
    expect(page.locator("#close-menu button").first).to_be_focused()
    hands.press("Enter")
    expect(page.locator("#text")).to_have_value(re.compile("glad that we could sort this out"))
    hands.press("Control+Enter")
    expect(page.locator("#log .msg.public.us")).to_contain_text("glad that we could sort this out")
    expect(page.locator("#close-menu")).to_have_count(0)
    hands.press("Escape", "e")
    expect(page.locator("#head")).to_contain_text("closed")
    assert ended(offstage, thread) == Thread.State.CLOSED
    within_what_is_promised("Move to private, and close with the closing public word", hands)


@pytest.fixture
def held(thread: Thread, colleague: User, offstage: Offstage[object]) -> None:
    """An answer of a colleague that waits for a second pair of eyes."""

    def write() -> None:
        colleague.needs_approval = True
        colleague.save()
        reply(thread, by=colleague, text="They left this morning.", action=Action.REPLY, key=uuid.uuid4())

    offstage(write)


def test_a_second_pair_of_eyes(held: None, manager: User, desk: Desk, offstage: Offstage[str]) -> None:
    hands = Hands(desk(manager))
    begin(hands.page, "unassigned")
    hands.click(hands.page.get_by_role("link", name="Approve"))
    expect(hands.page.locator("[data-approval]")).to_be_focused()
    hands.press("a")
    expect(hands.page.get_by_text("Nothing waits for approval.")).to_be_visible()
    assert offstage(lambda: Delivery.objects.get().state) == Delivery.State.QUEUED
    within_what_is_promised("Approve a colleague's answer", hands)


@pytest.fixture
def ten_of_a_kind(channel: Channel, offstage: Offstage[object]) -> None:
    people = [Author(str(9100 + number), handle=f"t{number}", name=f"Person {number}") for number in range(10)]
    posts = [said(f"t{one.external_id}", one, "Where is my gift card?", minutes=at) for at, one in enumerate(people)]
    offstage(lambda: record(channel, [*posts, said("1", JONAS, "Is it waterproof?")]))
    offstage(index_texts)


def test_ten_of_a_kind(ten_of_a_kind: None, agent: User, desk: Desk, offstage: Offstage[list[str]]) -> None:
    hands = Hands(desk(agent))
    page = hands.page
    begin(page, "unassigned")
    hands.press("/")
    hands.write("gift card")
    hands.press("Enter")
    page.wait_for_url("**q=gift*")
    live(page)
    hands.press("j", "x")
    expect(page.locator("#picked")).to_have_text("1")
    hands.click(page.get_by_role("checkbox", name="all 10 in this view"))
    hands.click(page.locator("#bulk button[value=close]"))
    expect(page.locator("#progress")).to_contain_text("10 threads done")
    left = offstage(lambda: list(Thread.objects.filter(state="open").values_list("contact__name", flat=True)))
    assert left == ["Jonas Okafor"]
    within_what_is_promised("Close ten of a kind at once", hands)
