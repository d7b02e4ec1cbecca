"""What the sandbox remembers."""

import json
from pathlib import Path
from typing import Any

from .conftest import Hand, Running


def snapshot(hand: Hand) -> Any:
    state = hand.control("GET", "/state")
    state["counts"].pop("ledgers")
    return state


def test_all_is_there_again_after_a_kill(running: Running, survivor: Hand) -> None:
    survivor.person("ann")
    survivor.brand("x")
    page = survivor.brand("facebook")
    post = survivor.posts("x", "ann", "@trailhead hello")
    survivor.control("PATCH", f"/x/posts/{post['id']}", text="@trailhead good day")
    wall = survivor.posts("facebook", "ann", "hello", page="trailhead")
    survivor.graph(page, "POST", f"/{wall['id']}/comments", {"message": "good day"})
    survivor.writes("facebook", "ann", "trailhead", "psst")
    before = snapshot(survivor)
    running.kill()
    running.start()
    assert snapshot(survivor) == before


def test_ids_grow_over_a_restart(running: Running, survivor: Hand) -> None:
    survivor.person("ann")
    survivor.brand("x")
    first = survivor.posts("x", "ann", "@trailhead one")["id"]
    running.kill()
    running.start()
    assert int(survivor.posts("x", "ann", "@trailhead two")["id"]) > int(first) > 2**53


def test_a_torn_journal_line_loses_only_itself(running: Running, survivor: Hand) -> None:
    survivor.person("ann")
    running.kill()
    with (running.data / "journal.jsonl").open("a") as file:
        file.write('{"n": 99, "kind": "post.cre')
    running.start()
    survivor.brand("x")
    assert "ann" in survivor.control("GET", "/state")["people"]


def test_files_are_private_and_ledgers_hold_no_token(running: Running, survivor: Hand) -> None:
    page = survivor.brand("facebook")
    survivor.graph(page, "GET", "/me")
    token = page["credentials"]["access_token"]
    assert {oct(path.stat().st_mode & 0o777) for path in Path(running.data).iterdir()} == {"0o600"}
    shown = json.dumps([survivor.ledger(kind) for kind in ("accepted", "served", "webhooks", "calls")])
    assert token not in shown
    assert page["credentials"]["app_secret"] not in shown


def test_two_brands_of_one_network_share_an_app_unless_told_otherwise(hand: Hand) -> None:
    one, two = hand.brand("x", "one"), hand.brand("x", "two")
    other = hand.control("POST", "/x/brands", handle="three", name="Three", app="own")
    keys = [brand["credentials"]["consumer_key"] for brand in (one, two, other)]
    assert keys[0] == keys[1] != keys[2]
