"""The inbox in a real browser: what happens by itself, what keys do, and what is never lost."""

from __future__ import annotations

import re
from functools import partial

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from channels_ingest.models import Channel
from conversations import actions
from conversations.models import Delivery, Thread
from tests.browser.conftest import FIRST, Desk, Offstage, live
from tests.cast import JONAS, MAYA, said

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def open_thread(page: Page, thread: Thread) -> None:
    page.goto(f"/threads/{thread.pk}/?view=all")
    live(page)


# -- by itself --------------------------------------------------------------------------------------------------------


def test_a_new_post_appears_without_reload(says: partial[object], agent: User, desk: Desk) -> None:
    page = desk(agent)
    page.goto("/?view=all")
    live(page)
    expect(page.get_by_text("Nothing here")).to_be_visible()
    says(FIRST)
    row = page.get_by_role("link", name=re.compile("Maya Keller"))
    expect(row).to_contain_text("no stakes in the box")
    expect(page.locator("#views")).to_contain_text("All 1")
    expect(page.locator("#announcer")).to_contain_text("New from Maya Keller")


def test_what_arrives_joins_the_open_thread_and_leaves_the_draft_alone(
    says: partial[object], thread: Thread, agent: User, desk: Desk
) -> None:
    page = desk(agent)
    open_thread(page, thread)
    page.get_by_label("Your text").fill("Half a sentence")
    page.evaluate("document.getElementById('text').setSelectionRange(2, 4)")
    says(said("2", MAYA, "Hello? Anybody?", parent=FIRST, minutes=2))
    expect(page.locator("#log")).to_contain_text("Hello? Anybody?")
    expect(page.get_by_label("Your text")).to_have_value("Half a sentence")
    assert page.evaluate("[document.activeElement.id, document.activeElement.selectionStart]") == ["text", 2]


def test_an_edit_is_shown_in_place(says: partial[object], thread: Thread, agent: User, desk: Desk) -> None:
    page = desk(agent)
    open_thread(page, thread)
    says(said("1", MAYA, "@trailhead found them, sorry!", version=2))
    expect(page.locator("#log .msg")).to_have_count(1)
    expect(page.locator("#log .msg")).to_contain_text("found them, sorry!")


def test_a_closed_thread_leaves_the_list_of_everybody(
    thread: Thread, agent: User, colleague: User, desk: Desk, offstage: Offstage[Thread]
) -> None:
    page = desk(agent)
    page.goto("/?view=all")
    live(page)
    expect(page.locator("#rows li")).to_have_count(1)
    offstage(lambda: actions.close(thread, by=colleague))
    expect(page.locator("#rows li")).to_have_count(0)


def test_two_agents_in_one_thread_see_each_other(thread: Thread, agent: User, colleague: User, desk: Desk) -> None:
    ana, ben = desk(agent), desk(colleague)
    open_thread(ana, thread)
    open_thread(ben, thread)
    expect(ana.locator("#present")).to_have_text("Ben is also looking at this thread")
    expect(ben.locator("#present")).to_have_text("Ana is also looking at this thread")
    ben.get_by_label("Your text").press_sequentially("Hi")
    expect(ana.locator("#present")).to_have_text("Ben is typing an answer")
    ben.goto("/?view=all")
    expect(ana.locator("#present")).to_be_hidden()


# -- answering --------------------------------------------------------------------------------------------------------


def test_an_answer_is_sent_by_keyboard_alone(
    thread: Thread, agent: User, desk: Desk, offstage: Offstage[list[str]]
) -> None:
    page = desk(agent)
    page.goto("/?view=all")
    live(page)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator("#thread")).to_be_visible()
    page.keyboard.press("r")
    page.keyboard.type("We send them today. 👋")
    expect(page.locator("#left")).to_have_text("258 left")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#log .msg.us")).to_contain_text("We send them today.")
    expect(page.get_by_label("Your text")).to_have_value("")
    assert offstage(lambda: list(Delivery.objects.values_list("action", flat=True))) == ["reply"]


def test_send_asks_first_when_something_newer_arrived(
    says: partial[object], thread: Thread, agent: User, desk: Desk, offstage: Offstage[int]
) -> None:
    page = desk(agent)
    open_thread(page, thread)
    page.get_by_label("Your text").fill("We are looking.")
    says(said("2", MAYA, "Never mind, found them.", parent=FIRST, minutes=2))
    expect(page.locator("#log")).to_contain_text("Never mind")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("alert")).to_contain_text("Never mind, found them.")
    expect(page.get_by_label("Your text")).to_have_value("We are looking.")
    assert offstage(Delivery.objects.count) == 0
    page.get_by_role("button", name="Send anyway").click()
    expect(page.locator("#log .msg.us")).to_contain_text("We are looking.")


def test_a_draft_outlives_an_error_a_reload_and_another_thread(
    says: partial[object], thread: Thread, agent: User, desk: Desk
) -> None:
    says(said("7", JONAS, "Is it waterproof?", minutes=1))
    page = desk(agent)
    open_thread(page, thread)
    page.get_by_label("Your text").fill("Not finished yet")
    page.route("**/replies/**", lambda route: route.fulfill(status=500, body="no"))
    page.keyboard.press("Control+Enter")
    expect(page.locator(".toast.error")).to_contain_text("Your text stays here")
    expect(page.get_by_label("Your text")).to_have_value("Not finished yet")
    page.get_by_role("link", name=re.compile("Jonas Okafor")).click()
    expect(page.locator("#log")).to_contain_text("Is it waterproof?")
    expect(page.get_by_label("Your text")).to_have_value("")
    open_thread(page, thread)
    expect(page.get_by_label("Your text")).to_have_value("Not finished yet")


def test_a_session_that_ended_takes_no_words_with_it(thread: Thread, agent: User, desk: Desk) -> None:
    page = desk(agent)
    open_thread(page, thread)
    page.get_by_label("Your text").fill("Long and careful")
    page.context.clear_cookies(name="sessionid")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".toast.error")).to_contain_text("You are signed out")
    expect(page.get_by_label("Your text")).to_have_value("Long and careful")


def test_words_for_colleagues_do_not_slip_into_public(thread: Thread, agent: User, desk: Desk) -> None:
    page = desk(agent)
    open_thread(page, thread)
    page.keyboard.press("n")
    page.keyboard.type("This customer is difficult")
    page.get_by_role("radio", name=re.compile("Public reply")).check()
    expect(page.get_by_label("Your text")).to_have_value("")
    page.get_by_role("radio", name=re.compile("Note")).check()
    expect(page.get_by_label("Your text")).to_have_value("This customer is difficult")


@pytest.mark.usefixtures("slow_leaving")
def test_a_reply_is_taken_back_and_can_be_changed(thread: Thread, agent: User, desk: Desk) -> None:
    page = desk(agent)
    open_thread(page, thread)
    page.get_by_label("Your text").fill("Too hasty")
    page.keyboard.press("Control+Enter")
    page.get_by_role("button", name=re.compile("Undo")).click()
    expect(page.get_by_label("Your text")).to_have_value("Too hasty")
    expect(page.locator("#log")).to_contain_text("took a reply back")


@pytest.fixture
def slow_leaving(channel: Channel, offstage: Offstage[object]) -> None:
    channel.brand.undo_seconds = 30
    offstage(channel.brand.save)


# -- keys and steps ---------------------------------------------------------------------------------------------------


def test_assigning_and_closing_by_keyboard(thread: Thread, agent: User, desk: Desk, offstage: Offstage[Thread]) -> None:
    page = desk(agent)
    open_thread(page, thread)
    page.keyboard.press("a")
    expect(page.locator("#log")).to_contain_text("assigned to Ana")
    expect(page.locator("#views")).to_contain_text("Mine 1")
    page.keyboard.press("e")
    expect(page.locator("#head")).to_contain_text("closed")
    expect(page.locator("#rows li")).to_have_count(0)
    closed = offstage(Thread.objects.get)
    assert (closed.assignee_id, closed.state) == (agent.pk, Thread.State.CLOSED)


def test_snoozing_offers_times(thread: Thread, agent: User, desk: Desk) -> None:
    page = desk(agent)
    open_thread(page, thread)
    page.keyboard.press("s")
    page.get_by_role("button", name="Tomorrow at nine").click()
    expect(page.locator("#head")).to_contain_text("snoozed until")


def test_the_keys_are_explained(agent: User, desk: Desk) -> None:
    page = desk(agent)
    page.goto("/")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Assign to me")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()


def test_the_theme_is_chosen_and_kept(agent: User, desk: Desk) -> None:
    page = desk(agent)
    page.goto("/")
    page.get_by_text("You", exact=True).click()
    with page.expect_response(re.compile("/theme/")):
        page.get_by_role("button", name="Dark").click()
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_on_a_phone_one_pane_is_shown_at_a_time(thread: Thread, agent: User, desk: Desk) -> None:
    page = desk(agent, width=360, height=740)
    page.goto("/?view=all")
    page.get_by_role("link", name=re.compile("Maya Keller")).click()
    expect(page.locator("#thread")).to_be_visible()
    expect(page.locator("#rows")).to_be_hidden()
    page.get_by_role("link", name="Back to the list").click()
    expect(page.locator("#rows")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_the_inbox_works_as_plain_forms(chromium_without_scripts: Desk, thread: Thread, agent: User) -> None:
    page = chromium_without_scripts(agent)
    page.goto("/?view=all")
    page.get_by_role("link", name=re.compile("Maya Keller")).click()
    page.get_by_label("Your text").fill("Plain words")
    page.get_by_role("button", name=re.compile("Send publicly")).click()
    expect(page.locator("#log .msg.us")).to_contain_text("Plain words")
    page.get_by_role("button", name="Close").first.click()
    expect(page.locator("#head")).to_contain_text("closed")


@pytest.fixture
def chromium_without_scripts(desk: Desk) -> Desk:
    return partial(desk, scripts=False)
