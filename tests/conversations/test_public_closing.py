"""A matter that began in public and was handled in private gets a closing public word, or a reason for none."""

from __future__ import annotations

import uuid

import pytest
from django.db import connection

from accounts.models import User
from channels_ingest.models import Channel
from channels_ingest.networks.base import Action, Author
from conversations import actions, deliver, inbox
from conversations.actions import LeftHanging
from conversations.models import Delivery, Thread, Waiver
from conversations.record import record
from conversations.reply import reply
from conversations.tabs import tabs_of
from conversations.wanted import Wanted
from tests.cast import JONAS, MAYA, SOFIA, TRAILHEAD, said, whispered

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
