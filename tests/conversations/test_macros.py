from __future__ import annotations

from collections.abc import Callable
from functools import partial
from unittest.mock import Mock

import pytest
from django.db import DatabaseError, connection

from accounts.models import Brand, User
from channels_ingest.models import Channel
from conversations import drafts, macros
from conversations.actions import NotPossible
from conversations.models import Draft, Macro, Thread
from conversations.record import record
from tests.cast import MAYA, said

pytestmark = pytest.mark.django_db


@pytest.fixture
def thread(channel: Channel) -> Thread:
    record(channel, [said("1", MAYA)])
    return Thread.objects.get()


@pytest.mark.parametrize("deed", [macros.write, macros.delete])
def test_a_macro_is_neither_written_nor_deleted_without_its_audit_line(
    brand: Brand, agent: User, monkeypatch: pytest.MonkeyPatch, deed: Callable[..., None]
) -> None:
    macro = Macro.objects.create(name="Thanks", owner=agent, text="Thank you!")
    macro.text = "Thanks!"
    monkeypatch.setattr(macros, "audit", Mock(side_effect=DatabaseError))
    with pytest.raises(DatabaseError):
        deed(macro, by=agent)
    assert list(Macro.objects.values_list("text", flat=True)) == ["Thank you!"]


def test_variables_are_filled_in(thread: Thread, agent: User) -> None:
    text = macros.render("Hi {first name|there}, {agent} of {brand} here ({handle}).", macros.values_for(thread, agent))
    assert text == "Hi Maya, Ana of Trailhead Outdoors here (@mayak)."


def test_a_customer_without_a_name_gets_the_fall_back(thread: Thread, agent: User) -> None:
    thread.contact.name = thread.identity.name = ""
    assert macros.render("Hi {first name|there}!", macros.values_for(thread, agent)) == "Hi there!"


def test_a_name_is_never_read_as_a_variable(thread: Thread, agent: User) -> None:
    thread.contact.name = "{brand} {agent}"
    assert macros.render("Hi {name|x}", macros.values_for(thread, agent)) == "Hi {brand} {agent}"


@pytest.mark.parametrize("text", ["Hi {first name}", "Hi {shoe size|x}", "{}"])
def test_a_macro_with_a_wrong_variable_is_refused(text: str) -> None:
    with pytest.raises(NotPossible):
        macros.check(text)


def test_one_sees_shared_and_own_macros_of_the_brand(
    thread: Thread, agent: User, colleague: User, other_brand: Brand
) -> None:
    shared = Macro.objects.create(name="Shared", text="x")
    own = Macro.objects.create(name="Own", text="x", owner=agent)
    Macro.objects.create(name="Private of Ben", text="x", owner=colleague)
    Macro.objects.create(name="Coffee", text="x", brand=other_brand)
    assert set(macros.usable_by(agent, thread)) == {shared, own}
    assert set(macros.usable_by(agent, thread, "own")) == {own}


def test_the_steps_of_a_macro_are_taken_together(thread: Thread, agent: User) -> None:
    macro = Macro.objects.create(name="Done", steps={"tags": ["Refund", "refund "], "assign": "me", "close": True})
    macros.take_steps(macro, thread, by=agent)
    thread.refresh_from_db()
    assert (thread.assignee, thread.state) == (agent, Thread.State.CLOSED)
    assert list(thread.tags.values_list("name", flat=True)) == ["refund"]
    assert list(thread.events.values_list("verb", flat=True)) == ["tagged", "assigned", "closed"]


@pytest.mark.parametrize("deed", [partial(drafts.put_back, text="Hello", purpose=""), partial(drafts.add, words="Hi")])
def test_what_joins_a_draft_lets_nobody_write_it_meanwhile(
    thread: Thread, agent: User, monkeypatch: pytest.MonkeyPatch, deed: Callable[..., None]
) -> None:
    monkeypatch.setattr(drafts, "of", lambda *_: {"reply": f"locked: {draft_locked()}"})
    deed(thread, by=agent, lane="reply")
    assert "locked: True" in Draft.objects.get().text


def draft_locked() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND classid = %s", [drafts.DRAFT_LOCK])
        return cursor.fetchone() is not None


def test_what_is_added_to_a_draft_that_is_full_is_cut(thread: Thread, agent: User) -> None:
    drafts.keep(thread, by=agent, lane="reply", text="x" * (drafts.LONGEST - 3))
    drafts.add(thread, by=agent, lane="reply", words="Hello")
    assert drafts.of(thread, agent)["reply"].endswith("x\nHe")


def test_history_tells_of_a_tag_once_however_often_it_is_put_on(thread: Thread, agent: User) -> None:
    for names in (["refund"], ["Refund", "tent"], ["refund"]):
        macros.tag_thread(thread, names=names, by=agent)
    told = thread.events.values_list("details__tags", flat=True)
    assert (list(told), thread.tags.count()) == ([["refund"], ["tent"]], 2)


def test_a_step_that_fails_takes_the_others_back(thread: Thread, agent: User) -> None:
    macro = Macro.objects.create(name="Odd", steps={"assign": "me", "snooze_hours": -1})
    with pytest.raises(NotPossible):
        macros.take_steps(macro, thread, by=agent)
    thread.refresh_from_db()
    assert thread.assignee is None


def test_a_draft_is_kept_shown_to_colleagues_and_forgotten_when_empty(thread: Thread, agent: User) -> None:
    drafts.keep(thread, by=agent, lane="reply", text="Sorry M")
    drafts.keep(thread, by=agent, lane="reply", text="Sorry Maya")
    assert drafts.of(thread, agent) == {"reply": "Sorry Maya"}
    assert [draft.user for draft in drafts.begun_on(thread)] == [agent]
    drafts.keep(thread, by=agent, lane="reply", text="  ")
    assert not Draft.objects.exists()


@pytest.mark.parametrize(("lane", "text"), [("shout", "x"), ("reply", "x" * 20_001), ("note", "a\x00b")])
def test_a_draft_that_cannot_be_kept_is_refused(thread: Thread, agent: User, lane: str, text: str) -> None:
    with pytest.raises(NotPossible):
        drafts.keep(thread, by=agent, lane=lane, text=text)
