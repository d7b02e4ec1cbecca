"""`manage.py demo`: what a newcomer finds."""

from __future__ import annotations

import io

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import Brand, User
from accounts.roles import Role
from channels_ingest.models import Channel
from contacts.models import Contact, Identity, Merge
from conversations.macros import check
from conversations.models import (
    Article,
    Delivery,
    HelperCredit,
    Interaction,
    Macro,
    Notification,
    Promise,
    SavedView,
    Thread,
)
from conversations.query import parse
from scrm.demo.cast import COLLEAGUES, SIGN_IN
from scrm.demo.script import LATER, SAID
from tests.load.look import digest
from tests.networks.sandbox import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


def demo() -> str:
    out = io.StringIO()
    call_command("demo", stdout=out, stderr=io.StringIO())
    return out.getvalue()


@pytest.fixture
def told(sandbox: Sandbox, settings: Settings) -> str:
    """The demo, played on a sandbox; what it prints."""
    settings.SANDBOX_URL = sandbox.base_url
    return demo()


def test_the_demo_looks_like_life(told: str, sandbox: Sandbox) -> None:
    _everything_said_is_stored()
    _answers_were_delivered()
    _colleagues_have_worked()
    _something_lies_on_every_desk()
    _there_is_somebody_of_every_kind()
    before = digest()
    accepted = len(sandbox.ledger("accepted"))
    assert demo() == "The demo is loaded already.\n"
    assert digest() == before
    assert len(sandbox.ledger("accepted")) == accepted


def _everything_said_is_stored() -> None:
    sent_here = Interaction.objects.filter(sent_by__isnull=False).exclude(kind="note").count()
    assert Interaction.objects.exclude(external_id=None).count() == len(SAID) + len(LATER) + sent_here
    assert Channel.objects.filter(state=Channel.State.ACTIVE, last_error="").count() == 4
    assert set(Brand.objects.values_list("slug", "undo_seconds")) == {("trailhead", 10), ("nordlicht", 10)}


def _answers_were_delivered() -> None:
    states = set(Delivery.objects.values_list("state", flat=True))
    assert states == {Delivery.State.VERIFIED}


def _colleagues_have_worked() -> None:
    threads = Thread.objects.all()
    assert {thread.state for thread in threads} == {"open", "snoozed", "closed"}
    assert threads.filter(assignee=None).exists()
    assert threads.filter(assignee__name="Ana Ferreira").exists()
    assert threads.filter(has_public=True, has_private=True).exists()
    assert threads.filter(state="snoozed", snoozed_until__gt=timezone.now()).exists()
    assert Interaction.objects.filter(kind="note").count() >= 3


def _something_lies_on_every_desk() -> None:
    assert {macro.purpose for macro in Macro.objects.all()} == {"", "handover", "closing"}
    for macro in Macro.objects.all():
        check(macro.text)
    assert [parse(view.text, now=timezone.now()).problems for view in SavedView.objects.all()] == [()] * 3
    assert Promise.objects.get().state == "open"
    assert HelperCredit.objects.count() == 3
    assert Article.objects.get().state == "draft"
    called = set(
        Notification.objects.filter(kind__in=("mention", "team")).values_list("user__name", "thread__team__name")
    )
    experts = "Gear experts"
    assert called == {("Mira Novak", None), ("Ana Ferreira", experts), ("Ben Adeyemi", experts)}


def _there_is_somebody_of_every_kind() -> None:
    assert Interaction.objects.get(version__gt=1).text.endswith("sea water?")
    assert Interaction.objects.exclude(removed_at=None).get().text == ""
    assert Merge.objects.get().kept.links.filter(ended_at=None).count() == 2
    assert Contact.objects.filter(tags__name="VIP").exists()
    assert Identity.objects.filter(ours=False).values("network").distinct().count() == 2


def test_every_colleague_can_sign_in_with_the_password_that_is_printed(told: str) -> None:
    for one in COLLEAGUES:
        assert f"{one.email} " in told
        assert User.objects.get(email=one.email).check_password(one.password)
    assert [one.role for one in SIGN_IN] == [Role.AGENT, Role.MANAGER, Role.ADMIN]


def test_without_a_sandbox_the_demo_is_played_on_paper(settings: Settings) -> None:
    settings.SANDBOX_URL = ""
    demo()
    assert Interaction.objects.exclude(kind="note").count() == len(SAID)
    assert set(Channel.objects.values_list("state", flat=True)) == {Channel.State.PAUSED}
    assert Interaction.objects.get(version__gt=1).text.endswith("sea water?")
    assert Interaction.objects.exclude(removed_at=None).get().text == ""


def test_the_demo_is_not_for_production(settings: Settings) -> None:
    settings.PRODUCTION = True
    with pytest.raises(CommandError, match="not for production"):
        demo()
    assert not User.objects.exists()
