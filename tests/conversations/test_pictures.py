"""Pictures in answers: what is taken in, who sees it, and how it leaves."""

from __future__ import annotations

import errno
import os
import struct
import tempfile
import uuid
import zlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from django.utils.html import escape

from accounts.models import User
from channels_ingest import speaking
from channels_ingest.media import proxied
from channels_ingest.models import Channel
from channels_ingest.networks.base import Action, CannotReadBack, Media, Pictures, Removal, Sent, Supports, Trouble
from conversations import deliver
from conversations.models import Attachment, Delivery, Interaction, Thread
from conversations.record import record
from tests.cast import MAYA, TRAILHEAD, said, whispered
from tests.conftest import BrowserOf
from tests.fakes import FakeNetwork, trouble

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


def png(extra: bytes = b"") -> bytes:
    """A picture of one dot."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\x00\x00\x00\x00")) + chunk(b"IEND", extra)


@pytest.fixture
def thread(channel: Channel) -> Thread:
    record(channel, [said("1", MAYA, "No stakes!")])
    return Thread.objects.get()


@pytest.fixture
def ana(agent: User, browser_of: BrowserOf) -> Client:
    return browser_of(agent)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeNetwork]:
    """The network that answers leave by; it takes one picture with a public reply."""
    network = FakeNetwork()
    monkeypatch.setattr(speaking, "speak_for", lambda channel: network)
    yield network


def put_in(browser: Client, thread: Thread, content: bytes | None = None, name: str = "stake.png") -> Any:
    given = SimpleUploadedFile(name, png() if content is None else content, "image/png")
    return browser.post(f"/threads/{thread.pk}/pictures/", {"file": given}, headers=HTMX)


def send(browser: Client, thread: Thread, *pictures: int, lane: str = "reply", key: str = "", **fields: str) -> Any:
    values: dict[str, Any] = {
        "lane": lane,
        "text": "Like this.",
        "key": key or str(uuid.uuid4()),
        "picture": pictures,
        **fields,
    }
    return browser.post(f"/threads/{thread.pk}/replies/", values, headers=HTMX)


def test_a_picture_leaves_with_its_answer_and_its_description(thread: Thread, ana: Client, fake: FakeNetwork) -> None:
    put_in(ana, thread)
    pk = Attachment.objects.get().pk
    send(ana, thread, pk, **{f"alt-{pk}": "A tent stake"})
    deliver.send_due()
    (picture,) = fake.sent[0].pictures
    assert (picture.content, picture.content_type, picture.alt) == (png(), "image/png", "A tent stake")
    page = ana.get(f"/threads/{thread.pk}/").content.decode()
    assert f'src="/pictures/{pk}/" alt="A tent stake"' in page
    assert 'name="picture"' not in page
    assert "cannot be sent" not in page


def test_an_answer_sent_twice_with_a_picture_is_one_answer(thread: Thread, ana: Client, fake: FakeNetwork) -> None:
    put_in(ana, thread)
    key, pk = str(uuid.uuid4()), Attachment.objects.get().pk
    assert [send(ana, thread, pk, key=key).status_code for _time in range(2)] == [200, 200]
    deliver.send_due()
    assert len(fake.sent) == Delivery.objects.count() == 1


@pytest.mark.parametrize(
    "content", [b"", b"<svg onload=alert(1)>", b"<html><script>", b"MZ\x90", b"GIF89a......", png()[1:]]
)
def test_what_is_no_picture_that_can_be_sent_is_refused(thread: Thread, ana: Client, content: bytes) -> None:
    told = put_in(ana, thread, content, "photo.png").content.decode()
    assert 'role="alert"' in told
    assert not Attachment.objects.exists()


def test_uploads_of_any_size_leave_the_disk_alone(
    thread: Thread, ana: Client, fake: FakeNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_args: Any, **_kwargs: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "NamedTemporaryFile", full)
    monkeypatch.setattr(os, "open", full)
    put_in(ana, thread, png(b"x" * (4 * 1024 * 1024)))
    assert Attachment.objects.get().size > 4 * 1024 * 1024
    assert "Too large: 5 MB at most." in put_in(ana, thread, png(b"x" * (40 * 1024 * 1024))).content.decode()


def test_a_picture_too_large_is_refused(thread: Thread, ana: Client) -> None:
    told = put_in(ana, thread, png(b"x" * (5 * 1024 * 1024))).content.decode()
    assert "Too large: 5 MB at most." in told
    assert not Attachment.objects.exists()


def test_a_network_without_pictures_takes_none(thread: Thread, ana: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thread.channel.adapter, "supports", Supports(public_reply=True))
    put_in(ana, thread)
    assert not Attachment.objects.exists()
    page = ana.get(f"/threads/{thread.pk}/").content.decode()
    assert "data-pick" not in page
    assert "cannot be sent" in page


def test_a_way_of_answering_that_takes_no_pictures_says_so(
    thread: Thread, ana: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    only_private = Supports(public_reply=True, media={Action.MESSAGE: Pictures(1, 1000, ("image/png",))})
    monkeypatch.setattr(thread.channel.adapter, "supports", only_private)
    put_in(ana, thread)
    answer = send(ana, thread, Attachment.objects.get().pk)
    assert (answer.status_code, Delivery.objects.count()) == (409, 0)
    assert "takes no pictures" in answer.content.decode()


def test_more_pictures_than_the_network_takes_are_refused(thread: Thread, ana: Client) -> None:
    for _number in range(5):
        put_in(ana, thread)
    answer = send(ana, thread, *Attachment.objects.values_list("pk", flat=True))
    assert (answer.status_code, Delivery.objects.count()) == (409, 0)
    assert Attachment.objects.filter(interaction=None).count() == 5


def test_a_colleagues_picture_cannot_be_sent_or_removed(
    thread: Thread, ana: Client, colleague: User, browser_of: BrowserOf
) -> None:
    put_in(ana, thread)
    ben, pk = browser_of(colleague), Attachment.objects.get().pk
    assert send(ben, thread, pk).status_code == 409
    ben.post(f"/threads/{thread.pk}/pictures/removal/", {"unwanted": pk}, headers=HTMX)
    assert Attachment.objects.filter(interaction=None).count() == 1


def test_a_picture_is_removed_before_it_is_sent(thread: Thread, ana: Client) -> None:
    put_in(ana, thread)
    pk = Attachment.objects.get().pk
    ana.post(f"/threads/{thread.pk}/pictures/removal/", {"unwanted": pk}, headers=HTMX)
    assert not Attachment.objects.exists()


def test_an_answer_taken_back_gives_its_picture_back(thread: Thread, ana: Client) -> None:
    put_in(ana, thread)
    pk = Attachment.objects.get().pk
    send(ana, thread, pk)
    told = ana.post(f"/deliveries/{Delivery.objects.get().pk}/undo/", headers=HTMX)
    assert f'name="picture" value="{pk}"' in told.content.decode()


def test_without_scripts_the_page_comes_back_with_what_was_typed(thread: Thread, ana: Client) -> None:
    fields = {"lane": "reply", "text": "Look here", "file": SimpleUploadedFile("a.png", png())}
    page = ana.post(f"/threads/{thread.pk}/pictures/", fields).content.decode()
    assert "Look here" in page
    assert f'src="/pictures/{Attachment.objects.get().pk}/"' in page


def test_a_picture_is_shown_as_a_picture_and_nothing_else(
    thread: Thread, ana: Client, stranger: User, browser_of: BrowserOf
) -> None:
    put_in(ana, thread)
    address = f"/pictures/{Attachment.objects.get().pk}/"
    answer = ana.get(address)
    assert (answer.content, answer["Content-Type"], answer["X-Content-Type-Options"]) == (png(), "image/png", "nosniff")
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert browser_of(stranger).get(address).status_code == 404


def test_the_picture_goes_when_the_answer_is_deleted(
    thread: Thread, ana: Client, fake: FakeNetwork, channel: Channel
) -> None:
    put_in(ana, thread)
    send(ana, thread, Attachment.objects.get().pk)
    deliver.send_due()
    sent = Interaction.objects.get(direction="out")
    record(channel, [Removal(sent.external_id or "")])
    assert not Attachment.objects.exists()


# -- where a picture is an answer of its own (Messenger) ---------------------------------------------------------------


@pytest.fixture
def private(channel: Channel, fake: FakeNetwork) -> Thread:
    """Maya has written in private on Facebook."""
    Channel.objects.filter(pk=channel.pk).update(network="facebook")
    channel.refresh_from_db()
    record(channel, [whispered("1", text="Which stake is it?")])
    return Thread.objects.get()


def answers() -> list[tuple[str, int, str]]:
    """Each one's words, how many pictures it has, and its state; in the order in which they leave."""
    rows = Delivery.objects.order_by("pk").select_related("interaction")
    return [(one.interaction.text, len(one.interaction.media), one.state) for one in rows]


def test_a_picture_may_be_all_of_a_private_answer(private: Thread, ana: Client, fake: FakeNetwork) -> None:
    put_in(ana, private)
    page = ana.get(f"/threads/{private.pk}/").content.decode()
    assert "for-message" in page
    assert "Each picture leaves as a message of its own" in page
    assert send(ana, private, Attachment.objects.get().pk, lane="message", text="").status_code == 200
    deliver.send_due()
    assert [(out.text, [one.content for one in out.pictures]) for out in fake.sent] == [("", [png()])]
    assert answers() == [("", 1, "sent")]


def test_words_and_a_picture_become_two_answers_sent_once_each(private: Thread, ana: Client, fake: FakeNetwork) -> None:
    put_in(ana, private)
    pk, key = Attachment.objects.get().pk, str(uuid.uuid4())
    assert [send(ana, private, pk, lane="message", key=key).status_code for _time in range(2)] == [200, 200]
    deliver.send_due()
    assert [(out.text, len(out.pictures)) for out in fake.sent] == [("Like this.", 0), ("", 1)]
    assert answers() == [("Like this.", 0, "sent"), ("", 1, "sent")]


def two_dots(thread: Thread, browser: Client) -> list[int]:
    """Two pictures that differ, put in."""
    put_in(browser, thread, png())
    put_in(browser, thread, png(b"another"))
    return list(Attachment.objects.order_by("pk").values_list("pk", flat=True))


@pytest.mark.parametrize("words", ["Like this.", ""])
def test_several_pictures_become_answers_of_their_own_in_the_order_of_their_coming(
    private: Thread, ana: Client, fake: FakeNetwork, words: str
) -> None:
    pictures, key = two_dots(private, ana), str(uuid.uuid4())
    for _time in range(2):
        assert send(ana, private, *pictures, lane="message", text=words, key=key).status_code == 200
    deliver.send_due()
    shown = [(out.text, [one.content for one in out.pictures]) for out in fake.sent]
    assert shown == [(words, [])] * bool(words) + [("", [png()]), ("", [png(b"another")])]


def test_a_picture_waits_until_it_is_settled_what_became_of_the_one_before(
    private: Thread, ana: Client, fake: FakeNetwork, settings: Any
) -> None:
    fake.script = [trouble(Trouble.TEMPORARY, ambiguous=True)]
    fake.readings = [Sent("m-7")]
    send(ana, private, *two_dots(private, ana), lane="message", text="")
    deliver.send_due()
    assert [state for _text, _pictures, state in answers()] == ["unknown", "queued"]
    settings.SEND_SETTLE = 0
    Delivery.objects.filter(state="unknown").update(not_before=timezone.now())
    for _sweep in range(2):
        deliver.send_due()
    assert [state for _text, _pictures, state in answers()] == ["verified", "sent"]
    assert [out.pictures[0].content for out in fake.sent] == [png(), png(b"another")]
    assert fake.sent[1].already == ("m-7",)


def test_one_picture_that_is_gone_keeps_all_of_the_answer_back(private: Thread, ana: Client, fake: FakeNetwork) -> None:
    pictures = two_dots(private, ana)
    Attachment.objects.filter(pk=pictures[1]).delete()
    assert send(ana, private, *pictures, lane="message").status_code == 409
    assert (Delivery.objects.count(), Attachment.objects.get().interaction) == (0, None)


def test_an_answer_in_public_still_needs_words(thread: Thread, ana: Client, fake: FakeNetwork) -> None:
    put_in(ana, thread)
    assert send(ana, thread, Attachment.objects.get().pk, text="").status_code == 409
    assert send(ana, thread, text="").status_code == 422
    assert not Delivery.objects.exists()


def test_a_picture_does_not_open_a_private_conversation(
    thread: Thread, ana: Client, fake: FakeNetwork, channel: Channel
) -> None:
    Channel.objects.filter(pk=channel.pk).update(network="facebook")
    put_in(ana, thread)
    told = send(ana, thread, Attachment.objects.get().pk, lane="message")
    assert (told.status_code, Delivery.objects.count()) == (409, 0)
    assert "takes words alone" in told.content.decode()


@pytest.mark.parametrize("keyed", [True, False])
def test_a_picture_alone_is_known_again_by_our_key_or_by_reading_back(
    private: Thread, ana: Client, fake: FakeNetwork, channel: Channel, *, keyed: bool, settings: Any
) -> None:
    settings.SEND_SETTLE = 0
    fake.script = [trouble(Trouble.TEMPORARY, ambiguous=True)]
    put_in(ana, private)
    send(ana, private, Attachment.objects.get().pk, lane="message", text="")
    deliver.send_due(limit=1)
    delivery = Delivery.objects.get()
    shown = (Media("image", "https://scontent.example/p.png"),)
    echo = whispered("m-7", TRAILHEAD, MAYA, "", media=shown, echo_key=str(delivery.key) if keyed else "")
    fake.readings = [Sent("m-7")]
    record(channel, [replace(echo, posted_at=timezone.now())])
    if not keyed:
        assert answers() == [("", 1, "unknown")]
        deliver.send_due()
    assert answers() == [("", 1, "verified")]
    assert Interaction.objects.filter(direction="out").count() == len(fake.sent) == 1


def test_pictures_that_cannot_be_told_apart_are_left_to_the_agent(
    private: Thread, ana: Client, fake: FakeNetwork, settings: Any
) -> None:
    settings.SEND_SETTLE = 0
    fake.script = [trouble(Trouble.TEMPORARY, ambiguous=True)]
    fake.readings = [CannotReadBack("Look there, then decide.")]
    put_in(ana, private)
    send(ana, private, Attachment.objects.get().pk, lane="message", text="")
    for _round in range(3):
        deliver.send_due()
    assert (answers(), len(fake.sent)) == ([("", 1, "unknown")], 1)
    assert Delivery.objects.get().advice == "Look there, then decide."


def test_a_customers_picture_in_private_is_shown_through_our_own_server(
    private: Thread, ana: Client, channel: Channel
) -> None:
    record(channel, [whispered("2", text="", media=(Media("image", "https://scontent.example/torn.png"),), minutes=1)])
    page = ana.get(f"/threads/{private.pk}/").content.decode()
    assert f'src="{escape(proxied("https://scontent.example/torn.png"))}"' in page
