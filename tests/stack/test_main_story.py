"""The main job, end to end and through the pages alone: a customer speaks on a network, an agent answers from the
inbox, and the answer stands on the network, below the right words, once."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.stack.running import SignedIn, Stack

pytestmark = pytest.mark.browser

SECONDS_TO_THE_INBOX = 10.0


class Customer:
    """Somebody on a sandbox network, on the page where one plays a customer."""

    def __init__(self, page: Page, stack: Stack, network: str, handle: str) -> None:
        self.page = page
        page.goto(f"{stack.sandbox}/play/{network}?as={handle}&with={stack_brand(network)}")

    def posts(self, words: str) -> str:
        """Posts in public; returns the post's id."""
        self.page.get_by_label("Your post").fill(words)
        self.page.get_by_role("button", name="Post", exact=True).click()
        return self.id_of(words)

    def comments(self, below: str, words: str) -> str:
        """Comments below a post or comment; returns the comment's id."""
        item = self.item(below)
        item.locator("summary", has_text="Comment").click()
        item.get_by_label("Comment: your words").fill(words)
        item.get_by_role("button", name="Comment").click()
        return self.id_of(words)

    def writes(self, words: str) -> None:
        """Writes a private message."""
        self.page.get_by_label("Your message").fill(words)
        self.page.get_by_role("button", name="Send").click()
        expect(self.page.locator(".bubble", has_text=words)).to_be_visible()

    def item(self, item_id: str) -> Locator:
        return self.page.locator(f'[id="i{item_id}"]')

    def id_of(self, words: str) -> str:
        item = self.page.locator("article.item", has_text=words)
        expect(item).to_have_count(1)
        return str(item.get_attribute("id")).removeprefix("i")


def stack_brand(network: str) -> str:
    return {"x": "trailhead", "facebook": "trailheadpage"}[network]


class Agent:
    """A colleague with the inbox open. The page is never reloaded: what comes, comes by itself."""

    def __init__(self, page: Page, stack: Stack) -> None:
        self.page = page
        page.goto(f"{stack.url}/?view=all")
        expect(page.locator("body")).to_have_attribute("data-connection", "up")
        page.evaluate("window.stayed = true")

    def sees(self, words: str) -> float:
        """Waits until the list shows these words; returns after how many seconds it did."""
        began = time.monotonic()
        expect(self.page.locator("#rows li", has_text=words)).to_be_visible()
        return time.monotonic() - began

    def answers(self, words: str, answer: str, button: str) -> Locator:
        """Opens the thread whose newest words these are and answers; returns the answer as the thread shows it."""
        self.page.locator("#rows li", has_text=words).get_by_role("link").click()
        expect(self.page.locator("#log article", has_text=words)).to_be_visible()
        self.page.get_by_label("Your text").fill(answer)
        self.page.get_by_role("button", name=button).click()
        shown = self.page.locator("#log article.us", has_text=answer)
        expect(shown).to_have_count(1)
        return shown

    def stayed(self) -> bool:
        """True while the page was not loaded again."""
        return bool(self.page.evaluate("window.stayed === true"))


@pytest.fixture
def agent(signed_in: SignedIn, stack: Stack) -> Iterator[Agent]:
    with signed_in("agent") as context:
        yield Agent(context.new_page(), stack)


@pytest.fixture
def elsewhere(chromium: Browser) -> Iterator[Page]:
    """The customer's own browser."""
    with chromium.new_context() as context:
        yield context.new_page()


def is_on_the_network(shown: Locator) -> None:
    """The thread says that the answer was sent and read back."""
    expect(shown.locator(".delivery.verified")).to_be_visible(timeout=60_000)


def test_a_post_that_mentions_us_is_answered_below_it_once(stack: Stack, agent: Agent, elsewhere: Page) -> None:
    customer = Customer(elsewhere, stack, "x", "walt_w")
    post = customer.posts("@trailhead the pole of my Ridgeline snapped in the first wind")
    assert agent.sees("the pole of my Ridgeline snapped") < SECONDS_TO_THE_INBOX
    shown = agent.answers("the pole of my Ridgeline snapped", "A new pole is on its way, Walt.", "Send publicly")
    expect(customer.page.locator("article.item", has_text="A new pole is on its way")).to_have_count(1, timeout=60_000)
    is_on_the_network(shown)
    (sent,) = stack.accepted("A new pole is on its way", by="api")
    assert (sent["network"], sent["parent"]) == ("x", post)
    assert agent.stayed()


def test_a_comment_is_answered_below_it_and_not_below_its_neighbours(
    stack: Stack, agent: Agent, elsewhere: Page
) -> None:
    post = Customer(elsewhere, stack, "facebook", "hikerdad").posts("Does anybody wash their down bag at home?")
    customer = Customer(elsewhere, stack, "facebook", "walt_w")
    customer.comments(post, "Mine came out in lumps, not happy at all")
    comment = customer.id_of("Mine came out in lumps")
    customer.comments(post, "Tennis balls in the dryer, people")
    agent.sees("Tennis balls in the dryer")
    shown = agent.answers("Tennis balls in the dryer", "Two rounds at low heat, Walt.", "Send publicly")
    expect(agent.page.locator("#log article", has_text="came out in lumps")).to_be_visible()
    newest = customer.id_of("Tennis balls in the dryer")
    expect(customer.page.locator("article.item", has_text="Two rounds at low heat")).to_have_count(1, timeout=60_000)
    is_on_the_network(shown)
    (sent,) = stack.accepted("Two rounds at low heat", by="api")
    assert (sent["network"], sent["parent"]) == ("facebook", newest)
    assert comment != newest


@pytest.mark.parametrize("network", ["x", "facebook"])
def test_a_private_message_is_answered_in_private_once(
    stack: Stack, agent: Agent, elsewhere: Page, network: str
) -> None:
    words, answer = f"Where is my parcel TR-{network}-881?", f"It left this morning ({network})."
    customer = Customer(elsewhere, stack, network, "hikerdad")
    customer.writes(words)
    assert agent.sees(words) < SECONDS_TO_THE_INBOX
    shown = agent.answers(words, answer, "Send privately")
    expect(customer.page.locator(".bubble", has_text=answer)).to_have_count(1, timeout=60_000)
    is_on_the_network(shown)
    (sent,), (asked,) = stack.accepted(answer, by="api"), stack.accepted(words, by="person")
    assert sent["recipient"] == asked["sender"]
    assert agent.stayed()
