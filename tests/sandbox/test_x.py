from typing import Any

import pytest

from .conftest import Hand

ALL = "author_id,conversation_id,created_at,referenced_tweets,entities,in_reply_to_user_id"


@pytest.fixture
def us(hand: Hand) -> Any:
    hand.person("ann", followers=97)
    return hand.brand("x")


def test_a_mention_is_found_with_its_author(hand: Hand, us: Any) -> None:
    post = hand.posts("x", "ann", "@trailhead my tent leaks")
    answer = hand.x(
        us, "GET", f"/2/users/{us['id']}/mentions", expansions="author_id", user_fields="public_metrics"
    ).json()
    assert [one["id"] for one in answer["data"]] == [post["id"]]
    assert answer["includes"]["users"][0]["public_metrics"]["followers_count"] == 97


def test_a_page_without_posts_has_no_data(hand: Hand, us: Any) -> None:
    answer = hand.x(us, "GET", f"/2/users/{us['id']}/mentions").json()
    assert answer == {"meta": {"result_count": 0}}


def test_paging_reaches_every_mention_once(hand: Hand, us: Any) -> None:
    made = [hand.posts("x", "ann", f"@trailhead number {number}")["id"] for number in range(12)]
    found, token = [], None
    while True:
        query = {"max_results": 5, **({"pagination_token": token} if token else {})}
        answer = hand.x(us, "GET", f"/2/users/{us['id']}/mentions", **query).json()
        found += [one["id"] for one in answer["data"]]
        token = answer["meta"].get("next_token")
        if token is None:
            break
    assert found == made[::-1]


def test_since_id_leaves_out_what_is_known(hand: Hand, us: Any) -> None:
    first, second = (hand.posts("x", "ann", f"@trailhead {word}")["id"] for word in ("one", "two"))
    answer = hand.x(us, "GET", f"/2/users/{us['id']}/mentions", since_id=first).json()
    assert [one["id"] for one in answer["data"]] == [second]


@pytest.mark.parametrize("size", [4, 101, "many"])
def test_max_results_outside_its_bounds_is_refused(hand: Hand, us: Any, size: Any) -> None:
    answer = hand.x(us, "GET", f"/2/users/{us['id']}/mentions", max_results=size)
    assert answer.status_code == 400
    assert answer.json()["type"].endswith("/invalid-request")


def test_the_post_dialect_uses_its_own_names(hand: Hand, us: Any) -> None:
    root = hand.posts("x", "ann", "@trailhead hello")
    hand.posts("x", "ann", "@trailhead more", reply_to=root["id"])
    query = {"post.fields": "conversation_id,public_metrics", "expansions": "referenced_posts,author_id"}
    answer = hand.x(us, "GET", f"/2/users/{us['id']}/mentions", **query).json()
    newest = answer["data"][0]
    assert newest["referenced_posts"] == [{"type": "replied_to", "id": root["id"]}]
    assert "repost_count" in newest["public_metrics"]
    assert [one["id"] for one in answer["includes"]["posts"]] == [root["id"]]


def test_a_reply_lands_under_the_post_with_the_name_in_front(hand: Hand, us: Any) -> None:
    post = hand.posts("x", "ann", "@trailhead my tent leaks")
    body = {"text": "Sorry!", "reply": {"in_reply_to_tweet_id": post["id"]}}
    made = hand.x(us, "POST", "/2/tweets", body).json()["data"]
    assert made["text"] == "@ann Sorry!"
    assert hand.control("GET", f"/x/posts/{post['id']}")["below"] == [made["id"]]


def test_the_same_text_twice_is_refused(hand: Hand, us: Any) -> None:
    post = hand.posts("x", "ann", "@trailhead help")
    body = {"text": "Sorry!", "reply": {"in_reply_to_tweet_id": post["id"]}}
    hand.x(us, "POST", "/2/tweets", body)
    answer = hand.x(us, "POST", "/2/tweets", body)
    assert answer.status_code == 403
    assert answer.json()["detail"] == "You are not allowed to create a Tweet with duplicate content."


def test_a_reply_to_somebody_who_did_not_ask_us_is_refused(hand: Hand, us: Any) -> None:
    post = hand.posts("x", "ann", "tents are great")
    answer = hand.x(us, "POST", "/2/tweets", {"text": "Buy!", "reply": {"in_reply_to_tweet_id": post["id"]}})
    assert answer.status_code == 403
    assert "not been mentioned" in answer.json()["detail"]


def test_a_reply_to_somebody_who_quoted_us_is_accepted(hand: Hand, us: Any) -> None:
    ours = hand.posts("x", "trailhead", "New tents")
    quote = hand.posts("x", "ann", "look", quote=ours["id"])
    answer = hand.x(us, "POST", "/2/tweets", {"text": "Thanks", "reply": {"in_reply_to_tweet_id": quote["id"]}})
    assert answer.status_code == 201


def test_a_text_over_280_weighted_characters_is_refused(hand: Hand) -> None:
    hand.person("ann")
    us = hand.control("POST", "/x/brands", handle="small", name="Small")
    assert hand.x(us, "POST", "/2/tweets", {"text": "語" * 141}).status_code == 400


def test_a_deleted_post_is_named_among_the_errors(hand: Hand, us: Any) -> None:
    gone, there = (hand.posts("x", "ann", f"@trailhead {word}")["id"] for word in ("one", "two"))
    hand.control("DELETE", f"/x/posts/{gone}")
    answer = hand.x(us, "GET", "/2/tweets", ids=f"{gone},{there}").json()
    assert [one["id"] for one in answer["data"]] == [there]
    assert [(one["resource_id"], one["type"].rsplit("/", 1)[1]) for one in answer["errors"]] == [
        (gone, "resource-not-found")
    ]


def test_a_protected_authors_posts_vanish(hand: Hand, us: Any) -> None:
    hand.posts("x", "ann", "@trailhead a secret")
    hand.control("PATCH", "/x/members/ann", protected=True)
    assert "data" not in hand.x(us, "GET", f"/2/users/{us['id']}/mentions").json()


def test_an_edit_gets_a_new_id_and_keeps_its_history(hand: Hand, us: Any) -> None:
    post = hand.posts("x", "ann", "@trailhead helo")
    hand.control("PATCH", f"/x/posts/{post['id']}", text="@trailhead hello")
    shown = hand.x(us, "GET", f"/2/users/{us['id']}/mentions").json()["data"]
    assert [one["text"] for one in shown] == ["@trailhead hello"]
    assert shown[0]["edit_history_tweet_ids"] == [post["id"], shown[0]["id"]]


def test_a_conversation_is_found_by_its_root(hand: Hand, us: Any) -> None:
    root = hand.posts("x", "ann", "@trailhead help")
    below = hand.posts("x", "trailhead", "how?", reply_to=root["id"])
    deeper = hand.posts("x", "ann", "it leaks", reply_to=below["id"])
    answer = hand.x(us, "GET", "/2/tweets/search/recent", query=f"conversation_id:{root['id']} is:reply").json()
    assert [one["id"] for one in answer["data"]] == [deeper["id"], below["id"]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("tent", True), ("TENT leaks", True), ('"tent leaks"', True), ('"leaks tent"', False), ("from:ann", True),
        ("-from:ann tent", False), ("stove OR tent", True), ("#camping", True), ("(stove OR tent) -leaks", False),
        ("@trailhead", True), ("to:trailhead", False), ("has:links", False),
    ],
)  # fmt: skip
def test_search_understands(hand: Hand, us: Any, query: str, found: bool) -> None:
    hand.posts("x", "ann", "@trailhead my tent leaks #camping")
    assert ("data" in hand.x(us, "GET", "/2/tweets/search/recent", query=query).json()) is found


def test_direct_messages_run_both_ways(hand: Hand, us: Any) -> None:
    ann = hand.control("PATCH", "/x/members/ann", lang="en")["id"]
    hand.writes("x", "ann", "trailhead", "my order number is 5")
    hand.x(us, "POST", f"/2/dm_conversations/with/{ann}/messages", {"text": "thanks"})
    answer = hand.x(us, "GET", "/2/dm_events", **{"dm_event.fields": "sender_id,dm_conversation_id,created_at"}).json()
    assert [(one["text"], one["sender_id"]) for one in answer["data"]] == [
        ("thanks", us["id"]),
        ("my order number is 5", ann),
    ]


def test_somebody_who_takes_no_messages_cannot_be_written_to(hand: Hand, us: Any) -> None:
    ann = hand.control("PATCH", "/x/members/ann", dm_open=False)["id"]
    answer = hand.x(us, "GET", f"/2/users/{ann}", user_fields="receives_your_dm").json()
    assert answer["data"]["receives_your_dm"] is False
    assert hand.x(us, "POST", f"/2/dm_conversations/with/{ann}/messages", {"text": "hi"}).status_code == 403


def test_a_reply_below_our_post_can_be_hidden(hand: Hand, us: Any) -> None:
    ours = hand.posts("x", "trailhead", "New tents")
    rude = hand.posts("x", "ann", "awful", reply_to=ours["id"])
    answer = hand.x(us, "PUT", f"/2/tweets/{rude['id']}/hidden", {"hidden": True})
    assert answer.json() == {"data": {"hidden": True}}
    assert hand.control("GET", f"/x/posts/{rude['id']}")["hidden"] is True


def test_rate_limits_count_down_and_then_refuse(hand: Hand, us: Any) -> None:
    answers = [hand.x(us, "GET", "/2/dm_events") for _ in range(16)]
    assert [answers[0].headers[f"x-rate-limit-{one}"] for one in ("limit", "remaining")] == ["15", "14"]
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["x-rate-limit-reset"]) > 0


def test_an_unknown_token_is_refused(hand: Hand, us: Any) -> None:
    us["credentials"]["access_token"] = "nonsense"
    assert hand.x(us, "GET", "/2/users/me").status_code == 401


def test_a_conversation_whose_root_is_not_loaded_is_named_after_it(hand: Hand, us: Any) -> None:
    posts = [
        {"id": "3", "author": "115712", "created": 1_509_488_907_000, "text": "and?", "reply_to": "2"},
        {"id": "2", "author": "115712", "created": 1_509_488_900_000, "text": "@trailhead no", "reply_to": "1"},
    ]
    users = [{"id": "115712", "username": "115712"}]
    assert hand.control("POST", "/x/load", users=users, posts=posts)["posts"] == 2
    assert hand.control("POST", "/x/load", users=users, posts=posts) == {"users": 0, "posts": 0, "already_there": 2}
    answer = hand.x(us, "GET", "/2/tweets", ids="2,3", tweet_fields=ALL).json()
    assert {one["conversation_id"] for one in answer["data"]} == {"1"}
