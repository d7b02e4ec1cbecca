"""Pictures of answers for programs: the same limits and checks as in the composer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from accounts.uploads import LARGEST
from channels_ingest import speaking
from channels_ingest.models import Channel
from conversations import attachments, deliver
from conversations.models import Attachment, Delivery, Thread
from conversations.record import record
from tests.api.conftest import Caller, caller_for
from tests.cast import whispered
from tests.conversations.test_pictures import png
from tests.fakes import FakeNetwork

if TYPE_CHECKING:
    from accounts.models import User


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeNetwork:
    """The network that answers leave by."""
    network = FakeNetwork()
    monkeypatch.setattr(speaking, "speak_for", lambda channel: network)
    return network


def upload(program: Caller, thread: Thread, body: bytes | None = None, kind: str = "image/png", query: str = "") -> Any:
    return program.send(f"threads/{thread.pk}/pictures/{query}", png() if body is None else body, kind)


def answer(program: Caller, thread: Thread, *pictures: int, key: str = "k", **body: Any) -> Any:
    said = {"text": "Like this.", "pictures": pictures, **body}
    return program.post(f"threads/{thread.pk}/reply/", said, {"Idempotency-Key": key})


def test_a_picture_is_uploaded_and_leaves_with_an_answer(thread: Thread, program: Caller, fake: FakeNetwork) -> None:
    told = upload(program, thread, query="?name=stake.png&alt=A%20tent%20stake")
    picture = told.json()
    assert (told.status_code, picture["name"], picture["alt"]) == (201, "stake.png", "A tent stake")
    assert (picture["content_type"], picture["size"]) == ("image/png", len(png()))
    said = answer(program, thread, picture["id"])
    assert (said.status_code, [one["alt"] for one in said.json()["media"]]) == (201, ["A tent stake"])
    deliver.send_due()
    assert [(one.content, one.alt) for one in fake.sent[0].pictures] == [(png(), "A tent stake")]


def test_the_same_key_sends_the_same_pictures_once_and_no_others(thread: Thread, program: Caller) -> None:
    first, other = (upload(program, thread).json()["id"] for _time in "ab")
    said, again = (answer(program, thread, first) for _time in "ab")
    assert (said.status_code, again.status_code, again.json()["id"]) == (201, 200, said.json()["id"])
    changed = answer(program, thread, other)
    assert (changed.status_code, changed.json()["error"]["code"]) == (422, "key_used")
    assert Delivery.objects.count() == 1


def test_a_picture_is_sent_once(thread: Thread, program: Caller) -> None:
    picture = upload(program, thread).json()["id"]
    answer(program, thread, picture)
    told = answer(program, thread, picture, key="another", confirmed=True)
    assert (told.status_code, told.json()["error"]["code"]) == (422, "not_possible")
    assert Delivery.objects.count() == 1


def test_anothers_picture_is_not_sent_seen_or_removed(thread: Thread, program: Caller, colleague: User) -> None:
    picture, ben = upload(program, thread).json()["id"], caller_for(colleague)
    assert answer(ben, thread, picture).status_code == 422
    assert ben.get("pictures/").json()["results"] == []
    assert ben.post(f"pictures/{picture}/removal/").status_code == 404
    assert Attachment.objects.filter(interaction=None).count() == 1


def test_a_stranger_uploads_nothing(thread: Thread, foreign_program: Caller) -> None:
    assert upload(foreign_program, thread).status_code == 404


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (png(), "text/plain", 415),
        (png(), "multipart/form-data; boundary=x", 415),
        (b"<svg onload=alert(1)>", "image/png", 422),
        (b"GIF89a......", "image/gif", 422),
        (png(b"x" * (5 * 1024 * 1024)), "image/png", 422),
        (png(b"x" * LARGEST), "image/png", 413),
        (b"", "image/png", 422),
    ],
    ids=["a text", "a form", "markup", "another picture", "too large for X", "too large for all", "nothing"],
)
def test_what_cannot_be_sent_is_refused(thread: Thread, program: Caller, body: bytes, kind: str, status: int) -> None:
    assert upload(program, thread, body, kind).status_code == status
    assert not Attachment.objects.exists()


def test_too_many_are_refused_until_one_is_removed(thread: Thread, program: Caller) -> None:
    ids = [upload(program, thread).json()["id"] for _number in range(attachments.MOST_BEGUN)]
    assert upload(program, thread).status_code == 422
    assert program.post(f"pictures/{ids[0]}/removal/").json()["id"] == ids[0]
    assert upload(program, thread).status_code == 201
    listed = program.get("pictures/", thread=thread.pk).json()["results"]
    assert [row["id"] for row in listed][1:] == ids[:0:-1]
    assert answer(program, thread, *ids[1:6]).status_code == 422  # X takes four


def test_an_answer_needs_words_where_pictures_cannot_go_alone(thread: Thread, program: Caller) -> None:
    picture = upload(program, thread).json()["id"]
    path, key = f"threads/{thread.pk}/reply/", {"Idempotency-Key": "k"}
    assert program.post(path, {"pictures": [picture]}, key).status_code == 422
    assert program.post(path, {"pictures": [0]}, key).status_code == 400
    assert not Delivery.objects.exists()


def test_in_messenger_each_picture_goes_alone(channel: Channel, program: Caller, fake: FakeNetwork) -> None:
    Channel.objects.update(network="facebook")
    channel.refresh_from_db()
    record(channel, [whispered("1", text="Which stake is it?")])
    thread = Thread.objects.get()
    pictures = [upload(program, thread).json()["id"] for _time in "ab"]
    body = {"action": "message", "pictures": pictures}
    said = program.post(f"threads/{thread.pk}/reply/", body, {"Idempotency-Key": "k"})
    deliver.send_due()
    assert said.status_code == 201
    assert [(out.text, len(out.pictures)) for out in fake.sent] == [("", 1), ("", 1)]
