"""The list without a mouse: many threads at once, the last step taken back, and the palette."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from channels_ingest.models import Channel
from channels_ingest.networks.base import Author
from conversations.models import Thread
from conversations.readings import understand_due
from conversations.record import record
from tests.browser.conftest import Desk, Offstage, live
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
    expect(page.locator("#whole-count")).to_have_text(f"all {FIFTY} in this view")
    page.locator("#bulk button[value=close]").press("Enter")
    expect(page.locator("#progress")).to_contain_text("3 threads done")
    expect(page.locator("#rows > li[data-id]")).to_have_count(FIFTY - 3)
    page.locator("#rows > li[data-id] > a").first.focus()
    page.keyboard.press("z")
    expect(page.locator("#rows > li[data-id]")).to_have_count(FIFTY)
    assert left(offstage) == FIFTY


def test_enter_in_the_tag_of_many_tags_them_and_closes_none(
    fifty: None, agent: User, desk: Desk, offstage: Offstage[int]
) -> None:
    page = desk(agent)
    begin(page)
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.locator("#bulk summary", has_text="Tag").press("Enter")
    page.locator("#bulk-tag").press_sequentially("storm")
    page.keyboard.press("Enter")
    expect(page.locator("#progress")).to_contain_text("1 thread done")
    expect(page.locator("#rows .chip", has_text="storm")).to_have_count(1)
    assert left(offstage) == FIFTY


def test_a_step_on_many_by_keyboard_leaves_the_focus_at_the_row_that_was_picked_last(
    fifty: None, agent: User, desk: Desk
) -> None:
    page = desk(agent)
    begin(page)
    for _turn in range(2):
        page.keyboard.press("j")
        page.keyboard.press("x")
    picked = focused(page)
    page.locator("#bulk summary", has_text="Snooze").press("Enter")
    page.locator("#bulk button[value=snooze]").press("Enter")
    expect(page.locator("#progress")).to_contain_text("2 threads done")
    expect(page.locator(f"#{picked}")).to_have_count(0)
    expect(page.locator("#rows > li[data-id] > a").first).to_be_focused()


def test_without_scripts_no_number_of_picked_threads_is_told(fifty: None, agent: User, desk: Desk) -> None:
    page = desk(agent, scripts=False)
    page.goto("/?view=unassigned")
    page.locator("#rows .pick").first.check()
    expect(page.locator("#bulk button[value=close]")).to_be_visible()
    expect(page.locator("#picked")).to_be_hidden()


def test_quick_steps_tell_of_the_last_two_and_of_what_failed(agent: User, desk: Desk) -> None:
    page = desk(agent)
    page.goto("/contacts/")
    for words, tags in (("no", "error"), ("one", ""), ("two", ""), ("three", "")):
        told = {"text": words, "tags": tags}
        page.evaluate("detail => document.dispatchEvent(new CustomEvent('toast', { detail })) && null", told)
    expect(page.locator("#toasts [data-toast] > span")).to_have_text(["no", "two", "three"])


def test_enter_in_an_own_time_snoozes_until_then(
    fifty: None, agent: User, desk: Desk, offstage: Offstage[Thread]
) -> None:
    page = desk(agent)
    begin(page)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator("#composer")).to_be_visible()
    page.keyboard.press("s")
    page.locator("#snooze-until").fill("2031-05-06T07:08")
    page.locator("#snooze-until").press("Enter")
    expect(page.locator("#head")).to_contain_text("snoozed until")
    assert offstage(lambda: Thread.objects.get(state="snoozed")).snoozed_until == datetime(2031, 5, 6, 7, 8, tzinfo=UTC)


def test_the_palette_leads_to_views_by_words(fifty: None, agent: User, desk: Desk) -> None:
    page = desk(agent)
    begin(page)
    page.keyboard.press("Control+k")
    page.keyboard.type("snooz")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/\?view=snoozed$"))


def test_elsewhere_the_palette_and_the_keys_lead_on(agent: User, desk: Desk) -> None:
    page = desk(agent)
    page.goto("/contacts/")
    page.keyboard.press("g")
    page.keyboard.press("k")
    page.wait_for_url("**/articles/")
    page.keyboard.press("Control+k")
    expect(page.locator("#palette-views [data-option]").first).to_be_visible()
    expect(page.locator("#palette [data-press]")).to_have_count(1)  # the overview of keys: nothing of a thread
    page.keyboard.type("snooz")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/\?view=snoozed$"))


def focused(page: Page) -> str:
    """The nearest id around what has the focus."""
    return str(page.evaluate("document.activeElement.closest('[id]')?.id"))


def test_the_palette_snoozes_and_assigns_the_open_thread(
    fifty: None, agent: User, colleague: User, desk: Desk, offstage: Offstage[Thread]
) -> None:
    page = desk(agent)
    begin(page)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator("#composer")).to_be_visible()
    for words in ("tomorrow", "assign ben"):
        page.keyboard.press("Control+k")
        page.keyboard.type(words)
        expect(page.locator("#palette-found [data-option]").first).to_contain_text(words.split()[-1], ignore_case=True)
        expect(page.locator("#palette [aria-selected=true]")).to_have_count(1)
        with page.expect_response(lambda answer: answer.request.method == "POST"):
            page.keyboard.press("Enter")
    thread = offstage(lambda: Thread.objects.get(state="snoozed"))
    assert thread.assignee_id == colleague.pk


def test_t_tags_and_z_takes_the_tag_off(fifty: None, agent: User, desk: Desk, offstage: Offstage[int]) -> None:
    page = desk(agent)
    begin(page)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator("#composer")).to_be_visible()
    page.keyboard.press("t")
    page.keyboard.type("refund")
    page.keyboard.press("Enter")
    tagged = page.locator("#facts .chip.accent", has_text="refund")
    expect(tagged).to_be_visible()
    page.locator("#rows a").first.focus()
    page.keyboard.press("z")
    expect(tagged).to_have_count(0)


def test_after_a_closed_thread_has_left_j_goes_on_with_the_next(fifty: None, agent: User, desk: Desk) -> None:
    page = desk(agent)
    begin(page)
    second, third = page.locator("#rows > li[data-id]").nth(1), page.locator("#rows > li[data-id]").nth(2)
    left, next_id = str(second.get_attribute("id")), str(third.get_attribute("id"))
    for key in ("j", "j", "Enter"):
        page.keyboard.press(key)
    expect(page.locator("#composer")).to_be_visible()
    page.locator("#log").focus()
    page.keyboard.press("e")
    expect(page.locator(f"#{left}")).to_have_count(0)
    page.keyboard.press("j")
    assert focused(page) == next_id


def test_a_menu_gives_the_focus_back_to_its_button(fifty: None, agent: User, colleague: User, desk: Desk) -> None:
    page = desk(agent)
    begin(page)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator("#composer")).to_be_visible()
    menu = page.locator("#assign-menu")
    menu.locator("summary").press("Enter")
    menu.get_by_role("button", name=colleague.name).press("Enter")
    expect(menu.locator("summary")).to_contain_text(colleague.name)
    assert focused(page) == "assign-menu"


@pytest.fixture
def arrives(fifty: None, channel: Channel, offstage: Offstage[object]) -> Callable[[], object]:
    """Somebody new writes."""
    newcomer = said("new", Author("99", handle="n", name="Newcomer"), minutes=99)
    return lambda: offstage(lambda: record(channel, [newcomer]))


def test_what_was_misunderstood_is_corrected_by_one_click_and_escape_puts_the_choice_away(
    fifty: None, agent: User, desk: Desk, offstage: Offstage[str]
) -> None:
    offstage(lambda: str(understand_due()))
    page = desk(agent)
    pk = offstage(lambda: str(Thread.objects.order_by("-last_activity_at")[0].pk))
    page.goto(f"/threads/{pk}/?view=all")
    live(page)
    chip, positive = page.locator("#reading-mood summary"), page.locator("#reading-mood button", has_text="positive")
    chip.hover()
    expect(positive).to_be_visible()
    page.keyboard.press("Escape")
    expect(positive).to_be_hidden()
    page.locator("#text").hover()
    chip.hover()
    positive.click()
    expect(page.locator("#reading-mood summary.mood-positive")).to_be_visible()
    assert offstage(lambda: Thread.objects.get(pk=pk).mood) == "positive"


def test_the_sentence_of_a_view_tells_how_many_threads_it_holds(fifty: None, agent: User, desk: Desk) -> None:
    page = desk(agent)
    page.goto("/views/new/")
    told = page.get_by_role("status").filter(has_text="now")
    expect(told).to_have_text("50 threads now.")
    page.get_by_label("Threads that are").select_option("closed")
    expect(told).to_have_text("0 threads now.")


@pytest.mark.parametrize("place", ["#views a >> nth=2", "#rows > li[data-id] >> nth=1 >> a", "#rows .pick >> nth=1"])
def test_live_changes_leave_the_focus_where_it_is(
    arrives: Callable[[], object], agent: User, desk: Desk, place: str
) -> None:
    page = desk(agent)
    begin(page)
    page.locator(place).focus()
    before = page.evaluate("document.activeElement.outerHTML.slice(0, 40)")
    arrives()
    expect(page.locator("#rows")).to_contain_text("Newcomer")
    page.evaluate("document.dispatchEvent(new CustomEvent('live:changed', {detail: {threads: [], many: true}}))")
    with page.expect_response("**/?*view=unassigned*"):
        pass
    expect(page.locator("#rows > li[data-id]")).to_have_count(FIFTY + 1)
    assert page.evaluate("document.activeElement.outerHTML.slice(0, 40)") == before
