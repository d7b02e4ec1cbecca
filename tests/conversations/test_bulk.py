"""Steps on many threads at once, and taking them back."""

from __future__ import annotations

import pytest
from django.utils import timezone

from accounts.models import Brand, Team, User
from channels_ingest.models import Channel
from channels_ingest.networks.base import Author
from conversations import actions, bulk
from conversations.actions import NotPossible
from conversations.bulk_views import told
from conversations.models import BulkItem, BulkJob, Promise, Thread, ThreadEvent, Waiver
from conversations.record import record
from tests.cast import said
from tests.conftest import BrowserOf

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def threads(channel: Channel) -> list[Thread]:
    people = [Author(str(7000 + number), handle=f"b{number}", name=f"B {number}") for number in range(7)]
    record(channel, [said(f"b{one.external_id}", one) for one in people])
    return list(Thread.objects.order_by("pk"))


def ids(threads: list[Thread]) -> list[int]:
    return [thread.pk for thread in threads]


def states() -> list[str]:
    return list(Thread.objects.order_by("pk").values_list("state", flat=True))


@pytest.mark.parametrize(
    "step",
    [
        {"verb": "close"},
        {"verb": "tag", "tag": "refund"},
        {"verb": "snooze", "until": "2999-01-01T09:00:00+00:00"},
        {"verb": "assign", "to": None},
    ],
)
def test_every_step_is_taken_and_taken_back(threads: list[Thread], agent: User, step: bulk.Step) -> None:
    actions.assign(threads[0], to=agent, by=agent)
    before = [bulk._how_it_is(one) for one in Thread.objects.order_by("pk")]
    job = bulk.begin(step, ids=ids(threads), by=agent)
    changed = [bulk._how_it_is(one) for one in Thread.objects.order_by("pk")]
    bulk.undo(job, by=agent)
    after = [bulk._how_it_is(one) for one in Thread.objects.order_by("pk")]
    assert (changed != before, after == before) == (True, True)


def test_the_log_names_the_tags_that_were_taken_back(threads: list[Thread], agent: User) -> None:
    one = ids(threads[:1])
    for verb in ("tag", "untag"):
        job = bulk.begin({"verb": verb, "tag": "refund"}, ids=one, by=agent)
        bulk.undo(job, by=agent)
        bulk.begin({"verb": "tag", "tag": "refund"}, ids=one, by=agent)
    undone = ThreadEvent.objects.filter(details__undo=True).order_by("pk").values_list("verb", "details__tags")
    assert list(undone) == [("untagged", ["refund"]), ("tagged", ["refund"])]


def test_people_are_blocked_and_let_in_again_with_all_their_threads(
    threads: list[Thread], channel: Channel, manager: User
) -> None:
    author = Author("7000", handle="b0", name="B 0")
    record(channel, [said("b-more", author, root="b-more", minutes=3)])
    both = list(Thread.objects.filter(identity__external_id="7000"))
    job = bulk.begin({"verb": "block"}, ids=ids(both), by=manager)
    record(channel, [said("b-later", author, root="b-later", minutes=9)])
    blocked = list(Thread.objects.filter(identity__external_id="7000").values_list("state", flat=True))
    bulk.undo(job, by=manager)
    job.refresh_from_db()
    assert (blocked, states(), job.refused) == (["spam"] * 3, ["open"] * 9, 0)


@pytest.mark.parametrize(("done", "refused", "words"), [
    (1, 0, "1 thread done."),
    (2, 1, "2 threads done. 1 was left as it is."),
    (0, 2, "0 threads done. 2 were left as they are."),
])  # fmt: skip
def test_how_far_a_job_came_is_told_of_one_and_of_many(agent: User, done: int, refused: int, words: str) -> None:
    job = BulkJob(by=agent, step={}, state=BulkJob.State.DONE, done=done, refused=refused)
    job.save()
    assert told(job) == words


def test_what_is_put_away_is_given_to_nobody_with_the_others(threads: list[Thread], agent: User) -> None:
    Thread.objects.filter(pk=threads[0].pk).update(state="joined")
    job = bulk.begin({"verb": "assign", "to": agent.pk}, ids=ids(threads[:2]), by=agent)
    assert bulk.reasons(job) == [("This thread was joined with another one. Work there.", 1)]
    assert list(Thread.objects.filter(assignee=agent)) == [threads[1]]


def test_whoever_may_not_moderate_blocks_nobody(threads: list[Thread], agent: User) -> None:
    with pytest.raises(NotPossible):
        bulk.begin({"verb": "block"}, ids=ids(threads), by=agent)


def test_the_undo_of_a_close_takes_the_reason_for_no_public_word_back(threads: list[Thread], agent: User) -> None:
    record(threads[0].channel, [said("9", Author("9001", handle="trailhead"), parent="b7000", minutes=1)])
    thread = threads[0]
    Thread.objects.filter(pk=thread.pk).update(hanging_since=timezone.now())
    with bulk.journal(thread, "close", by=agent):
        actions.close(thread, by=agent, waive="Said on the phone.")
    waived = thread.waivers.count()
    job = bulk.last_of(agent)
    assert job is not None
    bulk.undo(job, by=agent)
    assert (waived, thread.waivers.count(), Thread.objects.get(pk=thread.pk).state) == (1, 0, "open")


@pytest.fixture
def hanging(threads: list[Thread]) -> list[Thread]:
    """Seven threads, of which two were solved in private without a closing public word."""
    Thread.objects.filter(pk__in=ids(threads[:2])).update(hanging_since=timezone.now())
    return threads


def test_closing_many_asks_once_about_those_left_hanging(
    hanging: list[Thread], agent: User, browser_of: BrowserOf
) -> None:
    asked = browser_of(agent).post("/bulk/?view=all", {"verb": "close", "ids": ids(hanging)}, headers=HTMX)
    assert (asked.status_code, states()) == (422, ["open"] * 7)
    assert [words in asked.content.decode() for words in ("2 of these threads", "the 5 others")] == [True] * 2


def test_the_question_is_a_page_where_scripts_do_not_run(
    hanging: list[Thread], agent: User, browser_of: BrowserOf
) -> None:
    page = browser_of(agent).post("/bulk/?view=all", {"verb": "close", "whole": "1"}).content.decode()
    assert ("<!doctype html>" in page, 'name="whole" value="1"' in page, 'name="ids"' in page) == (True, True, False)


def test_one_reason_closes_all_of_them_and_the_undo_takes_it_back(
    hanging: list[Thread], agent: User, browser_of: BrowserOf
) -> None:
    browser = browser_of(agent)
    browser.post("/bulk/?view=all", {"verb": "close", "ids": ids(hanging), "waive": "A phone call"}, headers=HTMX)
    assert states() == ["closed"] * 7
    assert list(Waiver.objects.values_list("reason", "by").order_by("pk")) == [("A phone call", agent.pk)] * 2
    browser.post("/undo/", headers=HTMX)
    assert (states(), Waiver.objects.count()) == (["open"] * 7, 0)


def test_or_they_are_left_out_and_counted_with_the_reason(
    hanging: list[Thread], agent: User, browser_of: BrowserOf
) -> None:
    given = {"verb": "close", "ids": ids(hanging), "leave_out": "1", "waive": "half a rea"}
    said = browser_of(agent).post("/bulk/?view=all", given, headers=HTMX).content.decode()
    assert states() == ["open"] * 2 + ["closed"] * 5
    assert "5 threads done. 2 were left as they are. 2: It began in public" in said


def test_the_bar_says_how_many_the_whole_view_is(threads: list[Thread], agent: User, browser_of: BrowserOf) -> None:
    browser = browser_of(agent)
    asked = [browser.get(f"/bulk/count/?view=all{more}").content.decode() for more in ("", "&q=is:closed")]
    assert asked == ["all 7 in this view", "all 0 in this view"]


def test_a_job_goes_on_in_bounded_batches(threads: list[Thread], agent: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "BATCH", 3)
    job = bulk.begin({"verb": "close"}, ids=ids(threads), by=agent)
    first = (job.state, job.done)
    bulk.go_on_with_all()
    job.refresh_from_db()
    assert (first, (job.state, job.done)) == (("running", 3), ("done", 7))


def test_going_on_twice_does_nothing_twice(threads: list[Thread], agent: User) -> None:
    job = bulk.begin({"verb": "close"}, ids=ids(threads), by=agent)
    bulk.go_on(job)
    assert ThreadEvent.objects.filter(verb="closed").count() == len(threads) == job.done


def test_what_is_refused_is_counted_with_its_reason(threads: list[Thread], agent: User) -> None:
    item = threads[2].interactions.get()
    Promise.objects.create(thread=threads[2], interaction=item, owner=agent, words="Friday", due_at=timezone.now())
    job = bulk.begin({"verb": "close"}, ids=ids(threads), by=agent)
    refused = BulkItem.objects.get(job=job, state="refused")
    assert (job.done, job.refused, refused.thread_id, "promise" in refused.reason) == (6, 1, threads[2].pk, True)


def test_threads_for_a_team_that_is_gone_stay_with_whom_they_are(
    threads: list[Thread], agent: User, brand: Brand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "BATCH", 3)
    Thread.objects.update(assignee=agent)
    team = Team.objects.create(brand=brand, name="Returns")
    job = bulk.begin({"verb": "assign", "team": team.pk}, ids=ids(threads), by=agent)
    team.delete()
    bulk.go_on_with_all()
    job.refresh_from_db()
    assert (job.done, job.refused, Thread.objects.filter(assignee=agent).count()) == (3, 4, 4)


def test_what_was_changed_since_is_left_as_it_is(threads: list[Thread], agent: User, colleague: User) -> None:
    job = bulk.begin({"verb": "close"}, ids=ids(threads), by=agent)
    actions.reopen(threads[3], by=colleague)
    bulk.undo(job, by=agent)
    job.refresh_from_db()
    assert (states(), job.refused) == (["open"] * 7, 1)


def test_an_undo_stops_what_still_runs(threads: list[Thread], agent: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "BATCH", 2)
    job = bulk.begin({"verb": "close"}, ids=ids(threads), by=agent)
    bulk.undo(job, by=agent)
    bulk.go_on_with_all()
    assert (states(), BulkJob.objects.get().state) == (["open"] * 7, "undone")


def test_threads_of_another_brand_are_not_touched(threads: list[Thread], stranger: User) -> None:
    with pytest.raises(NotPossible):
        bulk.begin({"verb": "close"}, ids=ids(threads), by=stranger)
    assert states() == ["open"] * 7


def test_nobody_takes_back_a_colleagues_job(
    threads: list[Thread], agent: User, colleague: User, browser_of: BrowserOf
) -> None:
    job = bulk.begin({"verb": "close"}, ids=ids(threads), by=agent)
    assert browser_of(colleague).post(f"/bulk/{job.pk}/undo/").status_code == 404
    assert states() == ["closed"] * 7


def test_a_job_that_is_opened_as_a_page_leads_to_the_list_and_is_told(
    threads: list[Thread], agent: User, browser_of: BrowserOf
) -> None:
    job = bulk.begin({"verb": "close"}, ids=ids(threads), by=agent)
    page = browser_of(agent).get(f"/bulk/{job.pk}/undo/", follow=True)
    assert ("7 threads done" in page.content.decode(), states()) == (True, ["closed"] * 7)


def test_the_page_closes_what_is_ticked(threads: list[Thread], agent: User, browser_of: BrowserOf) -> None:
    answer = browser_of(agent).post("/bulk/?view=all", {"verb": "close", "ids": ids(threads[:2])}, headers=HTMX)
    assert (b"2 threads done" in answer.content, states()) == (True, ["closed"] * 2 + ["open"] * 5)


def test_all_in_this_view_means_the_whole_list(threads: list[Thread], agent: User, browser_of: BrowserOf) -> None:
    actions.assign(threads[0], to=agent, by=agent)
    browser_of(agent).post("/bulk/?view=unassigned", {"verb": "close", "whole": "1"})
    assert states() == ["open"] + ["closed"] * 6


def test_all_that_a_search_found_can_be_tagged(threads: list[Thread], agent: User, browser_of: BrowserOf) -> None:
    browser_of(agent).post("/bulk/?view=all&q=is:waiting", {"verb": "tag", "tag": "Storm", "whole": "1"})
    assert Thread.objects.filter(tags__name="storm").count() == 7


@pytest.mark.parametrize(
    "given", [{}, {"verb": "delete"}, {"verb": "tag", "ids": "1"}, {"verb": "close"}, {"verb": "close", "ids": "x"}]
)
def test_nonsense_changes_nothing(
    threads: list[Thread], agent: User, browser_of: BrowserOf, given: dict[str, str]
) -> None:
    assert browser_of(agent).post("/bulk/", given, headers=HTMX).status_code == 204
    assert states() == ["open"] * 7


@pytest.mark.parametrize(
    ("path", "given"),
    [("close/", {}), ("snooze/", {"usual": "tomorrow"}), ("assignment/", {"to": "me"})],
)
def test_z_takes_the_last_step_on_one_thread_back(
    threads: list[Thread], agent: User, browser_of: BrowserOf, path: str, given: dict[str, str]
) -> None:
    before = bulk._how_it_is(threads[0])
    browser = browser_of(agent)
    browser.post(f"/threads/{threads[0].pk}/{path}", {key: agent.pk if value == "me" else value
                                                      for key, value in given.items()})  # fmt: skip
    changed = bulk._how_it_is(Thread.objects.get(pk=threads[0].pk))
    browser.post("/undo/", headers=HTMX)
    assert (changed != before, bulk._how_it_is(Thread.objects.get(pk=threads[0].pk)) == before) == (True, True)


def test_z_that_comes_twice_in_one_moment_takes_one_step_back(
    threads: list[Thread], agent: User, browser_of: BrowserOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = bulk.begin({"verb": "close"}, ids=ids(threads[:1]), by=agent)
    bulk.undo(job, by=agent)
    monkeypatch.setattr(bulk, "last_of", lambda user: job)  # both have looked before either took it back
    said = browser_of(agent).post("/undo/", headers=HTMX)
    assert (said.status_code, "nothing to take back" in said.headers["HX-Trigger"]) == (204, True)


def test_where_nothing_was_done_there_is_nothing_to_take_back(agent: User, browser_of: BrowserOf) -> None:
    assert "nothing to take back" in browser_of(agent).post("/undo/", headers=HTMX).headers["HX-Trigger"]
