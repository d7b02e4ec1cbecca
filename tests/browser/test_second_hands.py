"""Two people on one thread, in real browsers: approval, taking, and splitting off with its way back."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from accounts.models import User
from channels_ingest.models import Channel
from conversations.models import Thread
from conversations.record import record
from tests.browser.conftest import Desk, Offstage, live
from tests.cast import MAYA, TRAILHEAD, said

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

FIRST = said("1", MAYA, "No stakes in the box!")
OURS = said("2", TRAILHEAD, "Sorry, Maya!", parent=FIRST, minutes=1)
SECOND = said("3", MAYA, "And where is my refund?", parent=OURS, minutes=2)


@pytest.fixture
def thread(channel: Channel, offstage: Offstage[Thread]) -> Thread:
    def arrive() -> Thread:
        record(channel, [FIRST, OURS, SECOND])
        return Thread.objects.get()

    return offstage(arrive)


def test_a_trainees_answer_is_approved_by_keyboard(
    thread: Thread, agent: User, manager: User, desk: Desk, offstage: Offstage[None]
) -> None:
    agent.needs_approval = True
    offstage(agent.save)
    trainee, second = desk(agent), desk(manager)
    second.goto("/notifications/")
    live(second)
    trainee.goto(f"/threads/{thread.pk}/")
    live(trainee)
    trainee.locator("#text").fill("They left this morning.")
    trainee.keyboard.press("Control+Enter")
    expect(trainee.get_by_text("waiting for approval").first).to_be_visible()
    expect(second.locator("#bell .badge")).to_have_text("1")
    second.goto("/approvals/")
    expect(second.locator("[data-approval]")).to_be_focused()
    second.keyboard.press("a")
    expect(second.get_by_text("Nothing waits for approval.")).to_be_visible()
    expect(trainee.get_by_text("approved an answer")).to_be_visible()


def test_of_two_who_take_a_thread_one_is_told_who_was_faster(
    thread: Thread, agent: User, colleague: User, desk: Desk
) -> None:
    ana, ben = desk(agent), desk(colleague, scripts=False)
    for page in (ana, ben):
        page.goto(f"/threads/{thread.pk}/")
    live(ana)
    ana.get_by_role("button", name="Take", exact=True).click()
    expect(ana.get_by_role("button", name="Take", exact=True)).to_have_count(0)
    ben.get_by_role("button", name="Take", exact=True).click()
    expect(ben.get_by_text("Ana was faster.")).to_be_visible()


def test_a_second_matter_is_split_off_and_taken_back(thread: Thread, agent: User, desk: Desk) -> None:
    page = desk(agent)
    page.goto(f"/threads/{thread.pk}/")
    page.locator("article.msg", has_text="refund").get_by_role("link", name="More to do").click()
    page.get_by_role("button", name="Split it off").click()
    expect(page.get_by_text("This is a thread of its own now.")).to_be_visible()
    page.get_by_role("link", name="take it back").click()
    page.get_by_role("button", name="Take it back").click()
    expect(page.get_by_text("All is as it was.")).to_be_visible()
    expect(page.locator("article.msg.customer", has_text="refund")).to_be_visible()
