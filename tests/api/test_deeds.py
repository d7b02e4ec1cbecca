"""What a program can do to a thread: the same steps as on the pages, each once."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest

from channels_ingest.models import Channel
from channels_ingest.networks.base import Verdict
from channels_ingest.networks.twitter import Twitter
from conversations.models import Delivery, Interaction, Promise, Thread, ThreadEvent
from conversations.record import record
from tests.api.conftest import Caller, caller_for
from tests.cast import said

if TYPE_CHECKING:
    from accounts.models import Brand, User

KEY = "3f0c8a52-7d0e-4c8b-9a3e-0a8d6f2f6a11"
WORDS = {"text": "We are sorry. New stakes leave today."}


def answer(program: Caller, thread: Thread, body: dict[str, Any] | None = None, key: str | None = KEY) -> Any:
    return program.post(f"threads/{thread.pk}/reply/", body or WORDS, {"Idempotency-Key": key} if key else None)


def verbs(thread: Thread) -> list[str]:
    return list(ThreadEvent.objects.filter(thread=thread).values_list("verb", flat=True))


def test_a_reply_is_queued_on_the_customers_post(program: Caller, thread: Thread, agent: User) -> None:
    told = answer(program, thread)
    assert told.status_code == 201
    row = told.json()
    assert (row["text"], row["direction"], row["visibility"]) == (WORDS["text"], "out", "public")
    assert row["sent_by"] == {"id": agent.pk, "name": "Ana"}
    assert row["delivery"]["state"] == "queued"
    assert row["delivery"]["key"] == KEY
    assert row["delivery"]["answers"] == row["parent"] == Interaction.objects.get(external_id="1").pk


@pytest.mark.parametrize("key", [KEY, KEY.upper(), "order-4711/answer", "~" * 64])
def test_the_same_key_and_words_give_the_same_answer(program: Caller, thread: Thread, key: str) -> None:
    first, again = answer(program, thread, key=key), answer(program, thread, key=key)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert Delivery.objects.count() == 1


def test_the_same_key_in_either_case_of_letters_is_the_same_uuid(program: Caller, thread: Thread) -> None:
    answer(program, thread)
    assert answer(program, thread, key=KEY.upper()).status_code == 200


@pytest.mark.parametrize("body", [{"text": "Other words."}, WORDS | {"action": "message"}])
def test_the_same_key_with_another_body_is_refused(program: Caller, thread: Thread, body: dict[str, Any]) -> None:
    answer(program, thread)
    told = answer(program, thread, body)
    assert told.status_code == 422
    assert told.json()["error"]["code"] == "key_used"
    assert Delivery.objects.count() == 1


def test_a_colleagues_key_is_refused_without_showing_the_answer(
    program: Caller, thread: Thread, colleague: User
) -> None:
    answer(program, thread)
    assert answer(caller_for(colleague), thread).status_code == 422


def test_two_users_may_choose_the_same_word_as_key(program: Caller, thread: Thread, colleague: User) -> None:
    answer(program, thread, key="first")
    told = answer(caller_for(colleague), thread, WORDS | {"confirmed": True}, key="first")
    assert told.status_code == 201


@pytest.mark.parametrize("key", [None, "", "x" * 65, "two words", "schlüssel", "\x07"])
def test_a_reply_without_a_proper_key_is_refused(program: Caller, thread: Thread, key: str | None) -> None:
    told = program.post(f"threads/{thread.pk}/reply/", WORDS, {} if key is None else {"Idempotency-Key": key})
    assert told.status_code == 400
    assert "Idempotency-Key" in told.json()["error"]["fields"]
    assert not Delivery.objects.exists()


def test_something_newer_asks_first(program: Caller, thread: Thread, channel: Channel) -> None:
    seen = Interaction.objects.get(external_id="1")
    record(channel, [said("2", text="And no poles either!", minutes=3, parent="1")])
    body = WORDS | {"seen": seen.pk}
    told = answer(program, thread, body)
    assert told.status_code == 409
    assert told.json()["error"]["code"] == "something_newer"
    assert answer(program, thread, body | {"confirmed": True}).status_code == 201


def test_an_item_a_colleague_answered_asks_first(program: Caller, thread: Thread, colleague: User) -> None:
    answer(caller_for(colleague), thread, key="theirs")
    told = answer(program, thread)
    assert told.status_code == 409
    assert told.json()["error"]["code"] == "already_answered"


def test_a_reply_that_is_not_allowed_says_why(program: Caller, thread: Thread, channel: Channel) -> None:
    Channel.objects.update(state=Channel.State.PAUSED)
    told = answer(program, thread)
    assert told.status_code == 422
    assert told.json()["error"] == {"code": "not_possible", "message": "This channel is paused."}


def test_a_text_beyond_the_networks_length_is_refused(program: Caller, thread: Thread) -> None:
    assert answer(program, thread, {"text": "word " * 100}).json()["error"]["code"] == "not_possible"


def test_the_possibilities_say_what_may_be_done_and_why_not(program: Caller, thread: Thread) -> None:
    told = program.get(f"threads/{thread.pk}/possibilities/").json()
    assert told["reply"]["allowed"] is True
    assert told["reply"]["answers"] == Interaction.objects.get(external_id="1").pk
    Channel.objects.update(state=Channel.State.PAUSED)
    paused = program.get(f"threads/{thread.pk}/possibilities/").json()
    assert (paused["reply"]["allowed"], paused["reply"]["reason"]) == (False, "This channel is paused.")


def test_a_reply_can_be_taken_back_before_it_leaves(program: Caller, thread: Thread) -> None:
    said_id = answer(program, thread).json()["id"]
    undone = program.post(f"interactions/{said_id}/undo/")
    assert undone.status_code == 200
    assert undone.json()["delivery"]["state"] == "cancelled"
    assert program.post(f"interactions/{said_id}/undo/").status_code == 409


def test_what_a_customer_said_cannot_be_taken_back(program: Caller, thread: Thread) -> None:
    told = program.post(f"interactions/{Interaction.objects.get(external_id='1').pk}/undo/")
    assert told.json()["error"]["code"] == "too_late"


def test_a_thread_is_given_to_a_colleague_and_to_nobody(program: Caller, thread: Thread, colleague: User) -> None:
    given = program.post(f"threads/{thread.pk}/assign/", {"assignee": colleague.pk}).json()
    assert given["assignee"] == {"id": colleague.pk, "name": "Ben"}
    assert program.post(f"threads/{thread.pk}/assign/", {"assignee": None}).json()["assignee"] is None
    assert verbs(thread) == ["assigned", "unassigned"]


def test_a_user_of_another_brand_and_nobody_are_refused_alike(program: Caller, thread: Thread, stranger: User) -> None:
    theirs = program.post(f"threads/{thread.pk}/assign/", {"assignee": stranger.pk})
    nobody = program.post(f"threads/{thread.pk}/assign/", {"assignee": 2**63 - 1})
    assert theirs.status_code == nobody.status_code == 422
    assert theirs.json() == nobody.json()


def test_a_thread_that_is_spam_is_given_to_nobody(program: Caller, thread: Thread, colleague: User) -> None:
    Thread.objects.filter(pk=thread.pk).update(state="spam")
    refused = program.post(f"threads/{thread.pk}/assign/", {"assignee": colleague.pk})
    assert (refused.status_code, "is spam" in refused.json()["error"]["message"]) == (422, True)


def test_a_thread_is_snoozed_closed_and_opened_again(program: Caller, thread: Thread) -> None:
    snoozed = program.post(f"threads/{thread.pk}/snooze/", {"until": "2199-01-31T10:00:00+01:00"}).json()
    assert (snoozed["state"], snoozed["snoozed_until"]) == ("snoozed", "2199-01-31T09:00:00Z")
    assert program.post(f"threads/{thread.pk}/close/").json()["state"] == "closed"
    assert program.post(f"threads/{thread.pk}/reopen/").json()["state"] == "open"
    assert verbs(thread) == ["snoozed", "closed", "reopened"]


def test_what_was_answered_in_private_is_closed_with_a_reason(program: Caller, thread: Thread) -> None:
    Thread.objects.filter(pk=thread.pk).update(hanging_since=thread.last_activity_at)
    assert program.post(f"threads/{thread.pk}/close/").status_code == 422
    assert program.post(f"threads/{thread.pk}/close/", {"waive": "She prefers so"}).json()["state"] == "closed"
    assert verbs(thread) == ["waived", "closed"]


def test_a_moment_that_is_over_is_no_time_to_wake(program: Caller, thread: Thread) -> None:
    told = program.post(f"threads/{thread.pk}/snooze/", {"until": "2001-01-31T10:00:00Z"})
    assert told.json()["error"]["code"] == "not_possible"


def test_a_note_is_for_colleagues_alone(program: Caller, thread: Thread) -> None:
    note = program.post(f"threads/{thread.pk}/notes/", {"text": "Called her; she is calm."})
    assert note.status_code == 201
    assert (note.json()["direction"], note.json()["delivery"]) == ("note", None)
    assert program.get(f"interactions/{note.json()['id']}/").json() == note.json()


NESTED = b"[" * 100_000
BODIES = {
    "no JSON": b"{",
    "a list": b"[]",
    "a word": b'"text"',
    "null": b"null",
    "not a number": b'{"text": NaN}',
    "nested deeply": NESTED,
    "a huge number": b'{"text": ' + b"9" * 10_000 + b"}",
    "a NUL": b'{"text": "a\\u0000b"}',
    "half a character": b'{"text": "\\ud800"}',
    "a half name": b'{"text": "a", "\\ud800": 1}',
    "invalid UTF-8": b'{"text": "\xff\xfe"}',
    "a number for a text": b'{"text": 7}',
    "blanks": b'{"text": "  \\n "}',
    "an unknown field": b'{"text": "a", "colour": "red"}',
    "a text too long": b'{"text": "' + b"x" * 25_001 + b'"}',
}


@pytest.mark.parametrize("deed", ["reply", "notes"])
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_a_body_that_is_not_valid_is_refused(program: Caller, thread: Thread, deed: str, body: bytes) -> None:
    told = program.send(f"threads/{thread.pk}/{deed}/", body, **{"Idempotency-Key": "k"})
    assert told.status_code == 400
    assert Interaction.objects.count() == 1


@pytest.mark.parametrize(("deed", "status"), [("reply", 422), ("notes", 400)])
def test_nothing_is_no_answer_and_no_note(program: Caller, thread: Thread, deed: str, status: int) -> None:
    told = program.send(f"threads/{thread.pk}/{deed}/", b"", **{"Idempotency-Key": "k"})
    assert (told.status_code, Interaction.objects.count()) == (status, 1)


@pytest.mark.parametrize("assignee", ["1", 1.5, True, 0, -1, 2**63, 10**400, [], {}])
def test_an_id_that_is_none_is_refused(program: Caller, thread: Thread, assignee: Any) -> None:
    assert program.post(f"threads/{thread.pk}/assign/", {"assignee": assignee}).status_code == 400


@pytest.mark.parametrize("seen", ["1", 0, 2**63, None])
def test_a_seen_that_is_no_id_is_refused(program: Caller, thread: Thread, seen: Any) -> None:
    assert answer(program, thread, WORDS | {"seen": seen}).status_code == 400


@pytest.mark.parametrize("until", [None, 5, "soon", "2199-02-30T00:00:00Z", "9999-12-31T23:59:59-23:59", "2199-01-01"])
def test_a_moment_that_is_none_is_refused(program: Caller, thread: Thread, until: Any) -> None:
    assert program.post(f"threads/{thread.pk}/snooze/", {"until": until}).status_code == 400


def test_a_body_beyond_all_measure_is_refused_unread(program: Caller, thread: Thread) -> None:
    told = program.send(f"threads/{thread.pk}/notes/", b'{"text": "' + b"x" * 300_000 + b'"}')
    assert told.status_code == 413
    assert told.json()["error"]["code"] == "too_large"


def test_a_form_is_no_json(program: Caller, thread: Thread) -> None:
    told = program.send(f"threads/{thread.pk}/notes/", b"text=hello", "application/x-www-form-urlencoded")
    assert told.status_code == 415
    assert told.json()["error"]["code"] == "unsupported_media_type"


def test_a_key_written_by_the_web_cannot_be_reused_for_another_thread(
    program: Caller, thread: Thread, channel: Channel, brand: Brand
) -> None:
    answer(program, thread)
    record(channel, [said("50", minutes=5)])
    other = Thread.objects.exclude(pk=thread.pk).get()
    assert answer(program, other).status_code == 422
    assert uuid.UUID(KEY) == Delivery.objects.get().key


# -- tags, promises, single interactions ------------------------------------------------------------------------------


def test_a_tag_is_put_on_and_taken_off(program: Caller, thread: Thread) -> None:
    assert program.post(f"threads/{thread.pk}/tags/", {"name": "Refund"}).json()["tags"] == ["refund"]
    assert program.post(f"threads/{thread.pk}/tags/", {"name": "Refund", "on": False}).json()["tags"] == []


def test_a_promise_is_listed_and_kept(program: Caller, promise: Promise) -> None:
    (row,) = program.get("promises/", state="open", mine="true", thread=str(promise.thread_id)).json()["results"]
    assert (row["words"], row["owner"]["name"], row["overdue"]) == ("New stakes by Friday", "Ana", False)
    told = program.post(f"promises/{promise.pk}/settle/", {"state": "kept"})
    assert (told.status_code, told.json()["state"]) == (200, "kept")
    assert program.post(f"promises/{promise.pk}/settle/", {"state": "kept"}).status_code == 422
    assert program.get("promises/", state="open").json()["results"] == []


def test_a_promise_is_not_withdrawn_without_a_reason(program: Caller, promise: Promise) -> None:
    assert program.post(f"promises/{promise.pk}/settle/", {"state": "withdrawn"}).status_code == 422


def test_a_stranger_finds_no_promise_and_settles_none(foreign_program: Caller, promise: Promise) -> None:
    assert foreign_program.get("promises/").json()["results"] == []
    assert foreign_program.get(f"promises/{promise.pk}/").status_code == 404
    assert foreign_program.post(f"promises/{promise.pk}/settle/", {"state": "kept"}).status_code == 404


def test_an_answer_that_failed_is_sent_again(program: Caller, promise: Promise) -> None:
    address = f"interactions/{promise.interaction_id}/retry/"
    assert program.post(address).status_code == 422
    Delivery.objects.update(state="failed")
    assert program.post(address).json()["delivery"]["state"] == "queued"


def test_an_answer_nobody_knows_of_is_decided(program: Caller, promise: Promise) -> None:
    Delivery.objects.update(state="unknown")
    told = program.post(f"interactions/{promise.interaction_id}/decide/", {"arrived": True})
    assert told.json()["delivery"]["state"] == "sent"


def test_what_a_customer_said_is_no_answer_to_send_again(program: Caller, thread: Thread) -> None:
    assert program.post(f"interactions/{Interaction.objects.get().pk}/retry/").status_code == 422


def test_a_manager_hides_on_the_network_and_says_why(
    thread: Thread, manager: User, agent: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[str] = []
    monkeypatch.setattr(Twitter, "hide", lambda self, external_id, *, hidden: heard.append(external_id))
    monkeypatch.setattr(Twitter, "verdict", lambda self, action, situation: Verdict(True))
    address = f"interactions/{Interaction.objects.get().pk}/moderate/"
    assert caller_for(agent).post(address, {"deed": "hide", "why": "Insults"}).status_code == 403
    told = caller_for(manager).post(address, {"deed": "hide", "why": "Insults"})
    assert (told.status_code, heard) == (200, ["1"])
    assert told.json()["hidden_at"] is not None


def test_a_note_with_a_key_is_written_once(program: Caller, thread: Thread) -> None:
    first, again = (
        program.post(f"threads/{thread.pk}/notes/", {"text": "Batch 7"}, {"Idempotency-Key": "n1"}) for _time in "ab"
    )
    assert first.json()["id"] == again.json()["id"]
    other = program.post(f"threads/{thread.pk}/notes/", {"text": "Batch 8"}, {"Idempotency-Key": "n1"})
    assert (other.status_code, other.json()["error"]["code"]) == (422, "key_used")
