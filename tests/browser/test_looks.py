"""What a phone shows, measured in a real browser: nothing is cut off, hidden or too small for a thumb."""

from __future__ import annotations

import pytest
from playwright.sync_api import FloatRect, Locator, Page, Route, expect

from accounts.models import User
from channels_ingest.models import Channel
from channels_ingest.networks.base import Author
from conversations.macros import tag_thread
from conversations.models import Macro, Thread
from conversations.record import record
from tests.browser.conftest import Desk, Offstage, live
from tests.cast import JONAS, MAYA, said

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

FIRST = said("1", MAYA, "@trailhead no stakes in the box!")
PHONE = {"width": 360, "height": 780}
THUMB = 36  # px that a button of the thread's head, a menu or the bar below is high at least
BESIDE = 12  # px that a badge may be away from what it belongs to
IS_ON_TOP = """
    one => {
        const {x, y, width, height} = one.getBoundingClientRect();
        return one.contains(document.elementFromPoint(x + width / 2, y + height / 2));
    }
"""

TEXT_BEGINS = """
    one => {
        const words = new Range();
        words.selectNodeContents(one);
        return words.getBoundingClientRect().x;
    }
"""
CUTS_THE_RING = """
    one => {
        const ringed = one.closest(".lane-tab") ?? one;
        if (getComputedStyle(ringed).boxShadow.includes("inset")) return null;
        const ring = 4, {top, bottom} = ringed.getBoundingClientRect();
        for (let at = ringed.parentElement; at; at = at.parentElement) {
            const {top: least, bottom: most} = at.getBoundingClientRect();
            const cuts = getComputedStyle(at).overflowY !== "visible" && (top - ring < least || bottom + ring > most);
            if (cuts && !getComputedStyle(at).boxShadow.includes("px")) return at.className;
        }
        return null;
    }
"""

# the most that a row of views ever counts, and those whose words are cut, or that stand beyond the row
COUNT_MOST = """
    row => row.querySelectorAll(":scope > a").forEach(one => {
        one.querySelector(".count")?.remove();
        one.insertAdjacentHTML("beforeend", ' <span class="count">99+</span>');
    })
"""
CUT_VIEWS = """
    row => [...row.querySelectorAll(":scope > a > bdi, summary")].filter(one => {
        const {left, right} = row.getBoundingClientRect(), own = one.getBoundingClientRect();
        return one.scrollWidth > one.clientWidth || own.left < left || own.right > right;
    }).map(one => one.textContent)
"""


@pytest.fixture
def thread(channel: Channel, offstage: Offstage[Thread]) -> Thread:
    def arrive() -> Thread:
        record(channel, [FIRST])
        return Thread.objects.get()

    return offstage(arrive)


def box(target: Locator) -> FloatRect:
    """Where it stands, in pixels of the window."""
    found = target.bounding_box()
    assert found is not None
    return found


def opened(page: Page, thread: Thread) -> Page:
    page.goto(f"/threads/{thread.pk}/?view=all")
    live(page)
    return page


@pytest.mark.parametrize("width", [360, 1440])
def test_the_number_of_what_is_new_stands_beside_its_bell(thread: Thread, agent: User, desk: Desk, width: int) -> None:
    page = desk(agent, width=width)
    page.route("**/notifications/count/", lambda asked: asked.fulfill(json={"count": 100, "newest": 0, "words": ""}))
    expect(opened(page, thread).locator("#bell .badge")).to_have_text("99+")
    bell, badge = box(page.locator("#bell .icon")), box(page.locator("#bell .badge"))
    assert abs(badge["x"] - (bell["x"] + bell["width"])) <= BESIDE
    assert badge["x"] + badge["width"] <= width


def test_on_a_phone_the_name_is_whole_and_a_thumb_hits_what_is_there(thread: Thread, agent: User, desk: Desk) -> None:
    page = opened(desk(agent, **PHONE), thread)
    assert page.locator("#head h2").evaluate("name => name.scrollWidth <= name.clientWidth")
    page.locator("#snooze-menu > summary").click()
    hit = page.locator("#head .btn:visible, #snooze-menu button, .rail a:visible, #composer .send").all()
    assert [box(one) for one in hit if min(box(one)["height"], box(one)["width"]) < THUMB] == []
    page.locator("[data-back]").click()
    expect(page.locator("#rows .pick")).to_be_visible()
    assert box(page.locator("#rows .pick"))["width"] >= THUMB


def test_on_a_phone_what_opens_above_the_composer_is_seen(
    thread: Thread, agent: User, desk: Desk, offstage: Offstage[object]
) -> None:
    macros = [Macro(name=f"Greeting {number}", text="Hello!") for number in range(6)]
    offstage(lambda: Macro.objects.bulk_create(macros))
    page = opened(desk(agent, **PHONE), thread)
    page.get_by_label("Your text").press_sequentially("/")
    first = page.locator("#macro-choice [role=option]").first
    expect(first).to_be_visible()
    assert first.evaluate(IS_ON_TOP)
    page.keyboard.press("Escape")
    page.get_by_label("Emoji").first.click()
    expect(page.locator(".emoji-list button").first).to_be_visible()
    assert page.get_by_label("Find an emoji").evaluate(IS_ON_TOP)


@pytest.mark.parametrize("width", [360, 1440])
def test_the_menus_on_selected_threads_fit(thread: Thread, manager: User, desk: Desk, width: int) -> None:
    page = desk(manager, width=width, height=780)
    page.goto("/?view=all")
    page.locator("#rows .pick").check()
    menus = page.locator("#bulk details.drop")
    expect(menus).to_have_count(4)
    for menu in menus.all():
        menu.locator("summary").click()
        shown = box(menu.locator(".menu"))
        assert shown["x"] >= 0
        assert shown["x"] + shown["width"] <= width


def told(page: Page) -> FloatRect:
    """Where words of the product show up."""
    tell = "text => document.dispatchEvent(new CustomEvent('toast', {detail: {text, tags: 'error'}}))"
    page.evaluate(tell, "Something went wrong on our side. Your text stays here; please try again.")
    return box(page.locator(".toast"))


def test_on_a_phone_words_of_the_product_lie_on_no_button_of_the_composer(
    thread: Thread, agent: User, desk: Desk
) -> None:
    page = opened(desk(agent, **PHONE), thread)
    toast, composer = told(page), box(page.locator("#composer"))
    assert toast["y"] + toast["height"] <= composer["y"]
    assert box(page.locator(".toast button"))["width"] >= 24


@pytest.mark.parametrize("width", [800, 1440, 2560])
def test_on_a_desk_words_of_the_product_stand_beside_the_composer(
    thread: Thread, agent: User, desk: Desk, width: int
) -> None:
    page = opened(desk(agent, width=width), thread)
    toast = told(page)
    assert toast["x"] + toast["width"] <= box(page.locator("#composer"))["x"]


def test_the_box_of_a_grouped_row_is_not_covered(
    thread: Thread, channel: Channel, agent: User, desk: Desk, offstage: Offstage[object]
) -> None:
    offstage(lambda: record(channel, [said("2", JONAS, "Nor in mine!", parent=FIRST)]))
    page = desk(agent)
    page.goto("/?view=all&group=1")
    page.get_by_role("link", name="Show all under this post").hover()
    assert page.locator("#rows .pick").evaluate(IS_ON_TOP)


def test_the_step_that_tags_stands_beside_the_tags_at_every_width(
    thread: Thread, agent: User, desk: Desk, offstage: Offstage[object]
) -> None:
    offstage(lambda: tag_thread(thread, names=["refund for a parcel"], by=agent))
    page = opened(desk(agent), thread)
    tag, step = page.locator("#facts .chip.accent"), page.locator("#tag-menu")
    for width in range(780, 1240, 20):
        page.set_viewport_size({"width": width, "height": 900})
        assert abs(box(tag)["y"] - box(step)["y"]) < box(step)["height"], width


def test_a_name_in_arabic_stands_beside_its_face(
    channel: Channel, agent: User, desk: Desk, offstage: Offstage[object]
) -> None:
    noura = Author("7", "noura", "نورة بنت عبد العزيز")
    offstage(lambda: record(channel, [said("1", noura, "مرحبا")]))
    page = desk(agent)
    page.goto("/contacts/")
    face, name = box(page.locator(".person-row .avatar")), page.get_by_text(noura.name)
    begins = name.evaluate(TEXT_BEGINS)
    assert begins - (face["x"] + face["width"]) <= 2 * BESIDE


def test_what_is_on_its_way_is_seen(thread: Thread, agent: User, desk: Desk) -> None:
    page = opened(desk(agent), thread)
    waiting: list[Route] = []

    def hold(asked: Route) -> None:
        waiting.append(asked)

    page.route("**/snooze/**", hold)
    page.locator("#snooze-menu > summary").click()
    usual = page.locator("#snooze-menu button").first
    usual.click()
    expect(page.locator("#snooze-menu .htmx-request, #snooze-menu.htmx-request")).to_have_count(1)
    assert page.evaluate("getComputedStyle(document.body, '::before').borderTopStyle") == "solid"
    assert usual.evaluate("button => getComputedStyle(button).pointerEvents") == "none"
    waiting[0].abort()
    expect(page.locator(".toast.error")).to_be_visible()
    assert page.evaluate("getComputedStyle(document.body, '::before').content") == "none"


def test_who_writes_much_goes_on_seeing_the_last_words(
    thread: Thread, channel: Channel, agent: User, desk: Desk, offstage: Offstage[object]
) -> None:
    more = [said(f"more{number}", MAYA, "Hello?", parent=FIRST, minutes=number) for number in range(1, 20)]
    offstage(lambda: record(channel, more))
    page = opened(desk(agent), thread)
    page.get_by_label("Your text").fill("A line\n" * 12)
    below = "log => [Math.round(log.scrollHeight - log.scrollTop - log.clientHeight), log.scrollTop > 0]"
    page.wait_for_function("document.querySelector('#text').offsetHeight > 150")
    assert page.locator("#log").evaluate(below) == [0, True]


@pytest.mark.parametrize("width", [360, 1440])
def test_the_ring_around_what_has_the_focus_is_whole(thread: Thread, agent: User, desk: Desk, width: int) -> None:
    page = opened(desk(agent, width=width), thread)
    page.keyboard.press("Tab")  # from here on the focus is one of the keyboard's
    for ringed in page.locator("#head h2 a, #facts summary, #facts .audience, .lane-tab input:checked").all():
        ringed.focus()
        assert ringed.evaluate(CUTS_THE_RING) is None


@pytest.mark.parametrize("language", ["en", "de"])
def test_the_words_of_the_views_are_readable_at_every_width(
    thread: Thread, agent: User, desk: Desk, offstage: Offstage[int], language: str
) -> None:
    offstage(lambda: User.objects.filter(pk=agent.pk).update(language=language))
    page = desk(agent)
    page.goto("/?view=hanging")  # the longest name of all
    row = page.locator("#views")
    row.evaluate(COUNT_MOST)
    for width in (360, 768, 1024, 1280, 1300, 1440, 1920, 2560):
        page.set_viewport_size({"width": width, "height": 900})
        assert row.evaluate(CUT_VIEWS) == []
