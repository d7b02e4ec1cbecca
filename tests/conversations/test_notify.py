"""Notes that call colleagues, and what else people are told."""

from __future__ import annotations

import re
from datetime import timedelta
from unittest.mock import Mock

import pytest
from django.db import DatabaseError, IntegrityError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import Brand, Team, User
from accounts.roles import Role
from channels_ingest.models import Channel
from contacts.models import Contact
from conversations import actions, notify
from conversations.mentions import mentioned
from conversations.models import Delivery, Interaction, Notification, Promise, Thread
from conversations.record import record
from tests.cast import MAYA, make_user, said
from tests.conftest import BrowserOf

pytestmark = pytest.mark.django_db


@pytest.fixture
def thread(channel: Channel) -> Thread:
    record(channel, [said("1", MAYA, "Hello?")])
    return Thread.objects.get()


def told(user: User) -> list[str]:
    return list(Notification.objects.filter(user=user).order_by("pk").values_list("kind", flat=True))


def test_a_note_calls_a_colleague_by_name(thread: Thread, agent: User, colleague: User) -> None:
    actions.write_note(thread, by=agent, text="Can you look, @Ben?")
    assert told(colleague) == ["mention"]
    assert told(agent) == []


def test_a_team_is_called_as_a_whole_but_never_the_writer(thread: Thread, agent: User, colleague: User) -> None:
    team = Team.objects.create(brand=thread.brand, name="Second line")
    team.members.set([agent, colleague])
    actions.write_note(thread, by=agent, text="@second line please")
    assert (told(colleague), told(agent)) == (["team"], [])


@pytest.mark.parametrize(("muted", "kinds"), [("", ["mention"]), ("team", ["mention"]), ("mention", ["team"])])
def test_who_is_called_by_name_and_with_a_team_is_told_once(
    thread: Thread, agent: User, colleague: User, muted: str, kinds: list[str]
) -> None:
    User.objects.filter(pk=colleague.pk).update(muted=[muted])
    Team.objects.create(brand=thread.brand, name="Repairs").members.add(colleague)
    actions.write_note(thread, by=agent, text="@Repairs, and most of all @Ben")
    assert told(colleague) == kinds


def test_the_database_takes_one_mention_of_a_note(thread: Thread, agent: User, colleague: User) -> None:
    actions.write_note(thread, by=agent, text="@Ben")
    mention = Notification.objects.get()
    again = Notification(user=colleague, kind="team", thread=thread, interaction=mention.interaction)
    with pytest.raises(IntegrityError, match="notification_mention_once"):
        again.save()


def test_who_left_a_team_or_may_not_sign_in_is_not_called_with_it(
    thread: Thread, agent: User, colleague: User, manager: User
) -> None:
    team = Team.objects.create(brand=thread.brand, name="Repairs")
    team.members.set([colleague, manager])
    team.members.remove(manager)
    User.objects.filter(pk=colleague.pk).update(is_active=False)
    actions.write_note(thread, by=agent, text="@Repairs")
    assert not Notification.objects.exists()


def test_nobody_outside_the_brand_is_called(thread: Thread, agent: User, stranger: User) -> None:
    actions.write_note(thread, by=agent, text="@Stan what do you say?")
    assert told(stranger) == []


def test_the_longest_name_is_meant(brand: Brand) -> None:
    short, long = make_user(Role.AGENT, brand, name="Ana"), make_user(Role.AGENT, brand, name="Ana Maria")
    assert mentioned("@Ana Maria, see this", brand.pk).everybody == {long.pk}
    assert mentioned("@Ana, see this", brand.pk).everybody == {short.pk}


def test_an_address_or_a_longer_word_calls_nobody(brand: Brand, agent: User) -> None:
    assert mentioned("mail to x@Ana or @Anabel", brand.pk).everybody == set()


def test_whoever_gets_a_thread_is_told_unless_they_took_it(thread: Thread, agent: User, colleague: User) -> None:
    actions.assign(thread, to=colleague, by=agent)
    actions.assign(thread, to=agent, by=agent)
    assert (told(colleague), told(agent)) == (["assigned"], [])


@pytest.fixture
def team(thread: Thread, agent: User, colleague: User, stranger: User) -> Team:
    """Two who serve the brand, and one who does not."""
    team = Team.objects.create(brand=thread.brand, name="Repairs")
    team.members.set([agent, colleague, stranger])
    return team


def test_a_team_that_gets_a_thread_is_told_but_not_who_gave_it_nor_who_may_not_see_it(
    thread: Thread, team: Team, agent: User, colleague: User, stranger: User
) -> None:
    actions.assign(thread, to=team, by=agent)
    assert (told(colleague), told(agent), told(stranger)) == (["given"], [], [])
    assert notify.words(Notification.objects.get()) == "Ana assigned the thread of Maya Keller to a team of yours."


def test_a_team_is_told_once_of_an_assignment_and_again_of_the_next(
    thread: Thread, team: Team, agent: User, colleague: User
) -> None:
    for to in (team, team, None, team):
        actions.assign(thread, to=to, by=agent)
    assert told(colleague) == ["given", "given"]


def test_the_database_takes_one_notification_of_an_assignment(thread: Thread, team: Team, agent: User) -> None:
    actions.assign(thread, to=team, by=agent)
    once = Notification.objects.get()
    with pytest.raises(IntegrityError, match="notification_event_once"):
        Notification.objects.create(user=once.user, kind="given", thread=thread, event=once.event)


def test_who_switched_the_threads_of_their_teams_off_is_not_told(
    thread: Thread, team: Team, agent: User, colleague: User
) -> None:
    User.objects.filter(pk=colleague.pk).update(muted=["given"])
    actions.assign(thread, to=team, by=agent)
    assert told(colleague) == []


def test_a_large_team_is_told_with_the_statements_of_a_small_one(
    thread: Thread, team: Team, agent: User, brand: Brand, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    team.members.add(*(make_user(Role.AGENT, brand) for _number in range(5)))
    # the savepoint and its end, the thread, its assignee, its change, the event, the members, who serves, all rows
    with django_assert_num_queries(9):
        actions.assign(thread, to=team, by=agent)


def test_an_assignee_is_told_when_the_customer_writes_again_and_only_once(
    channel: Channel, thread: Thread, agent: User
) -> None:
    actions.assign(thread, to=agent, by=agent)
    again = said("2", MAYA, "Anybody?", parent=said("1", MAYA), minutes=1)
    record(channel, [again])
    record(channel, [again])
    assert told(agent) == ["answered"]


@pytest.mark.parametrize("left", ["the brand", "the company"])
def test_an_assignee_who_left_is_not_told(channel: Channel, thread: Thread, agent: User, left: str) -> None:
    actions.assign(thread, to=agent, by=agent)
    User.objects.filter(pk=agent.pk).update(is_active=left == "the brand")
    User.brands.through.objects.filter(user=agent).exclude(user__is_active=False).delete()
    record(channel, [said("2", MAYA, "Anybody?", parent=said("1", MAYA), minutes=1)])
    assert told(agent) == []


def test_a_kind_that_is_switched_off_is_not_told(thread: Thread, agent: User, colleague: User) -> None:
    colleague.muted = ["mention"]
    colleague.save()
    actions.write_note(thread, by=agent, text="@Ben")
    assert told(colleague) == []


def test_an_overdue_promise_is_told_once(thread: Thread, agent: User) -> None:
    Promise.objects.create(
        thread=thread, interaction=Interaction.objects.get(), owner=agent, words="soon", due_at=timezone.now()
    )
    later = timezone.now() + timedelta(minutes=1)
    assert (notify.tell_due(later), notify.tell_due(later)) == (1, 0)
    assert told(agent) == ["promise"]


def test_an_answer_that_failed_is_told_to_its_writer(thread: Thread, agent: User) -> None:
    ours = Interaction.objects.create(
        channel=thread.channel, kind="reply", direction="out", visibility="public", sent_by=agent, thread=thread,
        posted_at=timezone.now(),
    )  # fmt: skip
    Delivery.objects.create(
        interaction=ours,
        channel=thread.channel,
        thread=thread,
        action="reply",
        state="failed",
        settled_at=timezone.now(),
    )
    notify.tell_due(timezone.now())
    assert told(agent) == ["failed"]


def test_reading_the_thread_reads_its_notifications(thread: Thread, agent: User, colleague: User) -> None:
    actions.write_note(thread, by=agent, text="@Ben")
    actions.mark_seen(thread, by=colleague)
    assert Notification.objects.get().read_at is not None


def test_a_name_adds_no_line_and_turns_no_sentence(thread: Thread, agent: User, colleague: User) -> None:
    Contact.objects.update(name="Maya\n\nYour account ends: https://evil.example\u202e")
    actions.write_note(thread, by=agent, text="@Ben")
    said_there = "Ana mentions you in a note about Maya Your account ends: https://evil.example."
    assert notify.words(Notification.objects.get()) == said_there


# -- the pages --------------------------------------------------------------------------------------------------------


@pytest.fixture
def browser(thread: Thread, agent: User, colleague: User, browser_of: BrowserOf) -> Client:
    actions.write_note(thread, by=agent, text="@Ben")
    return browser_of(colleague)


def test_the_bell_counts_and_the_list_leads_to_the_note(browser: Client, thread: Thread) -> None:
    assert browser.get("/notifications/count/").json()["count"] == 1
    note = Interaction.objects.get(direction="note")
    shown = browser.get("/notifications/?kind=mention").content.decode()
    assert f'href="/threads/{thread.pk}/#i{note.pk}"' in shown
    browser.post("/notifications/read/")
    assert browser.get("/notifications/count/").json()["count"] == 0


@pytest.mark.parametrize("address", ["/", "/contacts/", "/notifications/"])
def test_the_bell_has_its_count_without_scripts(browser: Client, address: str) -> None:
    assert '<b class="badge">1</b>' in browser.get(address).content.decode()
    browser.post("/notifications/read/")
    assert '<b class="badge" hidden></b>' in browser.get(address).content.decode()


@pytest.mark.parametrize("address", ["/", "/contacts/"])
def test_the_bell_counts_no_further_than_it_shows(
    browser: Client, thread: Thread, colleague: User, address: str
) -> None:
    Notification.objects.bulk_create([Notification(user=colleague, kind="given", thread=thread) for _n in range(120)])
    assert '<b class="badge">99+</b>' in browser.get(address).content.decode()


@pytest.mark.parametrize("address", ["/", "/contacts/"])
def test_the_bell_counts_nothing_of_a_brand_that_one_left(
    browser: Client, colleague: User, other_brand: Brand, address: str
) -> None:
    colleague.brands.set([other_brand])
    assert '<b class="badge" hidden></b>' in browser.get(address).content.decode()


def test_an_open_browser_shows_no_thread_of_a_team(
    browser: Client, thread: Thread, agent: User, colleague: User
) -> None:
    mention = Notification.objects.get()
    Notification.objects.create(user=colleague, kind="given", thread=thread, by=agent)
    counted = browser.get("/notifications/count/").json()
    assert (counted["count"], counted["newest"]) == (2, mention.pk)


def test_a_list_of_many_costs_no_statement_for_each(
    browser: Client, thread: Thread, colleague: User, brand: Brand, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    people = [make_user(Role.AGENT, brand) for _number in range(5)]
    Notification.objects.bulk_create(
        [Notification(user=colleague, kind="assigned", thread=thread, by=one) for one in people]
    )
    with django_assert_num_queries(4):  # session, user, the list, the bell
        browser.get("/notifications/")


def test_each_kind_is_switched_off_on_the_profile(browser: Client, colleague: User) -> None:
    browser.post("/profile/notifications/", {"kinds": ["assigned"], "digest": "daily", "languages": ["en", "de"]})
    colleague.refresh_from_db()
    assert "mention" in colleague.muted
    assert "assigned" not in colleague.muted
    assert (colleague.digest, colleague.languages) == ("daily", ["en", "de"])


def test_what_somebody_wants_to_hear_of_is_not_changed_without_its_audit_line(
    colleague: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notify, "audit", Mock(side_effect=DatabaseError))
    with pytest.raises(DatabaseError):
        notify.choose(colleague, kinds=["assigned"], digest="daily", languages=["de"])
    colleague.refresh_from_db()
    assert (colleague.muted, colleague.digest, colleague.languages) == ([], "off", [])


def test_of_a_brands_people_only_those_who_may_approve_are_read(
    thread: Thread, agent: User, colleague: User, manager: User, admin: User
) -> None:
    with CaptureQueriesContext(connection) as asked:
        assert set(notify.approvers(thread)) == {manager.pk, admin.pk}
    (question,) = asked.captured_queries
    assert ("agent" in question["sql"], '"accounts_user"."role" IN' in question["sql"]) == (False, True)


def kinds_offered_to(browser: Client) -> set[str]:
    shown = browser.get("/profile/notifications/").content.decode()
    return set(re.findall(r'name="kinds"[^>]*value="(\w+)"', shown))


def test_what_is_wanted_is_ticked_and_what_is_switched_off_is_not(browser: Client, colleague: User) -> None:
    User.objects.filter(pk=colleague.pk).update(muted=["team"])
    shown = browser.get("/profile/notifications/").content.decode()
    ticked = set(re.findall(r'name="kinds" value="(\w+)"[^>]* checked', shown))
    assert ticked == kinds_offered_to(browser) - {"team"}


def test_what_waits_for_approval_is_offered_to_those_who_may_approve(
    browser: Client, manager: User, browser_of: BrowserOf
) -> None:
    assert "asked" in kinds_offered_to(browser_of(manager))
    assert "asked" not in kinds_offered_to(browser)


@pytest.mark.parametrize("needs", [True, False])
def test_decisions_on_answers_are_offered_to_those_who_need_them(browser: Client, colleague: User, needs: bool) -> None:
    User.objects.filter(pk=colleague.pk).update(needs_approval=needs)
    assert ("decided" in kinds_offered_to(browser)) is needs


@pytest.mark.parametrize("muted", [[], ["asked"]])
def test_a_kind_that_is_not_offered_stays_as_it_was_chosen(browser: Client, colleague: User, muted: list[str]) -> None:
    User.objects.filter(pk=colleague.pk).update(muted=muted)
    browser.post("/profile/notifications/", {"kinds": [*kinds_offered_to(browser)], "digest": "off"})
    colleague.refresh_from_db()
    assert colleague.muted == muted


def test_languages_are_chosen_by_name_and_what_was_chosen_before_stays(browser: Client, colleague: User) -> None:
    User.objects.filter(pk=colleague.pk).update(languages=["de", "tlh"], language="de")
    shown = " ".join(browser.get("/profile/notifications/").content.decode().split())
    chosen = re.findall(r'name="languages" value="(\w+)"[^>]* checked', shown)
    assert chosen == ["de", "tlh"]
    assert shown.index("Portugiesisch") < shown.index("<details open>") < shown.index("Chinesisch")
    answer = browser.post("/profile/notifications/", {"digest": "off", "languages": ["de", "zh", "tlh"]})
    colleague.refresh_from_db()
    assert (answer.status_code, colleague.languages) == (302, ["de", "zh", "tlh"])


def test_a_language_that_nobody_offered_is_refused(browser: Client, colleague: User) -> None:
    answer = browser.post("/profile/notifications/", {"digest": "off", "languages": ["<b>"]})
    colleague.refresh_from_db()
    assert (answer.status_code, colleague.languages) == (200, [])


def test_names_for_a_note_are_those_of_the_brand(browser: Client, thread: Thread, stranger: User) -> None:
    names = [one["name"] for one in browser.get(f"/threads/{thread.pk}/names/").json()["names"]]
    assert "Ben" in names
    assert "Stan" not in names
