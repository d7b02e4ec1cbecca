"""Signing in and out, passwords, and what throttles a guesser."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest
from django.contrib.auth import SESSION_KEY
from django.core import mail
from django.db import DatabaseError
from django.test import Client
from django.urls import reverse

from accounts import actions
from accounts.models import AuditEntry
from tests.cast import PASSWORD

if TYPE_CHECKING:
    from pytest_django import Settings

    from accounts.models import User
    from tests.conftest import BrowserOf


NEW_PASSWORD = {"new_password1": "quite another one", "new_password2": "quite another one"}

pytestmark = pytest.mark.django_db


def sign_in(client: Client, email: str, password: str = PASSWORD, **extra: str) -> int:
    answer = client.post(reverse("sign-in"), {"username": email, "password": password, **extra})
    return int(answer.status_code)


def link_in_mail() -> str:
    found = re.search(r"https?://[^/]+(/password/set/\S+)", str(mail.outbox[-1].body))
    assert found
    return found[1]


def test_a_user_signs_in_with_address_and_password(agent: User, nobody: Client) -> None:
    sign_in(nobody, agent.email)
    assert nobody.session[SESSION_KEY] == str(agent.pk)


def test_the_spelling_of_the_address_does_not_matter(agent: User, nobody: Client) -> None:
    assert sign_in(nobody, agent.email.upper()) == 302


def test_a_wrong_password_is_refused_without_saying_which_half_was_wrong(agent: User, nobody: Client) -> None:
    known = nobody.post(reverse("sign-in"), {"username": agent.email, "password": "wrong"})
    unknown = nobody.post(reverse("sign-in"), {"username": "nobody@example.com", "password": "wrong"})
    assert known.context["form"].non_field_errors() == unknown.context["form"].non_field_errors()
    assert known.context["form"].non_field_errors()


def test_a_deactivated_user_cannot_sign_in(agent: User, nobody: Client) -> None:
    agent.is_active = False
    agent.save()
    assert sign_in(nobody, agent.email) == 200


def test_the_session_gets_a_new_key_at_sign_in(agent: User, nobody: Client) -> None:
    session = nobody.session
    session["before"] = True
    session.save()
    old = session.session_key
    sign_in(nobody, agent.email)
    assert nobody.session.session_key not in (None, old)


def test_after_signing_in_one_is_where_one_wanted_to_go(agent: User, nobody: Client) -> None:
    answer = nobody.post(
        reverse("sign-in"), {"username": agent.email, "password": PASSWORD, "next": reverse("profile")}
    )
    assert answer.headers["Location"] == reverse("profile")


def test_a_way_out_of_the_site_is_not_followed(agent: User, nobody: Client) -> None:
    answer = nobody.post(
        reverse("sign-in"), {"username": agent.email, "password": PASSWORD, "next": "https://evil.example/"}
    )
    assert answer.headers["Location"] == "/"


def test_guessing_is_locked_even_when_the_spelling_changes(agent: User, nobody: Client) -> None:
    spellings = (agent.email, agent.email.upper(), agent.email.title())
    answers = [sign_in(nobody, spellings[turn % 3], "wrong") for turn in range(8)]
    assert answers[-1] == 429
    assert sign_in(nobody, agent.email) == 429


def test_the_locked_page_says_what_to_do(agent: User, nobody: Client) -> None:
    for _ in range(8):
        answer = nobody.post(reverse("sign-in"), {"username": agent.email, "password": "wrong"})
    assert reverse("password-reset") in answer.content.decode()


def test_signing_out_needs_a_post(agent: User, browser_of: BrowserOf) -> None:
    browser = browser_of(agent)
    assert browser.get(reverse("sign-out")).headers["Location"] == "/"
    assert browser.get(reverse("profile")).status_code == 200


def test_signing_out_ends_the_session(agent: User, browser_of: BrowserOf) -> None:
    client = browser_of(agent)
    client.post(reverse("sign-out"))
    assert SESSION_KEY not in client.session


def test_changing_the_password_ends_the_other_sessions(agent: User, browser_of: BrowserOf) -> None:
    here, elsewhere = browser_of(agent), browser_of(agent)
    here.post(reverse("password-change"), {"old_password": PASSWORD, **NEW_PASSWORD})
    assert here.get(reverse("profile")).status_code == 200
    assert elsewhere.get(reverse("profile")).status_code == 302
    assert AuditEntry.objects.filter(verb="changed password", by=agent).count() == 1


@pytest.mark.parametrize(
    ("old", "new", "again"),
    [("wrong", "quite another one", "quite another one"), (PASSWORD, "short", "short"), (PASSWORD, "one two 3", "x")],
)
def test_a_bad_password_change_changes_nothing(
    agent: User, browser_of: BrowserOf, old: str, new: str, again: str
) -> None:
    answer = browser_of(agent).post(
        reverse("password-change"), {"old_password": old, "new_password1": new, "new_password2": again}
    )
    agent.refresh_from_db()
    assert answer.status_code == 200
    assert agent.check_password(PASSWORD)


def test_a_forgotten_password_is_set_by_mail(agent: User, nobody: Client) -> None:
    nobody.post(reverse("password-reset"), {"email": agent.email})
    form = nobody.get(link_in_mail(), follow=True)
    nobody.post(form.request["PATH_INFO"], {"new_password1": "quite another one", "new_password2": "quite another one"})
    agent.refresh_from_db()
    assert agent.check_password("quite another one")


@pytest.fixture
def no_audit(monkeypatch: pytest.MonkeyPatch) -> None:
    """The audit log takes no line."""
    monkeypatch.setattr(actions, "audit", Mock(side_effect=DatabaseError))


def test_a_password_is_not_changed_without_its_audit_line(agent: User, browser_of: BrowserOf, no_audit: None) -> None:
    with pytest.raises(DatabaseError):
        browser_of(agent).post(reverse("password-change"), {"old_password": PASSWORD, **NEW_PASSWORD})
    agent.refresh_from_db()
    assert agent.check_password(PASSWORD)


def test_a_password_is_not_set_by_mail_without_its_audit_line(agent: User, nobody: Client, no_audit: None) -> None:
    nobody.post(reverse("password-reset"), {"email": agent.email})
    form = nobody.get(link_in_mail(), follow=True)
    with pytest.raises(DatabaseError):
        nobody.post(form.request["PATH_INFO"], NEW_PASSWORD)
    agent.refresh_from_db()
    assert agent.check_password(PASSWORD)


def test_the_link_works_once(agent: User, nobody: Client) -> None:
    nobody.post(reverse("password-reset"), {"email": agent.email})
    link = link_in_mail()
    form = nobody.get(link, follow=True)
    nobody.post(form.request["PATH_INFO"], {"new_password1": "quite another one", "new_password2": "quite another one"})
    assert b"no longer works" in Client().get(link, follow=True).content


def test_the_mail_links_to_our_public_address_whatever_the_request_claims(
    agent: User, nobody: Client, settings: Settings
) -> None:
    settings.PUBLIC_URL = "https://crm.example.com"
    nobody.post(reverse("password-reset"), {"email": agent.email}, headers={"host": "localhost"})
    assert "https://crm.example.com/password/set/" in str(mail.outbox[-1].body)


def test_a_stranger_learns_nothing_about_who_has_an_account(agent: User, nobody: Client) -> None:
    known = nobody.post(reverse("password-reset"), {"email": agent.email})
    unknown = nobody.post(reverse("password-reset"), {"email": "nobody@example.com"})
    assert (known.status_code, known.headers["Location"]) == (unknown.status_code, unknown.headers["Location"])
    assert len(mail.outbox) == 1


def test_a_stranger_is_sent_to_the_sign_in_page(nobody: Client) -> None:
    answer = nobody.get(reverse("profile"))
    assert answer.headers["Location"] == f"{reverse('sign-in')}?next={reverse('profile')}"


def test_who_is_signed_out_and_sends_a_stale_form_is_led_to_sign_in() -> None:
    answer = Client(enforce_csrf_checks=True).post("/sign-in/", {"username": "x", "password": "x"})
    assert answer.status_code == 403
    page = answer.content.decode()
    assert "Please try again" in page
    assert '<a class="btn primary" href="/">Sign in</a>' in page


def stale(agent: User, referer: str) -> str:
    """The page that answers a form of an old page, sent from there."""
    browser = Client(enforce_csrf_checks=True, headers={"Referer": referer})
    browser.force_login(agent, backend="django.contrib.auth.backends.ModelBackend")
    return browser.post("/threads/1/replies/", {"text": "On its <way>!"}).content.decode()


def test_a_stale_form_leads_back_to_its_page_and_keeps_the_words(agent: User) -> None:
    page = stale(agent, "http://testserver/threads/1/?view=all&q=x")
    assert '<a class="btn primary" href="/threads/1/?view=all&amp;q=x">Back to the form</a>' in page
    assert ">On its &lt;way&gt;!</textarea>" in page


@pytest.mark.parametrize("referer", ["https://evil.example/x", "http://testserver.evil.example/", "javascript:x", ""])
def test_what_another_site_sends_is_neither_led_back_nor_shown(agent: User, referer: str) -> None:
    page = stale(agent, referer)
    assert ("Back to the form" in page, "On its" in page) == (False, False)
    assert '<a class="btn primary" href="/">To the inbox</a>' in page
