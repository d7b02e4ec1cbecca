from typing import Any

import pytest
import requests

from .conftest import Hand, eventually


@pytest.fixture
def us(hand: Hand) -> Any:
    hand.person("ann")
    return hand.brand("x")


@pytest.fixture
def page(hand: Hand) -> Any:
    hand.person("ann")
    return hand.brand("facebook")


def mentions(hand: Hand, us: Any, **query: str) -> requests.Response:
    return hand.x(us, "GET", f"/2/users/{us['id']}/mentions", max_results=5, **query)


def accepted(hand: Hand) -> list[str]:
    return [line["item"]["text"] for line in hand.ledger("accepted") if line["kind"] == "post.created"]


def test_a_cut_before_leaves_nothing_behind(hand: Hand, us: Any) -> None:
    hand.control("POST", "/switches", network="x", fault="cut_before", count=1)
    with pytest.raises(requests.ConnectionError):
        hand.x(us, "POST", "/2/tweets", {"text": "lost"})
    assert accepted(hand) == []


def test_a_cut_after_leaves_the_post_behind(hand: Hand, us: Any) -> None:
    hand.control("POST", "/switches", network="x", fault="cut_after", count=1)
    with pytest.raises(requests.ConnectionError):
        hand.x(us, "POST", "/2/tweets", {"text": "there"})
    assert accepted(hand) == ["there"]


def test_a_late_accept_happens_after_the_cut(hand: Hand, us: Any) -> None:
    hand.control("POST", "/switches", network="x", fault="late_accept", count=1, ms=200)
    with pytest.raises(requests.ConnectionError):
        hand.x(us, "POST", "/2/tweets", {"text": "late"})
    assert accepted(hand) == []
    eventually(lambda: accepted(hand) == ["late"])


def test_a_broken_body_is_no_json(hand: Hand, us: Any) -> None:
    hand.control("POST", "/switches", network="x", fault="broken_body", count=1)
    answer = hand.x(us, "POST", "/2/tweets", {"text": "there"})
    assert answer.status_code == 200
    with pytest.raises(requests.JSONDecodeError):
        answer.json()
    assert accepted(hand) == ["there"]


def test_a_wrong_id_is_not_the_one_in_the_ledger(hand: Hand, us: Any) -> None:
    hand.control("POST", "/switches", network="x", fault="wrong_id", count=1)
    answered = hand.x(us, "POST", "/2/tweets", {"text": "there"}).json()["data"]["id"]
    assert answered not in [line["item"]["id"] for line in hand.ledger("accepted") if line["kind"] == "post.created"]


def test_a_rate_limit_of_x_says_when_it_ends_or_not_at_all(hand: Hand, us: Any) -> None:
    hand.control("POST", "/switches", network="x", fault="rate_limited", count=1, reset_in_s=30)
    hand.control("POST", "/switches", network="x", fault="rate_limited", count=1, no_reset=True)
    answers = [hand.x(us, "GET", "/2/users/me") for _ in range(3)]
    assert [one.status_code for one in answers] == [429, 429, 200]
    assert ["x-rate-limit-reset" in one.headers for one in answers] == [True, False, True]


@pytest.mark.parametrize("code", [4, 17, 32, 613])
def test_a_throttle_of_graph_is_a_400_with_its_code(hand: Hand, page: Any, code: int) -> None:
    hand.control("POST", "/switches", network="facebook", fault="rate_limited", count=1, code=code)
    answer = hand.graph(page, "GET", "/me")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)
    assert "X-Business-Use-Case-Usage" in answer.headers


def test_a_server_error_is_an_html_page(hand: Hand, page: Any) -> None:
    hand.control("POST", "/switches", network="facebook", fault="server_error", count=1, status=502)
    answer = hand.graph(page, "GET", "/me")
    assert (answer.status_code, answer.headers["Content-Type"].split(";")[0]) == (502, "text/html")


def test_somebody_posts_while_we_page(hand: Hand, us: Any) -> None:
    for number in range(6):
        hand.posts("x", "ann", f"@trailhead {number}")
    hand.control("POST", "/switches", network="x", fault="insert_while_paging", count=1)
    first = hand.x(us, "GET", f"/2/users/{us['id']}/mentions", max_results=5).json()
    rest = hand.x(
        us, "GET", f"/2/users/{us['id']}/mentions", max_results=5, pagination_token=first["meta"]["next_token"]
    ).json()
    assert len(rest["data"]) == 1
    assert len(accepted(hand)) == 7


def test_an_empty_page_has_more_behind(hand: Hand, us: Any) -> None:
    made = [hand.posts("x", "ann", f"@trailhead {number}")["id"] for number in range(6)]
    hand.control("POST", "/switches", network="x", fault="empty_page", count=1)
    empty = mentions(hand, us).json()
    assert "data" not in empty
    full = hand.x(
        us, "GET", f"/2/users/{us['id']}/mentions", max_results=5, pagination_token=empty["meta"]["next_token"]
    ).json()
    assert [one["id"] for one in full["data"]] == made[:0:-1]


def test_a_fault_strikes_where_it_was_told_to(hand: Hand, us: Any) -> None:
    hand.control("POST", "/switches", network="x", fault="server_error", methods=["POST"], path="/2/tweets$")
    assert hand.x(us, "GET", "/2/users/me").status_code == 200
    assert hand.x(us, "POST", "/2/tweets", {"text": "no"}).status_code == 503


def test_the_draw_repeats_by_its_seed(hand: Hand, us: Any) -> None:
    def run() -> list[int]:
        hand.control("DELETE", "/switches")
        hand.control("POST", "/switches", network="x", fault="server_error", probability=0.5, seed=7)
        return [hand.x(us, "GET", "/2/users/me").status_code for _ in range(12)]

    first = run()
    assert first == run()
    assert set(first) == {200, 503}


def test_the_ledger_of_served_ids_knows_what_never_arrived(hand: Hand, us: Any) -> None:
    post = hand.posts("x", "ann", "@trailhead hello")
    hand.control("POST", "/switches", network="x", fault="cut_after", count=1)
    with pytest.raises(requests.ConnectionError):
        mentions(hand, us)
    mentions(hand, us)
    lines = [(line["ids"], line.get("fault"), line["to"]) for line in hand.ledger("served")]
    assert lines == [([post["id"]], "cut_after", f"user:{us['id']}"), ([post["id"]], None, f"user:{us['id']}")]


def test_an_unknown_fault_is_refused_with_a_reason(hand: Hand) -> None:
    answer = hand.session.post(f"{hand.base_url}/control/switches", json={"fault": "snow"}, timeout=5)
    assert answer.status_code == 400
    assert "snow" in answer.json()["error"]
