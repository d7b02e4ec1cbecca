"""A second pair of eyes: held, approved, edited, refused; and the customer's clock meanwhile."""

from __future__ import annotations

import uuid

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from channels_ingest import speaking
from channels_ingest.models import Channel
from channels_ingest.networks.base import Action, Author
from conversations import approval, deliver, drafts
from conversations.actions import NotPossible
from conversations.models import Approval, Delivery, Interaction, Notification, Thread
from conversations.record import record
from conversations.reply import reply
from conversations.tree import newest_inbound
from tests.cast import MAYA, said
from tests.conftest import BrowserOf
from tests.fakes import FakeNetwork

pytestmark = pytest.mark.django_db

QUESTION = said("1", MAYA, "Where are my stakes?")


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> FakeNetwork:
    found = FakeNetwork()
    monkeypatch.setattr(speaking, "speak_for", lambda channel: found)
    return found


@pytest.fixture
def thread(network: FakeNetwork, channel: Channel) -> Thread:
    record(channel, [QUESTION])
    return Thread.objects.get()


@pytest.fixture
def trainee(agent: User) -> User:
    agent.needs_approval = True
    agent.save()
    return agent


@pytest.fixture
def held(thread: Thread, trainee: User, manager: User) -> Approval:
    """A trainee's answer; the manager is there to see it."""
    write(thread, trainee)
    return Approval.objects.get()


def write(thread: Thread, by: User, action: Action = Action.REPLY, text: str = "They left today.") -> Interaction:
    return reply(thread, by=by, text=text, action=action, key=uuid.uuid4())


def let_go(held: Approval, by: User, text: str | None = None) -> None:
    fresh = Approval.objects.get(pk=held.pk)
    approval.approve(fresh, by=by, seen=newest_inbound(fresh.delivery.thread), text=text)


def test_a_trainees_public_answer_is_held_and_never_sent(held: Approval, network: FakeNetwork, manager: User) -> None:
    deliver.send_due()
    assert network.sent == []
    assert held.delivery.state == Delivery.State.HELD
    assert Notification.objects.get(user=manager).kind == "asked"


def test_a_private_message_is_not_held(thread: Thread, trainee: User, network: FakeNetwork) -> None:
    write(thread, trainee, Action.MESSAGE)
    deliver.send_due()
    assert len(network.sent) == 1


def test_the_customer_waits_until_the_answer_is_approved(held: Approval, thread: Thread, manager: User) -> None:
    thread.refresh_from_db()
    assert thread.waiting_since == QUESTION.posted_at
    let_go(held, manager)
    thread.refresh_from_db()
    assert thread.waiting_since is None


def test_an_approved_answer_leaves_and_its_writer_is_told(
    held: Approval, network: FakeNetwork, trainee: User, manager: User
) -> None:
    let_go(held, manager)
    deliver.send_due()
    assert [out.text for out in network.sent] == ["They left today."]
    assert Notification.objects.get(user=trainee).kind == "decided"


def test_an_answer_may_be_approved_with_other_words(held: Approval, network: FakeNetwork, manager: User) -> None:
    let_go(held, manager, text="They left this morning.")
    deliver.send_due()
    held.refresh_from_db()
    assert [out.text for out in network.sent] == ["They left this morning."]
    assert (held.verdict, held.text) == ("edited", "They left today.")


def test_a_refused_answer_never_leaves_and_the_writer_may_try_again(
    held: Approval, network: FakeNetwork, thread: Thread, trainee: User, manager: User
) -> None:
    approval.refuse(held, by=manager, reason="Say when.")
    write(thread, trainee, text="They left today at noon.")
    deliver.send_due()
    assert network.sent == []
    assert list(Approval.objects.order_by("pk").values_list("verdict", "reason")) == [
        ("refused", "Say when."),
        ("", ""),
    ]


def test_a_refusal_needs_a_reason_in_the_database_too(held: Approval, manager: User) -> None:
    with pytest.raises(NotPossible, match="Say why"):
        approval.refuse(held, by=manager, reason=" ")
    with pytest.raises(IntegrityError), transaction.atomic():
        Approval.objects.update(verdict="refused")


def test_nobody_approves_their_own_answer(thread: Thread, manager: User) -> None:
    manager.needs_approval = True
    manager.save()
    write(thread, manager)
    with pytest.raises(NotPossible, match="own"):
        let_go(Approval.objects.get(), manager)


def test_only_one_decision_counts(held: Approval, manager: User, admin: User) -> None:
    approval.refuse(Approval.objects.get(), by=admin, reason="no")
    with pytest.raises(NotPossible, match="meanwhile"):
        let_go(held, manager)


def test_what_the_customer_wrote_since_stops_the_approval(
    held: Approval, channel: Channel, thread: Thread, manager: User
) -> None:
    seen = newest_inbound(thread)
    record(channel, [said("2", MAYA, "Found them!", parent=QUESTION, minutes=1)])
    with pytest.raises(NotPossible, match="wrote something since"):
        approval.approve(held, by=manager, seen=seen)
    held.delivery.refresh_from_db()
    assert held.delivery.state == Delivery.State.HELD


def test_its_writer_may_take_a_held_answer_back(held: Approval, trainee: User) -> None:
    assert deliver.undo(held.delivery, by=trainee)
    assert not approval.waiting(trainee).exists()


# -- the queue --------------------------------------------------------------------------------------------------------


def test_a_manager_decides_in_the_queue(
    held: Approval, network: FakeNetwork, manager: User, browser_of: BrowserOf
) -> None:
    browser = browser_of(manager)
    assert b"They left today." in browser.get("/approvals/").content
    seen = newest_inbound(held.delivery.thread)
    browser.post(f"/approvals/{held.pk}/approval/", {"text": "They left today.", "seen": seen})
    held.refresh_from_db()
    assert held.verdict == "approved"
    assert b"Nothing waits" in browser.get("/approvals/").content


def test_the_queue_asks_as_often_for_many_answers_as_for_one(
    held: Approval, channel: Channel, trainee: User, manager: User, browser_of: BrowserOf
) -> None:
    counted = []
    for number in (10, 20):
        people = [Author(str(pk), handle=f"p{pk}") for pk in range(number, number + 4)]
        record(channel, [said(f"q{one.external_id}", one) for one in people])
        for thread in Thread.objects.exclude(pk__in=Delivery.objects.values("thread")):
            write(thread, trainee)
        with CaptureQueriesContext(connection) as captured:
            browser_of(manager).get("/approvals/")
        counted.append(len(captured))
    assert counted == [counted[0]] * 2


def test_a_number_that_is_no_id_does_not_break_the_queue(held: Approval, manager: User, browser_of: BrowserOf) -> None:
    answer = browser_of(manager).post(f"/approvals/{held.pk}/approval/", {"text": "Yes.", "seen": "9" * 5000})
    assert answer.status_code == 409


def test_what_was_typed_stays_when_it_cannot_be_approved(held: Approval, manager: User, browser_of: BrowserOf) -> None:
    seen = newest_inbound(held.delivery.thread)
    typed = {"text": "Ask walt@example.com when.", "seen": seen}
    answer = browser_of(manager).post(f"/approvals/{held.pk}/approval/", typed)
    assert (answer.status_code, held.delivery.state) == (409, "held")
    assert "Ask walt@example.com when.</textarea>" in answer.content.decode()
    assert "personal data" in answer.content.decode()


def test_what_the_customer_wrote_since_stands_beside_the_answer(
    held: Approval, channel: Channel, manager: User, browser_of: BrowserOf
) -> None:
    record(channel, [said("2", MAYA, "Never mind, found them!", parent=QUESTION, minutes=5)])
    browser = browser_of(manager)
    refused = browser.post(f"/approvals/{held.pk}/approval/", {"text": "They left.", "seen": held.delivery.answers_id})
    assert "Never mind, found them!" in refused.content.decode()
    assert "They left.</textarea>" in refused.content.decode()


def test_approve_pressed_twice_is_no_error(held: Approval, manager: User, browser_of: BrowserOf) -> None:
    browser, typed = browser_of(manager), {"seen": newest_inbound(held.delivery.thread)}
    path = f"/approvals/{held.pk}/approval/"
    first, second = browser.post(path, typed), browser.post(path, typed, follow=True)
    assert (first.status_code, second.status_code) == (302, 200)
    assert "meanwhile" not in second.content.decode()


def test_who_comes_second_is_told_that_it_is_decided(
    held: Approval, manager: User, admin: User, browser_of: BrowserOf
) -> None:
    let_go(held, admin)
    page = browser_of(manager).post(f"/approvals/{held.pk}/refusal/", {"reason": "No."}, follow=True)
    assert "Somebody decided on this meanwhile." in page.content.decode()


def test_a_stranger_decides_nothing(held: Approval, stranger: User, browser_of: BrowserOf) -> None:
    Approval.objects.update(verdict="approved")
    stranger.role = "manager"
    stranger.save()
    assert browser_of(stranger).post(f"/approvals/{held.pk}/refusal/", {"reason": "No."}).status_code == 404


def test_refused_words_are_their_writers_draft_again(held: Approval, trainee: User, manager: User) -> None:
    drafts.keep(held.delivery.thread, by=trainee, lane="reply", text="And the pegs?")
    approval.refuse(held, by=manager, reason="Say when.")
    assert drafts.of(held.delivery.thread, trainee) == {"reply": "They left today.\nAnd the pegs?"}


def test_an_agent_has_no_queue(held: Approval, trainee: User, browser_of: BrowserOf) -> None:
    browser = browser_of(trainee)
    assert browser.get("/approvals/").status_code == 403
    assert browser.post(f"/approvals/{held.pk}/approval/", {"text": "x"}).status_code == 403


def test_the_writer_reads_why_an_answer_was_refused(
    held: Approval, trainee: User, manager: User, browser_of: BrowserOf
) -> None:
    approval.refuse(held, by=manager, reason="Say when.")
    page = browser_of(trainee).get(f"/threads/{held.delivery.thread_id}/").content.decode()
    assert "was refused:" in page
    assert "Say when." in page
