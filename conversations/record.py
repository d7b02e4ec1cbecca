"""Stores what channels received: every post once, on the right person and thread, whatever the order it comes in.

The whole batch is one transaction (the caller's) and a fixed number of statements, whatever its size. The channel is
locked while it stores, so that a poll, a webhook and a finishing send never see half of each other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from channels_ingest.ingest import Recorded, lock_channel
from channels_ingest.models import Channel
from channels_ingest.networks.base import Author, AuthorRemoval, Item, Post, Removal, Visibility
from contacts.people import Person, know, meet
from conversations import echoes, live, notify, removals, summaries
from conversations.adopting import adopt
from conversations.known import Known, known_of
from conversations.models import Alias, Interaction, Lane, RawPayload, SpamReport, Thread, ThreadEvent, Tombstone
from conversations.rows import Row, insert

PRIVATE_LANE = "@private"  # all private one-to-one conversation of a person with a channel is one lane


@dataclass(slots=True)
class Batch:
    """The work on one batch: what is known of it, and what is to be written."""

    channel: Channel
    people: dict[str, Person]
    known: dict[str, Known]
    live: bool  # False for history: nothing is reopened and nobody is told
    lanes: dict[tuple[str, int], tuple[int, int, int]] = field(default_factory=dict)
    now: datetime = field(default_factory=timezone.now)
    new_threads: list[Row] = field(default_factory=list)
    new_lanes: list[Row] = field(default_factory=list)
    touched: set[int] = field(default_factory=set)
    reopening: set[int] = field(default_factory=set)
    spare: list[int] = field(default_factory=list)  # thread ids taken in advance
    spammers: frozenset[int] = frozenset()  # identities that the brand reported as spam


def receive(*, channel: Channel, items: Sequence[Item], **_: Any) -> Recorded:
    """The receiver of `posts_received`."""
    return record(channel, items)


def record(channel: Channel, items: Sequence[Item]) -> Recorded:
    """Stores a batch; harmless when repeated. Runs in the caller's transaction, or in its own."""
    with transaction.atomic():
        lock_channel(channel.pk)
        posts = [item for item in items if isinstance(item, Post)]
        recorded, touched = _record_posts(channel, posts)
        removed = removals.remove(channel, [item for item in items if isinstance(item, Removal)])
        removed |= removals.remove_authors(channel, [item for item in items if isinstance(item, AuthorRemoval)])
        summaries.refresh(touched | removed)
        if channel.state != Channel.State.HISTORY:
            live.announce(channel.brand_id, touched | removed)
    return recorded + Recorded(removed=len(items) - len(posts))


def _record_posts(channel: Channel, posts: Sequence[Post]) -> tuple[Recorded, set[int]]:
    if not posts:
        return Recorded(), set()
    latest = _latest_of_each(posts)
    batch = Batch(
        channel=channel,
        people=know(channel.network, _authors(latest.values()), ours=_our_accounts(channel, latest.values())),
        known=known_of(channel, latest.values()),
        live=channel.state != Channel.State.HISTORY,
    )
    found = [(known, post) for post in latest.values() if (known := _find(batch, post)) is not None]
    new = [post for post in latest.values() if _find(batch, post) is None]
    new = echoes.bind(channel, new, touched=batch.touched, people=batch.people)
    changed = _apply_changes(batch, found)
    seen = [known for known, _ in found if known.delivery_state in ("sent", "unknown")]
    echoes.verify([known.id for known in seen])
    batch.touched.update(known.thread_id for known in seen if known.thread_id)
    batch.touched |= summaries.outgrown([one.identity_id for one in batch.people.values() if one.followed_anew])
    if new:
        _insert(batch, sorted(new, key=lambda post: (post.posted_at, post.external_id)))
    fresh = frozenset(post.external_id for post in new)
    return Recorded(len(new), len(posts) - len(new), changed, fresh=fresh), batch.touched


def _latest_of_each(posts: Sequence[Post]) -> dict[str, Post]:
    """One post for each id: the highest version, the last one where versions are equal."""
    latest: dict[str, Post] = {}
    for post in posts:
        before = latest.get(post.external_id)
        if before is None or post.version >= before.version:
            latest[post.external_id] = post
    return latest


def _authors(posts: Iterable[Post]) -> list[Author]:
    return [author for post in posts for author in (post.addressee, post.author) if author is not None]


def _our_accounts(channel: Channel, posts: Iterable[Post]) -> set[str]:
    ids = {author.external_id for author in _authors(posts)}
    return set(
        Channel.objects.filter(network=channel.network, external_id__in=ids).values_list("external_id", flat=True)
    )


def _find(batch: Batch, post: Post) -> Known | None:
    for key in (post.external_id, *post.alias_ids):
        if key in batch.known:
            return batch.known[key]
    return None


# -- changes ----------------------------------------------------------------------------------------------------------


def _apply_changes(batch: Batch, pairs: Sequence[tuple[Known, Post]]) -> int:
    """Writes newer versions over known items; a removed one stays empty, our own words stay as we wrote them."""
    edited = [(known, post) for known, post in pairs if _is_edit(known, post)]
    now = timezone.now()
    for known, post in edited:
        Interaction.objects.filter(pk=known.id).update(
            text=post.text,
            version=post.version,
            edited_at=post.edited_at or now,
            media=_media(post),
            metrics=dict(post.metrics),
            facts=dict(post.facts),
            indexed=False,
            understood=False,
        )
        RawPayload.objects.filter(pk=known.id).update(payload=dict(post.raw))
        if known.thread_id:
            batch.touched.add(known.thread_id)
    renamed = [(known.id, post) for known, post in pairs if post.alias_ids]
    _remember_aliases(batch.channel, renamed)
    if renamed:
        batch.touched |= adopt(batch.channel.pk, _names(renamed))
    return len(edited)


def _is_edit(known: Known, post: Post) -> bool:
    if known.removed or (known.written_here and post.version <= known.version):
        return False
    return post.version > known.version or (post.version == known.version and post.text != known.text)


def _remember_aliases(channel: Channel, pairs: Sequence[tuple[int, Post]]) -> None:
    Alias.objects.bulk_create(
        [
            Alias(channel=channel, external_id=alias, interaction_id=pk)
            for pk, post in pairs
            for alias in post.alias_ids
            if alias != post.external_id
        ],
        ignore_conflicts=True,
    )


# -- new items --------------------------------------------------------------------------------------------------------


def _insert(batch: Batch, posts: Sequence[Post]) -> None:
    _load_lanes(batch, posts)
    buried = _buried(batch.channel, posts)
    ids = _next_ids("conversations_interaction_id_seq", len(posts))
    rows = [_interaction(batch, post, pk, buried) for pk, post in zip(ids, posts, strict=True)]
    insert(Thread, batch.new_threads)
    insert(Lane, batch.new_lanes)
    insert(Interaction, rows)
    insert(
        RawPayload,
        [
            {"interaction_id": row["id"], "payload": dict(post.raw)}
            for row, post in zip(rows, posts, strict=True)
            if post.raw and row["removed_at"] is None
        ],
    )
    _remember_aliases(
        batch.channel, [(row["id"], post) for row, post in zip(rows, posts, strict=True) if post.alias_ids]
    )
    batch.touched |= adopt(batch.channel.pk, _names((row["id"], post) for row, post in zip(rows, posts, strict=True)))
    _greet(batch, rows)
    if batch.live:
        _reopen(batch)
        new = {row["id"] for row in batch.new_threads}
        notify.customers_wrote(_spoken(rows, new))


def _spoken(rows: Sequence[Row], new_threads: Collection[int]) -> list[tuple[int, int]]:
    """(thread, interaction) of what customers wrote on threads that were there before."""
    inbound = [row for row in rows if row["direction"] == Interaction.Direction.IN and row["removed_at"] is None]
    return [
        (row["thread_id"], row["id"]) for row in inbound if row["thread_id"] and row["thread_id"] not in new_threads
    ]


def _next_ids(sequence: str, count: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(%s) FROM generate_series(1, %s)", [sequence, count])
        return [pk for (pk,) in cursor.fetchall()]


def _buried(channel: Channel, posts: Sequence[Post]) -> dict[str, str]:
    """Ids whose removal came before them, with its reason."""
    ids = [post.external_id for post in posts]
    return dict(Tombstone.objects.filter(channel=channel, external_id__in=ids).values_list("external_id", "reason"))


def _interaction(batch: Batch, post: Post, pk: int, buried: Mapping[str, str]) -> Row:
    channel, person = batch.channel, batch.people[post.author.external_id]
    outbound = person.ours or post.author.external_id == channel.external_id
    parent = batch.known.get(post.parent_id or "")
    thread_id, owner_id, contact_id = _thread_for(batch, post, person, parent, outbound) or (None, None, None)
    reason = buried.get(post.external_id, "")
    direction = Interaction.Direction.OUT if outbound else Interaction.Direction.IN
    text = "" if reason else post.text
    row = {
        "id": pk,
        "channel_id": channel.pk,
        "external_id": post.external_id,
        "kind": post.kind.value,
        "direction": direction.value,
        "visibility": post.visibility.value,
        "author_id": person.identity_id,
        "thread_id": thread_id,
        "contact_id": contact_id,
        "parent_id": parent.id if parent else None,
        "parent_external_id": post.parent_id or "",
        "root_external_id": post.root_id,
        "text": text,
        "language": post.language[:16],
        "permalink": post.permalink[:2000],
        "media": [] if reason else _media(post),
        "metrics": dict(post.metrics),
        "facts": {} if reason else dict(post.facts),
        "posted_at": post.posted_at,
        "received_at": batch.now,
        "version": post.version,
        "edited_at": post.edited_at,
        "removed_at": batch.now if reason else None,
        "removed_reason": reason,
        "indexed": bool(reason),
    }
    batch.known[post.external_id] = Known(
        pk, post.external_id, thread_id, owner_id, contact_id, post.version, text, bool(reason), direction.value,
        False, None,
    )  # fmt: skip
    if thread_id is not None:
        batch.touched.add(thread_id)
        if not outbound and not reason:
            batch.reopening.add(thread_id)
    return row


def _media(post: Post) -> list[dict[str, str]]:
    return [
        {"kind": media.kind, "url": media.url, "alt": media.alt, "preview_url": media.preview_url}
        for media in post.media
    ]


def _thread_for(
    batch: Batch, post: Post, person: Person, parent: Known | None, outbound: bool
) -> tuple[int, int, int] | None:
    """(thread, identity it belongs to, its contact). Beside its parent where that is the same person's matter,
    otherwise on the lane of the person under this root; None for what we say to nobody in particular."""
    addressee = batch.people.get(post.addressee.external_id) if post.addressee else None
    customer = addressee if outbound else person
    if parent and parent.thread_id and parent.owner_id and parent.contact_id:
        of_customer = customer is not None and parent.owner_id == customer.identity_id
        if of_customer or (outbound and (customer is None or customer.ours)):
            return parent.thread_id, parent.owner_id, parent.contact_id
    if customer is None or customer.ours or customer.contact_id is None:
        return None
    return _lane(batch, post, customer.identity_id, customer.contact_id)


def _lane_key(post: Post) -> str:
    return PRIVATE_LANE if post.visibility == Visibility.PRIVATE else post.root_id


def _lane(batch: Batch, post: Post, identity_id: int, contact_id: int) -> tuple[int, int, int]:
    key = (_lane_key(post), identity_id)
    found = batch.lanes.get(key)
    if found is None:
        found = batch.lanes[key] = (
            _open_thread(batch, post, identity_id, contact_id),
            identity_id,
            contact_id,
        )
    return found


def _open_thread(batch: Batch, post: Post, identity_id: int, contact_id: int) -> int:
    channel = batch.channel
    (pk,) = _next_ids("conversations_thread_id_seq", 1) if not batch.spare else (batch.spare.pop(),)
    batch.new_threads.append(
        {
            "id": pk,
            "brand_id": channel.brand_id,
            "channel_id": channel.pk,
            "identity_id": identity_id,
            "contact_id": contact_id,
            "state": _first_state(batch, identity_id).value,
            "has_public": False,
            "has_private": False,
            "last_activity_at": post.posted_at,
            "inbound_count": 0,
            "outbound_count": 0,
            "closed_at": None if batch.live else post.posted_at,
            "created_at": batch.now,
        }
    )
    batch.new_lanes.append(
        {
            "thread_id": pk,
            "channel_id": channel.pk,
            "root_external_id": _lane_key(post),
            "identity_id": identity_id,
            "visibility": post.visibility.value,
        }
    )
    return pk


def _first_state(batch: Batch, identity_id: int) -> Thread.State:
    if identity_id in batch.spammers:
        return Thread.State.SPAM
    return Thread.State.OPEN if batch.live else Thread.State.CLOSED


def _load_lanes(batch: Batch, posts: Sequence[Post]) -> None:
    rows = (
        Lane.objects.filter(
            channel=batch.channel,
            root_external_id__in={_lane_key(post) for post in posts},
            identity_id__in={person.identity_id for person in batch.people.values()},
        )
        .select_related("thread")
        .values_list("root_external_id", "identity_id", "thread_id", "thread__identity_id", "thread__contact_id")
    )
    for root, identity_id, thread_id, owner_id, contact_id in rows:
        batch.lanes[root, identity_id] = (thread_id, owner_id, contact_id)
    people = [person.identity_id for person in batch.people.values()]
    reports = SpamReport.objects.filter(identity__in=people, brand=batch.channel.brand_id)
    batch.spammers = frozenset(reports.values_list("identity_id", flat=True))
    lanes = {(_lane_key(post), post.author.external_id) for post in posts}
    batch.spare = _next_ids("conversations_thread_id_seq", len(lanes))


def _names(pairs: Iterable[tuple[int, Post]]) -> dict[str, int]:
    return {name: pk for pk, post in pairs for name in (post.external_id, *post.alias_ids)}


def _greet(batch: Batch, rows: Sequence[Row]) -> None:
    times: dict[int, tuple[datetime, datetime]] = {}
    for row in rows:
        contact_id, at = row["contact_id"], row["posted_at"]
        if contact_id is not None:
            first, last = times.get(contact_id, (at, at))
            times[contact_id] = (min(first, at), max(last, at))
    meet(batch.channel.brand_id, times)


def _reopen(batch: Batch) -> None:
    """A new inbound item opens a closed or snoozed thread again, but not that of a spammer."""
    resting = Thread.objects.filter(pk__in=batch.reopening, state__in=(Thread.State.SNOOZED, Thread.State.CLOSED))
    ids = list(resting.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
    if ids:
        Thread.objects.filter(pk__in=ids).update(state=Thread.State.OPEN, snoozed_until=None, closed_at=None)
        ThreadEvent.objects.bulk_create(
            [ThreadEvent(thread_id=pk, verb=ThreadEvent.Verb.REOPENED, details={"by": "customer"}) for pk in ids]
        )
