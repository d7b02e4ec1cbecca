"""Moderation: what the network supports, with a reason, and written down with a name."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from accounts.models import AuditEntry, User
from channels_ingest import speaking
from channels_ingest.models import Channel
from channels_ingest.networks.base import Action, Supports, Verdict
from conversations import actions, moderation
from conversations.actions import NotPossible
from conversations.models import Interaction, Thread, ThreadEvent
from conversations.record import record
from tests.cast import JONAS, MAYA, make_channel, said
from tests.conftest import BrowserOf
from tests.fakes import FakeNetwork, trouble

pytestmark = pytest.mark.django_db


class ModeratedNetwork(FakeNetwork):
    supports: ClassVar[Supports] = Supports(public_reply=True, hide=True, delete=True, public_limit=280)

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, Any]] = []
        self.refusal: Exception | None = None

    def hide(self, external_id: str, *, hidden: bool) -> None:
        self._ask(("hide" if hidden else "show", external_id))

    def remove(self, external_id: str) -> None:
        self._ask(("remove", external_id))

    def _ask(self, what: tuple[str, Any]) -> None:
        if self.refusal:
            raise self.refusal
        self.asked.append(what)


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> ModeratedNetwork:
    found = ModeratedNetwork()
    monkeypatch.setattr(speaking, "speak_for", lambda channel: found)
    return found


@pytest.fixture
def item(channel: Channel) -> Interaction:
    record(channel, [said("1", MAYA, "Buy my coins!")])
    return Interaction.objects.select_related("author", "channel", "thread").get()


def do(item: Interaction, deed: str, by: User, why: str = "an insult") -> str:
    fresh = Interaction.objects.select_related("author", "channel", "thread").get(pk=item.pk)
    return moderation.moderate(fresh, deed=deed, by=by, why=why)


def verbs(thread: Thread) -> list[str]:
    return list(thread.events.values_list("verb", flat=True))


def test_hiding_asks_the_network_and_writes_down_who_and_why(
    network: ModeratedNetwork, item: Interaction, manager: User
) -> None:
    do(item, "hide", manager)
    item.refresh_from_db()
    event = ThreadEvent.objects.get(verb="hidden")
    assert network.asked == [("hide", "1")]
    assert item.hidden_at is not None
    assert (event.by, event.details["why"]) == (manager, "an insult")
    assert AuditEntry.objects.get(verb="hide").details == {"why": "an insult"}


def test_what_is_hidden_can_be_shown_again(network: ModeratedNetwork, item: Interaction, manager: User) -> None:
    do(item, "hide", manager)
    do(item, "show", manager)
    item.refresh_from_db()
    assert item.hidden_at is None
    assert network.asked[-1] == ("show", "1")


def test_nothing_is_hidden_without_a_reason(network: ModeratedNetwork, item: Interaction, manager: User) -> None:
    with pytest.raises(NotPossible, match="Say why"):
        do(item, "hide", manager, why="  ")
    assert network.asked == []


def test_deleting_takes_the_words_out_here_too(network: ModeratedNetwork, item: Interaction, manager: User) -> None:
    do(item, "delete", manager)
    item.refresh_from_db()
    assert (item.text, item.removed_reason) == ("", "moderated")
    assert network.asked == [("remove", "1")]


def test_a_refusal_of_the_network_changes_nothing_and_is_told(
    network: ModeratedNetwork, item: Interaction, manager: User
) -> None:
    network.refusal = trouble(words="not yours")
    with pytest.raises(NotPossible, match="not yours"):
        do(item, "delete", manager)
    item.refresh_from_db()
    assert item.removed_at is None
    assert AuditEntry.objects.filter(verb="moderation failed").exists()


def test_what_the_network_does_not_allow_is_named_with_its_reason(
    network: ModeratedNetwork, item: Interaction, manager: User
) -> None:
    network.verdicts[Action.HIDE] = Verdict(False, "Only replies can be hidden.")
    found = {deed.key: deed for deed in moderation.deeds(item)}
    assert (found["hide"].allowed, found["hide"].reason) == (False, "Only replies can be hidden.")
    assert not found["block"].allowed
    with pytest.raises(NotPossible, match="Only replies"):
        do(item, "hide", manager)


def test_spam_is_kept_out_of_every_view_and_stays_there(
    network: ModeratedNetwork, channel: Channel, item: Interaction, manager: User
) -> None:
    do(item, "spam", manager)
    record(channel, [said("2", MAYA, "More coins!", minutes=1), said("3", JONAS, "Hello", minutes=2)])
    states = dict(Thread.objects.values_list("identity__handle", "state").distinct())
    assert states == {"mayak": "spam", "jokafor": "open"}
    assert Thread.objects.filter(state="spam").count() == 2


def test_a_report_that_is_taken_back_leaves_the_threads_as_they_were(
    network: ModeratedNetwork, item: Interaction, manager: User
) -> None:
    thread = Thread.objects.get()
    actions.close(thread, by=manager)
    thread.refresh_from_db()
    do(item, "spam", manager)
    do(item, "not-spam", manager, why="my mistake")
    again = Thread.objects.get()
    assert (again.state, again.closed_at) == ("closed", thread.closed_at)
    assert verbs(again) == ["closed", "spam", "not_spam"]


def test_a_spam_thread_is_not_reopened_by_hand(network: ModeratedNetwork, item: Interaction, manager: User) -> None:
    do(item, "spam", manager)
    with pytest.raises(NotPossible, match="spam"):
        actions.reopen(Thread.objects.get(), by=manager)


def test_another_brand_still_hears_of_a_person_that_one_reported(
    network: ModeratedNetwork, item: Interaction, manager: User, other_brand: Any
) -> None:
    do(item, "spam", manager)
    other = make_channel(other_brand, account=JONAS)
    record(other, [said("7", MAYA, "A real question")])
    assert Thread.objects.get(brand=other_brand).state == "open"


# -- the page ---------------------------------------------------------------------------------------------------------


def address(item: Interaction, more: str = "") -> str:
    return f"/threads/{item.thread_id}/items/{item.pk}/{more}"


def test_a_manager_moderates_on_the_page_of_the_item(
    network: ModeratedNetwork, item: Interaction, manager: User, browser_of: BrowserOf
) -> None:
    browser = browser_of(manager)
    assert b"Delete for good" in browser.get(address(item)).content
    answer = browser.post(address(item, "moderation/"), {"deed": "hide", "why": "rude"})
    assert answer.headers["Location"] == f"/threads/{item.thread_id}/"
    assert b"hid an item on the network: <bdi>rude" in browser.get(answer.headers["Location"]).content


@pytest.mark.parametrize("deed", ["hide", "delete", "spam"])
def test_what_is_sent_twice_is_done_once_and_no_error(
    network: ModeratedNetwork, item: Interaction, manager: User, browser_of: BrowserOf, deed: str
) -> None:
    browser, path = browser_of(manager), f"/threads/{item.thread_id}/items/{item.pk}/moderation/"
    browser.post(path, {"deed": deed, "why": "an insult"}, follow=True)
    written, asked = AuditEntry.objects.count(), list(network.asked)
    second = browser.post(path, {"deed": deed, "why": "an insult"}, follow=True)
    assert "This is done already." in second.content.decode()
    assert (AuditEntry.objects.count(), network.asked) == (written, asked)


def test_an_agent_sees_no_moderation_and_cannot_moderate(
    network: ModeratedNetwork, item: Interaction, agent: User, browser_of: BrowserOf
) -> None:
    browser = browser_of(agent)
    assert b"Delete for good" not in browser.get(address(item)).content
    assert browser.post(address(item, "moderation/"), {"deed": "hide", "why": "rude"}).status_code == 403
    assert network.asked == []


def test_a_stranger_finds_no_such_item(item: Interaction, stranger: User, browser_of: BrowserOf) -> None:
    assert browser_of(stranger).get(address(item)).status_code == 404
