from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import AuditEntry, Brand, User
from channels_ingest import speaking
from channels_ingest.models import Channel
from channels_ingest.networks.base import Action, CannotReadBack, Outgoing, Post, Sent, Trouble, Verdict
from conversations import actions, deliver, live, promises
from conversations.actions import KeyUsed, NotPossible
from conversations.models import Delivery, Interaction, Promise, Thread
from conversations.record import record
from conversations.reply import AlreadyAnswered, Personal, SomethingNewer, Vow, reply
from tests.cast import MAYA, TRAILHEAD, said, whispered
from tests.fakes import FakeNetwork, trouble

pytestmark = pytest.mark.django_db

COMPLAINT = said("1")


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, settings: object) -> FakeNetwork:
    network = FakeNetwork()
    monkeypatch.setattr(speaking, "speak_for", lambda channel: network)
    monkeypatch.setattr(deliver, "settle", lambda: timedelta(0))
    return network


@pytest.fixture
def thread(channel: Channel) -> Thread:
    record(channel, [COMPLAINT])
    return Thread.objects.get()


def answer(thread: Thread, by: User, text: str = "Sorry, Maya.", **more: object) -> Delivery:
    values = {"action": Action.REPLY, "key": uuid.uuid4()} | more
    return reply(thread, by=by, text=text, **values).delivery  # type: ignore[arg-type]


def state(delivery: Delivery) -> str:
    delivery.refresh_from_db()
    return delivery.state


def test_an_answer_leaves_once_and_gets_the_networks_id(fake: FakeNetwork, thread: Thread, agent: User) -> None:
    delivery = answer(thread, agent)
    assert deliver.send_due() == 1
    assert deliver.send_due() == 0
    assert state(delivery) == "sent"
    assert Interaction.objects.get(pk=delivery.interaction_id).external_id == "sent-1"
    assert [(out.text, out.parent_id, out.key) for out in fake.sent] == [("Sorry, Maya.", "1", str(delivery.key))]


def test_the_answer_stops_the_clock_at_once_and_a_failure_starts_it_again(
    fake: FakeNetwork, thread: Thread, agent: User
) -> None:
    answer(thread, agent)
    thread.refresh_from_db()
    assert thread.waiting_since is None
    fake.script = [trouble(Trouble.PERMANENT, "parent is gone")]
    deliver.send_due()
    thread.refresh_from_db()
    assert thread.waiting_since == COMPLAINT.posted_at


def test_the_same_key_is_the_same_answer(fake: FakeNetwork, thread: Thread, agent: User) -> None:
    key = uuid.uuid4()
    first, second = answer(thread, agent, key=key), answer(thread, agent, key=key)
    deliver.send_due()
    assert first.pk == second.pk
    assert len(fake.sent) == 1


def test_the_same_key_with_other_words_is_refused(fake: FakeNetwork, thread: Thread, agent: User) -> None:
    key = uuid.uuid4()
    answer(thread, agent, key=key)
    with pytest.raises(KeyUsed):
        answer(thread, agent, "Other words", key=key)


def test_an_answer_waits_through_the_undo_window_and_can_be_taken_back(
    fake: FakeNetwork, thread: Thread, agent: User, brand: Brand
) -> None:
    Brand.objects.update(undo_seconds=10)
    delivery = answer(thread, agent)
    assert deliver.send_due() == 0
    assert deliver.undo(delivery, by=agent)
    assert state(delivery) == "cancelled"
    thread.refresh_from_db()
    assert thread.waiting_since is not None


def test_what_has_left_cannot_be_taken_back(fake: FakeNetwork, thread: Thread, agent: User) -> None:
    delivery = answer(thread, agent)
    deliver.send_due()
    assert not deliver.undo(delivery, by=agent)


def test_an_unclear_answer_is_read_back_and_never_sent_blind(fake: FakeNetwork, thread: Thread, agent: User) -> None:
    delivery = answer(thread, agent)
    fake.script = [trouble(words="time-out", ambiguous=True)]
    fake.readings = [Sent("x9")]
    deliver.send_due()
    assert (len(fake.sent), len(fake.read)) == (1, 1)
    assert state(delivery) == "verified"
    assert Interaction.objects.get(pk=delivery.interaction_id).external_id == "x9"


def test_an_unclear_answer_that_is_not_there_is_sent_again(fake: FakeNetwork, thread: Thread, agent: User) -> None:
    delivery = answer(thread, agent)
    fake.script = [trouble(ambiguous=True)]
    deliver.send_due()
    deliver.send_due()
    assert (len(fake.sent), len(fake.read)) == (2, 1)
    assert state(delivery) == "sent"


def test_what_cannot_be_read_back_is_left_to_the_agent(fake: FakeNetwork, thread: Thread, agent: User) -> None:
    delivery = answer(thread, agent)
    fake.script = [trouble(ambiguous=True)]
    fake.readings = [CannotReadBack()]
    deliver.send_due()
    assert deliver.send_due() == 0
    assert state(delivery) == "unknown"
    deliver.decide(delivery, arrived=True, by=agent)
    assert state(delivery) == "sent"


def test_a_lease_that_ran_out_makes_the_answer_unknown_not_queued(
    fake: FakeNetwork, thread: Thread, agent: User
) -> None:
    delivery = answer(thread, agent)
    Delivery.objects.update(state="sending", attempts=1, lease_until=Now() - timedelta(seconds=1))
    assert deliver.expire_leases() == 1
    assert state(delivery) == "unknown"


def test_a_sender_that_was_held_up_before_the_call_does_not_call(
    fake: FakeNetwork, thread: Thread, agent: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivery = answer(thread, agent)
    ticks = iter((0.0, 1e6))
    monkeypatch.setattr("conversations.deliver.time.monotonic", lambda: next(ticks))
    deliver.send_due(limit=1)
    assert fake.sent == []
    assert state(delivery) == "queued"


def test_a_late_sender_does_not_overwrite_a_newer_attempt(fake: FakeNetwork, thread: Thread, agent: User) -> None:
    delivery = answer(thread, agent)
    Delivery.objects.update(state="sending", attempts=2)
    delivery.attempts = 1
    deliver._fail(delivery, "late")
    assert state(delivery) == "sending"


def test_a_duplicate_refused_on_the_first_try_fails_in_the_networks_words(
    fake: FakeNetwork, thread: Thread, agent: User
) -> None:
    delivery = answer(thread, agent)
    fake.script = [trouble(Trouble.PERMANENT, "duplicate content", duplicate=True)]
    deliver.send_due()
    assert state(delivery) == "failed"
    assert delivery.error == "duplicate content"


def test_a_duplicate_refused_while_recovering_proves_the_delivery(
    fake: FakeNetwork, thread: Thread, agent: User
) -> None:
    delivery = answer(thread, agent)
    fake.script = [trouble(ambiguous=True), trouble(Trouble.PERMANENT, "duplicate content", duplicate=True)]
    fake.readings = [None, Sent("x9")]
    deliver.send_due()
    deliver.send_due()
    assert state(delivery) == "verified"


def test_a_rate_limit_delays_the_whole_channel(fake: FakeNetwork, thread: Thread, agent: User) -> None:
    delivery = answer(thread, agent)
    fake.script = [trouble(retry_after=timedelta(minutes=3))]
    deliver.send_due()
    assert state(delivery) == "queued"
    assert delivery.not_before > timezone.now() + timedelta(minutes=2)
    assert Channel.objects.get().limited_until is not None


def test_a_broken_channel_holds_its_queue_and_resumes(fake: FakeNetwork, thread: Thread, agent: User) -> None:
    delivery = answer(thread, agent)
    fake.script = [trouble(Trouble.BROKEN, "token revoked", advice="Reconnect")]
    deliver.send_due()
    assert deliver.send_due() == 0
    assert Channel.objects.get().state == Channel.State.BROKEN
    Channel.objects.update(state=Channel.State.ACTIVE)
    deliver.send_due()
    assert state(delivery) == "sent"


def test_answers_of_a_thread_leave_in_the_order_they_were_written(
    fake: FakeNetwork, thread: Thread, agent: User
) -> None:
    answer(thread, agent, "first")
    answer(thread, agent, "second")
    fake.script = [trouble(retry_after=timedelta(0))]
    for _ in range(3):
        Delivery.objects.update(not_before=Now())
        Channel.objects.update(limited_until=None)
        deliver.send_due()
    assert [out.text for out in fake.sent] == ["first", "first", "second"]


def test_the_database_allows_one_answer_in_flight_for_a_thread(fake: FakeNetwork, thread: Thread, agent: User) -> None:
    answer(thread, agent, "first")
    answer(thread, agent, "second")
    with pytest.raises(IntegrityError), transaction.atomic():
        Delivery.objects.update(state="sending")


def test_an_action_the_network_does_not_allow_is_refused_before_it_is_written(
    fake: FakeNetwork, thread: Thread, agent: User
) -> None:
    fake.verdicts[Action.REPLY] = Verdict(False, "not summoned")
    with pytest.raises(NotPossible, match="not summoned"):
        answer(thread, agent)
    assert not Delivery.objects.exists()


def test_an_action_that_is_no_longer_allowed_is_not_sent(fake: FakeNetwork, thread: Thread, agent: User) -> None:
    delivery = answer(thread, agent)
    fake.verdicts[Action.REPLY] = Verdict(False, "the window has closed")
    deliver.send_due()
    assert fake.sent == []
    assert state(delivery) == "failed"


def test_an_answer_longer_than_the_network_takes_is_refused(fake: FakeNetwork, thread: Thread, agent: User) -> None:
    with pytest.raises(NotPossible, match="20"):
        answer(thread, agent, "x" * 300)


def test_a_paused_channel_takes_no_answers(fake: FakeNetwork, thread: Thread, agent: User) -> None:
    Channel.objects.update(state=Channel.State.PAUSED)
    with pytest.raises(NotPossible):
        answer(thread, agent)


def test_two_agents_cannot_answer_the_same_item_unknowingly(
    fake: FakeNetwork, thread: Thread, agent: User, colleague: User
) -> None:
    answer(thread, agent)
    with pytest.raises(AlreadyAnswered):
        answer(thread, colleague, "Me too")
    answer(thread, colleague, "Me too, knowingly", confirmed=True)
    assert Delivery.objects.count() == 2


def test_the_database_allows_one_unconfirmed_answer_to_an_item(fake: FakeNetwork, thread: Thread, agent: User) -> None:
    answer(thread, agent)
    answer(thread, agent, "And one more thing")
    with pytest.raises(IntegrityError), transaction.atomic():
        Delivery.objects.update(second=False)


def test_something_newer_stops_the_answer_and_is_shown(
    fake: FakeNetwork, thread: Thread, agent: User, channel: Channel
) -> None:
    seen = Interaction.objects.get(external_id="1").pk
    record(channel, [said("2", MAYA, "Forget it, found them.", minutes=5, parent=COMPLAINT)])
    with pytest.raises(SomethingNewer) as caught:
        answer(thread, agent, seen=seen)
    assert [item.external_id for item in caught.value.items] == ["2"]
    answer(thread, agent, seen=seen, confirmed=True)


def test_our_answer_coming_back_binds_to_its_row(
    fake: FakeNetwork, thread: Thread, agent: User, channel: Channel
) -> None:
    delivery = answer(thread, agent)
    deliver.send_due()
    echo = said("sent-1", TRAILHEAD, "@mayak Sorry, Maya.", parent=COMPLAINT, minutes=9)
    record(channel, [echo])
    assert Interaction.objects.filter(direction="out").count() == 1
    assert state(delivery) == "verified"
    assert Interaction.objects.get(pk=delivery.interaction_id).text == "Sorry, Maya."


def test_open_browsers_hear_that_our_answer_was_seen_on_the_network(
    fake: FakeNetwork, thread: Thread, agent: User, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(thread, agent)
    deliver.send_due()
    heard: list[set[int]] = []
    monkeypatch.setattr(live, "announce", lambda _brand, threads, **_: heard.append(set(threads)))
    record(channel, [said("sent-1", TRAILHEAD, "@mayak Sorry, Maya.", parent=COMPLAINT, minutes=9)])
    assert heard == [{thread.pk}]


def test_an_echo_that_comes_while_the_answer_is_unknown_settles_it(
    fake: FakeNetwork, thread: Thread, agent: User, channel: Channel
) -> None:
    delivery = answer(thread, agent)
    fake.script = [trouble(ambiguous=True)]
    fake.readings = [CannotReadBack()]
    deliver.send_due()
    echo = said("e1", TRAILHEAD, "@mayak Sorry, Maya.", parent=COMPLAINT)
    record(channel, [_now(echo)])
    assert state(delivery) == "verified"
    assert Interaction.objects.filter(direction="out").get().external_id == "e1"


def test_an_echo_stored_before_the_sender_heard_back_is_taken_into_our_row(
    fake: FakeNetwork, thread: Thread, agent: User, channel: Channel
) -> None:
    delivery = answer(thread, agent)

    def accept(out: Outgoing) -> Sent:
        record(channel, [said("e1", TRAILHEAD, "shortened by the network", parent=COMPLAINT)])
        record(channel, [said("r1", MAYA, "Thanks", parent="e1", root="1", minutes=9)])
        return Sent("e1")

    fake.script = [accept]
    deliver.send_due()
    assert Interaction.objects.filter(direction="out").get().pk == delivery.interaction_id
    assert Interaction.objects.get(external_id="r1").parent_id == delivery.interaction_id
    assert state(delivery) == "verified"


def test_an_answer_written_outside_appears_once_and_stops_the_clock(
    fake: FakeNetwork, thread: Thread, channel: Channel
) -> None:
    native = said("n1", TRAILHEAD, "We are on it", parent=COMPLAINT, minutes=2)
    record(channel, [native])
    record(channel, [native])
    thread.refresh_from_db()
    outside = thread.interactions.get(direction="out")
    assert outside.sent_by is None
    assert thread.waiting_since is None


def test_a_private_message_opens_a_private_lane_of_the_same_thread(
    fake: FakeNetwork, thread: Thread, agent: User, channel: Channel
) -> None:
    answer(thread, agent, "Please send your order number", action=Action.MESSAGE)
    deliver.send_due()
    record(channel, [_now(whispered("m1", text="It is 4711"))])
    thread.refresh_from_db()
    assert thread.has_private
    assert thread.has_public
    assert Thread.objects.count() == 1
    assert fake.sent[0].recipient_id == MAYA.external_id
    assert fake.sent[0].private_reply


def test_a_failed_answer_can_be_sent_again(fake: FakeNetwork, thread: Thread, agent: User) -> None:
    delivery = answer(thread, agent)
    fake.script = [trouble(Trouble.PERMANENT)]
    deliver.send_due()
    deliver.retry(delivery, by=agent)
    deliver.send_due()
    assert state(delivery) == "sent"


def test_temporary_trouble_ends_after_a_day(fake: FakeNetwork, thread: Thread, agent: User) -> None:
    delivery = answer(thread, agent)
    Delivery.objects.update(created_at=Now() - timedelta(hours=25))
    fake.script = [trouble()]
    deliver.send_due()
    assert state(delivery) == "failed"


def test_what_is_personal_is_not_sent_in_public(fake: FakeNetwork, thread: Thread, agent: User) -> None:
    with pytest.raises(Personal, match="phone"):
        answer(thread, agent, "Call us on +49 89 1234567")
    answer(thread, agent, "Call us on +49 89 1234567", action=Action.MESSAGE)
    assert Delivery.objects.get().action == "message"


def test_a_role_may_send_it_knowingly_and_that_is_logged(
    fake: FakeNetwork, thread: Thread, agent: User, manager: User
) -> None:
    words = "Our shop is at 12 Market Street"
    with pytest.raises(Personal):
        answer(thread, agent, words, override=True)
    answer(thread, manager, words, override=True)
    assert AuditEntry.objects.get(verb="send personal").details == {"kinds": ["address"]}


def test_a_promise_is_written_down_and_holds_the_thread_open(fake: FakeNetwork, thread: Thread, agent: User) -> None:
    due = timezone.now() + timedelta(days=1)
    answer(thread, agent, "I'll get back to you tomorrow.", vow=Vow("I'll get back to you tomorrow", due, agent))
    promise = Promise.objects.get()
    with pytest.raises(NotPossible, match="promise"):
        actions.close(thread, by=agent)
    promises.settle(promise, state="kept", by=agent)
    assert actions.close(thread, by=agent).state == Thread.State.CLOSED
    assert promises.kept_rate() == 1.0


def test_a_promise_goes_with_the_answer_that_is_taken_back(fake: FakeNetwork, thread: Thread, agent: User) -> None:
    due = timezone.now() + timedelta(days=1)
    vow = Vow("I'll get back to you tomorrow", due, agent)
    delivery = answer(thread, agent, "I'll get back to you tomorrow.", vow=vow)
    deliver.undo(delivery, by=agent)
    assert Promise.objects.get().state == Promise.State.WITHDRAWN
    assert actions.close(thread, by=agent).state == Thread.State.CLOSED


def test_a_promise_in_the_past_is_refused_and_nothing_is_sent(fake: FakeNetwork, thread: Thread, agent: User) -> None:
    with pytest.raises(NotPossible):
        answer(thread, agent, "I'll call you.", vow=Vow("I'll call you", timezone.now() - timedelta(hours=1), agent))
    assert not Delivery.objects.exists()


def test_an_overdue_promise_counts_as_broken_and_a_withdrawn_one_not(
    fake: FakeNetwork, thread: Thread, agent: User
) -> None:
    soon = timezone.now() + timedelta(hours=1)
    answer(thread, agent, "I'll call you.", vow=Vow("I'll call you", soon, agent))
    answer(thread, agent, "I'll write to you.", vow=Vow("I'll write to you", soon, agent))
    first, second = Promise.objects.order_by("id")
    Promise.objects.filter(pk=first.pk).update(due_at=timezone.now() - timedelta(minutes=1))
    with pytest.raises(NotPossible, match="why"):
        promises.settle(second, state="withdrawn", by=agent)
    promises.settle(second, state="withdrawn", by=agent, reason="They found it")
    assert promises.kept_rate() == 0.0
    with pytest.raises(NotPossible):
        promises.settle(second, state="kept", by=agent)


def _now(post: Post) -> Post:
    return replace(post, posted_at=timezone.now())


def test_an_answer_of_the_network_that_names_a_wrong_id_is_put_right_by_the_echo(
    fake: FakeNetwork, thread: Thread, agent: User
) -> None:
    delivery = answer(thread, agent)
    fake.script = [Sent("wrong")]
    deliver.send_due()
    echo = said("true", TRAILHEAD, "Sorry, Maya.", parent=COMPLAINT)
    record(thread.channel, [replace(echo, posted_at=timezone.now())])
    assert state(delivery) == "verified"
    assert [row.external_id for row in Interaction.objects.filter(direction="out")] == ["true"]


def test_an_answer_that_names_a_wrong_id_does_not_count_where_the_echo_was_faster(
    fake: FakeNetwork, thread: Thread, agent: User
) -> None:
    echo = replace(said("true", TRAILHEAD, "Sorry, Maya.", parent=COMPLAINT), posted_at=timezone.now())

    def spoiled(_: Outgoing) -> Sent:
        record(thread.channel, [echo])
        return Sent("wrong")

    delivery = answer(thread, agent)
    fake.script = [spoiled]
    deliver.send_due()
    record(thread.channel, [echo])
    assert state(delivery) == "verified"
    assert [row.external_id for row in Interaction.objects.filter(direction="out")] == ["true"]


def test_an_answer_of_the_network_that_names_another_answer_of_ours_is_not_believed(
    fake: FakeNetwork, thread: Thread, agent: User
) -> None:
    first = answer(thread, agent)
    deliver.send_due()
    fake.script = [Sent("sent-1")]
    second = answer(thread, agent, "And a set is on its way.")
    deliver.send_due()
    assert (state(first), state(second)) == ("sent", "queued")
    assert len(fake.read) == 1
    assert Interaction.objects.filter(direction="out").count() == 2


def test_reading_back_is_told_what_our_other_answers_became(fake: FakeNetwork, thread: Thread, agent: User) -> None:
    answer(thread, agent)
    deliver.send_due()
    answer(thread, agent)
    fake.script = [trouble(words="time-out", ambiguous=True)]
    fake.readings = [None]
    deliver.send_due()
    assert fake.read[0].already == ("sent-1",)


def test_an_answer_that_never_arrives_is_given_up_visibly(fake: FakeNetwork, thread: Thread, agent: User) -> None:
    delivery = answer(thread, agent)
    fake.script = [trouble(words="time-out", ambiguous=True)] * deliver.MOST_TRIES
    for _ in range(deliver.MOST_TRIES):
        deliver.send_due()
    assert state(delivery) == "failed"
    assert len(fake.sent) == deliver.MOST_TRIES
