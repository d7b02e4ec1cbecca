"""Writing in a real browser: to private and back, promises, macros, what is held back, two people on one thread."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from functools import partial

import pytest
from django.utils import timezone
from playwright.sync_api import APIResponse, Route, expect

from accounts.models import Team, User
from channels_ingest.networks.base import Action, Author
from contacts.models import Tag
from conversations import promises
from conversations.models import Attachment, Draft, Macro, Notification, Promise, Thread
from conversations.reply import reply
from tests.browser.conftest import FIRST, Desk, Offstage, live
from tests.browser.test_inbox import open_thread
from tests.cast import MAYA, make_channel, said
from tests.networks.test_x_sandbox import DOT

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_from_public_to_private_and_back(
    thread: Thread, agent: User, desk: Desk, offstage: Offstage[tuple[str, object]]
) -> None:
    page = desk(agent)
    open_thread(page, thread)
    expect(page.locator(".reach")).to_contain_text("Can be reached in private")
    page.keyboard.press("d")
    expect(page.locator("#composer")).to_contain_text("waits in the public lane")
    expect(page.locator("input[name=lane][value=message]")).to_be_checked()
    page.keyboard.type("Which tent is it, Maya?")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#log .msg.private.us")).to_contain_text("Which tent is it")
    expect(page.get_by_label("Your text")).not_to_have_value("Which tent is it, Maya?")
    page.keyboard.press("Escape")
    page.keyboard.press("r")
    handed_over = "Maya, we have just written to you in a private message to sort it out."
    expect(page.get_by_label("Your text")).to_have_value(handed_over)
    page.get_by_label("Your text").fill("")
    page.keyboard.press("Escape")
    expect(page.locator("#close-menu")).to_be_visible()
    page.keyboard.press("e")
    page.get_by_role("button", name="Write a closing public word").click()
    expect(page.get_by_label("Your text")).to_have_value(
        "Maya, glad that we could sort this out in private. Thank you!"
    )
    page.keyboard.press("Control+Enter")
    expect(page.locator("#log .msg.public.us")).to_contain_text("glad that we could sort this out")
    expect(page.locator("#close-menu")).to_have_count(0)
    page.keyboard.press("Escape")
    page.keyboard.press("e")
    expect(page.locator("#head")).to_contain_text("closed")
    found = offstage(lambda: Thread.objects.values_list("state", "hanging_since").get())
    assert found == ("closed", None)


def test_closing_right_after_the_closing_word_needs_one_key(
    thread: Thread, agent: User, desk: Desk, offstage: Offstage[object]
) -> None:
    offstage(lambda: reply(thread, by=agent, text="Which?", action=Action.MESSAGE, key=uuid.uuid4()))
    page = desk(agent)
    open_thread(page, thread)
    live(page)
    expect(page.locator("#close-menu")).to_be_visible()
    page.keyboard.press("r")
    page.keyboard.type("Glad that it is sorted out, Maya.")
    expect(page.locator("#draft-hint")).to_have_text("Draft kept")
    held: list[Route] = []
    page.route("**/now/*", lambda route: route.continue_() if held else held.append(route))
    with page.expect_request("**/now/*"):
        page.keyboard.press("Control+Enter")
    expect(page.get_by_label("Your text")).to_have_value("")
    page.keyboard.press("Escape")
    page.keyboard.press("e")
    held[0].continue_()
    expect(page.locator("#head")).to_contain_text("closed")


def test_an_open_menu_that_asks_for_a_closing_word_gives_way_when_one_was_said(
    thread: Thread, agent: User, desk: Desk, offstage: Offstage[object]
) -> None:
    offstage(lambda: reply(thread, by=agent, text="Which?", action=Action.MESSAGE, key=uuid.uuid4()))
    page = desk(agent)
    open_thread(page, thread)
    live(page)
    page.locator("#close-menu > summary").click()
    expect(page.locator("#waive")).to_be_visible()
    offstage(lambda: reply(thread, by=agent, text="All is well!", action=Action.REPLY, key=uuid.uuid4()))
    expect(page.locator("#close-menu")).to_have_count(0)


def test_escape_before_a_slow_answer_to_send_leaves_the_text(thread: Thread, agent: User, desk: Desk) -> None:
    page = desk(agent)
    open_thread(page, thread)
    page.get_by_label("Your text").fill("Stakes are on their way.")
    held: list[Route] = []
    page.route("**/replies/*", lambda route: route.continue_() if held else held.append(route))
    with page.expect_request("**/replies/*"):
        page.keyboard.press("Control+Enter")
    page.keyboard.press("Escape")
    expect(page.locator("#log")).to_be_focused()
    held[0].continue_()
    expect(page.get_by_label("Your text")).to_have_value("")
    expect(page.locator("#log")).to_be_focused()


def test_the_hand_over_line_is_no_closing_word(
    thread: Thread, agent: User, desk: Desk, offstage: Offstage[object]
) -> None:
    page = desk(agent)
    open_thread(page, thread)
    page.keyboard.press("d")
    expect(page.locator("#composer")).to_contain_text("waits in the public lane")
    page.keyboard.type("Stakes are on their way.")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#log .msg.private.us")).to_contain_text("Stakes are on their way")
    expect(page.get_by_label("Your text")).not_to_have_value("Stakes are on their way.")
    page.keyboard.press("Escape")
    page.keyboard.press("r")
    page.get_by_label("Your text").fill("Maya, have a look at your messages!")
    expect(page.locator("#draft-hint")).to_have_text("Draft kept")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#log .msg.public.us")).to_contain_text("have a look at your messages")
    expect(page.get_by_label("Your text")).to_have_value("")
    page.keyboard.press("Escape")
    expect(page.locator("#close-menu")).to_be_visible()
    page.keyboard.press("e")
    expect(page.get_by_role("button", name="Write a closing public word")).to_be_visible()
    assert offstage(lambda: Thread.objects.get().state) == "open"


def test_a_promise_is_confirmed_falls_due_and_is_kept(
    thread: Thread, agent: User, desk: Desk, offstage: Offstage[object]
) -> None:
    page = desk(agent)
    open_thread(page, thread)
    page.get_by_label("Your text").press_sequentially("We will send the stakes tomorrow.")
    chip = page.get_by_role("group", name="Promise")
    expect(chip).to_contain_text("We will send the stakes tomorrow")
    expect(chip.locator("[name=promise_due]")).to_have_value((timezone.now() + timedelta(1)).strftime("%Y-%m-%dT18:00"))
    page.get_by_label("Your text").press("Control+Enter")
    expect(page.locator("#facts .promise")).to_contain_text("Promised")
    page.keyboard.press("Escape")
    page.keyboard.press("e")
    expect(page.locator("#toasts")).to_contain_text("A promise is still open")
    offstage(lambda: Promise.objects.update(due_at=timezone.now() - timedelta(minutes=1)))
    page.goto(f"/threads/{thread.pk}/?view=promises")
    live(page)
    expect(page.locator("#facts .promise.overdue")).to_contain_text("Promise overdue")
    page.get_by_role("button", name="Kept").click()
    expect(page.locator("#facts .promise")).to_have_count(0)
    page.keyboard.press("e")
    expect(page.locator("#head")).to_contain_text("closed")


def test_enter_in_the_reason_withdraws_the_promise(
    thread: Thread, agent: User, desk: Desk, offstage: Offstage[object]
) -> None:
    vow = partial(promises.make, words="I will call", due_at=timezone.now() + timedelta(1), owner=agent, by=agent)
    offstage(lambda: vow(thread.interactions.latest("pk")))
    page = desk(agent)
    open_thread(page, thread)
    page.locator(".promise summary").press("Enter")
    page.get_by_label("Why is it withdrawn?").fill("She called us.")
    page.get_by_label("Why is it withdrawn?").press("Enter")
    expect(page.locator("#facts .promise")).to_have_count(0)
    assert offstage(lambda: Promise.objects.values_list("state", "reason").get()) == ("withdrawn", "She called us.")


def test_settling_the_last_promise_by_keyboard_leaves_the_focus_among_the_facts(
    thread: Thread, agent: User, desk: Desk, offstage: Offstage[object]
) -> None:
    vow = partial(promises.make, words="I will call", due_at=timezone.now() + timedelta(1), owner=agent, by=agent)
    offstage(lambda: vow(thread.interactions.latest("pk")))
    page = desk(agent)
    open_thread(page, thread)
    live(page)
    page.get_by_role("button", name="Kept").press("Enter")
    expect(page.locator("#facts .promise")).to_have_count(0)
    expect(page.locator("#tag-menu > summary")).to_be_focused()


def test_what_is_personal_cannot_be_sent_in_public(
    thread: Thread, agent: User, desk: Desk, offstage: Offstage[int]
) -> None:
    page = desk(agent)
    open_thread(page, thread)
    page.get_by_label("Your text").press_sequentially("Is it maya@keller.example?")
    expect(page.locator("#proof mark")).to_have_text("maya@keller.example")
    expect(page.locator("#send")).to_have_attribute("aria-disabled", "true")
    page.keyboard.press("Control+Enter")
    page.locator("input[name=lane][value=message]").check()
    expect(page.locator("#proof mark")).to_have_count(0)
    assert offstage(lambda: Thread.objects.get().outbound_count) == 0


def test_it_is_said_from_which_account_they_can_be_reached(
    thread: Thread, agent: User, desk: Desk, offstage: Offstage[object]
) -> None:
    offstage(lambda: make_channel(thread.brand, account=Author("9002", handle="trailcare")))
    page = desk(agent)
    open_thread(page, thread)
    page.get_by_text("Can be reached in private").click()
    expect(page.locator("#composer .reach")).to_contain_text("@trailcare")
    expect(page.get_by_label("Your text")).to_be_visible()


def test_known_tags_are_offered(thread: Thread, agent: User, desk: Desk, offstage: Offstage[object]) -> None:
    offstage(lambda: Tag.objects.create(name="refund"))
    page = desk(agent)
    open_thread(page, thread)
    page.locator("#tag-menu > summary").click()
    expect(page.locator("#tag-names option[value=refund]")).to_have_count(1)
    page.get_by_role("combobox", name="Tag").fill("refund")
    page.keyboard.press("Enter")
    expect(page.locator("#facts")).to_contain_text("refund")


def test_a_macro_is_found_by_slash_and_inserted_by_enter(
    thread: Thread, agent: User, desk: Desk, offstage: Offstage[object]
) -> None:
    offstage(lambda: Macro.objects.create(name="Alpha", text="A"))
    offstage(lambda: Macro.objects.create(name="Stakes", text="Hi {first name|there}!", steps={"tags": ["stakes"]}))
    page = desk(agent)
    open_thread(page, thread)
    page.get_by_label("Your text").press_sequentially("/")
    expect(page.locator("#macro-choice [role=option]")).to_have_count(2)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Your text")).to_have_value("Hi Maya!")
    expect(page.locator("#macro-steps")).to_contain_text("tags stakes")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#facts")).to_contain_text("stakes")


def test_a_draft_follows_its_writer_and_is_seen_by_colleagues(
    thread: Thread, agent: User, colleague: User, desk: Desk, offstage: Offstage[bool]
) -> None:
    ben = desk(colleague)
    open_thread(ben, thread)
    ana = desk(agent)
    open_thread(ana, thread)
    ana.get_by_label("Your text").press_sequentially("We are loo")
    expect(ben.locator("#facts")).to_contain_text("Ana has begun an answer")
    elsewhere = desk(agent)
    open_thread(elsewhere, thread)
    expect(elsewhere.get_by_label("Your text")).to_have_value("We are loo")
    elsewhere.get_by_label("Your text").fill("We are looking.")
    elsewhere.keyboard.press("Control+Enter")
    expect(ben.locator("#log")).to_contain_text("We are looking.")
    assert not offstage(Draft.objects.exists)


def test_a_draft_of_one_lane_never_shows_up_in_another(
    thread: Thread, says: partial[object], agent: User, desk: Desk
) -> None:
    page = desk(agent)
    open_thread(page, thread)
    live(page)
    page.keyboard.press("d")
    expect(page.locator("#composer")).to_contain_text("waits in the public lane")
    says(said("2", MAYA, "and no pegs either", parent=FIRST, minutes=1))
    expect(page.locator("#log")).to_contain_text("and no pegs either")
    expect(page.locator("#composer [name=seen]")).not_to_have_value(str(thread.latest_id))
    expect(page.locator("input[name=lane][value=message]")).to_be_checked()
    expect(page.get_by_label("Your text")).to_have_value("")
    expect(page.locator("#composer")).to_contain_text("waits in the public lane")
    page.keyboard.press("Escape")
    page.keyboard.press("r")
    expect(page.get_by_label("Your text")).to_have_value(re.compile("just written to you in a private message"))


def test_what_was_asked_before_send_does_not_bring_the_sent_draft_back(
    thread: Thread, agent: User, desk: Desk, offstage: Offstage[bool]
) -> None:
    page = desk(agent)
    open_thread(page, thread)
    held: list[tuple[Route, APIResponse]] = []
    page.route("**/now/*", lambda route: route.continue_() if held else held.append((route, route.fetch())))
    with page.expect_request("**/now/*"):
        page.get_by_label("Your text").press_sequentially("Stakes are on their way.")
    expect(page.locator("#draft-hint")).to_have_text("Draft kept")
    page.get_by_label("Your text").press("Control+Enter")
    expect(page.get_by_label("Your text")).to_have_value("")
    route, answer = held[0]
    assert "Stakes are on their way." in answer.text()
    route.fulfill(response=answer)
    expect(page.locator("#log .msg.us")).to_contain_text("Stakes are on their way.")
    expect(page.get_by_label("Your text")).to_have_value("")
    assert not offstage(Draft.objects.exists)


def test_two_agents_do_not_answer_the_same_post(
    thread: Thread, agent: User, colleague: User, desk: Desk, offstage: Offstage[int]
) -> None:
    ana, ben = desk(agent), desk(colleague)
    open_thread(ana, thread)
    open_thread(ben, thread)
    ben.get_by_label("Your text").fill("Stakes are on their way.")
    ana.get_by_label("Your text").fill("A new tent is on its way.")
    ana.keyboard.press("Control+Enter")
    expect(ben.locator("#log")).to_contain_text("A new tent is on its way.")
    ben.keyboard.press("Control+Enter")
    expect(ben.get_by_role("alert")).to_contain_text("Ana has already answered this.")
    expect(ben.get_by_label("Your text")).to_have_value("Stakes are on their way.")
    assert offstage(lambda: Thread.objects.get().outbound_count) == 1


def test_a_picture_and_an_emoji_go_with_an_answer(
    thread: Thread, agent: User, desk: Desk, offstage: Offstage[object]
) -> None:
    page = desk(agent)
    open_thread(page, thread)
    page.get_by_label("Your text").fill("Like this ")
    page.locator("[data-pick]").set_input_files({"name": "stake.png", "mimeType": "image/png", "buffer": DOT})
    page.get_by_label("Description of stake.png").fill("A tent stake")
    page.get_by_label("Emoji").first.press("Enter")
    page.get_by_label("Find an emoji").fill("tent")
    expect(page.locator(".emoji-list button:visible")).to_have_count(2)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Your text")).to_have_value("Like this ⛺")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#log .msg.us img[alt='A tent stake']")).to_be_visible()
    expect(page.locator("#pictures [name=picture]")).to_have_count(0)
    assert offstage(lambda: Attachment.objects.get().interaction) is not None


def test_colleagues_and_teams_are_called_by_name_in_a_note(
    thread: Thread, agent: User, colleague: User, desk: Desk, offstage: Offstage[object]
) -> None:
    offstage(lambda: Team.objects.create(brand=thread.brand, name="Billing desk").members.set([colleague]))
    page = desk(agent)
    open_thread(page, thread)
    page.keyboard.press("n")
    text = page.get_by_label("Your text")
    text.press_sequentially("Look, @b")
    expect(page.locator("#name-choice [role=option]")).to_have_text(["Ben", "Billing desk team"])
    page.keyboard.press("ArrowDown")
    team = page.locator("#name-choice [aria-selected=true]")
    expect(team).to_have_text("Billing desk team")
    expect(text).to_have_attribute("aria-activedescendant", team.get_attribute("id") or "none")
    page.keyboard.press("Enter")
    expect(text).to_have_value("Look, @Billing desk ")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#log .msg.note")).to_contain_text("@Billing desk")
    told = offstage(lambda: Notification.objects.values_list("user__name", "kind").get())
    assert told == ("Ben", "team")


@pytest.mark.parametrize("how", [(True, "draft", "hx-request"), (False, "entered", "content-type")])
def test_enter_on_a_way_to_answer_keeps_the_draft(
    thread: Thread, agent: User, desk: Desk, offstage: Offstage[list[str]], how: tuple[bool, str, str]
) -> None:
    scripts, where, header = how
    page = desk(agent, scripts=scripts)
    page.goto(f"/threads/{thread.pk}/")
    page.get_by_label("Your text").fill("Hello Maya")
    page.locator("input[name=lane]:checked").focus()
    with page.expect_response(lambda one: f"/{where}/" in one.url and header in one.request.headers):
        page.keyboard.press("Enter")
    expect(page.get_by_label("Your text")).to_have_value("Hello Maya")
    assert offstage(lambda: list(Draft.objects.values_list("text", flat=True))) == ["Hello Maya"]
