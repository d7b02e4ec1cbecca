"""Takes content out for good: a stub stays, so that trees keep their shape and counts stay true."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from django.utils import timezone

from accounts.failpoints import failpoint
from channels_ingest import erasures
from channels_ingest.forget import forget_items
from channels_ingest.models import Channel
from channels_ingest.networks.base import AuthorRemoval, Removal
from contacts.models import Identity
from conversations import copies
from conversations.models import Alias, Attachment, Interaction, RawPayload, Reading, SearchEntry, Tombstone


def remove(channel: Channel, removals: Sequence[Removal]) -> set[int]:
    """Empties these items in every channel of the network; returns the threads touched.

    An item that is not here yet leaves a tombstone, so that it is stored empty should it still come.
    """
    touched: set[int] = set()
    for reason in {removal.reason for removal in removals}:
        ids = {removal.external_id for removal in removals if removal.reason == reason}
        aliased = Alias.objects.filter(external_id__in=ids, channel__network=channel.network)
        firsts = set(aliased.values_list("interaction__external_id", flat=True))
        touched |= _empty(channel, {pk for pk in ids | firsts if pk}, reason)
    return touched


def remove_authors(channel: Channel, removals: Sequence[AuthorRemoval]) -> set[int]:
    """Empties all that these authors wrote, and their profiles."""
    touched: set[int] = set()
    for removal in removals:
        identity = Identity.objects.filter(network=channel.network, external_id=removal.author_id).first()
        if identity is None or identity.ours:
            continue
        erasures.note(channel.network, channel.external_id, removal.reason, authors=[removal.author_id])
        written = Interaction.objects.filter(author=identity, external_id__isnull=False)
        touched |= _empty(channel, set(written.values_list("external_id", flat=True)), removal.reason)
        identity.gone = removal.reason[:32]
        identity.avatar_url = ""
        identity.save(update_fields=("gone", "avatar_url"))
    return touched


def _empty(channel: Channel, external_ids: Collection[str | None], reason: str) -> set[int]:
    ids = sorted(pk for pk in external_ids if pk)
    twins = Interaction.objects.filter(external_id__in=ids, channel__network=channel.network)
    found = list(twins.values_list("pk", "external_id", "thread_id", "channel_id"))
    keys = [pk for pk, *_ in found]
    threads = {thread_id for _, _, thread_id, _ in found if thread_id}
    copies.forget(keys, threads, twins.filter(removed_at=None).values_list("text", flat=True))
    failpoint("remove.unquoted")
    Interaction.objects.filter(pk__in=keys, removed_at=None).update(
        text="",
        media=[],
        facts={},
        metrics={},
        indexed=True,
        removed_at=timezone.now(),
        removed_reason=reason[:32],
    )
    failpoint("remove.emptied")
    RawPayload.objects.filter(pk__in=keys).delete()
    Attachment.objects.filter(interaction__in=keys).delete()
    SearchEntry.objects.filter(pk__in=keys).delete()
    Reading.objects.filter(pk__in=keys).delete()
    here = {external_id for _, external_id, _, channel_id in found if channel_id == channel.pk}
    Tombstone.objects.bulk_create(
        [Tombstone(channel=channel, external_id=pk, reason=reason[:32]) for pk in ids if pk not in here],
        ignore_conflicts=True,
    )
    failpoint("remove.buried")
    forget_items(channel.network, ids)
    erasures.note(channel.network, channel.external_id, reason[:32], items=ids)
    failpoint("remove.forgotten")
    return threads
