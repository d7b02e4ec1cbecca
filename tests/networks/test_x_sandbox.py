"""X through tweepy, over real HTTP, against the sandbox: pulled to the end, answered once, read back."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from channels_ingest.networks.base import (
    Action,
    Kind,
    Network,
    NetworkError,
    Outgoing,
    Picture,
    Post,
    Removal,
    Situation,
    Trouble,
    Visibility,
)
from tests.networks.sandbox import Sandbox

DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@pytest.fixture
def brand(sandbox: Sandbox) -> dict[str, Any]:
    return sandbox.brand("x")


@pytest.fixture
def us(sandbox: Sandbox, brand: dict[str, Any]) -> Network:
    return sandbox.speak("twitter", brand, keywords=["zipper"])


@pytest.fixture
def ann(sandbox: Sandbox) -> dict[str, Any]:
    person: dict[str, Any] = sandbox.person()["x"]
    return person


@pytest.fixture
def question(sandbox: Sandbox, brand: dict[str, Any], ann: dict[str, Any]) -> dict[str, Any]:
    said: dict[str, Any] = sandbox.says("x", author=ann["id"], text=f"@{brand['username']} where is my order?")
    return said


def posts(us: Network, stream: str, cursor: Mapping[str, Any] | None = None) -> Iterator[Post]:
    for page in us.pull(stream, cursor or {}):
        yield from (item for item in page.items if isinstance(item, Post))


def reply(question: dict[str, Any], text: str = "We are on it.") -> Outgoing:
    return Outgoing(
        Action.REPLY, text, "key-1", parent_id=question["id"], root_id=question["id"], started_at=datetime.now(UTC)
    )


def message(ann: dict[str, Any], text: str = "Here in private.") -> Outgoing:
    return Outgoing(Action.MESSAGE, text, "key-2", recipient_id=ann["id"], started_at=datetime.now(UTC))


# -- in ----------------------------------------------------------------------------------------------------------------


def test_a_connection_is_tested_by_asking_who_we_are(us: Network, brand: dict[str, Any]) -> None:
    assert us.identify().handle == brand["username"]


def test_the_access_of_another_account_is_refused(sandbox: Sandbox, brand: dict[str, Any]) -> None:
    other = sandbox.speak("twitter", {**brand, "id": "42"})
    with pytest.raises(NetworkError) as raised:
        other.identify()
    assert raised.value.trouble == Trouble.BROKEN


def test_a_mention_comes_with_all_that_x_tells_about_it(
    us: Network, question: dict[str, Any], ann: dict[str, Any]
) -> None:
    (post,) = posts(us, "mentions")
    assert (post.external_id, post.kind, post.text) == (question["id"], Kind.POST, question["text"])
    assert (post.author.external_id, post.author.handle, post.author.followers) == (ann["id"], ann["username"], 0)
    assert post.posted_at.isoformat() == question["created_at"].replace("Z", "000+00:00")
    assert (post.root_id, post.parent_id, post.facts["summoned"]) == (question["id"], None, True)


def test_mentions_are_pulled_to_the_end_over_many_pages(
    sandbox: Sandbox, us: Network, brand: dict[str, Any], ann: Any
) -> None:
    said = {sandbox.says("x", author=ann["id"], text=f"@{brand['username']} number {n}")["id"] for n in range(230)}
    assert {post.external_id for post in posts(us, "mentions")} == said


def test_an_interrupted_pull_goes_on_where_it_stood(
    sandbox: Sandbox, us: Network, brand: dict[str, Any], ann: Any
) -> None:
    said = {sandbox.says("x", author=ann["id"], text=f"@{brand['username']} number {n}")["id"] for n in range(130)}
    first = next(us.pull("mentions", {}))
    rest = {post.external_id for post in posts(us, "mentions", first.cursor)}
    assert {item.external_id for item in first.items if isinstance(item, Post)} | rest == said


def test_nothing_is_lost_while_others_post(sandbox: Sandbox, us: Network, brand: dict[str, Any], ann: Any) -> None:
    said = {sandbox.says("x", author=ann["id"], text=f"@{brand['username']} number {n}")["id"] for n in range(230)}
    with sandbox.weather("x", "insert_while_paging", account=brand["id"]):
        found = {post.external_id for post in posts(us, "mentions")}
    assert said <= found


def test_an_empty_page_does_not_end_a_pull(sandbox: Sandbox, us: Network, brand: dict[str, Any], ann: Any) -> None:
    said = {sandbox.says("x", author=ann["id"], text=f"@{brand['username']} number {n}")["id"] for n in range(130)}
    with sandbox.weather("x", "empty_page", account=brand["id"], count=1):
        assert {post.external_id for post in posts(us, "mentions")} == said


def test_a_reply_names_its_parent_its_root_and_whom_it_answers(
    sandbox: Sandbox, us: Network, brand: Any, ann: Any
) -> None:
    ours = sandbox.says("x", author=brand["id"], text="We have news.")
    sandbox.says("x", author=ann["id"], text="tell me more", reply_to=ours["id"])
    (post,) = posts(us, "mentions")
    assert (post.kind, post.parent_id, post.root_id) == (Kind.REPLY, ours["id"], ours["id"])
    assert post.addressee and post.addressee.external_id == brand["id"]


def test_replies_in_several_of_our_conversations_come_in(sandbox: Sandbox, us: Network, brand: Any, ann: Any) -> None:
    ours = [sandbox.says("x", author=brand["id"], text=f"News {n}.")["id"] for n in range(13)]
    said = {sandbox.says("x", author=ann["id"], text="tell me more", reply_to=one)["id"] for one in ours}
    assert {post.external_id for post in posts(us, "conversations")} == said


def test_keywords_find_what_does_not_name_us(sandbox: Sandbox, us: Network, ann: Any) -> None:
    said = sandbox.says("x", author=ann["id"], text="this zipper broke again")
    found = {post.external_id: post for post in posts(us, "search")}
    assert found[said["id"]].facts["summoned"] is False


def test_our_own_posts_come_back_as_ours(sandbox: Sandbox, us: Network, brand: Any) -> None:
    ours = sandbox.says("x", author=brand["id"], text="Written in the app.")
    (post,) = posts(us, "posts")
    assert (post.external_id, post.author.external_id) == (ours["id"], brand["id"])


def test_a_message_belongs_to_the_conversation_of_two(sandbox: Sandbox, us: Network, brand: Any, ann: Any) -> None:
    sandbox.writes("x", author=ann["id"], to=brand["username"], text="hello in private")
    (post,) = posts(us, "messages")
    assert (post.kind, post.visibility, post.text) == (Kind.MESSAGE, Visibility.PRIVATE, "hello in private")
    assert post.root_id == "-".join(sorted((brand["id"], ann["id"]), key=int))


def test_messages_are_pulled_to_the_end_over_many_pages(sandbox: Sandbox, us: Network, brand: Any, ann: Any) -> None:
    for number in range(120):
        sandbox.writes("x", author=ann["id"], to=brand["username"], text=f"number {number}")
    assert len(list(posts(us, "messages"))) == 120


def test_an_edit_is_a_later_version_of_the_same_item(sandbox: Sandbox, us: Network, question: dict[str, Any]) -> None:
    sandbox.control("PATCH", f"x/posts/{question['id']}", {"text": question["text"] + " Please!"})
    (post,) = posts(us, "mentions")
    assert (post.external_id, post.version, post.text[-7:]) == (question["id"], 2, "Please!")


@pytest.mark.parametrize("dialect", ["tweet", "post"])
def test_both_dialects_of_x_say_the_same(sandbox: Sandbox, brand: Any, question: dict[str, Any], dialect: str) -> None:
    (post,) = posts(sandbox.speak("twitter", brand, dialect=dialect), "mentions")
    assert (post.external_id, post.text, post.facts["summoned"]) == (question["id"], question["text"], True)


def test_a_look_up_tells_what_is_gone(sandbox: Sandbox, us: Network, question: dict[str, Any]) -> None:
    sandbox.control("DELETE", f"x/posts/{question['id']}")
    assert us.lookup([question["id"]]) == (Removal(question["id"], "deleted"),)


def test_a_look_up_tells_what_was_protected(sandbox: Sandbox, us: Network, question: Any, ann: Any) -> None:
    sandbox.control("PATCH", f"x/members/{ann['id']}", {"protected": True})
    assert us.lookup([question["id"]]) == (Removal(question["id"], "protected"),)


# -- out ---------------------------------------------------------------------------------------------------------------


def test_a_reply_lands_below_the_question(sandbox: Sandbox, us: Network, question: dict[str, Any]) -> None:
    sent = us.send(reply(question))
    assert sent.external_id in sandbox.control("GET", f"x/posts/{question['id']}")["below"]


def test_what_was_sent_is_found_again(us: Network, question: dict[str, Any]) -> None:
    out = reply(question, "Thanks & sorry <3 - see https://example.com/help?a=1&b=2 for more 🙂")
    assert us.find_sent(out) is None
    sent = us.send(out)
    found = us.find_sent(out)
    assert found and found.external_id == sent.external_id


def test_a_message_that_was_sent_is_found_again(us: Network, ann: dict[str, Any]) -> None:
    out = message(ann)
    assert us.find_sent(out) is None
    assert us.find_sent(out) != us.send(out)
    assert us.find_sent(out) is not None


def test_the_same_words_to_another_question_are_not_taken_for_the_answer(
    sandbox: Sandbox, us: Network, brand: Any, ann: Any, question: Any
) -> None:
    other = sandbox.says("x", author=ann["id"], text=f"@{brand['username']} and the other one?")
    us.send(reply(other))
    assert us.find_sent(reply(question)) is None


def test_a_message_that_is_accounted_for_is_not_found_twice(us: Network, ann: dict[str, Any]) -> None:
    sent = us.send(message(ann))
    again = Outgoing(
        Action.MESSAGE,
        "Here in private.",
        "key-3",
        recipient_id=ann["id"],
        started_at=datetime.now(UTC),
        already=(sent.external_id,),
    )
    assert us.find_sent(again) is None


def test_the_same_words_twice_are_refused_as_a_duplicate(us: Network, question: dict[str, Any]) -> None:
    us.send(reply(question))
    with pytest.raises(NetworkError) as raised:
        us.send(reply(question))
    assert (raised.value.trouble, raised.value.duplicate) == (Trouble.PERMANENT, True)


def test_an_answer_to_somebody_who_did_not_call_us_is_refused_before_it_is_sent(
    sandbox: Sandbox, us: Network, ann: dict[str, Any]
) -> None:
    said = sandbox.says("x", author=ann["id"], text="a zipper is a zipper")
    post = next(post for post in posts(us, "search") if post.external_id == said["id"])
    now = datetime.now(UTC)
    situation = Situation(post.external_id, post.visibility, ann["id"], False, post.posted_at, now, facts=post.facts)
    assert not us.verdict(Action.REPLY, situation).allowed
    with pytest.raises(NetworkError) as raised:
        us.send(reply(said))
    assert raised.value.trouble == Trouble.PERMANENT


def test_a_deleted_question_cannot_be_answered(sandbox: Sandbox, us: Network, question: dict[str, Any]) -> None:
    sandbox.control("DELETE", f"x/posts/{question['id']}")
    with pytest.raises(NetworkError) as raised:
        us.send(reply(question))
    assert raised.value.trouble == Trouble.PERMANENT


def test_who_takes_no_messages_gets_none(sandbox: Sandbox, us: Network) -> None:
    closed = sandbox.person(dm_open=False)["x"]
    with pytest.raises(NetworkError) as raised:
        us.send(message(closed))
    assert raised.value.trouble == Trouble.PERMANENT


def test_ours_is_deleted_once_and_then_gone(us: Network, question: dict[str, Any]) -> None:
    sent = us.send(reply(question))
    us.remove(sent.external_id)
    us.remove(sent.external_id)
    assert us.lookup([sent.external_id]) == (Removal(sent.external_id, "deleted"),)


def test_a_reply_to_us_is_hidden_and_shown(sandbox: Sandbox, us: Network, brand: Any, ann: Any) -> None:
    ours = sandbox.says("x", author=brand["id"], text="We have news.")
    theirs = sandbox.says("x", author=ann["id"], text="boo", reply_to=ours["id"])
    us.hide(theirs["id"], hidden=True)
    assert sandbox.control("GET", f"x/posts/{theirs['id']}")["hidden"] is True
    us.hide(theirs["id"], hidden=False)
    assert sandbox.control("GET", f"x/posts/{theirs['id']}")["hidden"] is False


# -- bad weather -------------------------------------------------------------------------------------------------------


SEND_FAILURES = {
    "rate_limited": (Trouble.TEMPORARY, False),
    "usage_capped": (Trouble.BROKEN, False),
    "server_error": (Trouble.TEMPORARY, True),
    "cut_before": (Trouble.TEMPORARY, True),
    "cut_after": (Trouble.TEMPORARY, True),
    "broken_body": (Trouble.TEMPORARY, True),
    "token_revoked": (Trouble.BROKEN, False),
    "scope_removed": (Trouble.BROKEN, False),
    "suspended": (Trouble.BROKEN, False),
}


@pytest.mark.parametrize("fault", SEND_FAILURES)
def test_each_kind_of_failed_send_is_told_apart(
    sandbox: Sandbox, us: Network, brand: Any, question: Any, fault: str
) -> None:
    with sandbox.weather("x", fault, methods=["POST"], account=brand["id"]), pytest.raises(NetworkError) as raised:
        us.send(reply(question))
    assert (raised.value.trouble, raised.value.ambiguous) == SEND_FAILURES[fault]


@pytest.mark.parametrize("fault", ["cut_after", "broken_body"])
def test_what_was_accepted_without_an_answer_is_found_by_reading_back(
    sandbox: Sandbox, us: Network, brand: Any, question: Any, fault: str
) -> None:
    with sandbox.weather("x", fault, methods=["POST"], account=brand["id"]), pytest.raises(NetworkError):
        us.send(reply(question))
    assert us.find_sent(reply(question)) is not None


def test_what_was_cut_before_it_was_accepted_is_not_found(
    sandbox: Sandbox, us: Network, brand: Any, question: Any
) -> None:
    with sandbox.weather("x", "cut_before", methods=["POST"], account=brand["id"]), pytest.raises(NetworkError):
        us.send(reply(question))
    assert us.find_sent(reply(question)) is None


@pytest.mark.parametrize("fault", [fault for fault in SEND_FAILURES if fault != "cut_after"])
def test_each_kind_of_failed_pull_is_told_apart(sandbox: Sandbox, us: Network, brand: Any, fault: str) -> None:
    with sandbox.weather("x", fault, account=brand["id"]), pytest.raises(NetworkError) as raised:
        list(us.pull("mentions", {}))
    assert (raised.value.trouble, raised.value.ambiguous) == (SEND_FAILURES[fault][0], False)


def test_a_limit_says_how_long_to_wait(sandbox: Sandbox, us: Network, brand: Any) -> None:
    with (
        sandbox.weather("x", "rate_limited", account=brand["id"], reset_in_s=90),
        pytest.raises(NetworkError) as raised,
    ):
        list(us.pull("mentions", {}))
    assert raised.value.retry_after is not None
    assert 80 <= raised.value.retry_after.total_seconds() <= 91


def test_a_pull_goes_on_after_a_failure_between_its_pages(sandbox: Sandbox, us: Network, brand: Any, ann: Any) -> None:
    said = {sandbox.says("x", author=ann["id"], text=f"@{brand['username']} number {n}")["id"] for n in range(230)}
    found, cursor = set[str](), {}
    pull = us.pull("mentions", {})
    page = next(pull)
    with sandbox.weather("x", "server_error", account=brand["id"], count=1), pytest.raises(NetworkError):
        next(pull)
    found |= {item.external_id for item in page.items if isinstance(item, Post)}
    cursor = dict(page.cursor)
    found |= {post.external_id for post in posts(us, "mentions", cursor)}
    assert found == said


# -- pictures ----------------------------------------------------------------------------------------------------------


def test_pictures_stand_in_the_post_with_their_descriptions(
    us: Network, sandbox: Sandbox, question: dict[str, Any]
) -> None:
    out = replace(reply(question), pictures=(Picture(DOT, "image/png", "A tent stake"), Picture(DOT, "image/png")))
    sent = us.send(out)
    (post,) = us.lookup([sent.external_id])
    assert isinstance(post, Post)
    assert [(one.kind, one.alt) for one in post.media] == [("image", "A tent stake"), ("image", "")]
    assert us.find_sent(out) == sent
    kept = [line["upload"]["checksum"] for line in sandbox.ledger("accepted") if line["kind"] == "media.uploaded"]
    assert kept[-2:] == [hashlib.sha256(DOT).hexdigest()] * 2


def test_a_direct_message_takes_one_picture(us: Network, ann: dict[str, Any]) -> None:
    out = replace(message(ann), pictures=(Picture(DOT, "image/png"),))
    us.send(out)
    (post,) = [one for one in posts(us, "messages") if one.text == out.text]
    assert len(post.media) == 1


def test_an_upload_without_an_answer_has_said_nothing_yet(
    us: Network, sandbox: Sandbox, question: dict[str, Any]
) -> None:
    out = replace(reply(question, "With a picture."), pictures=(Picture(DOT, "image/png"),))
    with sandbox.weather("x", "cut_after", path="/x/2/media/upload"), pytest.raises(NetworkError) as raised:
        us.send(out)
    assert (raised.value.trouble, raised.value.ambiguous) == (Trouble.TEMPORARY, False)
    assert us.find_sent(out) is None
