from __future__ import annotations

import itertools
import random
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Brand
from channels_ingest.ingest import hand_over
from channels_ingest.models import Channel, SetAside, StreamCursor
from channels_ingest.networks.base import Author, AuthorRemoval, Dropped, Post, Removal
from contacts.models import Contact, Identity
from conversations.models import Interaction, RawPayload, Thread
from conversations.record import record
from tests.cast import JONAS, MAYA, NOON, SOFIA, TRAILHEAD, make_channel, said, whispered

pytestmark = pytest.mark.django_db

COMPLAINT = said("1")
HELP = said("2", SOFIA, "The pole doubles as a stake.", minutes=1, parent=COMPLAINT)
ANSWER = said("3", TRAILHEAD, "Sorry Maya, a set is on its way.", minutes=2, parent=COMPLAINT)
THANKS = said("4", MAYA, "Thank you!", minutes=3, parent=ANSWER)
TO_PEER = said("5", MAYA, "Clever, Sofia.", minutes=4, parent=HELP)
TREE = (COMPLAINT, HELP, ANSWER, THANKS, TO_PEER)


def shape() -> dict[str, tuple[str | None, str | None]]:
    """Parent and owner of the thread of each interaction, by network id."""
    rows = Interaction.objects.select_related("parent", "thread__identity")
    return {
        str(row.external_id): (
            row.parent.external_id if row.parent else None,
            row.thread.identity.handle if row.thread else None,
        )
        for row in rows
    }


def test_a_post_is_stored_once_however_often_it_comes(channel: Channel) -> None:
    first = record(channel, [COMPLAINT])
    second = record(channel, [COMPLAINT, COMPLAINT])
    assert (first.stored, second.stored, second.known) == (1, 0, 2)
    assert Interaction.objects.count() == 1


def test_a_tree_becomes_one_thread_for_each_customer(channel: Channel) -> None:
    record(channel, TREE)
    assert shape() == {
        "1": (None, "mayak"),
        "2": ("1", "sofia_outdoors"),
        "3": ("1", "mayak"),
        "4": ("3", "mayak"),
        "5": ("2", "mayak"),
    }


@pytest.mark.parametrize("order", list(itertools.permutations(range(len(TREE))))[::7])
def test_the_order_of_arrival_does_not_matter(channel: Channel, order: tuple[int, ...]) -> None:
    for index in order:
        record(channel, [TREE[index]])
    assert shape()["3"] == ("1", "mayak")
    assert {key: parent for key, (parent, _) in shape().items()} == {"1": None, "2": "1", "3": "1", "4": "3", "5": "2"}
    assert sorted(Thread.objects.values_list("identity__handle", flat=True)) == ["mayak", "sofia_outdoors"]


def test_our_answer_without_an_addressee_finds_its_thread_when_the_parent_comes(channel: Channel) -> None:
    answer = said("3", TRAILHEAD, "Sorry.", minutes=2, parent="1", root="1")
    record(channel, [answer])
    assert shape() == {"3": (None, None)}
    record(channel, [COMPLAINT])
    assert shape()["3"] == ("1", "mayak")
    assert Thread.objects.get().waiting_since is None


def test_our_own_root_post_has_no_thread(channel: Channel) -> None:
    record(channel, [said("10", TRAILHEAD, "New tents are here.")])
    assert Thread.objects.count() == 0
    assert Interaction.objects.get().direction == Interaction.Direction.OUT


def test_our_account_is_an_identity_without_a_contact(channel: Channel) -> None:
    record(channel, TREE)
    assert Identity.objects.get(handle="trailhead").ours
    assert sorted(Contact.objects.values_list("name", flat=True)) == ["Maya Keller", "Sofia Rossi"]


def test_private_messages_are_one_thread_of_their_own(channel: Channel) -> None:
    record(channel, [COMPLAINT, whispered("m1"), whispered("m2", TRAILHEAD, MAYA, "Got it.", minutes=2)])
    private = Thread.objects.get(has_private=True)
    assert private.interactions.count() == 2
    assert not private.has_public


def test_the_waiting_time_starts_with_the_oldest_unanswered_item(channel: Channel) -> None:
    record(channel, [*TREE, said("6", MAYA, "Still nothing", minutes=9, parent=ANSWER)])
    thread = Thread.objects.get(identity__handle="mayak")
    assert thread.waiting_since == NOON + timedelta(minutes=3)
    assert thread.latest is not None
    assert thread.latest.external_id == "6"


def test_an_edit_replaces_the_text_and_an_older_version_does_not(channel: Channel) -> None:
    record(channel, [COMPLAINT])
    record(channel, [said("1", text="No stakes, no poles.", version=2, edited_at=NOON, alias_ids=("1b",))])
    record(channel, [COMPLAINT])
    row = Interaction.objects.get()
    assert (row.text, row.version) == ("No stakes, no poles.", 2)


def test_a_reply_to_an_edited_post_finds_it_by_its_newer_id(channel: Channel) -> None:
    record(channel, [said("1", version=2, alias_ids=("1", "1b"))])
    record(channel, [said("2", SOFIA, parent="1b", root="1", minutes=1)])
    assert shape()["2"][0] == "1"


def test_an_edit_that_comes_before_its_post_is_not_undone_by_it(channel: Channel) -> None:
    record(channel, [said("1", text="Second try", version=2)])
    record(channel, [COMPLAINT])
    assert Interaction.objects.get().text == "Second try"


def test_a_removed_post_leaves_an_empty_stub_in_its_place(channel: Channel) -> None:
    record(channel, TREE)
    record(channel, [Removal("2")])
    stub = Interaction.objects.get(external_id="2")
    assert (stub.text, stub.media, stub.removed_reason) == ("", [], "deleted")
    assert not RawPayload.objects.filter(interaction=stub).exists()
    assert shape()["5"] == ("2", "mayak")


def test_a_removed_post_stays_empty_when_it_comes_again(channel: Channel) -> None:
    record(channel, [COMPLAINT])
    record(channel, [Removal("1")])
    record(channel, [said("1", text="Here I am again", version=5)])
    assert Interaction.objects.get().text == ""


def test_a_removal_that_comes_first_empties_the_post_on_arrival(channel: Channel) -> None:
    record(channel, [Removal("1")])
    record(channel, [COMPLAINT])
    row = Interaction.objects.get()
    assert row.text == ""
    assert row.removed_at is not None
    assert not RawPayload.objects.exists()


def test_a_protected_author_loses_all_content_and_waits_no_more(channel: Channel) -> None:
    record(channel, TREE)
    record(channel, [AuthorRemoval(MAYA.external_id)])
    assert set(Interaction.objects.filter(author__handle="mayak").values_list("text", flat=True)) == {""}
    assert Thread.objects.get(identity__handle="mayak").waiting_since is None
    assert Interaction.objects.get(external_id="2").text == "The pole doubles as a stake."


def test_a_new_inbound_post_reopens_a_closed_thread(channel: Channel) -> None:
    record(channel, [COMPLAINT])
    Thread.objects.update(state=Thread.State.CLOSED, closed_at=NOON)
    record(channel, [said("7", MAYA, "And now the zip", minutes=60, parent=COMPLAINT)])
    thread = Thread.objects.get()
    assert thread.state == Thread.State.OPEN
    assert list(thread.events.values_list("verb", flat=True)) == ["reopened"]


def test_our_answer_does_not_reopen_a_closed_thread(channel: Channel) -> None:
    record(channel, [COMPLAINT])
    Thread.objects.update(state=Thread.State.CLOSED, closed_at=NOON)
    record(channel, [ANSWER])
    assert Thread.objects.get().state == Thread.State.CLOSED


def test_a_post_seen_by_two_channels_is_one_row_for_each(brand: Brand, other_brand: Brand, channel: Channel) -> None:
    nordlicht = make_channel(other_brand, account=Author("9002", handle="nordlicht"))
    record(channel, [COMPLAINT])
    record(nordlicht, [COMPLAINT])
    assert Interaction.objects.count() == 2
    assert Contact.objects.count() == 1


def test_removing_a_post_empties_its_twin_in_the_other_channel(other_brand: Brand, channel: Channel) -> None:
    nordlicht = make_channel(other_brand, account=Author("9002", handle="nordlicht"))
    record(channel, [COMPLAINT])
    record(nordlicht, [COMPLAINT])
    record(channel, [Removal("1")])
    assert list(Interaction.objects.values_list("text", flat=True)) == ["", ""]


def test_a_profile_that_tells_less_does_not_blank_what_is_known(channel: Channel) -> None:
    record(channel, [COMPLAINT])
    record(channel, [said("8", Author(MAYA.external_id), minutes=5)])
    assert Identity.objects.get(external_id=MAYA.external_id).followers == 18_200


def test_an_account_that_becomes_ours_is_no_contact_any_more(brand: Brand, channel: Channel) -> None:
    record(channel, [COMPLAINT])
    make_channel(brand, account=MAYA)
    record(channel, [said("8", MAYA, minutes=5)])
    assert not Identity.objects.get(handle="mayak").links.filter(ended_at=None).exists()


def test_a_batch_costs_the_same_number_of_statements_whatever_its_size(channel: Channel) -> None:
    def statements(posts: list[Post]) -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            record(channel, posts)
        return len(captured)

    def crowd(start: int, count: int) -> list[Post]:
        return [said(str(n), Author(str(n), handle=f"h{n}")) for n in range(start, start + count)]

    record(channel, crowd(5000, 2))
    assert statements(crowd(100, 5)) == statements(crowd(200, 200))


def test_items_and_cursor_move_together(channel: Channel) -> None:
    hand_over(channel, [COMPLAINT], stream="mentions", cursor={"since": "1"})
    assert StreamCursor.objects.get().cursor == {"since": "1"}
    page = channel.pages.get()
    assert (page.received, page.stored, page.known) == (1, 1, 0)


def test_an_item_the_database_refuses_is_set_aside_and_its_neighbours_stay(channel: Channel) -> None:
    poison = said("66", JONAS, "a\x00b")
    recorded = hand_over(channel, [COMPLAINT, poison, HELP], stream="mentions", cursor={"since": "66"})
    assert recorded.stored == 2
    assert SetAside.objects.count() == 1
    assert StreamCursor.objects.get().cursor == {"since": "66"}


def test_what_a_network_could_not_read_is_kept_with_its_reason(channel: Channel) -> None:
    hand_over(channel, [], stream="mentions", dropped=[Dropped("no author", raw={"id": "9"})])
    assert SetAside.objects.get().reason == "no author"


def test_a_long_history_in_any_order_gives_the_same_threads(channel: Channel, brand: Brand) -> None:
    other = make_channel(brand, account=Author("9003", handle="trailhead_de"))
    roots = [said(f"r{n}", Author(str(n), handle=f"c{n}")) for n in range(20)]
    posts = list(roots)
    for n, root in enumerate(roots):
        answer = said(f"a{n}", TRAILHEAD, parent=root, minutes=1)
        posts += [answer, said(f"t{n}", root.author, parent=answer, minutes=2)]
    record(channel, posts)
    shuffled = posts.copy()
    random.Random(7).shuffle(shuffled)
    for start in range(0, len(shuffled), 3):
        record(other, shuffled[start : start + 3])
    grouping = [
        {
            frozenset(thread.interactions.values_list("external_id", flat=True))
            for thread in Thread.objects.filter(channel=one)
        }
        for one in (channel, other)
    ]
    assert grouping[0] == {frozenset({f"r{n}", f"a{n}", f"t{n}"}) for n in range(20)}
    assert grouping[1] == grouping[0]


def test_our_own_words_below_our_own_words_follow_when_the_root_comes_last(channel: Channel) -> None:
    first = said("3", TRAILHEAD, "Sorry.", minutes=2, parent="1", root="1")
    second = said("4", TRAILHEAD, "A set is on its way.", minutes=3, parent="3", root="1")
    third = said("5", TRAILHEAD, "It arrives on Friday.", minutes=4, parent="4", root="1")
    for post in (third, second, first, COMPLAINT):
        record(channel, [post])
    assert shape() == {"1": (None, "mayak"), "3": ("1", "mayak"), "4": ("3", "mayak"), "5": ("4", "mayak")}
    assert Thread.objects.get().outbound_count == 3


def test_a_reply_to_a_newer_id_that_came_first_is_joined_by_the_edit(channel: Channel) -> None:
    record(channel, [said("2", SOFIA, parent="1b", root="1", minutes=1), COMPLAINT])
    assert shape()["2"][0] is None
    record(channel, [said("1", text="No stakes, no poles", version=2, alias_ids=("1b",))])
    assert shape()["2"][0] == "1"
