"""The pages work as plain forms, and let nobody in from outside."""

import re
from html import unescape
from typing import Any

import pytest
import requests

from .conftest import Hand


@pytest.fixture
def browser(hand: Hand) -> Any:
    hand.person("ann")
    hand.brand("x")
    hand.brand("facebook")
    with requests.Session() as session:
        session.get(f"{hand.base_url}/play/x", timeout=5)
        yield session


def act(hand: Hand, browser: requests.Session, do: str, **fields: str) -> requests.Response:
    csrf = browser.cookies["sandbox_csrf"]
    form = {"csrf": csrf, "do": do, "network": "x", "as": "ann", "with": "trailhead", **fields}
    return browser.post(f"{hand.base_url}/play/act", data=form, timeout=5)


def test_a_customer_posts_and_sees_it(hand: Hand, browser: Any) -> None:
    page = act(hand, browser, "post", text="@trailhead my tent leaks")
    assert page.ok
    assert "my tent leaks" in page.text
    assert hand.ledger("accepted")[-1]["by"] == "person"


def test_a_customer_replies_edits_likes_and_deletes(hand: Hand, browser: Any) -> None:
    ours = hand.posts("x", "trailhead", "New tents")["id"]
    act(hand, browser, "like", item=ours)
    act(hand, browser, "reply", item=ours, text="nise")
    mine = hand.control("GET", f"/x/posts/{ours}")["below"][0]
    act(hand, browser, "edit", item=mine, text="nice")
    newest = hand.ledger("accepted")[-1]["item"]
    assert newest["text"] == "@trailhead nice"
    assert "Deleted." in act(hand, browser, "delete", item=newest["id"]).text


def test_a_customer_comments_and_writes_in_private_on_facebook(hand: Hand, browser: Any) -> None:
    page = act(hand, browser, "post", network="facebook", text="Where is my tent?", where="page")
    wall = hand.ledger("accepted")[-1]["item"]["id"]
    act(hand, browser, "reply", network="facebook", item=wall, text="Hello?")
    brand = hand.control("GET", "/facebook/brands/trailhead")["id"]
    page = act(hand, browser, "message", network="facebook", to=brand, text="psst", picture="on")
    assert "Hello?" in page.text
    assert "psst" in page.text


def test_the_brands_answer_is_shown_as_coming_from_the_inbox(hand: Hand, browser: Any) -> None:
    post = hand.posts("x", "ann", "@trailhead help")
    us = hand.control("GET", "/x/brands/trailhead")
    hand.x(us, "POST", "/2/tweets", {"text": "Here we are", "reply": {"in_reply_to_tweet_id": post["id"]}})
    part = browser.get(f"{hand.base_url}/play/part/x/feed?as=ann", timeout=5).text
    assert "Here we are" in part
    assert "through the inbox" in part


def test_hostile_text_stays_text(hand: Hand, browser: Any) -> None:
    hostile = '<script>alert(1)</script> <img src=x onerror=alert(1)> https://example.org/"onclick=1'
    page = act(hand, browser, "post", text=hostile)
    assert "<script>alert" not in page.text
    assert "<img src=x" not in page.text
    assert '"onclick' not in page.text
    assert "<script>alert(1)</script>" in unescape(page.text)


def test_a_newcomer_becomes_somebody_at_random(hand: Hand, browser: Any) -> None:
    page = act(hand, browser, "person", name="", handle="")
    assert len(hand.control("GET", "/state")["people"]) == 2
    assert re.search(r"as=\w+", page.url)


def test_a_taken_handle_is_explained(hand: Hand, browser: Any) -> None:
    assert "is taken" in act(hand, browser, "person", name="Ann", handle="ann").text


def test_the_weather_can_be_made_and_taken_back(hand: Hand, browser: Any) -> None:
    act(hand, browser, "preset", preset="Down")
    assert [one["fault"] for one in hand.control("GET", "/switches")["switches"]] == ["server_error"]
    assert "Fair" in act(hand, browser, "calm", fault="all").text


def test_a_token_can_be_revoked_from_the_page(hand: Hand, browser: Any) -> None:
    us = hand.control("GET", "/x/brands/trailhead")
    act(hand, browser, "token", account=us["id"], on="x", what="revoke")
    assert hand.x(us, "GET", "/2/users/me").status_code == 401


def test_a_form_without_the_right_token_does_nothing(hand: Hand, browser: Any) -> None:
    before = len(hand.ledger("accepted"))
    assert act(hand, browser, "post", text="forged", csrf="wrong").status_code == 403
    assert len(hand.ledger("accepted")) == before


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
def test_another_site_cannot_act(hand: Hand, headers: dict[str, str]) -> None:
    url = f"{hand.base_url}/control/people"
    assert requests.post(url, json={"handle": "eve"}, headers=headers, timeout=5).status_code == 403


def test_another_host_name_is_not_answered(hand: Hand) -> None:
    answer = requests.get(f"{hand.base_url}/control/state", headers={"Host": "evil.example"}, timeout=5)
    assert answer.status_code == 421


def test_pages_allow_no_inline_script(hand: Hand, browser: Any) -> None:
    page = browser.get(f"{hand.base_url}/play/weather", timeout=5)
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    assert "<script>" not in page.text
    assert "style=" not in page.text


def test_everyone_has_a_face_of_their_own(hand: Hand) -> None:
    faces = [
        requests.get(f"{hand.base_url}/avatars/x/{hand.person(name)['x']['id']}.png", timeout=5).content
        for name in ("maya", "ann")
    ]
    assert all(face.startswith(b"\x89PNG") for face in faces)
    assert faces[0] != faces[1]


def test_a_posts_picture_is_served(hand: Hand, browser: Any) -> None:
    post = hand.posts("x", "ann", "look", picture=True)
    answer = requests.get(hand.base_url + post["media"][0]["url"], timeout=5)
    assert answer.content.startswith(b"\x89PNG")


def test_an_open_page_hears_that_something_happened(hand: Hand) -> None:
    with requests.get(f"{hand.base_url}/play/events", stream=True, timeout=5) as stream:
        lines = stream.iter_lines()
        assert next(lines) == b"retry: 2000"
        hand.person("ann")
        assert next(line for line in lines if line.startswith(b"data:")) == b"data: 1"
