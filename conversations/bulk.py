"""One step on many threads, in bounded batches, with an undo of the whole.

The threads of a job are written down before it begins, each with how it was before and how the step left it. So a job
is resumed by whoever finds it (a request does the first batch, a sweep the rest), twice does nothing twice, and
the undo gives back exactly what nobody has changed since. A step on one open thread is a job of one: `z` undoes it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, F
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.closing import closing
from accounts.models import Team, User
from accounts.roles import Permission
from channels_ingest import wake
from channels_ingest.ingest import lock_channel
from channels_ingest.models import Channel
from contacts.models import Tag
from conversations import actions, blocking, macros, moderation, summaries
from conversations.actions import NotPossible
from conversations.models import BulkItem, BulkJob, Thread, ThreadEvent

BATCH = 100  # threads in one transaction
MOST_THREADS = 10_000  # of one job
UNDO_FOR = timedelta(hours=1)
MOST_REASONS = 3  # told of a job
VERBS = ("assign", "tag", "untag", "snooze", "close", "reopen", "block")
# {"verb": one of VERBS, "to": user id or None, "team": team id, "tag": name, "until": ISO moment,
# "waive": why no closing public word is needed}
Step = dict[str, Any]


def begin(step: Step, *, ids: Collection[int], by: User) -> BulkJob:
    """Writes down a job for those of the threads that the user sees, and does its first batch. Raises NotPossible."""
    if step.get("verb") not in VERBS:
        raise NotPossible(_("This cannot be done to many threads at once."))
    if step["verb"] == "block" and not by.may(Permission.MODERATE):
        raise NotPossible(_("Your role may not block people."))
    seen = Thread.objects.visible_to(by).filter(pk__in=list(ids)[:MOST_THREADS])
    threads = sorted(seen.values_list("pk", flat=True).distinct())
    if not threads:
        raise NotPossible(_("No thread is selected."))
    with transaction.atomic():
        job = BulkJob.objects.create(by=by, step=step, total=len(threads))
        BulkItem.objects.bulk_create([BulkItem(job=job, thread_id=pk) for pk in threads], batch_size=1_000)
    if go_on(job):
        wake.up("conversations.tasks.go_on_with_bulk")
    return job


def left_hanging(ids: Collection[int], *, by: User) -> int:
    """How many of the threads were solved in private and have no closing public word."""
    seen = Thread.objects.visible_to(by).filter(pk__in=list(ids)[:MOST_THREADS], hanging_since__isnull=False)
    return seen.exclude(state__in=(Thread.State.CLOSED, *Thread.PUT_AWAY)).distinct().count()


def reasons(job: BulkJob) -> list[tuple[str, int]]:
    """Why threads were left as they are, and how many for each reason; the most frequent first."""
    refused = job.items.filter(state=BulkItem.State.REFUSED).order_by()
    counted = refused.values_list("reason").annotate(number=Count("pk")).order_by("-number", "reason")
    return list(counted[:MOST_REASONS])


def go_on(job: BulkJob) -> bool:
    """Does the next batch of a job; whether more is left. Does nothing while somebody else is at it."""
    with transaction.atomic():
        mine = (
            BulkJob.objects.select_for_update(no_key=True, skip_locked=True)
            .select_related("by")
            .filter(pk=job.pk)
            .first()
        )
        if mine is None or mine.state not in BulkJob.UNSETTLED:
            return False
        more = _forward(mine) if mine.state == BulkJob.State.RUNNING else _backward(mine)
    job.refresh_from_db()
    return more


def go_on_with_all() -> int:
    """Brings every unsettled job to its end; returns how many there were."""
    jobs = list(BulkJob.objects.filter(state__in=BulkJob.UNSETTLED).order_by("pk")[:50])
    for job in jobs:
        while not closing() and go_on(job):
            pass
    return len(jobs)


def undo(job: BulkJob, *, by: User) -> None:
    """Takes a job back, also one that still runs. Raises NotPossible when it was taken back or is too old."""
    changed = BulkJob.objects.filter(
        pk=job.pk,
        by=by,
        state__in=(BulkJob.State.RUNNING, BulkJob.State.DONE),
        created_at__gt=timezone.now() - UNDO_FOR,
    ).update(state=BulkJob.State.UNDOING, done=0, refused=0)
    if not changed:
        raise NotPossible(_("There is nothing to take back."))
    if go_on(job):
        wake.up("conversations.tasks.go_on_with_bulk")


def last_of(user: User) -> BulkJob | None:
    """The newest step of a colleague that can still be taken back."""
    recent = BulkJob.objects.filter(by=user, created_at__gt=timezone.now() - UNDO_FOR)
    return recent.filter(state__in=(BulkJob.State.RUNNING, BulkJob.State.DONE)).order_by("-pk").first()


@contextmanager
def journal(thread: Thread, verb: str, *, by: User) -> Iterator[None]:
    """Remembers what the step inside does to one thread, so that it can be taken back; in one transaction with it."""
    with transaction.atomic():
        before = _how_it_is(Thread.objects.select_for_update(no_key=True).get(pk=thread.pk))
        yield
        after = _how_it_is(Thread.objects.get(pk=thread.pk))
        if after != before:
            done = BulkJob.State.DONE
            job = BulkJob.objects.create(
                by=by, step={"verb": verb}, total=1, done=1, state=done, settled_at=timezone.now()
            )
            BulkItem.objects.create(job=job, thread=thread, before=before, after=after, state=BulkItem.State.DONE)


# -- forward ----------------------------------------------------------------------------------------------------------


def _forward(job: BulkJob) -> bool:
    deed = _deed(job)
    items = _next(job, BulkItem.State.WAITING)
    for item in items:
        if job.step["verb"] == "block":  # the item before may have been about the same person
            item.thread.refresh_from_db()
        before = _how_it_is(item.thread, job.step["verb"])
        try:
            with transaction.atomic():
                deed(item.thread)
        except NotPossible as refused:
            item.state, item.reason = BulkItem.State.REFUSED, str(refused)[:300]
        else:
            after = _how_it_is(Thread.objects.get(pk=item.thread_id), job.step["verb"])
            item.state, item.before, item.after = BulkItem.State.DONE, before, after
    return _settle(job, items, BulkJob.State.DONE)


def _deed(job: BulkJob) -> Callable[[Thread], object]:
    step, by = job.step, job.by
    why = _("blocked with others from the list")
    deeds: dict[str, Callable[[Thread], object]] = {
        "assign": lambda thread: actions.assign(thread, to=_whom(step), by=by),
        "tag": lambda thread: macros.tag_thread(thread, names=[step["tag"]], by=by),
        "untag": lambda thread: macros.untag_thread(thread, name=step["tag"], by=by),
        "snooze": lambda thread: actions.snooze(thread, until=datetime.fromisoformat(step["until"]), by=by),
        "close": lambda thread: actions.close(thread, by=by, waive=step.get("waive", "")),
        "reopen": lambda thread: actions.reopen(thread, by=by),
        "block": lambda thread: moderation.block(
            thread.identity, brand_id=thread.brand_id, by=by, why=why, thread=thread
        ),
    }
    return deeds[step["verb"]]


def _whom(step: Step) -> User | Team | None:
    """None where the step takes threads from everybody. Raises NotPossible where whom it names is gone meanwhile."""
    found: User | Team | None
    if team := step.get("team"):
        found = Team.objects.filter(pk=team).first()
    elif user := step.get("to"):
        found = User.objects.filter(pk=user).first()
    else:
        return None
    if found is None:
        raise NotPossible(_("The colleague or team these threads were for is not here any more."))
    return found


# -- backward ---------------------------------------------------------------------------------------------------------


def _backward(job: BulkJob) -> bool:
    job.items.filter(state=BulkItem.State.WAITING).update(state=BulkItem.State.UNDONE)
    items = _next(job, BulkItem.State.DONE)
    for item in items:
        if item.before == item.after:  # done by another item of the job: two threads of one person that was blocked
            item.state = BulkItem.State.UNDONE
        elif _how_it_is(item.thread, job.step["verb"]) == item.after:
            _give_back(item.thread, item.before, item.after, job.by)
            item.state = BulkItem.State.UNDONE
        else:
            item.state = BulkItem.State.KEPT
    return _settle(job, items, BulkJob.State.UNDONE)


def _give_back(thread: Thread, before: dict[str, Any], after: dict[str, Any], by: User) -> None:
    why = _("taken back")
    reported, blocked = after["state"] == Thread.State.SPAM != before["state"], "blocked" in after.keys() - before
    if reported:
        moderation.unreport_spam(thread.identity, brand_id=thread.brand_id, by=by, why=why)
    if blocked:
        moderation.let_in_there(thread.identity, brand_id=thread.brand_id, by=by, why=why, thread=thread)
    if reported or blocked:
        return
    if (before["assignee"], before["team"]) != (after["assignee"], after["team"]):
        thread.assignee = User.objects.filter(pk=before["assignee"], is_active=True).first()
        thread.team = Team.objects.filter(pk=before["team"]).first()
        whom = thread.assignee or thread.team
        verb = ThreadEvent.Verb.ASSIGNED if whom else ThreadEvent.Verb.UNASSIGNED
        actions.note_event(thread, verb, by, to=str(whom or ""), to_id=thread.assignee_id, undo=True)
    if before["state"] != after["state"] or before["snoozed_until"] != after["snoozed_until"]:
        thread.state = before["state"]
        thread.snoozed_until, thread.closed_at = _moment(before["snoozed_until"]), _moment(before["closed_at"])
        actions.note_event(thread, _BACK_TO[thread.state], by, undo=True)
    thread.save(update_fields=("assignee", "team", "state", "snoozed_until", "closed_at"))
    if before["waivers"] != after["waivers"]:  # why nothing more was to be said in public
        thread.waivers.filter(pk__in=set(after["waivers"]) - set(before["waivers"])).delete()
        summaries.refresh([thread.pk])
    if before["tags"] != after["tags"]:
        _give_tags_back(thread, set(before["tags"]), set(after["tags"]), by)


def _give_tags_back(thread: Thread, before: set[int], after: set[int], by: User) -> None:
    thread.tags.set(Tag.objects.filter(pk__in=before))
    for verb, ids in ((ThreadEvent.Verb.UNTAGGED, after - before), (ThreadEvent.Verb.TAGGED, before - after)):
        if ids:
            names = list(Tag.objects.filter(pk__in=ids).order_by("name").values_list("name", flat=True))
            actions.note_event(thread, verb, by, tags=names, undo=True)


_BACK_TO = {
    Thread.State.OPEN.value: ThreadEvent.Verb.REOPENED,
    Thread.State.SNOOZED.value: ThreadEvent.Verb.SNOOZED,
    Thread.State.CLOSED.value: ThreadEvent.Verb.CLOSED,
}


# -- shared -----------------------------------------------------------------------------------------------------------


def _next(job: BulkJob, state: str) -> list[BulkItem]:
    """The next items of a job, with their threads locked in the order of their ids.

    Blocking touches further threads of the person: nothing is stored of those brands meanwhile, as when one is blocked.
    """
    items = list(job.items.filter(state=state).order_by("id")[:BATCH])
    ids = sorted(item.thread_id for item in items)
    if job.step["verb"] == "block":
        brands = Thread.objects.filter(pk__in=ids).values("brand")
        for pk in Channel.objects.filter(brand__in=brands).order_by("pk").values_list("pk", flat=True):
            lock_channel(pk)
    threads = Thread.objects.select_for_update(no_key=True).in_bulk(ids)
    for item in items:
        item.thread = threads[item.thread_id]
    return items


def _settle(job: BulkJob, items: list[BulkItem], end: str) -> bool:
    """Writes what became of a batch; whether more is left."""
    BulkItem.objects.bulk_update(items, ("state", "before", "after", "reason"))
    refused = sum(item.state in (BulkItem.State.REFUSED, BulkItem.State.KEPT) for item in items)
    BulkJob.objects.filter(pk=job.pk).update(done=F("done") + len(items) - refused, refused=F("refused") + refused)
    if len(items) == BATCH:
        return True
    BulkJob.objects.filter(pk=job.pk).update(state=end, settled_at=timezone.now())
    return False


def _how_it_is(thread: Thread, verb: str = "") -> dict[str, Any]:
    """`blocked` is there only where the person is blocked on the network, and only for the step that does so."""
    blocked = verb == "block" and blocking.wanted(thread.identity_id, thread.brand_id)
    return ({"blocked": True} if blocked else {}) | {
        "state": thread.state,
        "assignee": thread.assignee_id,
        "team": thread.team_id,
        "snoozed_until": _written(thread.snoozed_until),
        "closed_at": _written(thread.closed_at),
        "waivers": sorted(thread.waivers.values_list("pk", flat=True)),
        "tags": sorted(thread.tags.values_list("pk", flat=True)),
    }


def _written(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _moment(written: str | None) -> datetime | None:
    return datetime.fromisoformat(written) if written else None
