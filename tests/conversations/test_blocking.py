"""Blocking on the network itself: wanted here, asked for by a worker, told as it stands, and taken back."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

import pytest
from django.utils import timezone

from accounts.models import AuditEntry, User
from channels_ingest import speaking
from channels_ingest.models import Channel
from channels_ingest.networks.base import NetworkError, Supports, Trouble
from conversations import blocking, bulk, moderation
from conversations.actions import NotPossible
from conversations.models import Blocking, Interaction, Thread
from conversations.record import record
from tests.cast import JONAS, MAYA, said
from tests.conftest import BrowserOf
from tests.fakes import FakeNetwork

pytestmark = pytest.mark.django_db


class Guarded(FakeNetwork):
    supports: ClassVar[Supports] = Supports(public_reply=True, block=True)

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, bool]] = []
        self.troubles: list[NetworkError] = []

    def block(self, author_id: str, *, blocked: bool) -> None:
        self.asked.append((author_id, blocked))
        if self.troubles:
            raise self.troubles.pop(0)


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Guarded:
    found = Guarded()
    monkeypatch.setattr(speaking, "speak_for", lambda channel: found)
    return found


@pytest.fixture
def item(channel: Channel) -> Interaction:
    record(channel, [said("1", MAYA, "Buy my coins!"), said("2", JONAS, "Mine, too!")])
    return Interaction.objects.get(external_id="1")


def test_two_threads_of_somebody_blocked_among_many_are_both_taken_back(
    item: Interaction, channel: Channel, network: Guarded, manager: User
) -> None:
    record(channel, [said("3", MAYA, "More coins!", root="3")])
    job = bulk.begin({"verb": "block"}, ids=list(Thread.objects.values_list("pk", flat=True)), by=manager)
    blocked = set(Thread.objects.values_list("state", flat=True))
    bulk.undo(job, by=manager)
    job.refresh_from_db()
    assert (blocked, set(Thread.objects.values_list("state", flat=True)), job.done, job.refused) == (
        {"spam"},
        {"open"},
        3,
        0,
    )


def do(item: Interaction, deed: str, by: User, why: str = "sells coins") -> str:
    fresh = Interaction.objects.select_related("author", "channel", "thread").get(pk=item.pk)
    return moderation.moderate(fresh, deed=deed, by=by, why=why)


def told(item: Interaction) -> list[str]:
    assert item.author_id is not None
    return blocking.told(item.author_id, item.channel.brand_id)


def trouble(
    kind: Trouble = Trouble.TEMPORARY, *, ambiguous: bool = False, wait: timedelta | None = None
) -> NetworkError:
    return NetworkError("not today", kind, ambiguous=ambiguous, retry_after=wait)


def later() -> None:
    """The pause until the next try is over."""
    Blocking.objects.update(not_before=timezone.now() - timedelta(seconds=1))


def test_a_person_is_blocked_here_at_once_and_on_the_network_once(
    network: Guarded, item: Interaction, manager: User
) -> None:
    do(item, "block", manager)
    before = told(item)
    for _sweep in range(3):
        blocking.work_due()
    assert (before, told(item)) == (["Blocked here, not yet on X."], ["Blocked on X, too."])
    assert network.asked == [("1001", True)]
    assert Thread.objects.get(identity=item.author).state == "spam"
    entries = AuditEntry.objects.filter(by=manager, verb__contains="block").order_by("pk")
    assert [(entry.verb, entry.details.get("why")) for entry in entries] == [
        ("block", "sells coins"),
        ("blocked on the network", None),
    ]


def test_a_refusal_is_shown_with_the_networks_words_and_can_be_tried_again(
    network: Guarded, item: Interaction, manager: User, browser_of: BrowserOf
) -> None:
    network.troubles = [trouble(Trouble.PERMANENT)]
    do(item, "block", manager)
    blocking.work_due()
    for page in (f"/threads/{item.thread_id}/items/{item.pk}/", f"/threads/{item.thread_id}/"):
        assert "X did not block this person: not today" in browser_of(manager).get(page).content.decode()
    assert AuditEntry.objects.filter(verb="blocking failed").count() == 1
    do(item, "let-in", manager)
    blocking.work_due()
    do(item, "block", manager)
    blocking.work_due()
    assert (network.asked, told(item)) == ([("1001", True)] * 2, ["Blocked on X, too."])


def test_trouble_that_passes_is_tried_again_after_a_pause_and_not_for_ever(
    network: Guarded, item: Interaction, manager: User
) -> None:
    network.troubles = [trouble() for _try in range(50)]
    do(item, "block", manager)
    assert (blocking.work_due(), blocking.work_due()) == (1, 0)
    for _pause in range(20):
        later()
        blocking.work_due()
    assert (len(network.asked), Blocking.objects.get().state) == (blocking.MOST_TRIES, "failed")


def test_a_limit_of_the_network_costs_no_try(network: Guarded, item: Interaction, manager: User) -> None:
    network.troubles = [trouble(wait=timedelta(minutes=1))]
    do(item, "block", manager)
    blocking.work_due()
    assert (Blocking.objects.get().tries, Blocking.objects.get().state) == (0, "waiting")
    assert Channel.objects.get(pk=item.channel_id).limited_until is not None


def test_a_worker_that_died_over_it_leaves_it_to_the_next(network: Guarded, item: Interaction, manager: User) -> None:
    do(item, "block", manager)
    first = blocking._claim()
    held = blocking.work_due()
    Blocking.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert (first is not None, held, blocking.work_due()) == (True, 0, 1)
    assert network.asked == [("1001", True)]


def test_what_nobody_was_asked_is_taken_back_without_a_call(network: Guarded, item: Interaction, manager: User) -> None:
    do(item, "block", manager)
    do(item, "let-in", manager)
    assert (blocking.work_due(), network.asked, told(item)) == (0, [], [])
    assert Thread.objects.get(identity=item.author).state == "open"


def test_what_may_have_been_done_is_undone_on_the_network(network: Guarded, item: Interaction, manager: User) -> None:
    network.troubles = [trouble(ambiguous=True)]
    do(item, "block", manager)
    blocking.work_due()
    do(item, "let-in", manager)
    words = told(item)
    blocking.work_due()
    assert (words, told(item)) == (["Let in again here, not yet on X."], [])
    assert network.asked == [("1001", True), ("1001", False)]


def test_while_a_call_is_under_way_the_opposite_waits_for_its_end(
    network: Guarded, item: Interaction, manager: User
) -> None:
    do(item, "block", manager)
    claimed = blocking._claim()
    do(item, "let-in", manager)
    meanwhile = blocking.work_due()
    assert claimed is not None
    blocking._attempt(*claimed)
    blocking.work_due()
    assert (meanwhile, network.asked, Blocking.objects.get().there) == (0, [("1001", True), ("1001", False)], False)


def test_many_are_blocked_on_the_network_and_the_undo_lets_them_in_again(
    network: Guarded, item: Interaction, manager: User
) -> None:
    job = bulk.begin({"verb": "block"}, ids=list(Thread.objects.values_list("pk", flat=True)), by=manager)
    blocking.work_due()
    bulk.undo(job, by=manager)
    blocking.work_due()
    assert sorted(network.asked) == [("1001", False), ("1001", True), ("1002", False), ("1002", True)]
    assert set(Thread.objects.values_list("state", flat=True)) == {"open"}


def test_an_undo_leaves_the_spam_report_that_was_there_before(
    network: Guarded, item: Interaction, manager: User
) -> None:
    do(item, "spam", manager)
    thread = Thread.objects.get(identity=item.author)
    bulk.undo(bulk.begin({"verb": "block"}, ids=[thread.pk], by=manager), by=manager)
    blocking.work_due()
    thread.refresh_from_db()
    assert (thread.state, network.asked, Blocking.objects.get().wanted) == ("spam", [], False)


def test_x_says_that_only_enterprise_programs_may_block(item: Interaction, manager: User) -> None:
    with pytest.raises(NotPossible, match="Enterprise"):
        do(item, "block", manager)
    bulk.begin({"verb": "block"}, ids=[item.thread_id or 0], by=manager)
    assert not Blocking.objects.exists()
    assert Thread.objects.get(identity=item.author).state == "spam"
