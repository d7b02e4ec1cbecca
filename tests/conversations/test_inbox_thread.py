"""The open thread: who is who in the public tree, the composer, and what an agent does with a thread."""

from __future__ import annotations

import json
import re
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from accounts.models import User
from channels_ingest import speaking
from channels_ingest.models import Channel
from channels_ingest.networks.base import Action, Author, Media, Removal
from conversations import actions, drafts
from conversations.models import Delivery, Interaction, Thread, ThreadEvent
from conversations.record import record
from conversations.reply import reply
from conversations.templatetags.inbox import ago, reach, until
from conversations.templatetags.inbox import said as shown
from conversations.tree import OWN_SIZE, Aside, Said, tree_of
from tests.cast import JONAS, MAYA, SOFIA, TRAILHEAD, said, whispered
from tests.conftest import BrowserOf

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


def thread_of(author: Author = MAYA) -> Thread:
    return Thread.objects.get(identity__external_id=author.external_id)


@pytest.fixture
def thread(channel: Channel) -> Thread:
    """Maya asks, Sofia helps, we answer, Maya is not content."""
    first = said("1", MAYA, "No stakes!")
    helped = said("2", SOFIA, "Use the pole.", parent=first, minutes=1)
    ours = said("3", TRAILHEAD, "Sorry, Maya!", parent=first, minutes=2)
    record(channel, [first, helped, ours, said("4", MAYA, "Still nothing.", parent=ours, minutes=3)])
    return thread_of()


def roles(thread: Thread) -> list[tuple[str, str]]:
    return [(one.role, one.item.text) for one in tree_of(thread).entries if isinstance(one, Said)]


def page(browser: Client, thread: Thread) -> str:
    return browser.get(f"/threads/{thread.pk}/").content.decode()


def answer(browser: Client, thread: Thread, text: str = "We send them today.", **fields: Any) -> Any:
    """Presses Send; `htmx=True` as the page with JavaScript does."""
    headers = HTMX if fields.pop("htmx", False) else {}
    values = {"lane": "reply", "text": text, "key": str(uuid.uuid4()), "seen": "", **fields}
    return browser.post(f"/threads/{thread.pk}/replies/", values, headers=headers)


# -- the tree ---------------------------------------------------------------------------------------------------------


def test_everybody_in_the_public_tree_has_a_role(thread: Thread) -> None:
    assert roles(thread) == [
        ("customer", "No stakes!"),
        ("peer", "Use the pole."),
        ("us", "Sorry, Maya!"),
        ("customer", "Still nothing."),
    ]


def test_private_messages_stand_among_the_public_ones_and_are_marked(channel: Channel, thread: Thread) -> None:
    actions.write_note(thread, by=User.objects.create_user("n@example.com", name="N"), text="see batch 7")
    assert roles(thread)[-1] == ("note", "see batch 7")


def test_what_others_say_privately_is_never_shown(channel: Channel, thread: Thread) -> None:
    record(channel, [whispered("5", SOFIA, text="my own secret", minutes=5)])
    assert "my own secret" not in str(roles(thread))


def test_notes_on_anothers_thread_stay_there(channel: Channel, thread: Thread, agent: User) -> None:
    actions.write_note(thread_of(SOFIA), by=agent, text="about Sofia")
    assert "about Sofia" not in str(roles(thread))


def test_talk_that_does_not_concern_the_customer_is_folded(channel: Channel, thread: Thread) -> None:
    aside = [said(f"a{n}", Author(f"70{n}", handle=f"p{n}"), parent="2", root="1", minutes=10 + n) for n in range(4)]
    record(channel, aside)
    folded = [entry for entry in tree_of(thread).entries if isinstance(entry, Aside)]
    assert [len(entry.items) for entry in folded] == [4]


def test_direct_answers_to_the_customer_are_not_folded(channel: Channel, thread: Thread) -> None:
    record(
        channel, [said(f"a{n}", Author(f"70{n}", handle=f"p{n}"), parent="4", root="1", minutes=9) for n in range(4)]
    )
    assert not any(isinstance(entry, Aside) for entry in tree_of(thread).entries)


def test_a_long_thread_comes_in_pages_without_gap(channel: Channel) -> None:
    first = said("0", MAYA, "0")
    record(channel, [first, *(said(str(n), MAYA, str(n), parent=first, minutes=n) for n in range(1, 100))])
    newest = tree_of(thread_of())
    older = tree_of(thread_of(), before=newest.older)
    texts = [one.item.text for tree in (older, newest) for one in tree.entries if isinstance(one, Said) and one.own]
    assert texts == [str(n) for n in range(100)]


def test_a_page_of_a_thread_costs_a_fixed_number_of_queries(
    channel: Channel, agent: User, browser_of: BrowserOf
) -> None:
    browser, first = browser_of(agent), said("0", MAYA)
    record(channel, [first])
    counts = []
    for more in (range(1, 3), range(3, OWN_SIZE - 5)):
        record(channel, [said(str(n), MAYA if n % 2 else SOFIA, parent=first, minutes=n) for n in more])
        page(browser, thread_of())
        with CaptureQueriesContext(connection) as captured:
            page(browser, thread_of())
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 35


def test_a_deleted_post_leaves_a_stub(channel: Channel, thread: Thread, agent: User, browser_of: BrowserOf) -> None:
    record(channel, [Removal("2")])
    html = page(browser_of(agent), thread)
    assert ("Use the pole." in html, "no longer kept" in html) == (False, True)


def test_an_edited_post_says_so(channel: Channel, thread: Thread, agent: User, browser_of: BrowserOf) -> None:
    record(channel, [said("4", MAYA, "Got it now.", version=2, edited_at=timezone.now(), root="1")])
    html = page(browser_of(agent), thread)
    assert ("Got it now." in html, "edited" in html, "Still nothing." in html) == (True, True, False)


# -- texts of strangers -----------------------------------------------------------------------------------------------


def test_markup_in_a_post_is_shown_as_text(channel: Channel, agent: User, browser_of: BrowserOf) -> None:
    record(channel, [said("1", MAYA, "<script>alert(1)</script><img src=x onerror=alert(1)>")])
    html = page(browser_of(agent), thread_of())
    assert ("&lt;script&gt;alert(1)" in html, "<script>alert" in html, "<img src=x" in html) == (True, False, False)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("see https://example.com/a?b=1&c=2.", "https://example.com/a?b=1&amp;c=2"),
        ("(https://example.com/x_(y))", "https://example.com/x_(y)"),
        ("https://example.com/zip، هل", "https://example.com/zip"),
        ("HTTP://EXAMPLE.com!", "HTTP://EXAMPLE.com"),
    ],
)
def test_web_addresses_become_links_that_give_nothing_away(text: str, address: str) -> None:
    assert f'<a href="{address}" title="{address}" rel="nofollow noopener noreferrer ugc"' in shown(text)


@pytest.mark.parametrize("text", ["javascript:alert(1)", "data:text/html,x", "https://", "ftp://example.com", "//x.y"])
def test_nothing_else_becomes_a_link(text: str) -> None:
    assert "<a" not in shown(text)


def test_an_address_cannot_break_out_of_its_link() -> None:
    assert '"onmouseover' not in shown('https://example.com/"onmouseover="alert(1)')


def test_a_permalink_that_is_no_web_address_leads_nowhere(channel: Channel, agent: User, browser_of: BrowserOf) -> None:
    record(channel, [said("1", MAYA, permalink="javascript:alert(1)", media=(Media("file", "javascript:alert(2)"),))])
    assert "javascript:" not in page(browser_of(agent), thread_of())


@pytest.mark.parametrize(("count", "words"), [(950, "950"), (18_240, "18.2k"), (2_000, "2k"), (1_300_000, "1.3M")])
def test_reach_is_said_in_four_signs(count: int, words: str) -> None:
    assert reach(count) == words


@pytest.mark.parametrize(
    ("language", "day", "month", "followers"),
    [("en", "2 May", "May 2026", "18.2k"), ("de", "2. Mai", "Mai 2026", "18,2k")],
)
def test_short_days_and_numbers_are_written_as_the_language_does(
    language: str, day: str, month: str, followers: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    may = datetime(2026, 5, 2, 12, tzinfo=UTC)
    written = list[str]()
    with translation.override(language):
        for passed in (timedelta(days=30), timedelta(days=400)):
            monkeypatch.setattr(timezone, "now", lambda passed=passed: may + passed)
            written.append(ago(may))
        assert [*written, reach(18_240)] == [day, month, followers]


@pytest.mark.parametrize(
    ("language", "near", "far"),
    [("en", "2 May 12:00", "Sun 2 May 2027 12:00"), ("de", "2. Mai 12:00", "So 2. Mai 2027 12:00")],
)
def test_a_day_of_another_year_is_told_with_its_year(
    language: str, near: str, far: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timezone, "now", lambda: datetime(2026, 4, 1, tzinfo=UTC))
    may = datetime(2026, 5, 2, 12, tzinfo=UTC)
    with translation.override(language):
        assert [until(may, "DAY"), until(may.replace(year=2027), "WEEKDAY")] == [near, far]


def test_a_thread_that_rests_for_years_says_which_year_it_comes_back(
    thread: Thread, agent: User, browser_of: BrowserOf
) -> None:
    later = timezone.now() + timedelta(days=900)
    actions.snooze(thread, until=later, by=agent)
    assert f"snoozed until {later:%-d %b %Y %H:%M}" in page(browser_of(agent), thread)


# -- who may ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["", "now/"])
def test_an_agent_of_another_brand_finds_no_thread(
    thread: Thread, stranger: User, browser_of: BrowserOf, path: str
) -> None:
    assert browser_of(stranger).get(f"/threads/{thread.pk}/{path}").status_code == 404


@pytest.mark.parametrize("path", ["replies", "assignment", "snooze", "close", "reopen", "check"])
def test_an_agent_of_another_brand_can_do_nothing(
    thread: Thread, stranger: User, browser_of: BrowserOf, path: str
) -> None:
    assert browser_of(stranger).post(f"/threads/{thread.pk}/{path}/").status_code == 404


@pytest.mark.parametrize("path", ["undo", "retry", "decision"])
def test_an_agent_of_another_brand_cannot_touch_our_replies(
    thread: Thread, agent: User, stranger: User, browser_of: BrowserOf, path: str
) -> None:
    answer(browser_of(agent), thread)
    assert browser_of(stranger).post(f"/deliveries/{Delivery.objects.get().pk}/{path}/").status_code == 404


def test_nobody_is_sent_to_the_sign_in_page(thread: Thread, nobody: Client) -> None:
    assert nobody.get(f"/threads/{thread.pk}/").headers["Location"].startswith("/sign-in/")


# -- answering --------------------------------------------------------------------------------------------------------


def test_a_reply_is_queued_and_shown(thread: Thread, agent: User, browser_of: BrowserOf) -> None:
    browser = browser_of(agent)
    assert answer(browser, thread).status_code == 302
    html = page(browser, thread)
    assert ("We send them today." in html, "waiting to be sent" in html) == (True, True)


def test_send_pressed_twice_is_one_reply(thread: Thread, agent: User, browser_of: BrowserOf) -> None:
    browser, key = browser_of(agent), str(uuid.uuid4())
    statuses = [answer(browser, thread, key=key, htmx=True).status_code for _press in range(2)]
    assert (statuses, Delivery.objects.count()) == ([200, 200], 1)


def test_a_note_stays_with_colleagues(thread: Thread, agent: User, browser_of: BrowserOf) -> None:
    answer(browser_of(agent), thread, "same batch", lane="note")
    assert Interaction.objects.get(text="same batch").is_note
    assert not Delivery.objects.exists()


@pytest.mark.parametrize("htmx", [True, False])
def test_something_newer_is_shown_before_anything_is_sent(
    channel: Channel, thread: Thread, agent: User, browser_of: BrowserOf, htmx: bool
) -> None:
    browser, seen = browser_of(agent), Interaction.objects.get(external_id="4").pk
    record(channel, [said("5", MAYA, "Found them, thanks!", parent="4", root="1", minutes=9)])
    refused = answer(browser, thread, "We are looking.", seen=seen, htmx=htmx)
    html = refused.content.decode()
    assert (refused.status_code, Delivery.objects.count()) == (409, 0)
    assert "Found them, thanks!" in html
    assert "We are looking.</textarea>" in html


def test_it_is_sent_once_the_newer_item_was_seen(
    channel: Channel, thread: Thread, agent: User, browser_of: BrowserOf
) -> None:
    browser, seen = browser_of(agent), Interaction.objects.get(external_id="4").pk
    record(channel, [said("5", MAYA, "Found them!", parent="4", root="1", minutes=9)])
    refused = answer(browser, thread, seen=seen, htmx=True)
    newest = refused.context["composer"].seen
    assert answer(browser, thread, seen=newest, htmx=True).status_code == 200
    assert newest == Interaction.objects.get(external_id="5").pk


def test_a_colleagues_answer_is_shown_before_a_second_one(
    thread: Thread, agent: User, colleague: User, browser_of: BrowserOf
) -> None:
    answer(browser_of(colleague), thread, "Ben was here")
    refused = answer(browser_of(agent), thread, "Ana too", htmx=True)
    html = refused.content.decode()
    assert (refused.status_code, "Ben was here" in html, "Ana too</textarea>" in html) == (409, True, True)
    assert answer(browser_of(agent), thread, "Ana too", confirmed="1", htmx=True).status_code == 200


@pytest.mark.parametrize(
    "fields", [{"text": "  "}, {"lane": "shout"}, {"key": "x"}, {"seen": "-1"}, {"text": "x" * 281}]
)
def test_a_refused_answer_keeps_its_words(
    thread: Thread, agent: User, browser_of: BrowserOf, fields: dict[str, str]
) -> None:
    refused = answer(browser_of(agent), thread, **fields, htmx=True)
    assert refused.status_code in (409, 422)
    assert refused.context["composer"].text == fields.get("text", "We send them today.")
    assert not Delivery.objects.exists()


def test_a_way_that_is_not_allowed_says_why(channel: Channel, agent: User, browser_of: BrowserOf) -> None:
    record(channel, [said("1", MAYA, facts={})])
    html = page(browser_of(agent), thread_of())
    assert "X lets an app answer only who mentioned or quoted this account." in html


def test_the_length_is_counted_as_the_network_counts(thread: Thread, agent: User, browser_of: BrowserOf) -> None:
    text = "Hi 👋 https://example.com/a/very/long/address/that/counts/as/twenty-three"
    counted = browser_of(agent).post(f"/threads/{thread.pk}/check/", {"text": text})
    assert counted.json()["length"] == speaking.speak_for(thread.channel).length(text) == 3 + 2 + 1 + 23


def test_a_reply_taken_back_returns_to_the_composer(thread: Thread, agent: User, browser_of: BrowserOf) -> None:
    browser = browser_of(agent)
    answer(browser, thread)
    undone = browser.post(f"/deliveries/{Delivery.objects.get().pk}/undo/", headers=HTMX)
    assert "We send them today.</textarea>" in undone.content.decode()
    assert Delivery.objects.get().state == Delivery.State.CANCELLED


def test_a_reply_taken_back_stands_before_what_was_begun_since(
    thread: Thread, agent: User, browser_of: BrowserOf
) -> None:
    browser = browser_of(agent)
    answer(browser, thread)
    typed = {"lane": "reply", "text": "And the pegs, too."}
    browser.post(f"/deliveries/{Delivery.objects.get().pk}/undo/", typed, headers=HTMX)
    assert drafts.of(thread, agent) == {"reply": "We send them today.\nAnd the pegs, too."}


def test_a_reply_taken_back_without_scripts_returns_to_the_composer(
    thread: Thread, agent: User, browser_of: BrowserOf
) -> None:
    browser = browser_of(agent)
    answer(browser, thread)
    html = browser.post(f"/deliveries/{Delivery.objects.get().pk}/undo/", follow=True).content.decode()
    assert "We send them today.</textarea>" in html


def test_beside_a_thread_the_timeline_says_which_reply_was_taken_back(
    thread: Thread, agent: User, browser_of: BrowserOf
) -> None:
    browser = browser_of(agent)
    answer(browser, thread)
    assert "taken back" not in page(browser, thread)
    browser.post(f"/deliveries/{Delivery.objects.get().pk}/undo/", headers=HTMX)
    assert "X · taken back · " in page(browser, thread)


def test_beside_a_thread_a_sent_reply_needs_no_state(thread: Thread, agent: User, browser_of: BrowserOf) -> None:
    browser = browser_of(agent)
    answer(browser, thread)
    assert "X · waiting to be sent · " in page(browser, thread)
    Delivery.objects.update(state=Delivery.State.VERIFIED)
    assert "We · X · now" in page(browser, thread)


def test_another_open_thread_whose_post_was_deleted_is_called_so(
    channel: Channel, thread: Thread, agent: User, browser_of: BrowserOf
) -> None:
    record(channel, [said("9", MAYA, "My address is 14 Mill Lane.", minutes=9)])
    record(channel, [Removal("9")])
    beside = page(browser_of(agent), thread).split("Other open threads")[1].split("</ul>")[0]
    assert "deleted" in beside
    assert "(without words)" not in beside


def test_a_reply_on_its_way_cannot_be_taken_back(thread: Thread, agent: User, browser_of: BrowserOf) -> None:
    browser = browser_of(agent)
    answer(browser, thread)
    Delivery.objects.update(state=Delivery.State.SENDING)
    refused = browser.post(f"/deliveries/{Delivery.objects.get().pk}/undo/", headers=HTMX)
    assert json.loads(refused.headers["HX-Trigger"])["toast"]["tags"] == "error"


def test_a_failed_reply_shows_the_networks_words(thread: Thread, agent: User, browser_of: BrowserOf) -> None:
    browser = browser_of(agent)
    answer(browser, thread)
    Delivery.objects.update(state=Delivery.State.FAILED, error="Duplicate <content>.", advice="Change the words.")
    html = page(browser, thread)
    assert ("Duplicate &lt;content&gt;." in html, "Change the words." in html, "Send again" in html) == (True,) * 3


# -- the thread's state -----------------------------------------------------------------------------------------------


def test_a_thread_is_assigned_and_given_back(thread: Thread, agent: User, browser_of: BrowserOf) -> None:
    browser = browser_of(agent)
    found = []
    for to in (str(agent.pk), ""):
        browser.post(f"/threads/{thread.pk}/assignment/", {"to": to})
        found.append(Thread.objects.get(pk=thread.pk).assignee)
    assert found == [agent, None]


@pytest.mark.parametrize("to", ["x", "-1", str(10**30)])
def test_a_thread_is_not_given_to_nonsense(thread: Thread, agent: User, browser_of: BrowserOf, to: str) -> None:
    refused = browser_of(agent).post(f"/threads/{thread.pk}/assignment/", {"to": to}, headers=HTMX)
    assert json.loads(refused.headers["HX-Trigger"])["toast"]["tags"] == "error"


def test_a_thread_is_not_given_to_another_brand(
    thread: Thread, agent: User, stranger: User, browser_of: BrowserOf
) -> None:
    browser_of(agent).post(f"/threads/{thread.pk}/assignment/", {"to": stranger.pk})
    assert Thread.objects.get(pk=thread.pk).assignee is None


def test_a_thread_rests_for_an_hour(thread: Thread, agent: User, browser_of: BrowserOf) -> None:
    browser_of(agent).post(f"/threads/{thread.pk}/snooze/", {"usual": "hour"})
    until = Thread.objects.get(pk=thread.pk).snoozed_until
    assert until is not None
    assert timedelta(minutes=59) < until - timezone.now() <= timedelta(hours=1)


@pytest.mark.parametrize("fields", [{}, {"usual": "never"}, {"until": "soon"}, {"until": "2001-01-01T09:00"}])
def test_a_thread_does_not_rest_until_nonsense(
    thread: Thread, agent: User, browser_of: BrowserOf, fields: dict[str, str]
) -> None:
    browser_of(agent).post(f"/threads/{thread.pk}/snooze/", fields)
    assert Thread.objects.get(pk=thread.pk).state == Thread.State.OPEN


def test_closing_and_reopening_leave_their_mark(thread: Thread, agent: User, browser_of: BrowserOf) -> None:
    browser = browser_of(agent)
    browser.post(f"/threads/{thread.pk}/close/")
    closed = Thread.objects.get(pk=thread.pk).state
    browser.post(f"/threads/{thread.pk}/reopen/")
    assert (closed, Thread.objects.get(pk=thread.pk).state) == (Thread.State.CLOSED, Thread.State.OPEN)
    assert list(ThreadEvent.objects.values_list("verb", "by")) == [("closed", agent.pk), ("reopened", agent.pk)]


def test_an_item_and_an_answer_of_ours_lead_to_their_thread(thread: Thread, agent: User, browser_of: BrowserOf) -> None:
    said = reply(thread, by=agent, text="On its way!", action=Action.REPLY, key=uuid.uuid4())
    led = [browser_of(agent).get(path).headers["Location"] for path in _own_addresses(said)]
    assert led == [f"/threads/{thread.pk}/#i{said.pk}", f"/threads/{thread.pk}/?view=mine"]


def test_a_stranger_is_led_to_no_thread(thread: Thread, agent: User, stranger: User, browser_of: BrowserOf) -> None:
    said = reply(thread, by=agent, text="On its way!", action=Action.REPLY, key=uuid.uuid4())
    assert [browser_of(stranger).get(path).status_code for path in _own_addresses(said)] == [404, 404]


def _own_addresses(said: Interaction) -> tuple[str, str]:
    return f"/interactions/{said.pk}/", f"/deliveries/{said.delivery.pk}/"


def test_steps_by_get_lead_to_the_thread_and_do_nothing(thread: Thread, agent: User, browser_of: BrowserOf) -> None:
    answer = browser_of(agent).get(f"/threads/{thread.pk}/close/", {"view": "all"})
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/threads/{thread.pk}/?view=all")
    assert Thread.objects.get(pk=thread.pk).state == Thread.State.OPEN


def test_the_thread_opens_alone_for_htmx(thread: Thread, agent: User, browser_of: BrowserOf) -> None:
    html = browser_of(agent).get(f"/threads/{thread.pk}/", headers={**HTMX, "HX-Target": "open"}).content
    assert (b'id="thread"' in html, b"<html" in html) == (True, False)


def test_somebody_elses_tree_names_jonas_as_the_customer(channel: Channel, thread: Thread) -> None:
    record(channel, [said("9", JONAS, "Me too!", parent="1", root="1", minutes=8)])
    assert [role for role, text in roles(thread_of(JONAS)) if text == "Me too!"] == ["customer"]
    assert [role for role, text in roles(thread) if text == "Me too!"] == ["peer"]


# -- the whole public conversation ------------------------------------------------------------------------------------


def test_a_conversation_of_many_is_shown_page_by_page(
    channel: Channel, thread: Thread, agent: User, browser_of: BrowserOf, django_assert_max_num_queries: Any
) -> None:
    root = Interaction.objects.filter(thread=thread).earliest("posted_at").root_external_id
    crowd = [said(f"c{number}", JONAS, f"words {number}!", minutes=60 + number, parent=root) for number in range(170)]
    record(channel, crowd)
    browser, address, seen = browser_of(agent), f"/threads/{thread.pk}/around/", set[str]()
    assert address.encode() in browser.get(f"/threads/{thread.pk}/").content
    where = address
    while where:
        with django_assert_max_num_queries(16):
            page = browser.get(where).content.decode()
        seen |= set(re.findall(r"words \d+!", page))
        found = re.search(r'href="(\?before=[^"]+)"', page)
        where = address + found[1] if found else ""
    assert seen == {one.text for one in crowd}


def test_a_stranger_sees_nothing_of_it(thread: Thread, stranger: User, browser_of: BrowserOf) -> None:
    assert browser_of(stranger).get(f"/threads/{thread.pk}/around/").status_code == 404


def test_every_verb_of_the_history_is_written_by_a_deed() -> None:
    written = "".join(path.read_text() for path in Path(settings.BASE_DIR, "conversations").glob("*.py"))
    assert [verb for verb in ThreadEvent.Verb.names if f"Verb.{verb}" not in written] == []
