"""Reads the networks back: what is missing here is stored, and what was deleted there is emptied here.

Pulls and webhooks should leave nothing to find. This looks whether they did.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.alone import alone
from accounts.audit import audit
from accounts.closing import closing
from accounts.failpoints import failpoint
from accounts.models import User
from channels_ingest import speaking, wake
from channels_ingest.health import failed
from channels_ingest.ingest import hand_over
from channels_ingest.models import Channel, Recheck, Reconcile, pull_times
from channels_ingest.networks.base import AuthorRemoval, Item, NetworkError, Page, Post, Removal, Trouble, Visibility
from conversations.models import Alias, Interaction, Tombstone

RECONCILE_LOCK = 4  # first half of the advisory lock key; the second half is the channel's id
WINDOW = timedelta(hours=26)  # what the nightly run reads back: a day, and some more than a day
EVERY = timedelta(hours=24)
BEFORE_OUTAGE = timedelta(hours=1)
STILL_ON_ITS_WAY = timedelta(minutes=2)  # younger than the last pull by this: not missing, only not here yet
AFTER_REFUSAL = timedelta(minutes=15)  # how long a channel rests whose network refused to be read back
MOST_IDS = 1000
MOST_TRIES = 5  # of a run whose workers died over it
AGAIN = timedelta(minutes=1)  # the first is repeated at once, the others after one, three and seven of these
BATCH = 50  # as many as every network looks up at once
ROUND_EVERY = timedelta(hours=20)  # each stored post is looked up again within a day


# -- what is missing here ---------------------------------------------------------------------------------------------


def ask(channel: Channel, *, window: timedelta, by: User) -> bool:
    """Has a worker read the channel back; False where that is asked for already or the channel is not active."""
    if channel.state != Channel.State.ACTIVE:
        return False
    with transaction.atomic():
        Channel.objects.select_for_update(no_key=True).get(pk=channel.pk)
        if _asked_for(channel):
            return False
        Reconcile.objects.create(channel=channel, cause=Reconcile.Cause.ASKED, since=timezone.now() - window)
        audit(by=by, verb="reconciled", on=channel, brand=channel.brand_id)
    wake.up("conversations.tasks.reconcile_due")
    return True


def _asked_for(channel: Channel) -> bool:
    return channel.reconciles.filter(cause=Reconcile.Cause.ASKED, finished_at=None).exists()


def reconcile(
    channel: Channel, *, since: datetime, cause: str = Reconcile.Cause.ASKED, begun: Reconcile | None = None
) -> Reconcile | None:
    """Reads every stream of the channel back to `since` (aware) and stores exactly what is missing; or does so for a
    run that was begun, or asked for, and has not come to its end.

    Returns what was found, or None where another run is at it. A network's refusal stands in `error`. A run whose
    worker ends is not finished, and is found again by query.
    """
    with alone(RECONCILE_LOCK, channel.pk) as ours:
        if not ours:
            return None
        row = begun or Reconcile.objects.create(channel=channel, cause=cause, since=since)
        row.refresh_from_db()
        if row.finished_at is not None or not _begin(row):
            return None
        try:
            ended = _read_streams(row, channel)
        except NetworkError as error:
            failed(channel, error, sending=False)
            ended, row.error = True, error.message[:1000]
        if ended:
            _finish(row)
        else:
            _give_back(row)
    return row


def _begin(row: Reconcile) -> bool:
    """Counts the try before it; False where it was tried too often. The pause grows, for each try costs calls."""
    if row.tries >= MOST_TRIES:
        row.error = _("It was begun %(count)d times and did not come to its end.") % {"count": row.tries}
        _finish(row)
        return False
    row.due_at = timezone.now() + AGAIN * (2**row.tries - 1)
    row.tries, row.read = row.tries + 1, 0
    row.save(update_fields=("tries", "due_at", "read"))
    return True


def _give_back(row: Reconcile) -> None:
    """This worker is asked to end: no fault of the run."""
    Reconcile.objects.filter(pk=row.pk).update(tries=row.tries - 1, due_at=timezone.now())


def _finish(row: Reconcile) -> None:
    row.finished_at = timezone.now()
    row.save()
    if row.cause == Reconcile.Cause.OUTAGE and not row.error:
        over = Channel.objects.filter(pk=row.channel_id, outage_from=row.since + BEFORE_OUTAGE)
        over.update(outage_from=None)
    failpoint("reconcile.done")


def _read_streams(row: Reconcile, channel: Channel) -> bool:
    """False where this worker is asked to end before all is read. Raises NetworkError."""
    network, reached = speaking.speak_for(channel), pull_times(channel)
    for stream in channel.adapter.streams:
        for page in network.pull(stream.name, network.cursor_at(stream.name, row.since)):
            _take(row, channel, page, reached.get(stream.name))
            if closing():
                return False
    return True


def _take(row: Reconcile, channel: Channel, page: Page, reached: datetime | None) -> None:
    """Stores what is missing of a page, and keeps what was found: whoever goes on will not find it missing again."""
    posts = [item for item in page.items if isinstance(item, Post)]
    missing = _missing(channel, posts)
    late = [post for post in posts if post.external_id in missing and _overdue(post, row.since, reached)]
    recorded = hand_over(channel, page.items, dropped=page.dropped)
    failpoint("reconcile.page")
    row.read += len(page.items)
    row.missing += len(late)
    row.repaired += min(len(late), recorded.stored)
    row.missing_ids = [*row.missing_ids, *(post.external_id for post in late)][:MOST_IDS]
    row.save(update_fields=("read", "missing", "repaired", "missing_ids"))


def _overdue(post: Post, since: datetime, reached: datetime | None) -> bool:
    """Whether a pull that succeeded should have brought it."""
    return reached is not None and since <= post.posted_at < reached - STILL_ON_ITS_WAY


def _missing(channel: Channel, posts: Iterable[Post]) -> set[str]:
    ids = {one: post.external_id for post in posts for one in (post.external_id, *post.alias_ids)}
    known: set[str] = set()
    for rows in (Interaction.objects, Alias.objects, Tombstone.objects):
        found = rows.filter(channel=channel, external_id__in=list(ids)).values_list("external_id", flat=True)
        known |= {ids[one] for one in found if one}
    return set(ids.values()) - known


def reconcile_due(now: datetime) -> int:
    """Goes on with what was begun or asked for, reads back the channels whose outage is over, and each active one once
    a day; returns how many."""
    done = 0
    for pk in list(_due(now).order_by("pk").values_list("pk", flat=True)):
        if closing():
            break
        channel = _due(now).select_related("app").filter(pk=pk).first()  # another worker may have done it meanwhile
        done += channel is not None and _look_at(channel, now) is not None
    return done


def _due(now: datetime) -> QuerySet[Channel]:
    """The active channels with something to read back: one statement, however many there are."""
    of_channel = Reconcile.objects.filter(channel=OuterRef("pk"))
    begun = of_channel.filter(finished_at=None)
    refused = of_channel.filter(finished_at__gt=now - AFTER_REFUSAL).exclude(error="")
    lately = of_channel.filter(cause=Reconcile.Cause.NIGHTLY, began_at__gt=now - EVERY)
    night = Q(created_at__lt=now - EVERY) & ~Exists(lately)
    afresh = ~Exists(begun) & ~Exists(refused) & (Q(outage_from__isnull=False) | night)
    return Channel.objects.filter(Exists(begun.filter(due_at__lte=now)) | afresh, state=Channel.State.ACTIVE)


def _look_at(channel: Channel, now: datetime) -> Reconcile | None:
    """Of a channel that is due: what was begun goes before what is to begin."""
    begun = channel.reconciles.filter(finished_at=None, due_at__lte=now).order_by("due_at", "pk").first()
    if begun is not None:
        return reconcile(channel, since=begun.since, begun=begun)
    if channel.outage_from is not None:
        return reconcile(channel, since=channel.outage_from - BEFORE_OUTAGE, cause=Reconcile.Cause.OUTAGE)
    return reconcile(channel, since=now - WINDOW, cause=Reconcile.Cause.NIGHTLY)


# -- what is gone there -----------------------------------------------------------------------------------------------


def recheck_due(now: datetime, *, batches: int = 5) -> int:
    """Looks stored public posts up again, a bounded number of batches for each channel; returns how many were gone.

    X and Facebook want what was deleted there emptied here within 24 hours, and do not always say what was deleted.
    """
    gone = 0
    again = Q(recheck=None) | Q(recheck__finished_at=None) | Q(recheck__began_at__lt=now - ROUND_EVERY)
    for channel in Channel.objects.filter(again, state=Channel.State.ACTIVE).select_related("app").order_by("pk"):
        if closing():
            break
        with alone(RECONCILE_LOCK, channel.pk) as ours:
            gone += _recheck(channel, now, batches) if ours else 0
    return gone


def _recheck(channel: Channel, now: datetime, batches: int) -> int:
    place, _new = Recheck.objects.get_or_create(channel=channel)
    if place.finished_at and now - place.began_at > ROUND_EVERY:
        place.position, place.began_at, place.finished_at, place.looked_up, place.removed = 0, now, None, 0, 0
    before = place.removed
    for _batch in range(0 if place.finished_at else batches):
        due = Interaction.objects.filter(
            channel=channel,
            external_id__isnull=False,
            pk__gt=place.position,
            removed_at=None,
            visibility=Visibility.PUBLIC,
        )
        rows = list(due.order_by("pk").values_list("pk", "external_id")[:BATCH])
        if not rows:
            place.finished_at = timezone.now()
            break
        if not _look_up(channel, place, [external_id or "" for _pk, external_id in rows]):
            break
        place.position = rows[-1][0]
    place.save()
    return place.removed - before


def _news(channel: Channel, items: Iterable[Item]) -> list[Item]:
    """What is gone, and what others say in other words than we hold: an edit that nobody told us of."""
    ids = [item.external_id for item in items if isinstance(item, Post)]
    held = Interaction.objects.filter(channel=channel, external_id__in=ids, direction=Interaction.Direction.IN)
    texts = dict(held.values_list("external_id", "text"))
    return [
        item
        for item in items
        if not isinstance(item, Post) or (item.external_id in texts and texts[item.external_id] != item.text)
    ]


def _look_up(channel: Channel, place: Recheck, external_ids: Collection[str]) -> bool:
    """False where the network cannot be asked now."""
    try:
        items: tuple[Item, ...] = speaking.speak_for(channel).lookup(external_ids)
    except NetworkError as error:
        if error.trouble == Trouble.PERMANENT:  # this network looks up nothing
            place.finished_at = timezone.now()
        else:
            failed(channel, error, sending=False)
        return False
    hand_over(channel, _news(channel, items))
    failpoint("recheck.batch")
    place.looked_up += len(external_ids)
    place.removed += sum(isinstance(item, Removal | AuthorRemoval) for item in items)
    return True
