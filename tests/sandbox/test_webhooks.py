from typing import Any

import pytest

from .conftest import Hand, Receiver, Running, eventually


def listened_to(hand: Hand, receiver: Receiver, network: str) -> Any:
    hand.person("ann")
    brand = hand.brand(network)
    receiver.knows(brand)
    hand.control("PATCH", "/settings", webhooks={"backoff_ms": 50})
    hand.control("POST", f"/{network}/webhook", url=receiver.url)
    return brand


@pytest.fixture
def us(hand: Hand, receiver: Receiver) -> Any:
    return listened_to(hand, receiver, "x")


@pytest.fixture
def page(hand: Hand, receiver: Receiver) -> Any:
    return listened_to(hand, receiver, "facebook")


def kinds(receiver: Receiver) -> list[str]:
    return [body["data"]["event_type"] for body in receiver.bodies]


def test_a_mention_is_told_in_xs_envelope(hand: Hand, us: Any, receiver: Receiver) -> None:
    post = hand.posts("x", "ann", "hey @trailhead")
    body = eventually(lambda: receiver.bodies)[0]["data"]
    assert (body["event_type"], body["payload"]["id"], body["filter"]) == (
        "post.mention.create",
        post["id"],
        {"user_id": us["id"]},
    )
    assert body["includes"]["users"][0]["username"] == "ann"


def test_a_reply_to_us_is_a_reply_and_no_mention(hand: Hand, us: Any, receiver: Receiver) -> None:
    ours = hand.posts("x", "trailhead", "New tents")
    hand.posts("x", "ann", "nice", reply_to=ours["id"])
    eventually(lambda: len(receiver.bodies) == 2)
    assert sorted(kinds(receiver)) == ["post.create", "post.reply.create"]


def test_messages_are_told_to_both_sides(hand: Hand, us: Any, receiver: Receiver) -> None:
    hand.writes("x", "ann", "trailhead", "hello")
    hand.writes("x", "trailhead", "ann", "good day")
    eventually(lambda: len(receiver.bodies) == 2)
    assert sorted(kinds(receiver)) == ["dm.received", "dm.sent"]


def test_comments_are_told_with_our_own_among_them(hand: Hand, page: Any, receiver: Receiver) -> None:
    post = hand.posts("facebook", "ann", "Where is my tent?", page="trailhead")["id"]
    answer = hand.graph(page, "POST", f"/{post}/comments", {"message": "On its way"}).json()["id"]
    hand.control("PATCH", f"/facebook/posts/{answer}", text="It is on its way")
    hand.control("DELETE", f"/facebook/posts/{answer}")

    def changes() -> list[Any]:
        return [change["value"] for body in receiver.bodies for entry in body["entry"] for change in entry["changes"]]

    eventually(lambda: len(changes()) == 4)
    told = [(one["item"], one["verb"]) for one in changes()]
    assert told == [("post", "add"), ("comment", "add"), ("comment", "edited"), ("comment", "remove")]
    assert (changes()[1]["from"]["id"], changes()[1]["parent_id"]) == (page["id"], post)


def test_a_message_of_the_page_comes_back_as_an_echo(hand: Hand, page: Any, receiver: Receiver) -> None:
    hand.writes("facebook", "trailhead", "ann", "written in the native app")
    entry = eventually(lambda: receiver.bodies)[0]["entry"][0]
    assert entry["messaging"][0]["message"]["is_echo"] is True
    assert "app_id" not in entry["messaging"][0]["message"]


def test_a_refused_webhook_is_sent_again_until_it_is_taken(hand: Hand, us: Any, receiver: Receiver) -> None:
    receiver.refusals = 3
    hand.posts("x", "ann", "hey @trailhead")
    eventually(lambda: receiver.bodies)
    statuses = [line["status"] for line in hand.ledger("webhooks") if line["type"] == "attempt"]
    assert statuses == [500, 500, 500, 200]


def test_what_was_not_taken_is_sent_after_a_kill(running: Running, survivor: Hand, receiver: Receiver) -> None:
    listened_to(survivor, receiver, "x")
    receiver.refusals = 1_000_000
    post = survivor.posts("x", "ann", "hey @trailhead")
    eventually(lambda: receiver.refusals < 1_000_000)
    running.kill()
    receiver.refusals = 0
    running.start()
    body = eventually(lambda: receiver.bodies)[0]
    assert body["data"]["payload"]["id"] == post["id"]


def test_a_taken_webhook_is_not_sent_again_after_a_kill(running: Running, survivor: Hand, receiver: Receiver) -> None:
    listened_to(survivor, receiver, "x")
    survivor.posts("x", "ann", "hey @trailhead")
    eventually(lambda: any(line.get("done") for line in survivor.ledger("webhooks")))
    running.kill()
    running.start()
    survivor.posts("x", "ann", "and @trailhead")
    eventually(lambda: len(receiver.bodies) == 2)
    assert [body["data"]["payload"]["text"] for body in receiver.bodies] == ["hey @trailhead", "and @trailhead"]


def test_webhooks_can_come_doubled_and_forged(hand: Hand, us: Any, receiver: Receiver) -> None:
    hand.control("POST", "/switches", network="x", fault="webhook_duplicate", copies=3, count=1)
    hand.control("POST", "/switches", network="x", fault="webhook_bad_signature", count=1)
    hand.posts("x", "ann", "hey @trailhead")
    eventually(lambda: len(receiver.bodies) == 3)
    assert receiver.forged == 3
    assert receiver.bodies[0] == receiver.bodies[2]


def test_a_webhook_can_be_overtaken(hand: Hand, us: Any, receiver: Receiver) -> None:
    hand.control("POST", "/switches", network="x", fault="webhook_out_of_order", ms=400, count=1)
    for word in ("first", "second"):
        hand.posts("x", "ann", f"{word} @trailhead")
    eventually(lambda: len(receiver.bodies) == 2)
    assert [body["data"]["payload"]["text"].split()[0] for body in receiver.bodies] == ["second", "first"]


def test_an_app_subscribes_over_the_api(hand: Hand, receiver: Receiver) -> None:
    us = hand.brand("x")
    receiver.knows(us)
    app = {"credentials": {"access_token": us["credentials"]["bearer_token"]}}
    webhook = hand.x(app, "POST", "/2/webhooks", {"url": receiver.url}).json()
    asked = {"event_type": "post.create", "filter": {"user_id": us["id"]}, "webhook_id": webhook["id"]}
    assert hand.x(us, "POST", "/2/activity/subscriptions", asked).status_code == 200
    hand.posts("x", "trailhead", "hello world")
    assert eventually(lambda: receiver.bodies)[0]["data"]["event_type"] == "post.create"


def test_a_webhook_that_cannot_answer_the_challenge_is_refused(hand: Hand, receiver: Receiver) -> None:
    us = hand.brand("x")
    app = {"credentials": {"access_token": us["credentials"]["bearer_token"]}}
    assert hand.x(app, "POST", "/2/webhooks", {"url": receiver.url}).status_code == 400
