"""The rest of an agent's day in real browsers: a morning of triage, and what must not go wrong between two people."""

from __future__ import annotations

import re
from collections import Counter
from functools import partial

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from accounts.models import User
from channels_ingest.networks.base import Author
from conversations.models import Delivery, Interaction, Thread
from tests.browser.conftest import FIRST, Desk, Offstage, live
from tests.browser.hands import Hands
from tests.cast import JONAS, MAYA, TRAILHEAD, said

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

FIFTY = 50
EACH = 2  # of the threads that are opened one by one
OURS = said("2", TRAILHEAD, "Sorry, Maya!", parent=FIRST, minutes=1)
SECOND = said("3", MAYA, "And where is my refund?", parent=OURS, minutes=2)
ELSEWHERE = said("8", MAYA, "@trailhead hello? My stakes!", minutes=3)


@pytest.fixture
def thread(says: partial[object], offstage: Offstage[Thread]) -> Thread:
    says(FIRST, OURS, SECOND)
    return offstage(Thread.objects.get)


# -- fifty threads, no mouse ------------------------------------------------------------------------------------------


def take_next(hands: Hands) -> None:
    """Opens the next of the unassigned and takes it; it leaves the list."""
    page = hands.page
    hands.press("u", "Enter")
    row = page.locator("#rows > li:has(> a:focus)")
    expect(page.locator("#thread")).to_have_attribute("data-thread", str(row.get_attribute("data-id")))
    expect(page.locator("#head").get_by_role("button", name="Take", exact=True)).to_be_visible()
    before = page.locator("#rows > li[data-id]").count()
    hands.press("a")
    expect(page.locator("#rows > li[data-id]")).to_have_count(before - 1)
    expect(page.locator("#assign-menu > summary")).to_contain_text("Ana")


def write(hands: Hands, lane: str, words: str) -> None:
    hands.press(lane)
    hands.write(words)
    hands.press("Control+Enter")
    expect(hands.page.locator("#log article", has_text=words)).to_have_count(1)
    expect(hands.page.locator("#text")).to_have_value("")
    hands.press("Escape")


def tag(hands: Hands) -> None:
    hands.press("t")
    expect(hands.page.locator("#tag-name")).to_be_focused()
    hands.write("tent")
    hands.press("Enter")
    expect(hands.page.locator("#facts")).to_contain_text("tent")


def snooze(hands: Hands) -> None:
    hands.press("s")
    expect(hands.page.locator("#snooze-menu button").first).to_be_focused()
    hands.press("Enter")
    expect(hands.page.locator("#head")).to_contain_text("snoozed until")


def close(hands: Hands) -> None:
    hands.press("e")
    expect(hands.page.locator("#head")).to_contain_text("closed")


DEEDS = {
    "reply": lambda hands: write(hands, "r", "They left this morning."),
    "note": lambda hands: write(hands, "n", "Ask the warehouse."),
    "tag": tag,
    "snooze": snooze,
    "close": close,
}


def test_fifty_threads_are_triaged_by_keyboard_alone(
    says: partial[object], agent: User, desk: Desk, offstage: Offstage[dict[str, object]]
) -> None:
    people = [Author(str(9100 + number), handle=f"t{number}", name=f"Person {number}") for number in range(FIFTY)]
    says(*(said(f"t{one.external_id}", one, minutes=at) for at, one in enumerate(people)))
    hands = Hands(desk(agent))
    page = hands.page
    page.goto("/?view=unassigned")
    live(page)
    for deed in list(DEEDS.values()) * EACH:
        take_next(hands)
        deed(hands)
    rest = FIFTY - EACH * len(DEEDS)
    expect(page.locator("#rows > li[data-id]")).to_have_count(rest)
    hands.press("u")
    for picked in range(1, rest + 1):
        hands.press("x", "j")
        expect(page.locator("#picked")).to_have_text(str(picked))
    page.locator("#bulk button[value=close]").press("Enter")
    expect(page.locator("#progress")).to_contain_text(f"{rest} threads done")
    expect(page.locator("#no-rows")).to_be_visible()
    assert offstage(end_of_the_morning) == {
        "state": {"closed": rest + EACH, "snoozed": EACH, "open": 3 * EACH},
        "assigned": EACH * len(DEEDS),
        "tagged": EACH,
        "said": {("public", "They left this morning."): EACH, ("private", "Ask the warehouse."): EACH},
    }


def end_of_the_morning() -> dict[str, object]:
    ours = Interaction.objects.filter(direction="out") | Interaction.objects.filter(kind="note")
    return {
        "state": dict(Counter(Thread.objects.values_list("state", flat=True))),
        "assigned": Thread.objects.exclude(assignee=None).count(),
        "tagged": Thread.objects.filter(tags__name="tent").count(),
        "said": dict(Counter(ours.values_list("visibility", "text"))),
    }


# -- between two ------------------------------------------------------------------------------------------------------


def test_an_answer_to_words_that_were_changed_shows_the_difference(
    says: partial[object], thread: Thread, agent: User, desk: Desk, offstage: Offstage[int]
) -> None:
    page = desk(agent)
    page.goto(f"/threads/{thread.pk}/")
    live(page)
    page.get_by_label("Your text").fill("The refund left on Monday.")
    says(said("3", MAYA, "Found the refund, thanks. And the stakes?", parent=OURS, minutes=2, version=2))
    expect(page.locator("#log")).to_contain_text("Found the refund")
    page.keyboard.press("Control+Enter")
    difference = page.get_by_role("alert").locator(".difference")
    expect(difference.locator("del")).to_have_text("And where is my refund?")
    expect(difference.locator("ins")).to_have_text("Found the refund, thanks. And the stakes?")
    assert offstage(lambda: Thread.objects.get().outbound_count) == 1
    page.get_by_label("Your text").fill("Good to hear! The stakes left on Monday.")
    page.get_by_role("button", name="Send anyway").click()
    expect(page.locator("#log .msg.us")).to_have_count(2)


def test_an_answer_is_edited_and_approved_and_the_next_one_is_refused(
    thread: Thread, agent: User, manager: User, desk: Desk, offstage: Offstage[object]
) -> None:
    agent.needs_approval = True
    offstage(agent.save)
    trainee, second = desk(agent), desk(manager)
    trainee.goto(f"/threads/{thread.pk}/")
    live(trainee)
    write(Hands(trainee), "r", "They left this morning.")
    expect(trainee.get_by_text("waiting for approval").first).to_be_visible()
    second.goto("/approvals/")
    second.keyboard.press("e")
    second.get_by_label("The answer").fill("They left at nine.")
    second.keyboard.press("Control+Enter")
    expect(second.get_by_text("Nothing waits for approval.")).to_be_visible()
    expect(trainee.locator("#log .msg.us")).to_contain_text(["Sorry, Maya!", "They left at nine."])
    write(Hands(trainee), "r", "Do not ask again!")
    second.reload()
    second.keyboard.press("x")
    second.keyboard.type("Kinder, please.")
    second.keyboard.press("Enter")
    expect(second.get_by_text("Refused: the writer is told why.")).to_be_visible()
    expect(trainee.locator("#log .event", has_text="was refused")).to_contain_text("Kinder, please.")
    sent = offstage(lambda: list(Delivery.objects.order_by("pk").values_list("state", "interaction__text")))
    assert sent == [("queued", "They left at nine."), ("cancelled", "Do not ask again!")]


def test_two_threads_of_one_person_are_joined_and_parted_again(
    says: partial[object], thread: Thread, agent: User, desk: Desk, offstage: Offstage[list[str]]
) -> None:
    says(ELSEWHERE)
    page = desk(agent)
    page.goto(f"/threads/{thread.pk}/")
    page.get_by_role("link", name="Join and split threads").first.click()
    page.get_by_role("radio", name=re.compile("My stakes!")).check()
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_text("The two are one now.")).to_be_visible()
    expect(page.locator("article.msg.customer", has_text="My stakes!")).to_be_visible()
    page.goto(f"/threads/{thread.pk}/grouping/")
    page.get_by_role("button", name="Take it back").click()
    expect(page.get_by_text("All is as it was.")).to_be_visible()
    page.goto(f"/threads/{thread.pk}/")
    expect(page.locator("article.msg.customer", has_text="refund")).to_be_visible()
    expect(page.locator("article.msg.customer", has_text="My stakes!")).to_have_count(0)
    assert sorted(offstage(lambda: list(Thread.objects.values_list("state", flat=True)))) == ["open", "open"]


# -- the line ---------------------------------------------------------------------------------------------------------


class Line:
    """The wire of live updates of one page, which can be cut and mended."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._sockets: list[WebSocketRoute] = []
        self._whole = True
        page.route_web_socket(re.compile("/live/"), self._connect)

    def _connect(self, socket: WebSocketRoute) -> None:
        if self._whole:
            socket.connect_to_server()
            self._sockets.append(socket)
        else:
            socket.close()

    def cut(self) -> None:
        self._whole = False
        for socket in self._sockets:
            socket.close()

    def mend(self) -> None:
        self._whole = True
        self._page.evaluate("dispatchEvent(new Event('online'))")


def test_what_came_while_the_line_was_cut_is_there_when_it_heals(
    says: partial[object], thread: Thread, agent: User, desk: Desk
) -> None:
    page = desk(agent)
    line = Line(page)
    page.goto(f"/threads/{thread.pk}/?view=all")
    live(page)
    paused = page.get_by_text("Live updates paused, reconnecting")
    expect(paused).to_be_hidden()
    line.cut()
    expect(paused).to_be_visible()
    says(said("4", MAYA, "Anybody there?", parent=SECOND, minutes=4), said("7", JONAS, "Is it waterproof?", minutes=5))
    says(said("3", MAYA, "And where is my money?", parent=OURS, minutes=2, version=2))
    line.mend()
    expect(paused).to_be_hidden()
    expect(page.locator("#log")).to_contain_text("Anybody there?")
    expect(page.locator("#log")).to_contain_text("And where is my money?")
    expect(page.locator("#rows")).to_contain_text("Is it waterproof?")
    says(said("5", MAYA, "Hello!", parent=SECOND, minutes=6))
    expect(page.locator("#log")).to_contain_text("Hello!")
