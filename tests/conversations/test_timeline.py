"""The timeline of a contact over all networks and threads."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Brand, User
from channels_ingest.models import Channel
from channels_ingest.networks.base import Author, Removal
from contacts.models import Contact
from conversations.actions import write_note
from conversations.models import Thread
from conversations.record import record
from conversations.timeline import timeline
from tests.cast import MAYA, make_channel, said, whispered
from tests.conftest import BrowserOf

pytestmark = pytest.mark.django_db

SECOND = Author("9002", handle="trailhead_help")


def maya() -> Contact:
    return Contact.objects.get(links__identity__external_id=MAYA.external_id)


def told(user: User) -> list[str]:
    return [moment.text for moment in timeline(maya(), user).rows]


def test_the_newest_stands_first_over_public_and_private(channel: Channel, agent: User) -> None:
    record(channel, [said("1", text="one"), whispered("2", text="two", minutes=5), said("3", text="three", minutes=3)])
    assert told(agent) == ["two", "three", "one"]


def test_a_post_that_two_channels_saw_stands_there_once(brand: Brand, channel: Channel, agent: User) -> None:
    record(channel, [said("1", text="both")])
    record(make_channel(brand, account=SECOND), [said("1", text="both")])
    assert told(agent) == ["both"]


def test_a_post_that_another_brand_saw_first_is_not_missing(
    channel: Channel, other_brand: Brand, agent: User, stranger: User, admin: User
) -> None:
    record(make_channel(other_brand, account=SECOND), [said("1", text="both")])
    record(channel, [said("1", text="both")])
    assert [told(user) for user in (agent, stranger, admin)] == [["both"]] * 3


def test_brands_do_not_see_into_each_other(channel: Channel, other_brand: Brand, agent: User, stranger: User) -> None:
    record(channel, [said("1", text="ours")])
    record(make_channel(other_brand, account=SECOND), [said("2", text="theirs")])
    assert (told(agent), told(stranger)) == (["ours"], ["theirs"])


def test_a_deleted_post_leaves_a_stub_without_its_words(channel: Channel, agent: User, browser_of: BrowserOf) -> None:
    record(channel, [said("1", text="regretted")])
    record(channel, [Removal("1")])
    page = browser_of(agent).get(reverse("contact-timeline", args=[maya().pk])).content.decode()
    assert "regretted" not in page
    assert "Its words are no longer kept" in page


def test_pages_have_neither_gap_nor_twin(channel: Channel, agent: User) -> None:
    record(channel, [said(str(n), text=str(n), minutes=n // 4) for n in range(25)])
    seen, after = list[str](), ""
    for _ in range(4):
        page = timeline(maya(), agent, after=after, size=7)
        seen += [moment.text for moment in page.rows]
        after = page.after
    assert sorted(seen, key=int) == [str(n) for n in range(25)]
    assert after == ""


def test_thirty_moments_cost_as_many_queries_as_two(channel: Channel, agent: User, browser_of: BrowserOf) -> None:
    client = browser_of(agent)
    record(channel, [said("1"), said("2", minutes=1)])
    address = reverse("contact-timeline", args=[maya().pk])
    with CaptureQueriesContext(connection) as few:
        client.get(address)
    record(channel, [said(str(n), minutes=n) for n in range(3, 40)])
    with CaptureQueriesContext(connection) as many:
        client.get(address)
    assert len(many) == len(few) <= 6


def test_a_fragment_comes_without_the_page_around_it(channel: Channel, agent: User, browser_of: BrowserOf) -> None:
    record(channel, [said("1")])
    answer = browser_of(agent).get(reverse("contact-timeline", args=[maya().pk]), headers={"HX-Request": "true"})
    assert "<html" not in answer.content.decode()


def test_a_bad_page_mark_is_refused(channel: Channel, agent: User, browser_of: BrowserOf) -> None:
    record(channel, [said("1")])
    address = reverse("contact-timeline", args=[maya().pk])
    assert browser_of(agent).get(address, {"after": "WyJ4IiwxXQ"}).status_code == 400


def test_a_colleagues_note_stands_among_the_moments(channel: Channel, agent: User, browser_of: BrowserOf) -> None:
    record(channel, [said("1")])
    write_note(Thread.objects.get(), by=agent, text="Same batch as yesterday")
    page = browser_of(agent).get(reverse("contact-timeline", args=[maya().pk])).content.decode()
    assert "Same batch as yesterday" in page


def test_somebody_who_sees_very_many_channels_reads_the_same_timeline(
    channel: Channel, other_brand: Brand, agent: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(channel, [said("1", MAYA, "No stakes!")])
    record(make_channel(other_brand, account=SECOND), [said("2", MAYA, "And no coffee!")])
    before = told(agent)
    monkeypatch.setattr("conversations.timeline.MOST_CHANNELS", 0)
    assert told(agent) == before == ["No stakes!"]
