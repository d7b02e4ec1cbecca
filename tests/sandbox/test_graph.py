import json
import time
from typing import Any

import pytest

from .conftest import Hand

DAY_MS = 86_400_000


@pytest.fixture
def page(hand: Hand) -> Any:
    hand.person("ann")
    hand.person("bob")
    return hand.brand("facebook")


def send(hand: Hand, page: Any, recipient: Any, text: str = "hello", **more: str) -> Any:
    data = {"recipient": json.dumps(recipient), "message": json.dumps({"text": text, "metadata": "key:1"}), **more}
    return hand.graph(page, "POST", "/me/messages", data).json()


def ago(days: float) -> int:
    return int(time.time() * 1000 - days * DAY_MS)


def test_the_feed_holds_our_posts_and_theirs(hand: Hand, page: Any) -> None:
    ours = hand.posts("facebook", "trailhead", "Sale!")["id"]
    theirs = hand.posts("facebook", "ann", "Where is my tent?", page="trailhead")["id"]
    tagged = hand.posts("facebook", "ann", "Out with my tent", page="trailhead", tagged=True)["id"]
    found = {
        edge: [one["id"] for one in hand.graph(page, "GET", f"/me/{edge}").json()["data"]]
        for edge in ("feed", "posts", "visitor_posts", "tagged")
    }
    assert found == {"feed": [tagged, theirs, ours], "posts": [ours], "visitor_posts": [theirs], "tagged": [tagged]}


def test_nested_comments_come_as_a_stream_with_their_parents(hand: Hand, page: Any) -> None:
    post = hand.posts("facebook", "trailhead", "Sale!")["id"]
    top = hand.posts("facebook", "ann", "cheap?", reply_to=post)["id"]
    deep = hand.posts("facebook", "bob", "very", reply_to=top)["id"]
    deeper = hand.posts("facebook", "ann", "good", reply_to=deep)["id"]
    stream = hand.graph(page, "GET", f"/{post}/comments", filter="stream", fields="id,parent{id}").json()["data"]
    assert [(one["id"], one.get("parent", {}).get("id")) for one in stream] == [
        (top, None),
        (deep, top),
        (deeper, deep),
    ]
    toplevel = hand.graph(page, "GET", f"/{post}/comments", filter="toplevel").json()["data"]
    assert [one["id"] for one in toplevel] == [top]


def test_fields_are_honoured_also_inside(hand: Hand, page: Any) -> None:
    post = hand.posts("facebook", "trailhead", "Sale!")["id"]
    for number in range(3):
        hand.posts("facebook", "ann", f"comment {number}", reply_to=post)
    answer = hand.graph(page, "GET", f"/{post}", fields="message,comments.limit(2){message,from{name}}").json()
    assert answer["message"] == "Sale!"
    assert [one["message"] for one in answer["comments"]["data"]] == ["comment 0", "comment 1"]
    assert "after" in answer["comments"]["paging"]["cursors"]


def test_an_unknown_field_is_refused(hand: Hand, page: Any) -> None:
    error = hand.graph(page, "GET", "/me", fields="shoe_size").json()["error"]
    assert error["code"] == 100
    assert "shoe_size" in error["message"]


def test_cursors_reach_every_comment_once(hand: Hand, page: Any) -> None:
    post = hand.posts("facebook", "trailhead", "Sale!")["id"]
    made = [hand.posts("facebook", "ann", f"comment {number}", reply_to=post)["id"] for number in range(7)]
    found: list[str] = []
    after: dict[str, str] = {}
    while True:
        answer = hand.graph(page, "GET", f"/{post}/comments", limit=3, **after).json()
        found += [one["id"] for one in answer["data"]]
        if "next" not in answer["paging"]:
            break
        after = {"after": answer["paging"]["cursors"]["after"]}
    assert found == made


def test_a_cursor_survives_the_deletion_of_its_comment(hand: Hand, page: Any) -> None:
    post = hand.posts("facebook", "trailhead", "Sale!")["id"]
    made = [hand.posts("facebook", "ann", f"comment {number}", reply_to=post)["id"] for number in range(4)]
    first = hand.graph(page, "GET", f"/{post}/comments", limit=2).json()
    hand.control("DELETE", f"/facebook/posts/{made[1]}")
    rest = hand.graph(page, "GET", f"/{post}/comments", after=first["paging"]["cursors"]["after"]).json()
    assert [one["id"] for one in rest["data"]] == made[2:]


def test_we_answer_hide_and_delete(hand: Hand, page: Any) -> None:
    post = hand.posts("facebook", "ann", "Where is my tent?", page="trailhead")["id"]
    answer = hand.graph(page, "POST", f"/{post}/comments", {"message": "On its way"}).json()["id"]
    rude = hand.posts("facebook", "bob", "awful", reply_to=answer)["id"]
    assert hand.graph(page, "POST", f"/{rude}", {"is_hidden": "true"}).json() == {"success": True}
    assert hand.control("GET", f"/facebook/posts/{rude}")["hidden"] is True
    assert hand.graph(page, "DELETE", f"/{answer}").json() == {"success": True}
    assert hand.graph(page, "GET", f"/{answer}").json()["error"]["error_subcode"] == 33


def test_a_message_within_a_day_is_sent_with_our_metadata(hand: Hand, page: Any) -> None:
    psid = hand.writes("facebook", "ann", "trailhead", "hello")["psid"]
    sent = send(hand, page, {"id": psid})
    assert sent["recipient_id"] == psid
    line = hand.ledger("accepted")[-1]
    assert (line["by"], line["message"]["id"], line["message"]["metadata"]) == ("api", sent["message_id"], "key:1")


def test_after_a_day_only_a_human_may_write_and_after_a_week_nobody(hand: Hand, page: Any) -> None:
    ann = hand.writes("facebook", "ann", "trailhead", "hello", at=ago(2))["psid"]
    bob = hand.writes("facebook", "bob", "trailhead", "hello", at=ago(8))["psid"]
    human = {"messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"}
    assert send(hand, page, {"id": ann})["error"]["error_subcode"] == 2018278
    assert "message_id" in send(hand, page, {"id": ann}, **human)
    assert send(hand, page, {"id": bob}, **human)["error"]["code"] == 10


def test_a_private_reply_goes_once_and_within_a_week(hand: Hand, page: Any) -> None:
    post = hand.posts("facebook", "trailhead", "Sale!")["id"]
    comment = hand.posts("facebook", "ann", "my order 77?", reply_to=post)["id"]
    old = hand.posts("facebook", "bob", "hello", reply_to=post, at=ago(8))["id"]
    assert "message_id" in send(hand, page, {"comment_id": comment})
    assert send(hand, page, {"comment_id": comment})["error"]["code"] == 10900
    assert send(hand, page, {"comment_id": old})["error"]["code"] == 10901


def test_conversations_show_who_wrote_what(hand: Hand, page: Any) -> None:
    psid = hand.writes("facebook", "ann", "trailhead", "hello")["psid"]
    send(hand, page, {"id": psid}, "good day")
    fields = "participants,messages{message,from}"
    conversation = hand.graph(page, "GET", "/me/conversations", platform="messenger", fields=fields).json()["data"][0]
    assert psid in [one["id"] for one in conversation["participants"]["data"]]
    assert [(one["message"], one["from"]["id"]) for one in conversation["messages"]["data"]] == [
        ("good day", page["id"]),
        ("hello", psid),
    ]


@pytest.mark.parametrize("subcode", [460, 463])
def test_a_dead_token_says_why(hand: Hand, page: Any, subcode: int) -> None:
    hand.control("POST", f"/facebook/brands/{page['id']}/token", action="revoke", subcode=subcode)
    error = hand.graph(page, "GET", "/me").json()["error"]
    assert (error["code"], error["error_subcode"]) == (190, subcode)


def test_a_removed_scope_is_missed(hand: Hand, page: Any) -> None:
    hand.control("POST", f"/facebook/brands/{page['id']}/token", action="remove_scope", scope="pages_messaging")
    assert hand.graph(page, "GET", "/me/conversations").json()["error"]["code"] == 200


def test_a_token_may_stand_in_the_query(hand: Hand, page: Any) -> None:
    url = f"{hand.base_url}/graph/v25.0/me?access_token={page['credentials']['access_token']}"
    assert hand.session.get(url, timeout=5).json()["id"] == page["id"]
    assert "access_token" not in json.dumps(hand.ledger("calls"))


def test_an_app_registers_its_callback_by_itself(hand: Hand, page: Any, receiver: Any) -> None:
    receiver.knows(page)
    given = page["credentials"]
    data = {
        "object": "page", "callback_url": receiver.url, "verify_token": given["verify_token"], "fields": "feed",
        "access_token": f"{given['app_id']}|{given['app_secret']}",
    }  # fmt: skip
    url = f"{hand.base_url}/graph/v25.0/{given['app_id']}/subscriptions"
    assert hand.session.post(url, data=data, timeout=5).json() == {"success": True}
    assert hand.session.post(url, data={**data, "verify_token": "wrong"}, timeout=5).json()["error"]["code"] == 2200
