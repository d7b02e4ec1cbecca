"""Fork, join, and both taken back: nothing is lost, nothing is doubled."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connections

from accounts.models import User
from channels_ingest.models import Channel
from contacts.merge import merge_contacts, unmerge
from contacts.models import Identity
from conversations import regroup
from conversations.actions import NotPossible
from conversations.allowed import possibilities
from conversations.models import Delivery, Interaction, Regrouping, Thread
from conversations.record import record
from tests.cast import JONAS, MAYA, SOFIA, TRAILHEAD, said, whispered
from tests.conftest import BrowserOf

pytestmark = pytest.mark.django_db

FIRST = said("1", MAYA, "No stakes!")
OURS = said("2", TRAILHEAD, "Sorry!", parent=FIRST, minutes=1)
SECOND = said("3", MAYA, "And where is my refund?", parent=OURS, minutes=2)
ANSWER = said("4", TRAILHEAD, "On its way.", parent=SECOND, minutes=3)
MORE = said("5", MAYA, "Not here yet.", parent=ANSWER, minutes=4)


@pytest.fixture
def thread(channel: Channel) -> Thread:
    record(channel, [FIRST, OURS, SECOND, ANSWER, MORE])
    return Thread.objects.get()


def item(external_id: str) -> Interaction:
    return Interaction.objects.select_related("channel", "thread").get(external_id=external_id)


def texts(thread: Thread) -> list[str]:
    return [str(pk) for pk in thread.interactions.order_by("posted_at").values_list("external_id", flat=True)]


def picture() -> dict[str, Any]:
    """All threads that are not put away, as their rows and items say."""
    rows = Thread.objects.exclude(state=Thread.State.JOINED).order_by("pk").values()
    return {str(row["id"]): (row, texts(Thread.objects.get(pk=row["id"]))) for row in rows}


def test_a_fork_takes_the_item_and_what_came_of_it(thread: Thread, agent: User) -> None:
    forked = regroup.fork(item("3"), by=agent)
    assert (texts(thread), texts(forked)) == (["1", "2"], ["3", "4", "5"])
    forked.refresh_from_db()
    thread.refresh_from_db()
    assert (forked.inbound_count, forked.opening_id, thread.inbound_count) == (2, item("3").pk, 1)
    assert forked.waiting_since is not None
    assert thread.waiting_since is None


def test_a_fork_answers_the_item_it_began_with(thread: Thread, agent: User) -> None:
    forked = regroup.fork(item("3"), by=agent)
    assert possibilities(forked).reply.item == item("5")
    assert possibilities(thread).reply.item == item("1")


def test_what_comes_below_a_forked_item_lands_in_the_fork(channel: Channel, thread: Thread, agent: User) -> None:
    forked = regroup.fork(item("3"), by=agent)
    record(
        channel, [said("6", MAYA, "Hello?", parent=MORE, minutes=6), said("7", MAYA, "Tent!", parent=OURS, minutes=7)]
    )
    assert item("6").thread_id == forked.pk
    assert item("7").thread_id == thread.pk


def test_a_fork_that_is_taken_back_leaves_everything_as_it_was(thread: Thread, agent: User) -> None:
    before = picture()
    forked = regroup.fork(item("3"), by=agent)
    regroup.take_back(Regrouping.objects.get(), by=agent)
    assert picture() == before
    forked.refresh_from_db()
    assert (forked.state, forked.joined_into_id, forked.inbound_count) == ("joined", thread.pk, 0)


def test_the_beginning_of_a_thread_cannot_be_split_off(thread: Thread, agent: User) -> None:
    with pytest.raises(NotPossible, match="begins"):
        regroup.fork(item("1"), by=agent)


def test_our_own_words_begin_no_matter(thread: Thread, agent: User) -> None:
    with pytest.raises(NotPossible, match="customer"):
        regroup.fork(item("2"), by=agent)


def test_of_a_private_conversation_all_that_follows_goes_along(channel: Channel, agent: User) -> None:
    record(channel, [whispered("p1"), whispered("p2", minutes=1), whispered("p3", minutes=2)])
    old = Thread.objects.get()
    forked = regroup.fork(item("p2"), by=agent)
    record(channel, [whispered("p4", minutes=3)])
    assert (texts(old), texts(forked)) == (["p1"], ["p2", "p3", "p4"])


def test_two_threads_of_one_person_become_one(channel: Channel, thread: Thread, agent: User) -> None:
    record(channel, [said("8", MAYA, "Anyone?", minutes=8)])
    other = item("8").thread
    assert other is not None
    regroup.join(other, into=thread, by=agent)
    record(channel, [said("9", MAYA, "Still nobody?", parent=said("8", MAYA), minutes=9)])
    assert texts(thread) == ["1", "2", "3", "4", "5", "8", "9"]
    other.refresh_from_db()
    assert (other.state, other.joined_into_id) == ("joined", thread.pk)


def test_a_join_that_is_taken_back_leaves_everything_as_it_was(channel: Channel, thread: Thread, agent: User) -> None:
    record(channel, [said("8", MAYA, "Anyone?", minutes=8), whispered("p1", minutes=9)])
    before = picture()
    regroup.join(item("8").thread or thread, into=thread, by=agent)
    regroup.take_back(Regrouping.objects.get(), by=agent)
    assert picture() == before


def test_what_arrived_since_a_join_goes_where_it_would_have_gone(channel: Channel, thread: Thread, agent: User) -> None:
    eight = said("8", MAYA, "Anyone?", minutes=8)
    record(channel, [eight])
    other = item("8").thread
    assert other is not None
    regroup.join(other, into=thread, by=agent)
    record(
        channel, [said("9", MAYA, "Hm?", parent=eight, minutes=9), said("10", MAYA, "Tent!", parent=OURS, minutes=10)]
    )
    regroup.take_back(Regrouping.objects.get(), by=agent)
    assert (texts(other), texts(thread)[-1]) == (["8", "9"], "10")


def test_threads_of_two_people_are_not_joined(channel: Channel, thread: Thread, agent: User) -> None:
    record(channel, [said("20", JONAS)])
    with pytest.raises(NotPossible, match="same person"):
        regroup.join(item("20").thread or thread, into=thread, by=agent)


def test_only_the_latest_step_can_be_taken_back(thread: Thread, agent: User) -> None:
    forked = regroup.fork(item("3"), by=agent)
    regroup.join(forked, into=thread, by=agent)
    first, second = Regrouping.objects.order_by("pk")
    with pytest.raises(NotPossible, match="first"):
        regroup.take_back(first, by=agent)
    regroup.take_back(second, by=agent)
    regroup.take_back(first, by=agent)
    assert texts(thread) == ["1", "2", "3", "4", "5"]


def test_a_reply_that_is_being_sent_is_not_moved(thread: Thread, agent: User) -> None:
    Delivery.objects.create(
        interaction=item("4"), channel=thread.channel, thread=thread, action="reply", state=Delivery.State.SENDING
    )
    with pytest.raises(NotPossible, match="being sent"):
        regroup.fork(item("3"), by=agent)
    assert Thread.objects.count() == 1


def test_a_join_ends_where_the_two_turn_out_to_be_different_people(
    channel: Channel, thread: Thread, manager: User
) -> None:
    record(channel, [said("20", JONAS, "Me too", minutes=20)])
    other = item("20").thread
    assert other is not None
    merge = merge_contacts(keep=thread.contact, drop=other.contact, by=manager)
    other.refresh_from_db()
    thread.refresh_from_db()
    regroup.join(other, into=thread, by=manager)
    unmerge(merge=merge, by=manager)
    jonas = Identity.objects.get(external_id=JONAS.external_id)
    other.refresh_from_db()
    assert texts(other) == ["20"]
    assert item("20").contact_id == other.contact_id == jonas.threads.get().contact_id
    assert other.state == "open"


@pytest.mark.parametrize("seed", range(6))
def test_whatever_is_done_no_item_is_lost_or_doubled(channel: Channel, agent: User, seed: int) -> None:
    dice = random.Random(seed)
    posts = [said("r0", MAYA)]
    record(channel, posts)
    for number in range(1, 30):
        author = dice.choice((MAYA, TRAILHEAD, SOFIA, MAYA))
        posts.append(
            said(f"r{number}", author, parent=dice.choice(posts) if dice.random() < 0.8 else None, minutes=number)
        )
        record(channel, [posts[-1]])
        _anything(dice, agent)
    stored = Counter(Interaction.objects.values_list("external_id", flat=True))
    assert stored == Counter(post.external_id for post in posts)
    for thread in Thread.objects.all():
        found = thread.interactions.filter(direction="in").count()
        assert thread.inbound_count == found
        assert set(thread.interactions.values_list("contact_id", flat=True)) <= {thread.contact_id}


def _anything(dice: random.Random, agent: User) -> None:
    """A fork, a join or a taking back, where it is possible."""
    try:
        match dice.randrange(4):
            case 0:
                regroup.fork(dice.choice(list(Interaction.objects.select_related("channel"))), by=agent)
            case 1:
                threads = list(Thread.objects.filter(identity__external_id=MAYA.external_id))
                regroup.join(dice.choice(threads), into=dice.choice(threads), by=agent)
            case 2:
                standing = Regrouping.objects.filter(undone_at=None).order_by("-pk").first()
                if standing:
                    regroup.take_back(standing, by=agent)
    except NotPossible:
        return


# -- the pages --------------------------------------------------------------------------------------------------------


def test_an_agent_splits_joins_and_takes_back_by_plain_forms(
    thread: Thread, agent: User, browser_of: BrowserOf
) -> None:
    browser = browser_of(agent)
    went = browser.post(f"/threads/{thread.pk}/items/{item('3').pk}/fork/").headers["Location"]
    forked = Thread.objects.get(pk=int(went.split("/")[2]))
    browser.post(f"/threads/{thread.pk}/grouping/join/", {"other": forked.pk})
    assert texts(thread) == ["1", "2", "3", "4", "5"]
    assert browser.get(went).headers["Location"] == f"/threads/{thread.pk}/"
    journal = Regrouping.objects.latest("pk")
    assert b"Take it back" in browser.get(f"/threads/{thread.pk}/grouping/").content
    undone = browser.post(f"/threads/{thread.pk}/grouping/{journal.pk}/undo/")
    assert undone.headers["Location"] == f"/threads/{thread.pk}/"
    assert texts(forked) == ["3", "4", "5"]


def test_a_split_sent_twice_is_one(thread: Thread, agent: User, browser_of: BrowserOf) -> None:
    browser, path = browser_of(agent), f"/threads/{thread.pk}/items/{item('3').pk}/fork/"
    first, second = browser.post(path), browser.post(path)
    assert first.headers["Location"] == second.headers["Location"] == f"/threads/{item('3').thread_id}/"
    assert Regrouping.objects.count() == 1


def test_an_old_form_splits_nothing_off_the_thread_that_the_item_went_to(
    thread: Thread, agent: User, browser_of: BrowserOf
) -> None:
    regroup.fork(item("3"), by=agent)
    page = browser_of(agent).post(f"/threads/{thread.pk}/items/{item('5').pk}/fork/", follow=True)
    assert "went to another thread meanwhile" in page.content.decode()
    assert Regrouping.objects.count() == 1


def test_a_join_sent_twice_is_one(channel: Channel, thread: Thread, agent: User, browser_of: BrowserOf) -> None:
    record(channel, [said("6", MAYA, "Something else", minutes=9)])
    browser, other = browser_of(agent), item("6").thread_id
    path, chosen = f"/threads/{thread.pk}/grouping/join/", {"other": other}
    answers = [browser.post(path, chosen), browser.post(path, chosen)]
    assert [answer.headers["Location"] for answer in answers] == [f"/threads/{thread.pk}/"] * 2
    assert Regrouping.objects.count() == 1


def test_a_stranger_can_neither_split_nor_join(thread: Thread, stranger: User, browser_of: BrowserOf) -> None:
    browser = browser_of(stranger)
    answers = [
        browser.post(f"/threads/{thread.pk}/items/{item('3').pk}/fork/"),
        browser.post(f"/threads/{thread.pk}/grouping/join/", {"other": thread.pk}),
        browser.get(f"/threads/{thread.pk}/grouping/"),
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert Thread.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_splitting_and_joining_while_posts_arrive_loses_nothing_and_ends(channel: Channel, agent: User) -> None:
    record(channel, [FIRST, OURS, SECOND])
    rounds = 12
    gate = Barrier(2)

    def arrive() -> None:
        gate.wait(10)
        for number in range(rounds):
            record(channel, [said(f"a{number}", MAYA, f"More {number}", parent=SECOND, minutes=10 + number)])

    def regroup_all_the_time() -> None:
        gate.wait(10)
        for _number in range(rounds):
            forked = regroup.fork(item("3"), by=agent)
            whole = item("1").thread
            assert whole is not None
            regroup.join(forked, into=whole, by=agent)

    with ThreadPoolExecutor(max_workers=2) as pool:
        both = [pool.submit(_and_hang_up, deed) for deed in (arrive, regroup_all_the_time)]
        for one in both:
            one.result(60)
    kept = Counter(Interaction.objects.filter(thread__state="open").values_list("external_id", flat=True))
    assert kept == Counter(["1", "2", "3", *(f"a{number}" for number in range(rounds))])
    thread = Thread.objects.exclude(state=Thread.State.JOINED).get()
    assert thread.inbound_count == rounds + 2


def _and_hang_up(deed: Callable[[], None]) -> None:
    try:
        deed()
    finally:
        connections.close_all()
