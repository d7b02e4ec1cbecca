"""Facebook through facebook-sdk, over real HTTP, against the sandbox: pulled to the end, answered once, read back."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from channels_ingest.networks.base import (
    Action,
    CannotReadBack,
    Kind,
    Network,
    NetworkError,
    Outgoing,
    Picture,
    Post,
    Removal,
    Trouble,
    Visibility,
)
from tests.networks.sandbox import Sandbox
from tests.networks.test_x_sandbox import DOT


@pytest.fixture
def page(sandbox: Sandbox) -> dict[str, Any]:
    return sandbox.brand("facebook")


@pytest.fixture
def us(sandbox: Sandbox, page: dict[str, Any]) -> Network:
    return sandbox.speak("facebook", page)


@pytest.fixture
def ann(sandbox: Sandbox) -> str:
    return str(sandbox.person(name="Ann Lee")["facebook"]["id"])


@pytest.fixture
def news(sandbox: Sandbox, page: dict[str, Any]) -> dict[str, Any]:
    said: dict[str, Any] = sandbox.says("facebook", author=page["id"], page=page["id"], text="New tents are here.")
    return said


@pytest.fixture
def comment(sandbox: Sandbox, news: dict[str, Any], ann: str) -> dict[str, Any]:
    said: dict[str, Any] = sandbox.says("facebook", author=ann, reply_to=news["id"], text="where is my order?")
    return said


def items(us: Network, stream: str, cursor: Mapping[str, Any] | None = None) -> Iterator[Post]:
    for page in us.pull(stream, cursor or {}):
        yield from (item for item in page.items if isinstance(item, Post))


def last_cursor(us: Network, stream: str, cursor: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
    return list(us.pull(stream, cursor or {}))[-1].cursor


def reply(parent: dict[str, Any], root: dict[str, Any], text: str = "We are on it.") -> Outgoing:
    return Outgoing(
        Action.REPLY, text, "key-1", parent_id=parent["id"], root_id=root["id"], started_at=datetime.now(UTC)
    )


def message(psid: str, **more: Any) -> Outgoing:
    now = datetime.now(UTC)
    return Outgoing(
        Action.MESSAGE, "Here in private.", "key-2", recipient_id=psid, last_private_in=now, started_at=now, **more
    )


def private_reply(comment: dict[str, Any], news: dict[str, Any]) -> Outgoing:
    return Outgoing(
        Action.MESSAGE,
        "Here in private.",
        "key-3",
        parent_id=comment["id"],
        root_id=news["id"],
        private_reply=True,
        started_at=datetime.now(UTC),
    )


# -- in ----------------------------------------------------------------------------------------------------------------


def test_a_connection_is_tested_by_asking_who_we_are(us: Network, page: dict[str, Any]) -> None:
    assert us.identify().external_id == page["id"]


def test_posts_by_the_page_by_visitors_and_about_the_page_come_in(
    sandbox: Sandbox, us: Network, page: dict[str, Any], news: dict[str, Any], ann: str
) -> None:
    visitor = sandbox.says("facebook", author=ann, page=page["id"], text="I was there")
    tagged = sandbox.says("facebook", author=ann, page=page["id"], text="look at this", tagged=True)
    found = {post.external_id: post.text for post in items(us, "posts")}
    assert found == {news["id"]: "New tents are here.", visitor["id"]: "I was there", tagged["id"]: "look at this"}


def test_posts_are_pulled_to_the_end_over_many_pages(sandbox: Sandbox, us: Network, page: Any, ann: str) -> None:
    said = {sandbox.says("facebook", author=ann, page=page["id"], text=f"number {n}")["id"] for n in range(130)}
    assert {post.external_id for post in items(us, "posts")} == said


def test_an_interrupted_pull_of_posts_goes_on_where_it_stood(
    sandbox: Sandbox, us: Network, page: Any, ann: str
) -> None:
    said = {sandbox.says("facebook", author=ann, page=page["id"], text=f"number {n}")["id"] for n in range(130)}
    first = next(us.pull("posts", {}))
    rest = {post.external_id for post in items(us, "posts", first.cursor)}
    assert {item.external_id for item in first.items if isinstance(item, Post)} | rest == said


def test_comments_at_any_depth_stand_below_their_parents(
    sandbox: Sandbox, us: Network, news: dict[str, Any], comment: dict[str, Any], ann: str
) -> None:
    second = sandbox.says("facebook", author=ann, reply_to=comment["id"], text="and when?")
    third = sandbox.says("facebook", author=ann, reply_to=second["id"], text="please")
    found = {post.external_id: post for post in items(us, "comments")}
    parents = {one: found[one].parent_id for one in found}
    assert parents == {comment["id"]: news["id"], second["id"]: comment["id"], third["id"]: second["id"]}
    assert {post.root_id for post in found.values()} == {news["id"]}


def test_a_comment_comes_with_all_that_graph_tells_about_it(us: Network, comment: dict[str, Any]) -> None:
    (post,) = items(us, "comments")
    assert (post.kind, post.visibility, post.text) == (Kind.COMMENT, Visibility.PUBLIC, "where is my order?")
    assert (post.author.name, post.facts["can_hide"], post.facts["can_reply_privately"]) == ("Ann Lee", True, True)
    assert abs((post.posted_at - datetime.fromisoformat(comment["created_at"])).total_seconds()) < 1


def test_comments_are_pulled_to_the_end_over_many_pages(sandbox: Sandbox, us: Network, news: Any, ann: str) -> None:
    said = {sandbox.says("facebook", author=ann, reply_to=news["id"], text=f"number {n}")["id"] for n in range(130)}
    assert {post.external_id for post in items(us, "comments")} == said


def test_an_interrupted_pull_of_comments_goes_on_inside_the_post(
    sandbox: Sandbox, us: Network, page: Any, news: Any, ann: str
) -> None:
    older = sandbox.says("facebook", author=page["id"], page=page["id"], text="Older and newer.")
    said = {sandbox.says("facebook", author=ann, reply_to=news["id"], text=f"number {n}")["id"] for n in range(130)}
    said |= {sandbox.says("facebook", author=ann, reply_to=older["id"], text=f"other {n}")["id"] for n in range(110)}
    pull = us.pull("comments", {})
    first = [next(pull), next(pull)]
    rest = {post.external_id for post in items(us, "comments", first[-1].cursor)}
    found = {item.external_id for one in first for item in one.items if isinstance(item, Post)}
    assert (found | rest, len(found) + len(rest)) == (said, len(said))


def test_a_new_comment_under_a_known_post_comes_with_the_next_pull(
    sandbox: Sandbox, us: Network, news: Any, comment: Any, ann: str
) -> None:
    cursor = last_cursor(us, "comments")
    late = sandbox.says("facebook", author=ann, reply_to=comment["id"], text="anybody there?")
    assert late["id"] in {post.external_id for post in items(us, "comments", cursor)}


def test_a_comment_whose_author_graph_keeps_to_itself_gets_a_stand_in(
    sandbox: Sandbox, us: Network, comment: Any
) -> None:
    sandbox.control("PATCH", "settings", {"facebook": {"from_hidden": True}})
    try:
        (first,), (again,) = items(us, "comments"), items(us, "comments")
    finally:
        sandbox.control("PATCH", "settings", {"facebook": {"from_hidden": False}})
    assert (first.author.external_id, first.author.name) == (f"unknown:{comment['id']}", "Facebook user")
    assert again.author == first.author


def test_messages_belong_to_the_conversation_with_a_person(sandbox: Sandbox, us: Network, page: Any, ann: str) -> None:
    said = sandbox.writes("facebook", author=ann, to=page["username"], text="hello in private")
    (post,) = items(us, "messages")
    assert (post.external_id, post.text, post.visibility) == (said["id"], "hello in private", Visibility.PRIVATE)
    assert (post.author.external_id, post.root_id) == (said["psid"], f"messenger:{said['psid']}")


def test_messages_are_pulled_to_the_end_over_people_and_pages(
    sandbox: Sandbox, us: Network, page: Any, ann: str
) -> None:
    ben = sandbox.person()["facebook"]["id"]
    said = {sandbox.writes("facebook", author=ann, to=page["username"], text=f"a {n}")["id"] for n in range(120)}
    said |= {sandbox.writes("facebook", author=ben, to=page["username"], text=f"b {n}")["id"] for n in range(3)}
    assert {post.external_id for post in items(us, "messages")} == said


def test_a_conversation_that_moves_up_while_one_pages_is_not_lost(sandbox: Sandbox, us: Network, page: Any) -> None:
    people = [sandbox.person()["facebook"]["id"] for _ in range(103)]
    said = {sandbox.writes("facebook", author=one, to=page["username"], text="hello")["id"] for one in people}
    pull, found = us.pull("messages", {}), set[str]()
    for _ in range(20):
        handed = next(pull)
        found |= {item.external_id for item in handed.items if isinstance(item, Post)}
    said.add(sandbox.writes("facebook", author=people[0], to=page["username"], text="are you there?")["id"])
    for handed in pull:
        found |= {item.external_id for item in handed.items if isinstance(item, Post)}
    found |= {post.external_id for post in items(us, "messages", handed.cursor)}
    assert found == said


def test_no_token_is_kept_in_cursors_and_raw_payloads(sandbox: Sandbox, us: Network, page: Any, ann: str) -> None:
    for number in range(130):
        sandbox.says("facebook", author=ann, page=page["id"], text=f"number {number}")
    kept = repr(list(us.pull("posts", {})))
    assert page["credentials"]["access_token"] not in kept


def test_a_look_up_tells_what_is_gone(sandbox: Sandbox, us: Network, news: Any, comment: dict[str, Any]) -> None:
    sandbox.control("DELETE", f"facebook/posts/{comment['id']}")
    found = us.lookup([comment["id"], news["id"]])
    assert found[0] == Removal(comment["id"])
    assert isinstance(found[1], Post)


# -- out ---------------------------------------------------------------------------------------------------------------


def test_an_answer_lands_below_the_comment_and_is_found_again(us: Network, news: Any, comment: Any) -> None:
    out = reply(comment, news, "Thanks & sorry <3 - see https://example.com/help?a=1&b=2 🙂")
    assert us.find_sent(out) is None
    sent = us.send(out)
    found = us.find_sent(out)
    assert found and found.external_id == sent.external_id
    (ours,) = [post for post in items(us, "comments") if post.external_id == sent.external_id]
    assert ours.parent_id == comment["id"]


def test_an_answer_to_an_answer_is_found_again(
    sandbox: Sandbox, us: Network, news: Any, comment: Any, ann: str
) -> None:
    second = sandbox.says("facebook", author=ann, reply_to=comment["id"], text="and when?")
    sent = us.send(reply(second, news))
    found = us.find_sent(reply(second, news))
    assert found and found.external_id == sent.external_id


def test_the_same_words_below_another_post_are_not_taken_for_the_answer(
    sandbox: Sandbox, us: Network, page: Any, news: Any, comment: Any
) -> None:
    other = sandbox.says("facebook", author=page["id"], page=page["id"], text="Other news.")
    us.send(reply(other, other))
    assert us.find_sent(reply(comment, news)) is None


def test_a_message_is_sent_and_found_again(sandbox: Sandbox, us: Network, page: Any, ann: str) -> None:
    psid = sandbox.writes("facebook", author=ann, to=page["username"], text="hello")["psid"]
    assert us.find_sent(message(psid)) is None
    sent = us.send(message(psid))
    assert us.find_sent(message(psid)) == sent
    assert us.find_sent(message(psid, already=(sent.external_id,))) is None


def test_a_private_reply_is_possible_once(us: Network, news: Any, comment: Any) -> None:
    out = private_reply(comment, news)
    sent = us.send(out)
    assert us.find_sent(out) == sent
    with pytest.raises(NetworkError) as raised:
        us.send(out)
    assert (raised.value.trouble, raised.value.code) == (Trouble.PERMANENT, "10900")


def test_a_late_message_of_a_person_bears_the_tag_for_people(
    sandbox: Sandbox, us: Network, page: Any, ann: str
) -> None:
    old = int((datetime.now(UTC) - timedelta(days=2)).timestamp() * 1000)
    psid = sandbox.writes("facebook", author=ann, to=page["username"], text="hello", at=old)["psid"]
    late = datetime.now(UTC) - timedelta(days=2)
    out = Outgoing(Action.MESSAGE, "Sorry for the wait.", "key-4", recipient_id=psid, last_private_in=late)
    assert us.send(out).external_id


def test_a_late_message_of_a_machine_is_refused_by_messenger(
    sandbox: Sandbox, us: Network, page: Any, ann: str
) -> None:
    late = datetime.now(UTC) - timedelta(days=2)
    at = int(late.timestamp() * 1000)
    psid = sandbox.writes("facebook", author=ann, to=page["username"], text="hello", at=at)["psid"]
    out = Outgoing(Action.MESSAGE, "Sorry.", "key-5", recipient_id=psid, last_private_in=late, human=False)
    with pytest.raises(NetworkError) as raised:
        us.send(out)
    assert (raised.value.trouble, raised.value.code) == (Trouble.PERMANENT, "10/2018278")


def test_a_deleted_comment_cannot_be_answered(sandbox: Sandbox, us: Network, news: Any, comment: Any) -> None:
    sandbox.control("DELETE", f"facebook/posts/{comment['id']}")
    with pytest.raises(NetworkError) as raised:
        us.send(reply(comment, news))
    assert (raised.value.trouble, raised.value.ambiguous) == (Trouble.PERMANENT, False)


def test_a_comment_is_hidden_and_shown(sandbox: Sandbox, us: Network, comment: Any) -> None:
    us.hide(comment["id"], hidden=True)
    assert sandbox.control("GET", f"facebook/posts/{comment['id']}")["hidden"] is True
    us.hide(comment["id"], hidden=False)
    assert sandbox.control("GET", f"facebook/posts/{comment['id']}")["hidden"] is False


def test_ours_is_deleted_once_and_then_gone(us: Network, news: Any, comment: Any) -> None:
    sent = us.send(reply(comment, news))
    us.remove(sent.external_id)
    us.remove(sent.external_id)
    assert us.lookup([sent.external_id]) == (Removal(sent.external_id),)


# -- bad weather -------------------------------------------------------------------------------------------------------

SEND_FAILURES = {
    "rate_limited": (Trouble.TEMPORARY, False),
    "usage_capped": (Trouble.TEMPORARY, False),
    "server_error": (Trouble.TEMPORARY, True),
    "cut_before": (Trouble.TEMPORARY, True),
    "cut_after": (Trouble.TEMPORARY, True),
    "broken_body": (Trouble.TEMPORARY, True),
    "token_revoked": (Trouble.BROKEN, False),
    "scope_removed": (Trouble.BROKEN, False),
    "suspended": (Trouble.PERMANENT, False),
}


@pytest.mark.parametrize("fault", SEND_FAILURES)
def test_each_kind_of_failed_send_is_told_apart(sandbox: Sandbox, us: Network, comment: Any, fault: str) -> None:
    with (
        sandbox.weather("facebook", fault, methods=["POST"], path=comment["id"]),
        pytest.raises(NetworkError) as raised,
    ):
        us.send(reply(comment, {"id": comment["post"]}))
    assert (raised.value.trouble, raised.value.ambiguous) == SEND_FAILURES[fault]


@pytest.mark.parametrize("fault", ["cut_after", "broken_body"])
def test_what_was_accepted_without_an_answer_is_found_by_reading_back(
    sandbox: Sandbox, us: Network, comment: Any, fault: str
) -> None:
    out = reply(comment, {"id": comment["post"]})
    with sandbox.weather("facebook", fault, methods=["POST"], path=comment["id"]), pytest.raises(NetworkError):
        us.send(out)
    assert us.find_sent(out) is not None


PULL_FAILURES = {fault: trouble for fault, (trouble, _) in SEND_FAILURES.items() if fault != "cut_after"}
PULL_FAILURES["suspended"] = Trouble.BROKEN


@pytest.mark.parametrize("stream", ["posts", "comments", "messages"])
@pytest.mark.parametrize("fault", PULL_FAILURES)
def test_each_kind_of_failed_pull_is_told_apart(
    sandbox: Sandbox, us: Network, page: Any, fault: str, stream: str
) -> None:
    with sandbox.weather("facebook", fault, account=page["id"]), pytest.raises(NetworkError) as raised:
        list(us.pull(stream, {}))
    assert (raised.value.trouble, raised.value.ambiguous) == (PULL_FAILURES[fault], False)


def test_a_limit_says_how_long_to_wait(sandbox: Sandbox, us: Network, page: Any) -> None:
    with (
        sandbox.weather("facebook", "rate_limited", account=page["id"], code=32, regain_min=7),
        pytest.raises(NetworkError) as raised,
    ):
        list(us.pull("posts", {}))
    assert raised.value.retry_after == timedelta(minutes=7)


@pytest.mark.parametrize("subcode", [458, 460, 463, 467])
def test_each_way_a_token_dies_has_its_own_advice(sandbox: Sandbox, us: Network, page: Any, subcode: int) -> None:
    sandbox.control("POST", f"facebook/brands/{page['id']}/token", {"action": "revoke", "subcode": subcode})
    with pytest.raises(NetworkError) as raised:
        us.identify()
    assert (raised.value.trouble, raised.value.code) == (Trouble.BROKEN, f"190/{subcode}")
    assert raised.value.advice


def test_a_picture_stands_below_the_comment_it_was_sent_with(
    us: Network, news: dict[str, Any], comment: dict[str, Any]
) -> None:
    out = replace(reply(comment, news), pictures=(Picture(DOT, "image/png"),))
    sent = us.send(out)
    (post,) = us.lookup([sent.external_id])
    assert isinstance(post, Post)
    assert [one.kind for one in post.media] == ["image"]
    found = us.find_sent(out)
    assert found is not None
    assert found.external_id == sent.external_id


# -- blocking ----------------------------------------------------------------------------------------------------------


def test_whoever_is_blocked_cannot_write_until_let_in_again(
    sandbox: Sandbox, us: Network, news: dict[str, Any], comment: dict[str, Any], ann: str
) -> None:
    author = next(items(us, "comments")).author.external_id
    for _twice in range(2):
        us.block(author, blocked=True)
    with pytest.raises(AssertionError, match="blocked you"):
        sandbox.says("facebook", author=ann, reply_to=news["id"], text="hello?")
    for _twice in range(2):
        us.block(author, blocked=False)
    sandbox.says("facebook", author=ann, reply_to=news["id"], text="hello again")
    changes = [line["on"] for line in sandbox.ledger("accepted") if line["kind"] == "member.blocked"]
    assert changes == [True, False]


def test_a_person_that_facebook_does_not_know_is_not_blocked(us: Network) -> None:
    with pytest.raises(NetworkError, match="valid user ids") as refused:
        us.block("12345", blocked=True)
    assert refused.value.trouble == Trouble.PERMANENT


# -- pictures in Messenger ---------------------------------------------------------------------------------------------


@pytest.fixture
def picture(sandbox: Sandbox, page: Any, ann: str) -> Outgoing:
    """A picture for somebody who wrote to us."""
    psid = sandbox.writes("facebook", author=ann, to=page["username"], text="Which stake?")["psid"]
    return replace(message(psid), text="", pictures=(Picture(DOT, "image/png"),))


def test_a_customers_picture_in_messenger_comes_in(sandbox: Sandbox, us: Network, page: Any, ann: str) -> None:
    said = sandbox.writes("facebook", author=ann, to=page["username"], text="", picture=True)
    (post,) = items(us, "messages")
    assert (post.external_id, post.text) == (said["id"], "")
    assert [(one.kind, one.url, one.alt) for one in post.media] == [
        ("image", sandbox.base_url + said["media"][0]["url"], "")
    ]


def test_a_picture_in_messenger_is_a_message_of_its_own_and_found_again(
    sandbox: Sandbox, us: Network, picture: Outgoing
) -> None:
    assert us.find_sent(picture) is None
    sent = us.send(picture)
    assert us.find_sent(picture) == sent
    assert us.find_sent(replace(picture, already=(sent.external_id,))) is None
    kept, said = sandbox.ledger("accepted")[-2:]
    assert kept["upload"]["checksum"] == hashlib.sha256(DOT).hexdigest()
    assert (said["message"]["text"], said["message"]["metadata"]) == ("", picture.key)
    assert said["message"]["media"][0]["url"].endswith(kept["upload"]["id"])


def test_a_picture_that_was_accepted_without_an_answer_is_found(
    sandbox: Sandbox, us: Network, page: Any, picture: Outgoing
) -> None:
    path = f"/{page['id']}/messages"
    with sandbox.weather("facebook", "cut_after", methods=["POST"], path=path), pytest.raises(NetworkError) as raised:
        us.send(picture)
    assert raised.value.ambiguous
    assert us.find_sent(picture) is not None


@pytest.mark.parametrize("ours", [True, False])
def test_pictures_that_cannot_be_told_apart_are_left_to_a_person(
    sandbox: Sandbox, us: Network, page: Any, ann: str, picture: Outgoing, *, ours: bool
) -> None:
    before = int((datetime.now(UTC) - timedelta(minutes=1)).timestamp() * 1000)
    sandbox.writes("facebook", author=page["id"], to=ann, text="", picture=True, at=before)
    if ours:
        us.send(picture)
    with pytest.raises(CannotReadBack):
        us.find_sent(picture)


def test_messenger_takes_no_words_with_a_picture(sandbox: Sandbox, us: Network, picture: Outgoing) -> None:
    before = len(sandbox.ledger("accepted"))
    with pytest.raises(NetworkError) as raised:
        us.send(replace(picture, text="This one."))
    assert (raised.value.trouble, raised.value.ambiguous) == (Trouble.PERMANENT, False)
    assert len(sandbox.ledger("accepted")) == before
