"""The pieces the networks are made of: values made safe, texts compared, hand-shakes and signatures."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from channels_ingest.networks import network
from channels_ingest.networks.http import redact
from channels_ingest.networks.parts import graph_said, values, x_said

# -- values ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("given", "kept"), [("a\x00b", "ab"), ("a\ud83db", "ab"), ("🙂", "🙂"), (None, ""), (7, "")])
def test_a_text_can_be_stored(given: Any, kept: str) -> None:
    assert values.text(given) == kept


def test_a_text_has_an_end() -> None:
    assert len(values.text("x" * 10**6)) == values.TEXT_LIMIT


@pytest.mark.parametrize(
    ("given", "kept"),
    [("1_2", "1_2"), (7, "7"), (-7, "-7"), (2**80, ""), (True, ""), ("a b", ""), ("", ""), ("x" * 256, ""), ("é", "")],
)
def test_an_id_is_a_sane_string(given: Any, kept: str) -> None:
    assert values.identifier(given) == kept


@pytest.mark.parametrize(
    "given",
    ["2026-08-12T18:00:00.000Z", "2026-08-12T18:00:00+0000", "2026-08-12T20:00:00+02:00", 1786557600, 1786557600.0],
)
def test_a_time_is_utc_however_it_is_written(given: Any) -> None:
    found = values.moment(given)
    assert found == datetime(2026, 8, 12, 18, tzinfo=UTC)
    assert found.tzinfo == UTC


@pytest.mark.parametrize(
    "given",
    ["2026-08-12T18:00:00", "soon", "", None, True, 10**30, -(10**12), float("nan"), "0001-01-01T00:00:00+14:00"],
)
def test_a_strange_time_is_none(given: Any) -> None:
    assert values.moment(given) is None


@pytest.mark.parametrize(
    "given", ["javascript:alert(1)", "ftp://a/b", "//a/b", "https://a b", "https://" + "a" * 3000, 7, None]
)
def test_only_web_addresses_are_kept(given: Any) -> None:
    assert values.url(given) == ""


def test_a_raw_payload_can_be_stored() -> None:
    deep: Any = "end"
    for _ in range(100):
        deep = [deep]
    raw = {"nul\x00": "a\x00", "half": "\ud800", "inf": float("inf"), "big": 2**90, "deep": deep, "many": [0] * 9999}
    kept = json.dumps(values.storable(raw), allow_nan=False)
    assert "\\u0000" not in kept
    assert "\\ud800" not in kept
    assert len(kept) < 10_000


@pytest.mark.parametrize("body", [b"{", b"", b"[" * 100_000, b"\xff", b"1" * 5000])
def test_broken_json_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        values.parse_json(body)


# -- texts compared ----------------------------------------------------------------------------------------------------

SAME = [
    ("@ann @ben We are on it.", "We are on it."),
    ("We are on it.", " We  are\non it. "),
    ("Tom &amp; Ann &lt;3", "Tom & Ann <3"),
    ("see https://t.co/abc", "see https://example.com/x"),
    ("see https://example.com/x/", "see http://Example.com/x"),
    ("see http://example.com now", "see example.com now"),
    ("cafe\u0301", "café"),
]
DIFFERENT = [
    ("We are on it.", "We are on it!"),
    ("see https://example.com/x", "see https://example.com/y"),
    ("see it", "see https://example.com/y"),
    ("We are on it, @ann", "We are on it,"),
]


@pytest.mark.parametrize(("theirs", "ours"), SAME)
def test_what_x_changes_on_the_way_is_the_same_text(theirs: str, ours: str) -> None:
    assert x_said.same_words(theirs, ours)


@pytest.mark.parametrize(("theirs", "ours"), DIFFERENT)
def test_other_words_are_another_text(theirs: str, ours: str) -> None:
    assert not x_said.same_words(theirs, ours)


def test_facebook_changes_blanks_alone() -> None:
    assert graph_said.same_words("We are\n on it.", "We are on it. ")
    assert not graph_said.same_words("@ann We are on it.", "We are on it.")


# -- hand-shakes and signatures ----------------------------------------------------------------------------------------

BODY = '{"hello": "wörld"}'.encode()


def test_x_is_answered_with_a_keyed_digest_of_its_token() -> None:
    digest = hmac.new(b"shh", b"abc", hashlib.sha256).digest()
    expected = {"response_token": "sha256=" + base64.b64encode(digest).decode()}
    answer = network("twitter").challenge({"crc_token": "abc"}, {"consumer_secret": "shh"})
    assert answer and (answer[0], json.loads(answer[1])) == ("application/json", expected)


def test_x_s_signature_is_believed_and_no_other() -> None:
    signature = "sha256=" + base64.b64encode(hmac.new(b"shh", BODY, hashlib.sha256).digest()).decode()
    headers = {"x-twitter-webhooks-signature": signature}
    assert network("twitter").signed(BODY, headers, {"consumer_secret": "shh"})
    assert not network("twitter").signed(BODY + b" ", headers, {"consumer_secret": "shh"})
    assert not network("twitter").signed(BODY, headers, {"consumer_secret": "other"})


def test_facebook_s_signature_is_believed_and_no_other() -> None:
    headers = {"x-hub-signature-256": "sha256=" + hmac.new(b"shh", BODY, hashlib.sha256).hexdigest()}
    assert network("facebook").signed(BODY, headers, {"app_secret": "shh"})
    assert not network("facebook").signed(BODY + b" ", headers, {"app_secret": "shh"})
    assert not network("facebook").signed(BODY, headers, {"app_secret": "other"})


HUB = {"hub.mode": "subscribe", "hub.verify_token": "our-password", "hub.challenge": "1158201444"}


def test_facebook_gets_its_challenge_back_where_it_knows_our_password() -> None:
    assert network("facebook").challenge(HUB, {"verify_token": "our-password"}) == ("text/plain", "1158201444")


@pytest.mark.parametrize(
    "change",
    [
        {"hub.verify_token": "guess"},
        {"hub.mode": "unsubscribe"},
        {"hub.challenge": "<script>"},
        {"hub.verify_token": "\ud800"},
    ],
)
def test_facebook_gets_nothing_where_anything_is_wrong(change: dict[str, str]) -> None:
    assert network("facebook").challenge(HUB | change, {"verify_token": "our-password"}) is None


# -- secrets and memory ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        "GET /me?access_token=SECRETSECRET&fields=id",
        "Authorization: Bearer SECRETSECRET",
        "{'access_token': 'SECRETSECRET'}",
        '{"client_secret": "SECRETSECRET"}',
        "appsecret_proof=SECRETSECRET",
        "OAuth SECRETSECRET",
    ],
)
def test_what_looks_like_a_token_is_taken_out(words: str) -> None:
    assert "SECRET" not in redact(words)


def test_words_that_only_sound_like_it_stay() -> None:
    assert redact("The access token has run out.") == "The access token has run out."


def test_looking_at_the_networks_loads_no_client_library() -> None:
    code = (
        "import sys; from channels_ingest.networks import networks; networks(); "
        "print([one for one in ('tweepy', 'facebook', 'requests', 'urllib3') if one in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_a_time_in_another_zone_is_the_same_moment() -> None:
    here = datetime(2026, 8, 12, 23, 30, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    assert values.moment(here.isoformat()) == here
