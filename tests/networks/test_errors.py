"""Whatever a network answers becomes the one NetworkError: of the right kind, with a sane wait, and without a token."""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from channels_ingest.networks import http
from channels_ingest.networks.base import Action, Network, NetworkError, Outgoing, Trouble
from tests.networks.conftest import CREDENTIALS, speaking
from tests.networks.played import Answer, Stage

TEMPORARY, PERMANENT, BROKEN = Trouble.TEMPORARY, Trouble.PERMANENT, Trouble.BROKEN
REPLY = Outgoing(Action.REPLY, "We are on it.", "key", parent_id="55", root_id="55")
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
DATE = {"date": format_datetime(NOW, usegmt=True)}


def failure(act: Callable[[], object]) -> NetworkError:
    with pytest.raises(NetworkError) as raised:
        act()
    return raised.value


def problem(status: int, detail: str, kind: str = "about:blank", **headers: str) -> Answer:
    """An X problem document."""
    body = {"title": "Problem", "detail": detail, "type": kind, "status": status}
    return Answer(body, status, headers, content_type="application/problem+json")


def graph_error(
    code: int, subcode: int = 0, *, status: int = 400, words: str = "", headers: Mapping[str, str] | None = None
) -> Answer:
    error = {"message": words or f"(#{code}) refused", "type": "OAuthException", "code": code, "fbtrace_id": "A1"}
    return Answer({"error": error | ({"error_subcode": subcode} if subcode else {})}, status, headers or {})


# -- X: what a refusal means -------------------------------------------------------------------------------------------

PROBLEMS = "https://api.twitter.com/2/problems/"
X_SENDING = {
    "duplicate": (problem(403, "You are not allowed to create a Tweet with duplicate content."), PERMANENT, False),
    "too long": (problem(403, "Your Tweet text is too long."), PERMANENT, False),
    "parent gone": (
        problem(403, "You attempted to reply to a Tweet that is deleted or not visible."),
        PERMANENT,
        False,
    ),
    "not summoned": (problem(403, "Reply to this conversation is not allowed."), PERMANENT, False),
    "no messages": (problem(403, "You do not have permission to DM one or more participants."), PERMANENT, False),
    "bad request": (problem(400, "One or more parameters to your request was invalid."), PERMANENT, False),
    "list for a body": (Answer([{"message": "no"}], 400), PERMANENT, False),
    "not found": (problem(404, "Not Found"), PERMANENT, False),
    "dead token": (problem(401, "Unauthorized"), BROKEN, False),
    "not enrolled": (problem(403, "When authenticating...", PROBLEMS + "client-forbidden"), BROKEN, False),
    "no permission": (
        problem(403, "Your client app is not configured with the appropriate oauth1 app permissions."),
        BROKEN,
        False,
    ),
    "suspended": (
        problem(403, "Your account is suspended and is not permitted to access this feature."),
        BROKEN,
        False,
    ),
    "used up": (problem(429, "Usage cap exceeded", PROBLEMS + "usage-capped"), BROKEN, False),
    "too many": (problem(429, "Too Many Requests"), TEMPORARY, False),
    "server error": (Answer(b"<html>Over capacity</html>", 503, content_type="text/html"), TEMPORARY, True),
    "gateway": (problem(504, "Timeout"), TEMPORARY, True),
    "html with 200": (Answer(b"<html>hello</html>", content_type="text/html"), TEMPORARY, True),
    "half a body": (Answer(b'{"data": {"id": "1', 201), TEMPORARY, True),
    "no id": (Answer({"data": {}}, 201), TEMPORARY, True),
    "strange id": (Answer({"data": {"id": ["1"]}}, 201), TEMPORARY, True),
    "cut": (Answer(cut=True), TEMPORARY, True),
    "redirect": (Answer({}, 302, {"location": "http://127.0.0.1:1/"}), PERMANENT, False),
    "deep nonsense": (Answer(b"[" * 100_000), TEMPORARY, True),
}


@pytest.mark.parametrize("what", X_SENDING)
def test_x_refuses_a_reply(stage: Stage, x: Network, what: str) -> None:
    answer, trouble, ambiguous = X_SENDING[what]
    stage.play(answer)
    error = failure(lambda: x.send(REPLY))
    assert (error.trouble, error.ambiguous, error.duplicate) == (trouble, ambiguous, what == "duplicate")
    assert len(stage.asked) == 1


@pytest.mark.parametrize("what", ["server error", "cut", "half a body", "gateway"])
def test_a_read_is_never_ambiguous(stage: Stage, x: Network, what: str) -> None:
    stage.play(X_SENDING[what][0])
    assert failure(lambda: list(x.pull("mentions", {}))).ambiguous is False


def test_reading_without_permission_breaks_the_channel(stage: Stage, x: Network) -> None:
    stage.play(problem(403, "You are not permitted to perform this action."))
    assert failure(lambda: list(x.pull("mentions", {}))).trouble == BROKEN


# -- X: how long to wait -----------------------------------------------------------------------------------------------


def at(seconds: int) -> str:
    return str(int(NOW.timestamp()) + seconds)


X_WAITS = {
    "until the reset": ({"x-rate-limit-reset": at(600)}, 600),
    "a reset just now": ({"x-rate-limit-reset": at(0)}, 1),
    "no reset": ({}, 900),
    "minus one": ({"x-rate-limit-reset": "-1"}, 900),
    "a year": ({"x-rate-limit-reset": at(365 * 86_400)}, 900),
    "in the past": ({"x-rate-limit-reset": at(-5000)}, 900),
    "words": ({"x-rate-limit-reset": "soon"}, 900),
    "an absurd number": ({"x-rate-limit-reset": "9" * 400}, 900),
    "retry-after seconds": ({"retry-after": "120"}, 120),
    "retry-after date": ({"retry-after": format_datetime(NOW + timedelta(minutes=3), usegmt=True)}, 180),
    "retry-after a year": ({"retry-after": "31536000"}, 900),
    "the day's limit": (
        {"x-rate-limit-reset": at(10), "x-user-limit-24hour-remaining": "0", "x-user-limit-24hour-reset": at(7200)},
        7200,
    ),
}


@pytest.mark.parametrize("what", X_WAITS)
def test_x_says_how_long_to_wait(stage: Stage, x: Network, what: str) -> None:
    headers, seconds = X_WAITS[what]
    stage.play(problem(429, "Too Many Requests", **DATE, **headers))
    assert failure(lambda: x.send(REPLY)).retry_after == timedelta(seconds=seconds)


def test_a_limit_of_x_is_met_once_and_not_waited_for(stage: Stage, x: Network) -> None:
    stage.play(problem(429, "Too Many Requests"))
    failure(lambda: list(x.pull("mentions", {})))
    assert len(stage.asked) == 1


# -- Graph -------------------------------------------------------------------------------------------------------------

GRAPH_SENDING = {
    "app limit": (graph_error(4), TEMPORARY, False),
    "user limit": (graph_error(17), TEMPORARY, False),
    "page limit": (graph_error(32), TEMPORARY, False),
    "custom limit": (graph_error(613), TEMPORARY, False),
    "business limit": (graph_error(80001), TEMPORARY, False),
    "unknown": (graph_error(1), TEMPORARY, True),
    "service": (graph_error(2, status=503), TEMPORARY, True),
    "dead token": (graph_error(190), BROKEN, False),
    "session": (graph_error(102), BROKEN, False),
    "permission": (graph_error(10), BROKEN, False),
    "scope": (graph_error(200), BROKEN, False),
    "restricted page": (graph_error(10, 1893063), BROKEN, False),
    "window": (graph_error(10, 2018278), PERMANENT, False),
    "window in words": (
        graph_error(10, words="(#10) This message is sent outside of allowed window."),
        PERMANENT,
        False,
    ),
    "gone": (graph_error(100, 33), PERMANENT, False),
    "too long": (graph_error(100, words="(#100) Param message is too long"), PERMANENT, False),
    "replied": (graph_error(10900), PERMANENT, False),
    "policy": (graph_error(368), PERMANENT, False),
    "duplicate": (graph_error(506), PERMANENT, False),
    "absent person": (graph_error(551), PERMANENT, False),
    "error with 200": (graph_error(190, status=200), BROKEN, False),
    "bad gateway": (Answer(b"<html>502</html>", 502, content_type="text/html"), TEMPORARY, True),
    "html with 200": (Answer(b"<html>hello</html>", content_type="text/html"), TEMPORARY, True),
    "half a body": (Answer(b'{"id": "1'), TEMPORARY, True),
    "no id": (Answer({}), TEMPORARY, True),
    "cut": (Answer(cut=True), TEMPORARY, True),
    "an error that is no object": (Answer({"error": "no", "id": None}), TEMPORARY, True),
    "a code that is no number": (Answer({"error": {"code": "x", "message": 5}}, 400), PERMANENT, False),
}


@pytest.mark.parametrize("what", GRAPH_SENDING)
def test_graph_refuses_a_reply(stage: Stage, facebook: Network, what: str) -> None:
    answer, trouble, ambiguous = GRAPH_SENDING[what]
    stage.play(answer)
    error = failure(lambda: facebook.send(REPLY))
    assert (error.trouble, error.ambiguous, error.duplicate) == (trouble, ambiguous, what == "duplicate")
    assert len(stage.asked) == 1


def usage(*minutes: object) -> str:
    return json.dumps({"1000": [{"type": "pages", "estimated_time_to_regain_access": one} for one in minutes]})


GRAPH_WAITS = {
    "what the header says": (32, usage(3, 12), 720),
    "nothing in the header": (32, usage(0), 900),
    "no header": (4, "", 900),
    "a broken header": (17, "{", 900),
    "negative": (32, usage(-4), 900),
    "a year": (32, usage(525_600), 900),
    "another type": (32, usage("12"), 900),
    "custom": (613, "", 60),
    "business": (80001, usage(33), 1980),
}


@pytest.mark.parametrize("what", GRAPH_WAITS)
def test_graph_says_how_long_to_wait(stage: Stage, facebook: Network, what: str) -> None:
    code, header, seconds = GRAPH_WAITS[what]
    stage.play(graph_error(code, headers={"x-business-use-case-usage": header} if header else {}))
    assert failure(lambda: facebook.send(REPLY)).retry_after == timedelta(seconds=seconds)


def test_graph_json_that_calls_itself_javascript_is_read(stage: Stage, facebook: Network) -> None:
    stage.play(Answer({"id": "1_2"}, content_type="text/javascript; charset=UTF-8"))
    assert facebook.send(REPLY).external_id == "1_2"


def test_graph_that_does_not_say_that_it_was_done_is_not_believed(stage: Stage, facebook: Network) -> None:
    stage.play({"success": False})
    assert failure(lambda: facebook.hide("1_2", hidden=True)).ambiguous


@pytest.mark.parametrize("hostile", ["../me", "1/feed", "a?b", "x#y", "", "1 2"])
def test_an_id_never_leads_to_another_path_of_graph(stage: Stage, facebook: Network, hostile: str) -> None:
    stage.play({})
    assert failure(lambda: facebook.remove(hostile)).trouble == PERMANENT
    assert not stage.asked


# -- both --------------------------------------------------------------------------------------------------------------


@pytest.fixture(params=["twitter", "facebook"])
def key(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_an_unreachable_network_took_nothing(key: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        network = speaking(key, f"http://127.0.0.1:{taken.getsockname()[1]}")
        error = failure(lambda: network.send(REPLY))
    assert (error.trouble, error.ambiguous, error.code) == (TEMPORARY, False, "unreachable")


def test_a_network_that_does_not_answer_may_have_taken_it(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "READ_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        network = speaking(key, f"http://127.0.0.1:{silent.getsockname()[1]}")
        error = failure(lambda: network.send(REPLY))
    assert (error.trouble, error.ambiguous, error.code) == (TEMPORARY, True, "timeout")


def test_an_answer_without_end_is_cut_off(key: str, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "BODY_LIMIT", 1000)
    stage.play({"data": "x" * 5000})
    assert failure(speaking(key, stage.base_url).identify).code == "connection"


def test_an_answer_that_drips_is_given_up(key: str, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "WHOLE_SECONDS", -1)
    stage.play({"data": {"id": "1000"}, "id": "1000"})
    assert failure(speaking(key, stage.base_url).identify).code == "timeout"


@pytest.mark.parametrize("token", ["", "with\nnewline", "ünïcode", "nul\x00"])
def test_a_damaged_token_is_refused_before_anything_is_asked(key: str, stage: Stage, token: str) -> None:
    network = speaking(key, stage.base_url)
    object.__setattr__(network.account, "credentials", {**CREDENTIALS[key], "access_token": token})
    assert failure(network.identify).trouble == BROKEN
    assert not stage.asked


def test_no_message_holds_a_token(key: str, stage: Stage) -> None:
    token = CREDENTIALS[key]["access_token"]
    words = f"Bad token {token} at https://example.com/me?access_token={token}&x=1 Authorization: Bearer {token}"
    body: Any = {"detail": words, "error": {"message": words, "code": 190}}
    stage.play(Answer(body, 401))
    error = failure(speaking(key, stage.base_url).identify)
    assert token not in str(error)
    assert token not in error.message
    assert "[secret]" in error.message


def test_an_error_carries_no_inner_error_that_could_hold_an_address(key: str, stage: Stage) -> None:
    stage.play(Answer(cut=True))
    error = failure(speaking(key, stage.base_url).identify)
    assert (error.__cause__, error.__context__) == (None, None)


def test_no_log_line_holds_a_token(key: str, stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    stage.play({"data": {"id": "1000"}, "id": "1000"})
    with caplog.at_level(logging.DEBUG):
        speaking(key, stage.base_url).identify()
    assert caplog.text
    assert CREDENTIALS[key]["access_token"] not in caplog.text


def test_no_cookie_of_a_network_is_kept(key: str, stage: Stage) -> None:
    stage.play(Answer({"data": {"id": "1000"}, "id": "1000"}, headers={"set-cookie": "who=me"}))
    network = speaking(key, stage.base_url)
    network.identify()
    network.identify()
    assert not any("cookie" in asked.headers for asked in stage.asked)


def test_another_account_s_access_is_refused(key: str, stage: Stage) -> None:
    stage.play({"data": {"id": "2000"}, "id": "2000"})
    assert failure(speaking(key, stage.base_url).identify).code == "other-account"
