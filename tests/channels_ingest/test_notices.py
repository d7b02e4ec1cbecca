from __future__ import annotations

import smtplib
from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from accounts.models import User
from accounts.roles import Role
from channels_ingest import notices
from channels_ingest.health import Diagnosis, failed, health, worked
from channels_ingest.models import Channel, Notice, PulledPage
from channels_ingest.networks.base import NetworkError, Trouble

pytestmark = pytest.mark.django_db

DEAD = NetworkError("Your token is dead.", Trouble.BROKEN, code="401", advice="Connect the account again.")
LIMITED = NetworkError("Too many requests.", Trouble.TEMPORARY, retry_after=timedelta(minutes=15))
DOWN = NetworkError("The network failed (503).", Trouble.TEMPORARY)


def look() -> int:
    return notices.look(timezone.now())


def diagnosis(channel: Channel) -> Diagnosis:
    channel.refresh_from_db()
    return health(channel, timezone.now()).diagnosis


def test_five_conditions_give_five_diagnoses(channel: Channel) -> None:
    worked(channel)
    found = [diagnosis(channel)]
    failed(channel, DOWN)
    found.append(diagnosis(channel))
    channel.refresh_from_db()
    assert health(channel, timezone.now()).words == "The network failed (503)."
    failed(channel, LIMITED)
    found.append(diagnosis(channel))
    assert "wait until" in health(channel, timezone.now()).words
    failed(channel, DEAD)
    found.append(diagnosis(channel))
    worked(channel)
    Channel.objects.update(last_item_at=timezone.now() - timedelta(days=3), limited_until=None)
    found.append(diagnosis(channel))
    assert found == [Diagnosis.HEALTHY, Diagnosis.SLOW, Diagnosis.SLOW, Diagnosis.BROKEN, Diagnosis.SILENT]


def test_a_busy_channel_is_silent_sooner_than_a_slow_one(channel: Channel) -> None:
    worked(channel)
    quiet_since = timezone.now() - timedelta(hours=5)
    Channel.objects.update(last_item_at=quiet_since)
    assert diagnosis(channel) == Diagnosis.HEALTHY
    page = {"channel": channel, "stream": "mentions", "at": quiet_since, "received": 1, "known": 0, "dropped": 0}
    PulledPage.objects.bulk_create([PulledPage(stored=1, **page) for _ in range(500)])
    assert diagnosis(channel) == Diagnosis.SILENT


def test_one_outage_is_one_notice_and_one_mail_however_often_it_is_tried(channel: Channel, admin: User) -> None:
    for _ in range(3):
        failed(channel, DEAD)
        look()
    assert Notice.objects.get().words == "Your token is dead."
    assert [sent.to for sent in mail.outbox] == [[admin.email]]
    assert "Connect the account again." in mail.outbox[0].body


def test_the_notice_ends_with_the_outage_and_the_next_one_is_told_anew(channel: Channel, admin: User) -> None:
    failed(channel, DEAD)
    assert look() == 1
    worked(channel)
    assert look() == 0
    failed(channel, DEAD)
    assert look() == 1
    assert len(mail.outbox) == 2


def test_an_ending_access_is_announced_a_week_before(channel: Channel, admin: User) -> None:
    Channel.objects.update(token_expires_at=timezone.now() + timedelta(days=8))
    assert look() == 0
    Channel.objects.update(token_expires_at=timezone.now() + timedelta(days=6))
    assert look() == 1
    assert Notice.objects.get().kind == Notice.Kind.EXPIRING


def test_a_mail_that_could_not_be_sent_is_sent_later(
    channel: Channel, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise smtplib.SMTPServerDisconnected("gone")

    failed(channel, DEAD)
    with monkeypatch.context() as patched:
        patched.setattr("django.core.mail.EmailMessage.send", refuse)
        look()
    assert Notice.objects.get().mailed_at is None
    look()
    assert len(mail.outbox) == 1


def test_a_channels_handle_of_two_lines_stops_no_mail(channel: Channel, admin: User) -> None:
    Channel.objects.update(handle="trailhead\nBcc: all@example.com")
    channel.refresh_from_db()
    failed(channel, DEAD)
    look()
    assert mail.outbox[0].subject.startswith("X @trailhead Bcc: all@example.com")


def test_a_mail_whose_sender_died_before_noting_it_comes_again_under_the_same_name(
    channel: Channel, admin: User
) -> None:
    failed(channel, DEAD)
    look()
    Notice.objects.update(mailed_at=None, mailed_to=[])
    look()
    first, again = mail.outbox
    assert first.extra_headers["Message-ID"] == again.extra_headers["Message-ID"]


def test_each_admin_is_told_once_and_in_their_own_language(channel: Channel, admin: User) -> None:
    User.objects.create_user("ada@example.com", None, name="Ada", role=Role.ADMIN, language="de")
    failed(channel, NetworkError("Bad token.", Trouble.BROKEN, advice="Sign in again and enter the new keys."))
    look()
    look()
    said = {sent.to[0]: str(sent.body) for sent in mail.outbox}
    assert len(mail.outbox) == 2
    assert "Sign in again and enter the new keys." in said[admin.email]
    assert "Bitte neu anmelden und die neuen Schlüssel eingeben." in said["ada@example.com"]
    assert "Bad token." in said["ada@example.com"]


def test_an_admin_who_cannot_be_reached_holds_nobody_up_and_is_tried_again(
    channel: Channel, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    unreached = User.objects.create_user("ada@example.com", None, name="Ada", role=Role.ADMIN)
    send = mail.EmailMessage.send

    def refuse_ada(letter: mail.EmailMessage) -> int:
        if letter.to == [unreached.email]:
            raise smtplib.SMTPRecipientsRefused({})
        return send(letter)

    failed(channel, DEAD)
    with monkeypatch.context() as patched:
        patched.setattr("django.core.mail.EmailMessage.send", refuse_ada)
        look()
        look()
    assert [sent.to for sent in mail.outbox] == [[admin.email]]
    look()
    assert [sent.to for sent in mail.outbox] == [[admin.email], [unreached.email]]
    assert Notice.objects.get().mailed_at is not None


def test_an_outage_remembers_when_it_began(channel: Channel) -> None:
    failed(channel, DEAD)
    stale = Channel.objects.get(pk=channel.pk)
    Channel.objects.update(broken_since=timezone.now() - timedelta(hours=2))
    worked(stale)
    channel.refresh_from_db()
    assert channel.outage_from is not None
    assert timezone.now() - channel.outage_from > timedelta(hours=1)
