"""A matter that began in public and was handled in private gets a closing public word, or a reason for none."""

from __future__ import annotations

import uuid

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import User
from channels_ingest.models import Channel
from channels_ingest.networks.base import Action, Author, Removal
from conversations import actions, deliver, drafts, inbox
from conversations.actions import LeftHanging
from conversations.models import Delivery, Thread, Waiver
from conversations.record import record
from conversations.reply import reply
from conversations.tabs import tabs_of
from conversations.wanted import Wanted
from tests.cast import JONAS, MAYA, NOON, SOFIA, TRAILHEAD, said, whispered

pytestmark = pytest.mark.django_db


def answered_in_private(channel: Channel, author: Author, at: int, by: User) -> Thread:
    """They ask in public and get their answer in private."""
    record(channel, [said(f"{at}", author, "Where is it?", minutes=at)])
    thread = Thread.objects.get(identity__external_id=author.external_id)
    reply(thread, by=by, text="It is on its way.", action=Action.MESSAGE, key=uuid.uuid4())
    return thread_now(thread)


def thread_now(thread: Thread) -> Thread:
    return Thread.objects.get(pk=thread.pk)


@pytest.fixture
def hanging(channel: Channel, agent: User) -> Thread:
    return answered_in_private(channel, MAYA, 10, agent)


def test_a_private_answer_leaves_the_public_hanging(hanging: Thread) -> None:
    assert (hanging.has_public, hanging.has_private, hanging.hanging_since) == (True, True, hanging.last_outbound_at)


def test_it_does_not_close_without_a_public_word_or_a_reason(hanging: Thread, agent: User) -> None:
    with pytest.raises(LeftHanging):
        actions.close(hanging, by=agent, waive="  ")
    assert thread_now(hanging).state == Thread.State.OPEN


def test_a_reason_closes_it_and_is_kept(hanging: Thread, agent: User) -> None:
    actions.close(hanging, by=agent, waive="She asked us to leave it")
    waiver = Waiver.objects.get()
    assert (thread_now(hanging).state, waiver.reason, waiver.by) == ("closed", "She asked us to leave it", agent)
    assert list(hanging.events.values_list("verb", flat=True)) == ["waived", "closed"]


def test_a_public_word_lets_it_close(hanging: Thread, agent: User) -> None:
    reply(hanging, by=agent, text="All solved in private, thanks Maya!", action=Action.REPLY, key=uuid.uuid4())
    assert thread_now(hanging).hanging_since is None
    assert actions.close(hanging, by=agent).state == Thread.State.CLOSED


def test_a_public_word_that_was_taken_back_does_not_count(hanging: Thread, agent: User) -> None:
    reply(hanging, by=agent, text="All solved!", action=Action.REPLY, key=uuid.uuid4())
    deliver.undo(Delivery.objects.get(action=Action.REPLY), by=agent)
    assert thread_now(hanging).hanging_since is not None


def test_a_later_private_answer_asks_again_after_a_waiver(channel: Channel, hanging: Thread, agent: User) -> None:
    actions.close(hanging, by=agent, waive="no need")
    reply(hanging, by=agent, text="One more thing.", action=Action.MESSAGE, key=uuid.uuid4())
    assert thread_now(hanging).hanging_since is not None


def test_a_purely_private_or_purely_public_matter_hangs_nowhere(channel: Channel) -> None:
    record(channel, [whispered("1", JONAS), whispered("2", TRAILHEAD, JONAS, "Sent.", minutes=1)])
    asked = said("3", SOFIA)
    record(channel, [asked, said("4", TRAILHEAD, "Sorry!", parent=asked, minutes=2)])
    assert not Thread.objects.filter(hanging_since__isnull=False).exists()


COUNTED_BY_HAND = """
    SELECT COUNT(*) FROM conversations_thread t
    WHERE t.state <> 'closed'
        AND EXISTS (SELECT 1 FROM conversations_interaction i
            WHERE i.thread_id = t.id AND i.direction = 'in' AND i.visibility = 'public' AND i.removed_at IS NULL)
        AND (SELECT i.visibility FROM conversations_interaction i
            WHERE i.thread_id = t.id AND i.direction = 'out' ORDER BY i.posted_at DESC, i.id DESC LIMIT 1) = 'private'
"""


def test_the_view_shows_as_many_as_a_count_by_hand(channel: Channel, agent: User) -> None:
    people = [Author(f"70{n}", handle=f"p{n}") for n in range(7)]
    threads = [answered_in_private(channel, person, 100 * n, agent) for n, person in enumerate(people)]
    reply(threads[0], by=agent, text="Solved.", action=Action.REPLY, key=uuid.uuid4())
    actions.close(threads[1], by=agent, waive="no need")
    actions.assign(threads[2], to=agent, by=agent)
    record(channel, [said("9", SOFIA, minutes=5000)])
    with connection.cursor() as cursor:
        cursor.execute(COUNTED_BY_HAND)
        (by_hand,) = cursor.fetchone()
    wanted = Wanted(view="hanging")
    shown = inbox.page(agent, wanted, [channel.brand_id]).rows
    badge = next(tab.count for tab in tabs_of(agent, wanted, [channel.brand_id]) if tab.key == "hanging")
    assert len(shown) == badge == by_hand == 5


# -- a hand-over line is no closing word ------------------------------------------------------------------------------


def later() -> float:
    """Minutes after noon at which what is written now stands already."""
    return (timezone.now() - NOON).total_seconds() / 60 + 1


def hand_over(thread: Thread, by: User, text: str = "Maya, see your messages.", purpose: str = "handover") -> None:
    reply(thread, by=by, text=text, action=Action.REPLY, key=uuid.uuid4(), confirmed=True, purpose=purpose)


@pytest.mark.parametrize("purpose", ["handover", "invite"])
def test_a_hand_over_after_the_private_answer_is_no_closing_word(hanging: Thread, agent: User, purpose: str) -> None:
    hand_over(hanging, agent, "Sorry, Maya! More in private.", purpose)
    assert thread_now(hanging).hanging_since == hanging.hanging_since
    with pytest.raises(LeftHanging):
        actions.close(hanging, by=agent)


def test_a_word_after_the_hand_over_closes_it(hanging: Thread, agent: User) -> None:
    hand_over(hanging, agent)
    reply(hanging, by=agent, text="All good now!", action=Action.REPLY, key=uuid.uuid4(), confirmed=True)
    assert thread_now(hanging).hanging_since is None


def test_a_word_written_here_was_a_hand_over_when_the_customer_goes_on_in_private(
    channel: Channel, hanging: Thread, agent: User
) -> None:
    hand_over(hanging, agent, purpose="")
    assert thread_now(hanging).hanging_since is None
    record(channel, [whispered("77", MAYA, text="It is the big one", minutes=later())])
    assert thread_now(hanging).hanging_since == hanging.hanging_since


def test_a_closing_word_stays_one_when_the_customer_says_thanks(channel: Channel, hanging: Thread, agent: User) -> None:
    hand_over(hanging, agent, "Glad we could sort it out.", "closing")
    record(channel, [whispered("77", MAYA, text="Thanks!", minutes=later())])
    assert thread_now(hanging).hanging_since is None


def test_a_hand_over_written_outside_is_no_closing_word(channel: Channel, hanging: Thread) -> None:
    record(channel, [said("77", TRAILHEAD, "See your messages", parent="10", minutes=later())])
    assert thread_now(hanging).hanging_since is not None
    record(channel, [whispered("78", MAYA, minutes=later() + 1)])
    record(channel, [said("79", TRAILHEAD, "Solved!", parent="10", minutes=later() + 2)])
    assert thread_now(hanging).hanging_since is None


def test_a_closing_word_that_is_gone_does_not_count(channel: Channel, hanging: Thread) -> None:
    record(channel, [whispered("77", MAYA, minutes=later())])
    record(channel, [said("78", TRAILHEAD, "Solved!", parent="10", minutes=later() + 1)])
    assert thread_now(hanging).hanging_since is None
    record(channel, [Removal("78")])
    assert thread_now(hanging).hanging_since is not None


def test_a_draft_stays_a_hand_over_however_it_is_edited(hanging: Thread, agent: User) -> None:
    drafts.keep(hanging, by=agent, lane="reply", text="See your messages.", purpose="handover")
    drafts.keep(hanging, by=agent, lane="reply", text="Look into your inbox, Maya!")
    assert drafts.purpose_of(hanging, agent, "reply") == "handover"
    drafts.keep(hanging, by=agent, lane="reply", text=" ")
    drafts.keep(hanging, by=agent, lane="reply", text="All solved.")
    assert drafts.purpose_of(hanging, agent, "reply") == ""
