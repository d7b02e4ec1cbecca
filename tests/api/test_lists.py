"""Lists: pages by keyset, filters that are checked, a fixed number of queries."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from contacts.models import Contact, Tag
from conversations import actions
from conversations.models import Interaction, Thread
from conversations.record import record
from tests.api.conftest import Caller
from tests.cast import JONAS, MAYA, NOON, SOFIA, make_channel, said, whispered

if TYPE_CHECKING:
    from collections.abc import Callable

    from accounts.models import Brand, User
    from channels_ingest.models import Channel

LISTS = ("channels", "contacts", "identities", "threads", "interactions")


@pytest.fixture
def crowd(channel: Channel) -> None:
    """Seven threads of three people, a minute apart, and a private message."""
    people = (MAYA, JONAS, SOFIA)
    posts = [said(str(number), people[number % 3], minutes=number) for number in range(1, 8)]
    record(channel, [*posts, whispered("w1", JONAS, minutes=20)])


def ids(answer: Any) -> list[int]:
    assert answer.status_code == 200, answer.content
    return [row["id"] for row in answer.json()["results"]]


@pytest.mark.parametrize("kind", LISTS)
@pytest.mark.parametrize("limit", [1, 2, 100])
def test_walking_the_pages_shows_every_record_once(program: Caller, crowd: None, kind: str, limit: int) -> None:
    whole = ids(program.get(f"{kind}/"))
    seen, answer = [], program.get(f"{kind}/", limit=limit)
    while True:
        seen += ids(answer)
        if answer.json()["next"] is None:
            break
        answer = program.get(answer.json()["next"])
    assert seen == whole


def test_a_record_that_comes_meanwhile_moves_no_page(program: Caller, crowd: None, channel: Channel) -> None:
    whole = ids(program.get("threads/"))
    first = program.get("threads/", limit=3)
    record(channel, [said("99", SOFIA, minutes=60)])
    rest = program.get(first.json()["next"])
    assert ids(first) + ids(rest) == whole[:6]


def test_threads_come_by_their_last_activity(program: Caller, crowd: None) -> None:
    moments = [row["last_activity_at"] for row in program.get("threads/").json()["results"]]
    assert moments == sorted(moments, reverse=True)


@pytest.mark.parametrize("limit", [1, 3, 100])
def test_threads_of_several_brands_and_states_come_in_one_order(
    program: Caller, crowd: None, agent: User, other_brand: Brand, limit: int
) -> None:
    other_brand.members.add(agent)
    record(make_channel(other_brand, account=SOFIA), [said(f"o{n}", JONAS, minutes=n + 0.5) for n in range(5)])
    for number, thread in enumerate(Thread.objects.order_by("id")):
        (actions.close, actions.reopen)[number % 2](thread, by=agent)
    order = Thread.objects.order_by("-last_activity_at", "-id").values_list("id", flat=True)
    answer = program.get("threads/", limit=limit)
    seen = ids(answer)
    while answer.json()["next"]:
        answer = program.get(answer.json()["next"])
        seen += ids(answer)
    assert seen == list(order)


def test_the_interactions_of_a_contact_come_by_time(program: Caller, crowd: None) -> None:
    maya = Contact.objects.get(name=MAYA.name)
    rows = program.get("interactions/", contact=maya.pk).json()["results"]
    assert [row["external_id"] for row in rows] == ["6", "3"]


@pytest.mark.parametrize(
    ("cursor", "kind"),
    [
        ("forged", "threads"),
        ("W251bGwsMV0:1abc:c2lnbmF0dXJl", "threads"),
        ("\x00", "threads"),
        ("a" * 513, "threads"),
        ("", "threads"),
    ],
)
def test_a_cursor_that_is_not_ours_is_refused(program: Caller, crowd: None, cursor: str, kind: str) -> None:
    answer = program.get(f"{kind}/", cursor=cursor)
    assert answer.status_code == 400
    assert "cursor" in answer.json()["error"]["fields"]


def test_the_cursor_of_one_list_does_not_open_another(program: Caller, crowd: None) -> None:
    cursor = program.get("interactions/", limit=1).json()["next"].split("cursor=")[1].split("&")[0]
    assert program.get(f"/api/v1/contacts/?cursor={cursor}").status_code == 400
    maya = Contact.objects.get(name=MAYA.name)
    assert program.get(f"/api/v1/interactions/?contact={maya.pk}&cursor={cursor}").status_code == 400


@pytest.mark.parametrize("kind", LISTS)
def test_the_number_of_queries_does_not_grow(program: Caller, channel: Channel, kind: str) -> None:
    record(channel, [said("1", MAYA), said("2", JONAS, minutes=1)])
    with CaptureQueriesContext(connection) as few:
        program.get(f"{kind}/")
    record(channel, [said(str(n), SOFIA, minutes=n) for n in range(3, 30)])
    for thread in Thread.objects.all():
        actions.assign(thread, to=channel.brand.members.get(), by=channel.brand.members.get())
    with CaptureQueriesContext(connection) as many:
        program.get(f"{kind}/")
    assert len(many) <= len(few) <= 6


@pytest.mark.parametrize(
    "query",
    [
        {"state": "open"},
        {"state": "closed"},
        {"network": "twitter"},
        {"network": "facebook"},
        {"visibility": "private"},
        {"visibility": "public"},
        {"assignee": "me"},
        {"assignee": "none"},
        {"waiting": "true"},
        {"waiting": "false"},
        {"since": "2026-11-20T12:03:00Z"},
        {"until": "2026-11-20T12:03:00Z"},
    ],
)
def test_threads_can_be_filtered(program: Caller, crowd: None, agent: User, query: dict[str, str]) -> None:
    closed, mine = Thread.objects.order_by("id")[:2]
    actions.close(closed, by=agent)
    actions.assign(mine, to=agent, by=agent)
    wanted: dict[tuple[str, str], Callable[[Thread], bool]] = {
        ("state", "open"): lambda t: t.state == "open",
        ("state", "closed"): lambda t: t.state == "closed",
        ("network", "twitter"): lambda t: True,
        ("network", "facebook"): lambda t: False,
        ("visibility", "private"): lambda t: t.has_private,
        ("visibility", "public"): lambda t: t.has_public,
        ("assignee", "me"): lambda t: t.assignee_id == agent.pk,
        ("assignee", "none"): lambda t: t.assignee_id is None,
        ("waiting", "true"): lambda t: t.waiting_since is not None,
        ("waiting", "false"): lambda t: t.waiting_since is None,
        ("since", "2026-11-20T12:03:00Z"): lambda t: t.last_activity_at >= NOON + timedelta(minutes=3),
        ("until", "2026-11-20T12:03:00Z"): lambda t: t.last_activity_at < NOON + timedelta(minutes=3),
    }
    chosen = wanted[next(iter(query.items()))]
    assert set(ids(program.get("threads/", **query))) == {t.pk for t in Thread.objects.all() if chosen(t)}


def test_interactions_can_be_filtered(program: Caller, crowd: None) -> None:
    private = program.get("interactions/", visibility="private", direction="in").json()["results"]
    assert [row["external_id"] for row in private] == ["w1"]
    by_id = program.get("interactions/", external_id="4").json()["results"]
    assert [row["external_id"] for row in by_id] == ["4"]
    early = program.get("interactions/", until="2026-11-20T14:02:00+02:00").json()["results"]
    assert [row["external_id"] for row in early] == ["1"]
    author = Interaction.objects.get(external_id="5").author_id
    by_author = program.get("interactions/", author=author).json()["results"]
    assert {row["author"]["id"] for row in by_author} == {author}


def test_contacts_can_be_found_by_handle_tag_and_network(program: Caller, crowd: None) -> None:
    jonas = Contact.objects.get(name=JONAS.name)
    jonas.tags.add(Tag.objects.create(name="press"))
    assert ids(program.get("contacts/", q="jokaf")) == [jonas.pk]
    assert ids(program.get("contacts/", tag="press")) == [jonas.pk]
    assert ids(program.get("contacts/", network="facebook")) == []


@pytest.mark.parametrize(("part", "found"), [(" Maya ", True), (", ", False), ("M ", False)])
def test_spaces_around_a_part_of_a_name_are_no_letters_of_it(
    program: Caller, crowd: None, part: str, found: bool
) -> None:
    answer = program.get("contacts/", q=part)
    assert (answer.status_code, bool(answer.json()["results"])) == (200, found)


def test_a_contact_shows_its_handles_with_their_proof(program: Caller, crowd: None) -> None:
    maya = program.get("contacts/", q="maya").json()["results"][0]
    assert [(one["identity"]["handle"], one["proof"]) for one in maya["identities"]] == [("mayak", "first_seen")]


def test_an_identity_names_its_contact(program: Caller, crowd: None) -> None:
    (row,) = program.get("identities/", handle="MAYAK").json()["results"]
    assert row["contact"] == Contact.objects.get(name=MAYA.name).pk


@pytest.mark.parametrize(
    ("kind", "query"),
    [
        ("threads", {"colour": "red"}),
        ("threads", {"state": "asleep"}),
        ("threads", {"state": ["open", "closed"]}),
        ("threads", {"brand": "9223372036854775808"}),
        ("threads", {"brand": "9" * 5000}),
        ("threads", {"brand": "0"}),
        ("threads", {"brand": "-1"}),
        ("threads", {"brand": "１"}),
        ("threads", {"brand": "1.0"}),
        ("threads", {"brand": ""}),
        ("threads", {"assignee": "nobody"}),
        ("threads", {"waiting": "1"}),
        ("threads", {"since": "yesterday"}),
        ("threads", {"since": "2026-11-20"}),
        ("threads", {"since": "2026-11-20T12:00:00"}),
        ("threads", {"since": "2026-13-45T99:99:99Z"}),
        ("threads", {"since": "0001-01-01T00:00:00+23:59"}),
        ("threads", {"until": "9999-12-31T23:59:59-23:59"}),
        ("threads", {"limit": "0"}),
        ("threads", {"limit": "101"}),
        ("threads", {"limit": "many"}),
        ("threads", {"network": "Twitter\x00"}),
        ("contacts", {"q": "\x00\x00"}),
        ("contacts", {"q": "x"}),
        ("contacts", {"q": "   "}),
        ("contacts", {"tag": "a\x00b"}),
        ("interactions", {"external_id": "\x00"}),
        ("interactions", {"format": "json"}),
        ("identities", {"contact": "1e3"}),
        ("channels", {"state": "ACTIVE"}),
        ("me", {"x": "1"}),
    ],
)
def test_a_parameter_that_is_not_valid_is_refused(program: Caller, kind: str, query: dict[str, Any]) -> None:
    answer = program.get(f"{kind}/", **query)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "invalid"
    assert answer.json()["error"]["fields"]


def test_invalid_utf8_in_the_address_is_no_server_error(program: Caller) -> None:
    assert program.get("/api/v1/contacts/?q=%ff%fe%ed%a0%80").status_code == 200


def test_a_number_beyond_all_records_is_not_found(program: Caller) -> None:
    assert program.get(f"threads/{10**30}/").status_code == 404
