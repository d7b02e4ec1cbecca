"""A notification in a browser where no page of the product is looked at: switched on, pushed, shown and clicked."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, Worker, expect

from accounts.models import User
from channels_ingest import webpush
from channels_ingest.models import Channel
from conversations import actions, push
from conversations.models import PushSubscription, Thread
from conversations.record import record
from tests.browser.conftest import Desk, Offstage, live
from tests.cast import MAYA, said
from tests.channels_ingest.test_webpush import BROWSER
from tests.chromium import ARGUMENTS

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# The push service of the browser's maker is not reached from here: what it would answer is played.
SERVICE = """
    PushManager.prototype.subscribe = async ({applicationServerKey}) => {
        if (applicationServerKey.length !== 65) throw new Error("no key of ours");
        return {toJSON: () => (GIVEN)};
    };
    if (Notification.permission === "denied") Object.defineProperty(Notification, "permission", {get: () => "granted"});
"""
GIVEN = {"endpoint": BROWSER.endpoint, "keys": {"p256dh": BROWSER.p256dh, "auth": BROWSER.auth}}
# A browser without any place to show notifications (the headless shell) holds what it was asked to show.
HELD = """() => {
    if (Notification.permission === "granted") return;
    const held = [];
    self.registration.getNotifications = async () => held;
    self.registration.showNotification = async (title, options) => {
        held.push({title, ...options, close: () => held.pop()});
    };
}"""
ACTIVE = "async () => (await navigator.serviceWorker.getRegistrations())[0]?.active?.state === 'activated'"
SHOWN = """async () => {
    for (let turn = 0; turn < 500 && !(await self.registration.getNotifications()).length; turn += 1) {
        await new Promise((next) => setTimeout(next, 20));
    }
    const shown = await self.registration.getNotifications();
    return shown.map(({title, body, tag, data}) => ({title, body, tag, url: data.url}));
}"""
CLICK = """async () => {
    const opened = [];
    WindowClient.prototype.focus = async function () { opened.push(`to the front: ${this.url}`); };
    Object.defineProperty(self.clients, "openWindow", {value: async (url) => { opened.push(url); }});
    const click = new ExtendableEvent("notificationclick");
    [click.notification] = await self.registration.getNotifications();
    self.dispatchEvent(click);
    for (let turn = 0; turn < 500 && !opened.length; turn += 1) await new Promise((next) => setTimeout(next, 20));
    return [opened, (await self.registration.getNotifications()).length];
}"""


@pytest.fixture(scope="module")
def chromium(chromium: Browser) -> Iterator[Browser]:
    """The whole browser, where there is one: it shows notifications."""
    whole = shutil.which("chromium") or shutil.which("google-chrome")
    browser = chromium.browser_type.launch(executable_path=whole, args=ARGUMENTS) if whole else None
    yield browser or chromium
    if browser:
        browser.close()


@pytest.fixture
def call(
    channel: Channel, colleague: User, offstage: Offstage[Any], monkeypatch: pytest.MonkeyPatch
) -> Callable[[], dict[str, str]]:
    """Calls Ana in a note, and gives the message that leaves for her browser's push service."""
    sent: list[dict[str, str]] = []
    monkeypatch.setattr(webpush, "send", lambda to, message: sent.append(message))

    def write() -> None:
        record(channel, [said("1", MAYA)])
        actions.write_note(Thread.objects.get(), by=colleague, text="@Ana, please")
        push.push_due(timezone.now())

    def called() -> dict[str, str]:
        offstage(write)
        (message,) = sent
        return message

    return called


def switch_on(page: Page) -> None:
    page.context.grant_permissions(["notifications"])
    page.add_init_script(SERVICE.replace("GIVEN", json.dumps(GIVEN)))
    page.goto("/profile/notifications/")
    button = page.get_by_role("button", name="Show notifications in this browser")
    with page.expect_response("**/profile/push/") as answer:
        button.click()
    assert answer.value.status == 204
    expect(button).to_have_attribute("aria-pressed", "true")


def deliver(page: Page, message: dict[str, str]) -> Worker:
    """As the browser does when its push service brought a message and it was decrypted; the script that gets it."""
    worker = page.context.service_workers[0]
    worker.evaluate(HELD)
    devtools = page.context.new_cdp_session(page)
    told: list[Any] = []
    devtools.on("ServiceWorker.workerRegistrationUpdated", lambda one: told.extend(one["registrations"]))
    devtools.send("ServiceWorker.enable")
    page.wait_for_function(ACTIVE)  # meanwhile the tools have told of it
    where = {"origin": page.evaluate("location.origin"), "registrationId": told[-1]["registrationId"]}
    devtools.send("ServiceWorker.deliverPushMessage", {**where, "data": json.dumps(message)})
    return worker


def test_a_push_is_shown_and_its_click_leads_to_the_thread(
    agent: User, desk: Desk, offstage: Offstage[Any], call: Callable[[], dict[str, str]]
) -> None:
    page = desk(agent)
    switch_on(page)
    assert offstage(lambda: PushSubscription.objects.get().endpoint) == BROWSER.endpoint
    message = call()
    worker = deliver(page, message)
    assert worker.evaluate(SHOWN) == [message]
    assert message["body"] == "Ben mentions you in a note about Maya Keller."
    assert worker.evaluate(CLICK) == [[page.evaluate("location.origin") + message["url"]], 0]


def test_a_click_brings_a_window_to_the_front_that_shows_the_thread_already(
    agent: User, desk: Desk, call: Callable[[], dict[str, str]]
) -> None:
    page = desk(agent)
    switch_on(page)
    message = call()
    worker = deliver(page, message)
    page.goto(message["url"])
    assert worker.evaluate(CLICK) == [[f"to the front: {page.url}"], 0]


REFUSING = 'Object.defineProperty(Notification, "permission", {get: () => "denied"});'


@pytest.mark.parametrize(
    ("without", "words"),
    [(REFUSING, "The browser does not allow it."), ("delete window.Notification;", "This browser shows no")],
)
def test_the_page_says_why_a_browser_shows_none(agent: User, desk: Desk, without: str, words: str) -> None:
    page = desk(agent)
    page.add_init_script(without)
    page.goto("/profile/notifications/")
    expect(page.locator("[data-push-state]")).to_contain_text(words)


def sign_in_instead(page: Page, whom: Page) -> None:
    page.context.clear_cookies()
    page.context.add_cookies(whom.context.cookies())  # type: ignore[arg-type]


def test_what_one_colleague_switched_on_is_off_for_the_next_in_the_same_browser(
    agent: User, colleague: User, desk: Desk
) -> None:
    page, other = desk(agent), desk(colleague)
    switch_on(page)
    sign_in_instead(page, other)
    page.goto("/profile/notifications/")
    button = page.get_by_role("button", name="Show notifications in this browser")
    expect(button).to_have_attribute("aria-pressed", "false")


HOLDS_SOME = """
    window.ended = [];
    PushManager.prototype.getSubscription = async () => ({unsubscribe: async () => ended.push("subscription")});
    ServiceWorkerRegistration.prototype.getNotifications = async () => [{close: () => ended.push("shown")}];
"""


def test_a_browser_where_nobody_is_signed_in_shows_nothing_of_who_was(agent: User, desk: Desk) -> None:
    page = desk(agent)
    switch_on(page)
    page.context.clear_cookies()
    page.add_init_script(HOLDS_SOME)
    page.goto("/sign-in/")
    page.wait_for_function("ended.length === 2")
    assert page.evaluate("ended") == ["shown", "subscription"]


def test_who_signs_in_again_gets_them_again(agent: User, desk: Desk, offstage: Offstage[Any]) -> None:
    page, again = desk(agent), desk(agent)
    switch_on(page)
    page.context.clear_cookies()
    page.goto("/sign-in/")
    sign_in_instead(page, again)
    with page.expect_response("**/profile/push/") as answer:
        page.goto("/profile/")
    (cookie,) = [one for one in again.context.cookies() if one["name"] == "sessionid"]
    assert (answer.value.status, offstage(lambda: PushSubscription.objects.get().session_key)) == (204, cookie["value"])


def test_a_browser_that_was_given_up_is_told_anew(agent: User, desk: Desk, offstage: Offstage[Any]) -> None:
    page = desk(agent)
    switch_on(page)
    offstage(lambda: PushSubscription.objects.update(session_key="of before the new password"))
    with page.expect_response("**/profile/push/") as answer:
        page.goto("/contacts/")
    assert answer.value.status == 204


AWAY = """
    window.shown = [];
    window.Notification = class extends EventTarget {
        static permission = "granted";
        constructor(title, {body}) { super(); shown.push(this); this.body = body; document.body.dataset.shown = "1"; }
        close() {}
    };
    Object.defineProperty(document, "visibilityState", {get: () => "hidden"});
    window.open = (address) => { window.opened = address; };
"""


def test_a_notification_of_an_open_page_leads_to_the_thread(
    agent: User, colleague: User, thread: Thread, desk: Desk, offstage: Offstage[Any]
) -> None:
    page = desk(agent)
    page.add_init_script(AWAY + f'localStorage.setItem("browser-notices-{agent.pk}", "on");')
    page.goto("/contacts/")
    live(page)
    note = offstage(lambda: actions.write_note(thread, by=colleague, text="@Ana, please"))
    expect(page.locator("body")).to_have_attribute("data-shown", "1")
    opened = page.evaluate("shown[0].dispatchEvent(new Event('click')) && window.opened")
    assert opened == f"/threads/{thread.pk}/#i{note.pk}"
