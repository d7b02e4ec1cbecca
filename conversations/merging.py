"""When a handle turns out to be another person's, all that stands under it follows."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from django.db import connection

from conversations import live
from conversations.models import Interaction, Thread
from conversations.regroup import part_strangers

if TYPE_CHECKING:
    from contacts.models import Contact

_MEET_ANEW = """
    WITH spoken AS (
        SELECT i.contact_id, c.brand_id, MIN(i.posted_at) AS first_at, MAX(i.posted_at) AS last_at
        FROM conversations_interaction i JOIN channels_ingest_channel c ON c.id = i.channel_id
        WHERE i.contact_id = ANY(%(contacts)s) AND i.direction <> 'note' AND i.sent_by_id IS NULL
        GROUP BY i.contact_id, c.brand_id
    ), forgotten AS (
        DELETE FROM contacts_acquaintance WHERE contact_id = ANY(%(contacts)s)
            AND (contact_id, brand_id) NOT IN (SELECT contact_id, brand_id FROM spoken)
    )
    INSERT INTO contacts_acquaintance (contact_id, brand_id, first_at, last_at)
    SELECT contact_id, brand_id, first_at, last_at FROM spoken
    ON CONFLICT (contact_id, brand_id) DO UPDATE SET first_at = excluded.first_at, last_at = excluded.last_at
"""


def follow(*, identity_ids: Collection[int], old: Contact, new: Contact, **_: Any) -> None:
    """The receiver of `identities_moved`: threads and interactions of these identities go to the new contact.

    Runs in the sender's transaction, which holds the people lock.
    """
    threads = Thread.objects.filter(identity__in=identity_ids)
    moved = list(threads.values_list("pk", "brand_id"))
    Interaction.objects.filter(thread__in=[pk for pk, _brand in moved]).update(contact=new)
    threads.update(contact=new)
    part_strangers([pk for pk, _brand in moved])
    with connection.cursor() as cursor:
        cursor.execute(_MEET_ANEW, {"contacts": [old.pk, new.pk]})
    for brand_id in {brand for _pk, brand in moved}:
        live.announce(brand_id, {pk for pk, brand in moved if brand == brand_id})
