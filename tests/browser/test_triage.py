"""The list without a mouse: many threads at once, the last step taken back, and the palette."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from channels_ingest.models import Channel
from channels_ingest.networks.base import Author
from conversations.models import Thread
from conversations.record import record
from tests.browser.conftest import Desk, Offstage
from tests.cast import said

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
FIFTY = 50


@pytest.fixture
def fifty(channel: Channel, offstage: Offstage[object]) -> None:
    people = [Author(str(9100 + number), handle=f"t{number}", name=f"Person {number}") for number in range(FIFTY)]
    posts = [said(f"t{one.external_id}", one, minutes=at) for at, one in enumerate(people)]
    offstage(lambda: record(channel, posts))


def begin(page: Page) -> None:
    page.goto("/?view=unassigned")
    expect(page.locator("body")).to_have_attribute("data-connection", "up")


def left(offstage: Offstage[int]) -> int:
    return offstage(lambda: Thread.objects.filter(state="open").count())


def test_many_are_closed_at_once_and_z_takes_it_back(
    fifty: None, agent: User, desk: Desk, offstage: Offstage[int]
) -> None:
    page = desk(agent)
    begin(page)
    for _turn in range(3):
        page.keyboard.press("j")
        page.keyboard.press("x")
    expect(page.locator("#picked")).to_have_text("3")
    page.locator("#bulk button[value=close]").press("Enter")
    expect(page.locator("#progress")).to_contain_text("3 threads done")
    expect(page.locator("#rows > li[data-id]")).to_have_count(FIFTY - 3)
    page.locator("#rows > li[data-id] > a").first.focus()
    page.keyboard.press("z")
    expect(page.locator("#rows > li[data-id]")).to_have_count(FIFTY)
    assert left(offstage) == FIFTY


def test_the_palette_leads_to_views_by_words(fifty: None, agent: User, desk: Desk) -> None:
    page = desk(agent)
    begin(page)
    page.keyboard.press("Control+k")
    page.keyboard.type("snooz")
    page.keyboard.press("Enter")
    page.wait_for_url("**/?view=snoozed")
