"""The composer: what it holds back, asks, keeps, proposes and inserts."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEntry, Brand, User
from channels_ingest.models import Channel
from channels_ingest.networks.base import Action, Author, Removal
from conversations import drafts, promises
from conversations.answering import answer
from conversations.composer import found_in
from conversations.forms import ReplyForm
from conversations.lint import personal, seal
from conversations.models import Delivery, Draft, Interaction, Macro, Promise, Thread
from conversations.record import record
from conversations.reply import reply
from tests.cast import JONAS, MAYA, SOFIA, TRAILHEAD, make_channel, said
from tests.conftest import BrowserOf

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
VOW = "Sorry Maya! I will get back to you tomorrow."
VOW_WORDS = "I will get back to you tomorrow"


@pytest.fixture
def thread(channel: Channel) -> Thread:
    record(channel, [said("1", MAYA, "No stakes!")])
    return Thread.objects.get()


def test_words_around_a_finding_say_where_they_go_on() -> None:
    text = "Whoever lost their tent on the way may write to maya@keller.example"
    found = found_in(text, personal(text))
    assert [(one.before[0], one.marked, one.after) for one in found] == [("…", "maya@keller.example", "")]


@pytest.fixture
def ana(agent: User, browser_of: BrowserOf) -> Client:
    return browser_of(agent)


def send(browser: Client, thread: Thread, text: str, **fields: Any) -> Any:
    values = {"lane": "reply", "text": text, "key": str(uuid.uuid4()), **fields}
    return browser.post(f"/threads/{thread.pk}/replies/", values, headers=HTMX)


def step(browser: Client, thread: Thread, path: str, **fields: Any) -> Any:
    return browser.post(f"/threads/{thread.pk}/{path}/", fields, headers=HTMX)


def written() -> list[str]:
    return list(Interaction.objects.filter(direction="out").values_list("text", flat=True))


def html(answer: Any) -> str:
    return str(answer.content.decode())


# -- the public lane --------------------------------------------------------------------------------------------------


def test_while_typing_what_is_personal_is_marked(thread: Thread, ana: Client) -> None:
    told = step(ana, thread, "check", lane="reply", text="Write to maya@keller.example please").json()
    assert told["blocked"]
    assert "<mark>maya@keller.example</mark>" in told["html"]


def test_private_words_are_not_held_back(thread: Thread, ana: Client) -> None:
    assert not step(ana, thread, "check", lane="message", text="Is it maya@keller.example?").json()["blocked"]


def test_send_in_public_is_refused_with_the_reason(thread: Thread, ana: Client) -> None:
    answer = send(ana, thread, "Your order number is 40412-A7")
    assert (answer.status_code, written()) == (409, [])
    assert "an order or customer number" in html(answer)
    assert 'name="override"' not in html(answer)


def test_who_may_sends_it_all_the_same_and_that_is_logged(thread: Thread, manager: User, browser_of: BrowserOf) -> None:
    mira = browser_of(manager)
    assert 'name="override"' in html(send(mira, thread, "Call +49 89 1234567"))
    send(mira, thread, "Call +49 89 1234567", override=seal("Call +49 89 1234567"))
    assert written() == ["Call +49 89 1234567"]
    assert AuditEntry.objects.get(verb="send personal").details == {"kinds": ["phone"]}


def test_an_agent_cannot_override(thread: Thread, ana: Client) -> None:
    text = "Call +49 89 1234567"
    assert send(ana, thread, text, override=seal(text)).status_code == 409
    assert written() == []


def test_what_was_let_out_knowingly_is_not_asked_again_when_something_newer_came(
    thread: Thread, channel: Channel, manager: User, browser_of: BrowserOf
) -> None:
    text, mira = "Call +49 89 1234567", browser_of(manager)
    record(channel, [said("2", MAYA, "Hello?", parent="1")])
    first = Interaction.objects.get(external_id="1")
    page = html(send(mira, thread, text, override=seal(text), seen=first.pk))
    assert f'name="override" value="{seal(text)}" checked' in page
    assert send(mira, thread, text, override=seal(text), confirmed="1").status_code == 200


def test_other_words_are_not_let_out_by_the_tick_for_earlier_ones(
    thread: Thread, manager: User, browser_of: BrowserOf
) -> None:
    mira, before = browser_of(manager), seal("Call +49 89 1234567")
    told = step(mira, thread, "check", lane="reply", text="Call +49 89 7654321", override=before).json()
    answer = send(mira, thread, "Call +49 89 7654321", override=before)
    assert (" checked" in told["html"], answer.status_code, written()) == (False, 409, [])
    assert " checked" not in html(answer).split('name="override"')[1].split(">")[0]


def test_who_may_not_override_gets_no_tick_back(thread: Thread, ana: Client) -> None:
    text = "Call +49 89 1234567"
    assert 'name="override"' not in html(send(ana, thread, text, override=seal(text)))


def test_another_name_is_pointed_out_and_may_be_sent(thread: Thread, ana: Client) -> None:
    told = step(ana, thread, "check", lane="reply", text="Hi Jonas, it is on its way.").json()
    assert ("not this customer" in told["html"], told["blocked"]) == (True, False)
    assert send(ana, thread, "Hi Jonas, it is on its way.").status_code == 200


def test_the_same_text_to_several_people_is_pointed_out(channel: Channel, agent: User, ana: Client) -> None:
    text = "we are sorry for the long wait, it ships soon as new."
    for number, person in enumerate((MAYA, JONAS, SOFIA)):
        record(channel, [said(str(number), person)])
    maya, jonas, sofia = Thread.objects.order_by("pk")
    reply(maya, by=agent, text=f"Hi Maya, {text}", action=Action.REPLY, key=uuid.uuid4())
    assert "others lately" not in step(ana, sofia, "check", lane="reply", text=f"Hi Sofia, {text}").json()["html"]
    reply(jonas, by=agent, text=f"Hi Jonas, {text}", action=Action.REPLY, key=uuid.uuid4())
    assert "went to 2 others lately" in step(ana, sofia, "check", lane="reply", text=f"Hi Sofia, {text}").json()["html"]


# -- promises ---------------------------------------------------------------------------------------------------------


def test_a_promise_asks_until_when(thread: Thread, ana: Client) -> None:
    answer = send(ana, thread, VOW)
    assert (answer.status_code, written()) == (409, [])
    assert VOW_WORDS in html(answer)
    assert 'name="promise_due"' in html(answer)


def test_the_day_of_a_promise_is_told_in_words(thread: Thread, ana: Client) -> None:
    told = step(ana, thread, "check", lane="reply", text="Sorry Maya, we will send it by 5/6.").json()
    assert re.search(r"understood as \w+day, 5 June 20\d\d", told["html"])


def test_a_confirmed_promise_is_kept_in_sight(thread: Thread, ana: Client, colleague: User) -> None:
    due = (timezone.now() + timedelta(days=3)).replace(second=0, microsecond=0)
    confirmed = {
        "promise": "1",
        "promise_words": VOW_WORDS,
        "promise_due": due.strftime("%Y-%m-%dT%H:%M"),
        "promise_owner": colleague.pk,
    }
    assert send(ana, thread, VOW, **confirmed).status_code == 200
    promise = Promise.objects.get()
    assert (promise.words, promise.due_at, promise.owner) == (VOW_WORDS, due, colleague)
    assert "Promised" in html(ana.get(f"/threads/{thread.pk}/"))


def test_what_its_writer_says_is_no_promise_is_none(thread: Thread, ana: Client) -> None:
    assert send(ana, thread, VOW, promise_words=VOW_WORDS).status_code == 200
    assert not Promise.objects.exists()


def test_a_stranger_cannot_owe_a_promise(thread: Thread, ana: Client, stranger: User) -> None:
    answer = send(ana, thread, VOW, promise="1", promise_words=VOW_WORDS, promise_owner=stranger.pk)
    assert (answer.status_code, written()) == (409, [])


@pytest.fixture
def promise(thread: Thread, ana: Client) -> Promise:
    send(ana, thread, VOW, promise="1", promise_words=VOW_WORDS)
    return Promise.objects.get()


def test_an_open_promise_blocks_closing_and_says_so(thread: Thread, ana: Client, promise: Promise) -> None:
    assert "promise is still open" in step(ana, thread, "close")["HX-Trigger"]
    assert Thread.objects.get().state == "open"


def test_an_overdue_promise_stands_out_and_in_the_view(thread: Thread, ana: Client, promise: Promise) -> None:
    Promise.objects.update(due_at=timezone.now() - timedelta(minutes=1))
    page = html(ana.get(f"/threads/{thread.pk}/?view=promises"))
    assert "Promise overdue" in page
    assert f'id="t{thread.pk}"' in page
    assert "overdue" in html(ana.get("/promises/?whose=mine"))


def test_withdrawing_needs_a_reason(ana: Client, promise: Promise) -> None:
    ana.post(f"/promises/{promise.pk}/", {"state": "withdrawn", "reason": " "})
    assert Promise.objects.get().state == "open"
    ana.post(f"/promises/{promise.pk}/", {"state": "withdrawn", "reason": "She found it"})
    assert (Promise.objects.get().state, Promise.objects.get().reason) == ("withdrawn", "She found it")


def test_a_promise_of_another_brand_is_not_there(promise: Promise, stranger: User, browser_of: BrowserOf) -> None:
    other = browser_of(stranger)
    assert other.post(f"/promises/{promise.pk}/", {"state": "kept"}).status_code == 404
    assert VOW_WORDS not in html(other.get("/promises/"))


def test_the_kept_rate_is_for_those_with_reports(
    ana: Client, promise: Promise, manager: User, browser_of: BrowserOf
) -> None:
    ana.post(f"/promises/{promise.pk}/", {"state": "kept"})
    assert "100 % kept in time" in html(browser_of(manager).get("/promises/"))
    assert "kept in time" not in html(ana.get("/promises/"))


def test_the_kept_rate_is_of_ninety_days_and_the_page_says_so(
    ana: Client, promise: Promise, manager: User, browser_of: BrowserOf
) -> None:
    ana.post(f"/promises/{promise.pk}/", {"state": "kept"})
    Promise.objects.update(due_at=timezone.now() - timedelta(days=91))
    page = html(browser_of(manager).get("/promises/"))
    assert ("none settled yet" in page, "within the last 90 days" in page) == (True, True)


def test_the_kept_rate_is_read_from_an_index_of_its_own(admin: User) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")  # a small table would be read whole
    assert "promise_due" in promises.rated(Promise.objects.visible_to(admin)).explain()


# -- drafts -----------------------------------------------------------------------------------------------------------


def test_a_draft_comes_back_and_goes_when_it_is_sent(thread: Thread, ana: Client) -> None:
    step(ana, thread, "draft", lane="reply", text="Sorry <Maya>", quietly="1")
    assert "Sorry &lt;Maya&gt;</textarea>" in html(ana.get(f"/threads/{thread.pk}/"))
    send(ana, thread, "Sorry Maya!")
    assert not Draft.objects.exists()


def test_a_draft_that_comes_after_its_answer_is_none(thread: Thread, ana: Client) -> None:
    key = str(uuid.uuid4())
    send(ana, thread, "Sorry Maya!", key=key)
    step(ana, thread, "draft", lane="reply", text="Sorry May", key=key, quietly="1")
    assert not Draft.objects.exists()


def test_a_refused_answer_leaves_the_draft(thread: Thread, ana: Client) -> None:
    step(ana, thread, "draft", lane="reply", text="Call +49 89 1234567", quietly="1")
    send(ana, thread, "Call +49 89 1234567")
    assert Draft.objects.get().text == "Call +49 89 1234567"


def test_colleagues_see_what_answer_was_begun(
    thread: Thread, ana: Client, colleague: User, browser_of: BrowserOf
) -> None:
    step(ana, thread, "draft", lane="reply", text="Sorry <b>Maya</b>")
    page = html(browser_of(colleague).get(f"/threads/{thread.pk}/"))
    begun = page.split("has begun an answer")[1].split("</details>")[0]
    assert "Sorry &lt;b&gt;Maya&lt;/b&gt;" in begun
    assert "Public reply" in begun


def test_a_draft_is_kept_as_long_as_the_composer_lets_it_grow(thread: Thread, ana: Client) -> None:
    assert step(ana, thread, "draft", lane="note", text="x" * 20_000, quietly="1").status_code == 204
    assert len(Draft.objects.get().text) == 20_000


def test_a_promise_is_its_writers_however_many_colleagues_there_are(
    thread: Thread, ana: Client, agent: User, brand: Brand
) -> None:
    crowd = User.objects.bulk_create(User(email=f"{n}@x.example", name=f"Aaron {n:02}") for n in range(60))
    agent.brands.through.objects.bulk_create(agent.brands.through(user=one, brand=brand) for one in crowd)
    words = "I will call you by Friday"
    told = step(ana, thread, "check", lane="reply", text=words).json()["html"]
    assert f'<option value="{agent.pk}" selected>' in told
    other = {"promise_words": words, "promise_owner": str(crowd[59].pk), "promise": "1"}
    told = step(ana, thread, "check", lane="reply", text=words, **other).json()["html"]
    assert f'<option value="{crowd[59].pk}" selected>Aaron 59' in told


@pytest.mark.parametrize("words", ["\x00", "a\x00b", "/" * 200, "\u202e\u200d"])
def test_hostile_words_find_no_macro_and_no_tag(thread: Thread, ana: Client, words: str) -> None:
    found = ana.get(f"/threads/{thread.pk}/macros/", {"q": words})
    inserted = step(ana, thread, "macro", insert=words, lane="reply", text="")
    untagged = step(ana, thread, "tags", remove=words)
    assert [one.status_code for one in (found, inserted, untagged)] == [200, 204, 204]
    assert not thread.events.filter(verb="untagged").exists()


def test_a_refusal_repeats_only_a_little_of_what_was_typed(thread: Thread, ana: Client) -> None:
    refused = step(ana, thread, "snooze", usual="x" * 30_000)
    assert refused.status_code == 204
    assert len(refused["HX-Trigger"]) < 1000


# -- macros -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def macro(db: None) -> Macro:
    return Macro.objects.create(name="Refund", text="Hi {first name|there}, done!", steps={"tags": ["refund"]})


def test_the_choice_shows_texts_filled_in(thread: Thread, ana: Client, macro: Macro) -> None:
    shown = html(ana.get(f"/threads/{thread.pk}/macros/?q=refu"))
    assert 'data-text="Hi Maya, done!"' in shown
    assert "tags refund" in shown


def test_a_macro_is_inserted_without_scripts_too(thread: Thread, ana: Client, macro: Macro) -> None:
    values = {"lane": "reply", "text": "Sorry.", "insert": "refund"}
    page = html(ana.post(f"/threads/{thread.pk}/macro/", values))
    assert "Sorry.\nHi Maya, done!</textarea>" in page
    assert f'name="macro" value="{macro.pk}"' in page


def test_enter_in_a_field_presses_what_sends_nothing_and_takes_no_step(thread: Thread, ana: Client) -> None:
    form = html(ana.get(f"/threads/{thread.pk}/")).split('id="composer"')[1].split("</form>")[0]
    first = form.split("<button")[1].split(">")[0]
    assert f'formaction="/threads/{thread.pk}/entered/' in first
    assert f'hx-post="/threads/{thread.pk}/draft/"' in first


def entered(browser: Client, thread: Thread, **fields: str) -> str:
    typed = {"lane": "reply", "text": "Hello Maya", "key": str(uuid.uuid4()), **fields}
    return html(browser.post(f"/threads/{thread.pk}/entered/", typed, follow=True))


def test_enter_inserts_the_macro_that_was_named(thread: Thread, ana: Client, macro: Macro) -> None:
    assert f'name="macro" value="{macro.pk}"' in entered(ana, thread, insert=macro.name)


def test_enter_finds_the_owner_who_was_looked_for(thread: Thread, ana: Client, colleague: User) -> None:
    shown = entered(ana, thread, text=VOW, promise_words=VOW_WORDS, find="Zoe")
    assert "No colleague of this name" in shown


def test_enter_elsewhere_keeps_the_draft_and_sends_nothing(thread: Thread, ana: Client) -> None:
    assert "Your draft is kept." in entered(ana, thread)
    assert Draft.objects.get().text == "Hello Maya"
    assert not Delivery.objects.exists()


def test_its_steps_are_taken_on_send_and_it_is_counted(thread: Thread, ana: Client, macro: Macro) -> None:
    send(ana, thread, "Hi Maya, done!", macro=macro.pk, steps="1")
    assert list(thread.tags.values_list("name", flat=True)) == ["refund"]
    assert Macro.objects.get().used == 1


def test_a_step_that_cannot_be_taken_is_said_after_the_answer_left(thread: Thread, ana: Client, macro: Macro) -> None:
    Macro.objects.update(steps={"close": True})
    answer = send(ana, thread, VOW, promise="1", promise_words=VOW_WORDS, macro=macro.pk, steps="1")
    assert written() == [VOW]
    assert "promise is still open" in answer["HX-Trigger"]


def test_anothers_macro_is_not_there(thread: Thread, ana: Client, macro: Macro, colleague: User) -> None:
    Macro.objects.update(owner=colleague)
    assert step(ana, thread, "steps", macro=macro.pk).status_code == 404
    assert ana.get(f"/macros/{macro.pk}/").status_code == 404


def test_an_agent_writes_macros_for_themselves(ana: Client, agent: User) -> None:
    ana.post("/macros/new/", {"name": "Mine", "text": "Hello", "shared": "1", "tags": "A, b"})
    made = Macro.objects.get()
    assert (made.owner, made.steps) == (agent, {"tags": ["a", "b"]})


def test_a_manager_shares_and_deletes(manager: User, browser_of: BrowserOf, macro: Macro) -> None:
    mira = browser_of(manager)
    mira.post("/macros/new/", {"name": "All", "text": "Hello", "shared": "1", "language": "de"})
    assert Macro.objects.get(name="All").owner is None
    mira.post(f"/macros/{macro.pk}/deletion/")
    assert not Macro.objects.filter(pk=macro.pk).exists()


def test_an_agent_cannot_change_what_is_shared(ana: Client, macro: Macro) -> None:
    assert ana.post(f"/macros/{macro.pk}/deletion/").status_code == 404


def test_a_wrong_variable_is_refused_with_the_reason(ana: Client) -> None:
    page = html(ana.post("/macros/new/", {"name": "Odd", "text": "{shoe size|x}"}))
    assert "There is no variable" in page
    assert not Macro.objects.exists()


# -- to private and back ----------------------------------------------------------------------------------------------


def test_moving_to_private_writes_the_hand_over_line(thread: Thread, ana: Client, agent: User) -> None:
    Macro.objects.create(name="H", purpose="handover", text="{first name|Hi}, see your messages.", brand=thread.brand)
    page = html(step(ana, thread, "lane", purpose="handover", lane="reply", text=""))
    assert drafts.of(thread, agent) == {"reply": "Maya, see your messages."}
    assert 'value="message" data-limit' in page
    assert "waits in the public lane" in page
    assert written() == []


def test_what_was_typed_stays_when_moving(thread: Thread, ana: Client, agent: User) -> None:
    step(ana, thread, "lane", purpose="handover", lane="reply", text="Sorry Maya!")
    step(ana, thread, "lane", purpose="handover", lane="reply", text=drafts.of(thread, agent)["reply"])
    assert drafts.of(thread, agent)["reply"].count("Maya, we have just written") == 1
    assert drafts.of(thread, agent)["reply"].startswith("Sorry Maya!\n")


def test_an_answer_tells_what_its_draft_was_proposed_for(thread: Thread, ana: Client) -> None:
    step(ana, thread, "lane", purpose="handover", lane="reply", text="")
    send(ana, thread, "It is on its way.", lane="message")
    send(ana, thread, "Maya, look into your inbox!")
    asked = step(ana, thread, "lane", purpose="closing", lane="note", text="")
    assert asked.status_code == 200
    send(ana, thread, "All good now.", confirmed="1")
    assert list(Delivery.objects.order_by("id").values_list("purpose", flat=True)) == ["", "handover", "closing"]


def test_a_hand_over_that_is_taken_back_stays_one(thread: Thread, ana: Client, agent: User) -> None:
    step(ana, thread, "lane", purpose="handover", lane="reply", text="")
    send(ana, thread, "Maya, look into your inbox!")
    ana.post(f"/deliveries/{Delivery.objects.get().pk}/undo/", headers=HTMX)
    assert drafts.purpose_of(thread, agent, "reply") == "handover"


def test_a_refused_answer_leaves_the_drafts_of_the_other_lanes_in_sight(
    thread: Thread, ana: Client, agent: User
) -> None:
    drafts.keep(thread, by=agent, lane="reply", text="Maya, see your messages.")
    page = html(send(ana, thread, "", lane="note"))
    assert '<textarea hidden disabled aria-hidden="true" data-begun="reply">Maya, see your messages.<' in page


def test_who_cannot_be_reached_is_invited(thread: Thread, channel: Channel, ana: Client, agent: User) -> None:
    Channel.objects.update(state=Channel.State.HISTORY)
    step(ana, thread, "lane", purpose="handover", lane="reply", text="")
    assert "please write to us in a private message" in drafts.of(thread, agent)["reply"]


def test_our_other_accounts_are_named_with_their_verdict(thread: Thread, ana: Client) -> None:
    make_channel(thread.brand, account=Author("9002", handle="trailcare"))
    page = html(ana.get(f"/threads/{thread.pk}/reach/"))
    assert "@trailcare" in page
    assert "never written to this account" in page


def test_a_closing_word_is_proposed(thread: Thread, ana: Client, agent: User) -> None:
    step(ana, thread, "lane", purpose="closing", lane="note", text="")
    assert "glad that we could sort this out in private" in drafts.of(thread, agent)["reply"]


def test_closing_asks_for_the_reason(thread: Thread, ana: Client, agent: User) -> None:
    reply(thread, by=agent, text="Your order: 4711", action=Action.MESSAGE, key=uuid.uuid4())
    assert "closing word in public" in step(ana, thread, "close")["HX-Trigger"]
    step(ana, thread, "close", waive="She prefers so")
    assert Thread.objects.get().state == "closed"


# -- what changed meanwhile -------------------------------------------------------------------------------------------


def read_fields(item: Interaction) -> dict[str, Any]:
    return {"reply-item": item.pk, "reply-version": item.version, "reply-text": item.text}


def test_an_edited_parent_shows_both_texts_first(channel: Channel, thread: Thread, ana: Client) -> None:
    read = read_fields(Interaction.objects.get())
    record(channel, [said("1", MAYA, "Found the stakes, thanks!", version=2)])
    answer = send(ana, thread, "We send stakes.", **read)
    assert (answer.status_code, written()) == (409, [])
    assert "No stakes!" in html(answer)
    assert "Found the stakes, thanks!" in html(answer)


def test_a_deleted_parent_stops_the_send(channel: Channel, thread: Thread, ana: Client) -> None:
    record(channel, [said("2", MAYA, "Also the rope.", minutes=1, parent="1", root="1")])
    read = read_fields(Interaction.objects.get(external_id="2"))
    record(channel, [Removal("2")])
    answer = send(ana, thread, "Rope is coming.", **read)
    assert (answer.status_code, written()) == (409, [])
    assert "was deleted" in html(answer)
    assert send(ana, thread, "Stakes are coming.", **read, confirmed="1").status_code == 200


def test_a_new_version_with_the_same_words_does_not_ask(channel: Channel, thread: Thread, ana: Client) -> None:
    read = read_fields(Interaction.objects.get())
    record(channel, [said("1", MAYA, "No stakes!", version=2)])
    assert send(ana, thread, "We send stakes.", **read).status_code == 200


# -- below the head ---------------------------------------------------------------------------------------------------


def test_a_third_voice_changes_the_audience_at_once(channel: Channel, thread: Thread, ana: Client) -> None:
    assert "one to many" in html(ana.get(f"/threads/{thread.pk}/"))
    record(channel, [said("2", SOFIA, "Use the pole.", parent="1", root="1", minutes=1)])
    page = html(ana.get(f"/threads/{thread.pk}/"))
    assert "one to one to many" in page
    assert "Others have joined in" in page
    assert "18.2k–20.6k" in page


def test_private_words_never_count_as_audience(channel: Channel, thread: Thread, agent: User, ana: Client) -> None:
    reply(thread, by=agent, text="In private", action=Action.MESSAGE, key=uuid.uuid4())
    record(channel, [said("9", TRAILHEAD, "Sorry!", parent="1", root="1", minutes=1)])
    assert "one to one to many" not in html(ana.get(f"/threads/{thread.pk}/"))


def test_a_reading_says_why_and_is_corrected_in_one_step(thread: Thread, ana: Client, agent: User) -> None:
    from conversations.readings import understand_due

    Interaction.objects.update(text="This is the worst tent, I am so angry and need help today, urgent!")
    understand_due()
    page = html(ana.get(f"/threads/{thread.pk}/"))
    assert "vaderSentiment" in page
    assert "a guess" in page
    ana.post(f"/interactions/{Interaction.objects.get().pk}/reading/", {"kind": "mood", "value": "positive"})
    assert Thread.objects.get().mood == "positive"
    assert "Says: Ana" in html(ana.get(f"/threads/{thread.pk}/"))


def test_tags_are_added_shown_in_the_list_and_taken_off(thread: Thread, ana: Client) -> None:
    step(ana, thread, "tags", name="  Refund ")
    assert 'dir="auto">refund</span>' in html(ana.get("/?view=all"))
    step(ana, thread, "tags", remove="refund")
    assert not thread.tags.exists()


def test_words_of_an_item_are_quoted(thread: Thread, ana: Client) -> None:
    page = html(ana.get(f"/threads/{thread.pk}/?quote={Interaction.objects.get().pk}"))
    assert "“No stakes!”\n</textarea>" in page


@pytest.mark.parametrize("path", ["check", "draft", "macro", "steps", "lane", "tags"])
def test_a_stranger_finds_nothing(thread: Thread, stranger: User, browser_of: BrowserOf, path: str) -> None:
    values = {"lane": "reply", "text": "x", "purpose": "handover"}
    assert browser_of(stranger).post(f"/threads/{thread.pk}/{path}/", values).status_code == 404


# -- a draft and its Send cross ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("lane", ["reply", "note"])
def test_a_draft_that_comes_after_its_send_is_none_any_more(thread: Thread, ana: Client, lane: str) -> None:
    key = str(uuid.uuid4())
    send(ana, thread, "On their way.", key=key, lane=lane)
    assert step(ana, thread, "draft", lane=lane, text="On their", key=key, quietly="1").status_code == 204
    assert not Draft.objects.exists()


def test_what_was_begun_in_another_lane_is_kept_after_send(thread: Thread, ana: Client) -> None:
    key = str(uuid.uuid4())
    send(ana, thread, "On their way.", key=key)
    step(ana, thread, "draft", lane="note", text="Same batch as", key=key, quietly="1")
    assert Draft.objects.get().lane == "note"


@pytest.mark.django_db(transaction=True)
def test_a_draft_saved_while_send_commits_does_not_survive_it(
    thread: Thread, agent: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = uuid.uuid4()
    looked = drafts.is_sent
    with ThreadPoolExecutor(max_workers=1) as another:
        sends: list[Future[str]] = []

        def look_while_send_runs(of: uuid.UUID, lane: str) -> bool:
            sent = looked(of, lane)
            sends.append(another.submit(_send_offstage, thread, agent, key))
            _until(lambda: sends[0].done() or _waits_for_a_lock())
            return sent

        monkeypatch.setattr(drafts, "is_sent", look_while_send_runs)
        drafts.keep(thread, by=agent, lane="reply", text="On their", key=key)
        sends[0].result()
        another.submit(connections.close_all).result()
    assert written() == ["On their way."]
    assert not Draft.objects.exists()


def _send_offstage(thread: Thread, agent: User, key: uuid.UUID) -> str:
    form = ReplyForm({"lane": "reply", "text": "On their way.", "key": str(key)})
    assert form.is_valid()
    return answer(thread, by=agent, given=form.cleaned_data)


def _waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        return cursor.fetchone() is not None


def _until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.01)


# -- a note is written once -------------------------------------------------------------------------------------------


def test_a_note_sent_twice_is_one_note(thread: Thread, ana: Client) -> None:
    key = str(uuid.uuid4())
    assert [send(ana, thread, "Batch 7", key=key, lane="note").status_code for _time in range(2)] == [200, 200]
    assert Interaction.objects.filter(direction="note").count() == 1


def test_the_key_of_a_note_is_not_taken_for_other_words(thread: Thread, ana: Client) -> None:
    key = str(uuid.uuid4())
    send(ana, thread, "Batch 7", key=key, lane="note")
    assert send(ana, thread, "Batch 8", key=key, lane="note").status_code == 409
