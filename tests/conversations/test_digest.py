"""Mails about what happened: when they come, what they say, and how they end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from unittest.mock import Mock

import pytest
from django.core import mail
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from accounts.models import AuditEntry, Digest, User
from accounts.roles import Role
from channels_ingest.models import Channel
from contacts.models import Contact
from conversations import actions, digest
from conversations.models import Notification, Thread
from conversations.record import record
from tests.cast import MAYA, make_user, said

pytestmark = pytest.mark.django_db


@pytest.fixture
def thread(channel: Channel) -> Thread:
    record(channel, [said("1", MAYA, "Hello?")])
    return Thread.objects.get()


@pytest.fixture
def called(thread: Thread, agent: User, colleague: User) -> User:
    """Somebody in Vienna whom a note called, and who wants mail of it at once."""
    User.objects.filter(pk=colleague.pk).update(digest=Digest.INSTANT, time_zone="Europe/Vienna")
    actions.write_note(thread, by=agent, text="@Ben, and a secret")
    Notification.objects.update(at=datetime(2026, 11, 20, 23, 30, tzinfo=UTC))
    colleague.refresh_from_db()
    return colleague


def mailed(at: datetime = datetime(2026, 11, 21, 1, tzinfo=UTC)) -> mail.EmailMultiAlternatives:
    """The one mail that leaves at this moment."""
    assert digest.mail_due(at) == 1
    (message,) = mail.outbox
    assert isinstance(message, mail.EmailMultiAlternatives)
    return message


def html_of(message: mail.EmailMultiAlternatives) -> str:
    ((html, kind),) = message.alternatives
    assert kind == "text/html"
    return str(html)


@pytest.mark.parametrize("how", [("off", 47, 0), ("instant", 1, 1), ("daily", 0, 0), ("daily", 25, 1)])
def test_mail_comes_as_often_as_wanted(thread: Thread, agent: User, colleague: User, how: tuple[str, int, int]) -> None:
    often, after, mails = how
    User.objects.filter(pk=colleague.pk).update(digest=often)
    actions.write_note(thread, by=agent, text="@Ben, and a secret")
    digest.mail_due(timezone.now() + timedelta(hours=after))
    digest.mail_due(timezone.now() + timedelta(hours=after))
    assert len(mail.outbox) == mails
    assert not any("secret" in message.body for message in mail.outbox)


def test_a_thread_of_ones_team_is_not_mailed(thread: Thread, agent: User, colleague: User) -> None:
    User.objects.filter(pk=colleague.pk).update(digest=Digest.INSTANT)
    Notification.objects.create(user=colleague, kind="given", thread=thread, by=agent)
    assert digest.mail_due(timezone.now() + timedelta(hours=1)) == 0


def test_what_was_read_is_not_mailed(thread: Thread, agent: User, colleague: User) -> None:
    colleague.digest = Digest.INSTANT
    colleague.save()
    actions.write_note(thread, by=agent, text="@Ben")
    actions.mark_seen(thread, by=colleague)
    assert digest.mail_due(timezone.now() + timedelta(hours=1)) == 0


def test_what_was_switched_off_since_is_not_mailed(thread: Thread, agent: User, colleague: User) -> None:
    actions.write_note(thread, by=agent, text="@Ben")
    User.objects.filter(pk=colleague.pk).update(digest=Digest.INSTANT, muted=["assigned", "mention"])
    assert digest.mail_due(timezone.now() + timedelta(hours=1)) == 0


def test_who_may_not_sign_in_any_more_gets_no_mail(thread: Thread, agent: User, colleague: User) -> None:
    actions.write_note(thread, by=agent, text="@Ben")
    User.objects.filter(pk=colleague.pk).update(digest=Digest.INSTANT, is_active=False)
    assert digest.mail_due(timezone.now() + timedelta(hours=1)) == 0


def test_who_left_the_brand_gets_no_mail_about_it(thread: Thread, agent: User, colleague: User) -> None:
    colleague.digest = Digest.INSTANT
    colleague.save()
    actions.write_note(thread, by=agent, text="@Ben")
    colleague.brands.clear()
    assert digest.mail_due(timezone.now() + timedelta(hours=1)) == 0


@pytest.mark.parametrize(
    ("zone", "first", "due"),
    [
        ("UTC", "2026-11-20T07:59", "2026-11-20T08:00"),
        ("UTC", "2026-11-20T08:00", "2026-11-21T08:00"),
        ("America/Los_Angeles", "2026-11-20T15:59", "2026-11-20T16:00"),
        ("Asia/Tokyo", "2026-11-20T22:59", "2026-11-20T23:00"),
        ("Europe/Berlin", "2026-10-24T20:00", "2026-10-25T07:00"),
        ("Mars/Olympus", "2026-11-20T07:59", "2026-11-20T08:00"),
    ],
)
def test_the_daily_mail_comes_at_eight_where_its_reader_lives(zone: str, first: str, due: str) -> None:
    user = User(digest=Digest.DAILY, time_zone=zone)
    at = digest.due_at(user, datetime.fromisoformat(first).replace(tzinfo=UTC))
    assert at.astimezone(UTC) == datetime.fromisoformat(due).replace(tzinfo=UTC)


# -- what it says -----------------------------------------------------------------------------------------------------


def test_it_says_what_happened_when_in_the_readers_zone_and_where(called: User, settings: Settings) -> None:
    settings.PUBLIC_URL = "https://crm.example.com"
    message, notice = mailed(), Notification.objects.get()
    place = f"https://crm.example.com/threads/{notice.thread_id}/#i{notice.interaction_id}"
    for shown in (str(message.body), html_of(message)):
        assert "Ana mentions you in a note about Maya Keller." in shown
        assert "21 Nov 00:30" in shown
        assert place in shown
        assert "secret" not in shown


def test_it_is_written_in_the_language_of_its_reader(called: User) -> None:
    User.objects.update(language="de")
    message = mailed()
    assert message.subject == "1 Neuigkeit für Sie"
    assert "Ana erwähnt Sie in einer Notiz zu Maya Keller." in str(message.body)
    assert ('lang="de"' in html_of(message), "21. Nov 00:30" in html_of(message)) == (True, True)


def test_a_name_is_text_and_no_markup(called: User) -> None:
    Contact.objects.update(name="<b>Maya</b> & Co")
    message = mailed()
    assert "about <b>Maya</b> & Co." in str(message.body)
    assert "about &lt;b&gt;Maya&lt;/b&gt; &amp; Co." in html_of(message)


def test_of_very_much_it_shows_the_first_and_counts_the_rest(called: User, thread: Thread) -> None:
    at = datetime(2026, 11, 20, 23, 40, tzinfo=UTC)
    more = Notification(user=called, kind="assigned", thread=thread, at=at)
    Notification.objects.bulk_create([more] * (digest.SHOWN + 2))
    message = mailed()
    assert str(message.body).count("/threads/") == digest.SHOWN
    assert "And 3 more." in str(message.body)
    assert not Notification.objects.filter(mailed_at=None).exists()


def test_a_mail_of_many_costs_no_statement_for_each(
    called: User, thread: Thread, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    at = datetime(2026, 11, 20, 23, 40, tzinfo=UTC)
    people = [make_user(Role.AGENT) for _number in range(5)]
    Notification.objects.bulk_create(
        [Notification(user=called, kind="assigned", thread=thread, by=one, at=at) for one in people]
    )
    # what waits, the claim, what is claimed, whether it may leave, the lock, whether it waits, the note, the lock's end
    with django_assert_num_queries(8):
        mailed()


# -- again, where its sender died -------------------------------------------------------------------------------------


@pytest.fixture
def died(called: User, thread: Thread, agent: User, monkeypatch: pytest.MonkeyPatch) -> mail.EmailMultiAlternatives:
    """A mail that left, and whose sender died before it was noted. Something else has happened since."""
    with monkeypatch.context() as trap:
        trap.setattr("accounts.mail.failpoint", Mock(side_effect=[None, Died]))
        with pytest.raises(Died):
            digest.mail_due(datetime(2026, 11, 21, 1, tzinfo=UTC))
    actions.write_note(thread, by=agent, text="@Ben, once more")
    Notification.objects.filter(mail_id=None).update(at=datetime(2026, 11, 21, 1, 1, tzinfo=UTC))
    (message,) = mail.outbox
    assert isinstance(message, mail.EmailMultiAlternatives)
    return message


class Died(Exception):
    """Of a process, right there."""


def test_who_died_before_noting_it_leaves_a_mail_that_goes_out_again_just_as_it_was(
    died: mail.EmailMultiAlternatives,
) -> None:
    assert digest.mail_due(datetime(2026, 11, 21, 1, 5, tzinfo=UTC)) == 2
    is_same = [(one.extra_headers, one.body) == (died.extra_headers, died.body) for one in mail.outbox]
    assert (sorted(is_same), {str(one.body).count("/threads/") for one in mail.outbox}) == ([False, True, True], {1})
    assert digest.mail_due(datetime(2026, 11, 21, 2, tzinfo=UTC)) == 0


def test_what_was_read_since_its_sender_died_is_not_mailed_again(died: mail.EmailMultiAlternatives) -> None:
    Notification.objects.exclude(mail_id=None).update(read_at=timezone.now())
    digest.mail_due(datetime(2026, 11, 21, 1, 1, 30, tzinfo=UTC))
    assert len(mail.outbox) == 1


def test_of_a_mail_whose_sender_died_only_what_may_still_leave_goes_out(
    died: mail.EmailMultiAlternatives, called: User, thread: Thread
) -> None:
    first = Notification.objects.exclude(mail_id=None).get()
    assigned = Notification(user=called, kind="assigned", thread=thread, at=first.at, mail_id=first.mail_id)
    Notification.objects.bulk_create([assigned])
    User.objects.filter(pk=called.pk).update(muted=["mention"])
    mails = [digest.mail_due(datetime(2026, 11, 21, 1, 5, second, tzinfo=UTC)) for second in (0, 15)]
    assert (mails, "mentions you" in str(mail.outbox[-1].body)) == ([0, 1], False)


# -- out of it --------------------------------------------------------------------------------------------------------


def way_out(message: mail.EmailMultiAlternatives, settings: Settings) -> str:
    """The path that the mail's own header names, as it leaves."""
    sent = message_from_bytes(message.message().as_bytes(), policy=default)
    assert sent["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    return str(sent["List-Unsubscribe"]).strip(" <>").removeprefix(settings.PUBLIC_URL)


def test_one_click_in_a_mail_program_ends_them_without_signing_in(called: User, settings: Settings) -> None:
    path = way_out(mailed(), settings)
    answer = Client(enforce_csrf_checks=True).post(path, {"List-Unsubscribe": "One-Click"})
    called.refresh_from_db()
    assert (answer.status_code, called.digest) == (200, Digest.OFF)
    assert AuditEntry.objects.get(verb="changed notices").by == called


def test_mails_are_not_ended_without_their_audit_line(called: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digest, "audit", Mock(side_effect=DatabaseError))
    with pytest.raises(DatabaseError):
        digest.stop(called)
    called.refresh_from_db()
    assert called.digest == Digest.INSTANT


def test_a_scanner_that_looks_at_the_address_ends_nothing(called: User, nobody: Client, settings: Settings) -> None:
    path = way_out(mailed(), settings)
    nobody.head(path)
    page = nobody.get(path).content.decode()
    called.refresh_from_db()
    assert (called.digest, '<form method="post">' in page, called.email in page) == (Digest.INSTANT, True, True)


def test_an_address_that_was_made_up_is_found_nowhere(called: User, nobody: Client) -> None:
    token = digest.token_of(called)
    wrong = (f"{called.pk + 1}{token[len(str(called.pk)) :]}", f"{called.pk}", "x", f"{token}x")
    assert {nobody.post(f"/notifications/mails/off/{one}/").status_code for one in wrong} == {404}
    called.refresh_from_db()
    assert called.digest == Digest.INSTANT


def test_a_mail_is_answered_by_no_program(called: User) -> None:
    assert mailed().extra_headers["Auto-Submitted"] == "auto-generated"
