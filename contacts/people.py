"""Finds or makes the people behind a batch of profiles, without a query per person."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from django.db import connection
from django.utils import timezone

from contacts.locks import keep_people
from contacts.models import Contact, Identity, IdentityLink


class Profile(Protocol):
    """What a network tells of an author."""

    @property
    def external_id(self) -> str: ...
    @property
    def handle(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def avatar_url(self) -> str: ...
    @property
    def followers(self) -> int | None: ...
    @property
    def verified(self) -> bool | None: ...
    @property
    def permalink(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Person:
    """An identity and the contact behind it; accounts of our own have no contact.

    `followed_anew`: by more or fewer than was known of it before.
    """

    identity_id: int
    contact_id: int | None
    ours: bool
    followed_anew: bool = False


_UPSERT = """
    INSERT INTO contacts_identity AS known
        (network, external_id, handle, name, avatar_url, permalink, followers, verified, ours, gone,
         created_at, updated_at)
    SELECT %(network)s, new.external_id, new.handle, new.name, new.avatar_url, new.permalink, new.followers,
           new.verified, new.ours, '', %(now)s, %(now)s
    FROM unnest(%(external_id)s::text[], %(handle)s::text[], %(name)s::text[], %(avatar_url)s::text[],
                %(permalink)s::text[], %(followers)s::bigint[], %(verified)s::bool[], %(ours)s::bool[])
         AS new(external_id, handle, name, avatar_url, permalink, followers, verified, ours)
    ORDER BY new.external_id
    ON CONFLICT (network, external_id) DO UPDATE SET
        handle = COALESCE(NULLIF(excluded.handle, ''), known.handle),
        name = COALESCE(NULLIF(excluded.name, ''), known.name),
        avatar_url = COALESCE(NULLIF(excluded.avatar_url, ''), known.avatar_url),
        permalink = COALESCE(NULLIF(excluded.permalink, ''), known.permalink),
        followers = COALESCE(excluded.followers, known.followers),
        verified = COALESCE(excluded.verified, known.verified),
        ours = known.ours OR excluded.ours,
        updated_at = excluded.updated_at
    RETURNING id, external_id, ours, xmax = 0
"""

_LINKS = """
    SELECT identity_id, contact_id FROM contacts_identitylink
    WHERE identity_id = ANY(%s) AND ended_at IS NULL FOR SHARE
"""


def know(network: str, profiles: Iterable[Profile], *, ours: Collection[str]) -> dict[str, Person]:
    """The people behind these profiles by external id; new ones get a contact of their own.

    Must run in a transaction: until its end no merge moves an identity, and the links found stay locked.
    `ours` are the external ids of our own accounts on this network.
    """
    wanted = _best(profiles)
    if not wanted:
        return {}
    keep_people()
    ids: dict[str, tuple[int, bool]] = {}
    stale: list[Profile] = []
    known = {
        row.external_id: row
        for row in Identity.objects.filter(network=network, external_id__in=list(wanted)).only(
            "external_id", "handle", "name", "avatar_url", "permalink", "followers", "verified", "ours"
        )
    }
    for external_id, profile in wanted.items():
        row = known.get(external_id)
        if row is None or _tells_more(profile, row) or (external_id in ours and not row.ours):
            stale.append(profile)
        else:
            ids[external_id] = (row.pk, row.ours)
    anew = {one.external_id for one in stale if one.external_id in known and _is_followed_anew(one, known)}
    fresh = _upsert(network, stale, ours, ids)
    _welcome(fresh, wanted, ids)
    _let_go({ids[external_id][0] for external_id in wanted if ids[external_id][1]})
    contacts = _contacts_of([pk for pk, is_ours in ids.values() if not is_ours])
    return {
        external_id: Person(pk, None if is_ours else contacts[pk], is_ours, external_id in anew)
        for external_id, (pk, is_ours) in ids.items()
    }


def _best(profiles: Iterable[Profile]) -> dict[str, Profile]:
    """One profile for each id: the last one that tells a handle or a name."""
    best: dict[str, Profile] = {}
    for profile in profiles:
        if profile.handle or profile.name or profile.external_id not in best:
            best[profile.external_id] = profile
    return best


def _tells_more(profile: Profile, row: Identity) -> bool:
    return any(
        new not in ("", None) and new != old
        for new, old in (
            (profile.handle, row.handle),
            (profile.name, row.name),
            (profile.avatar_url, row.avatar_url),
            (profile.permalink, row.permalink),
            (profile.followers, row.followers),
            (profile.verified, row.verified),
        )
    )


def _is_followed_anew(profile: Profile, known: Mapping[str, Identity]) -> bool:
    return profile.followers not in (None, known[profile.external_id].followers)


def _upsert(
    network: str, profiles: list[Profile], ours: Collection[str], ids: dict[str, tuple[int, bool]]
) -> list[str]:
    """Writes the profiles, completes `ids`, and returns the external ids that were new."""
    if not profiles:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            _UPSERT,
            {
                "network": network,
                "now": timezone.now(),
                "external_id": [p.external_id for p in profiles],
                "handle": [p.handle[:255] for p in profiles],
                "name": [p.name[:255] for p in profiles],
                "avatar_url": [_url(p.avatar_url) for p in profiles],
                "permalink": [_url(p.permalink) for p in profiles],
                "followers": [p.followers for p in profiles],
                "verified": [p.verified for p in profiles],
                "ours": [p.external_id in ours for p in profiles],
            },
        )
        rows: list[tuple[int, str, bool, bool]] = cursor.fetchall()
    ids.update({external_id: (pk, is_ours) for pk, external_id, is_ours, _ in rows})
    return [external_id for _, external_id, is_ours, is_new in rows if is_new and not is_ours]


def _url(value: str) -> str:
    return value if value.startswith(("https://", "http://")) and len(value) <= 2000 else ""


def _welcome(fresh: list[str], wanted: Mapping[str, Profile], ids: Mapping[str, tuple[int, bool]]) -> None:
    """A contact of its own for every new identity. Only the transaction that inserted an identity comes here."""
    contacts = Contact.objects.bulk_create(
        [Contact(name=(wanted[key].name or wanted[key].handle)[:200]) for key in fresh], batch_size=2000
    )
    now = timezone.now()
    IdentityLink.objects.bulk_create(
        [
            IdentityLink(identity_id=ids[key][0], contact=contact, proof=IdentityLink.Proof.FIRST_SEEN, linked_at=now)
            for key, contact in zip(fresh, contacts, strict=True)
        ],
        batch_size=2000,
    )


def _let_go(our_ids: set[int]) -> None:
    """An account that became our own is nobody's contact any more."""
    if our_ids:
        IdentityLink.objects.filter(identity_id__in=our_ids, ended_at=None).update(ended_at=timezone.now())


def _contacts_of(identity_ids: list[int]) -> dict[int, int]:
    found: dict[int, int] = {}
    # A merge that commits while we wait for its lock ends the old link; the new one shows in the next look.
    for _ in range(5):
        missing = [pk for pk in identity_ids if pk not in found]
        if not missing:
            break
        with connection.cursor() as cursor:
            cursor.execute(_LINKS, [missing])
            found.update(cursor.fetchall())
    for pk in identity_ids:
        if pk not in found:
            found[pk] = _relink(pk)
    return found


def _relink(identity_id: int) -> int:
    """An identity that has lost its link (an account that was ours once) gets a contact again."""
    identity = Identity.objects.get(pk=identity_id)
    contact = Contact.objects.create(name=(identity.name or identity.handle)[:200])
    IdentityLink.objects.create(identity=identity, contact=contact, proof=IdentityLink.Proof.FIRST_SEEN)
    return contact.pk


_MEET = """
    INSERT INTO contacts_acquaintance AS known (contact_id, brand_id, first_at, last_at)
    SELECT new.contact_id, %s, new.first_at, new.last_at
    FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[]) AS new(contact_id, first_at, last_at)
    ORDER BY new.contact_id
    ON CONFLICT (contact_id, brand_id) DO UPDATE SET
        first_at = LEAST(known.first_at, excluded.first_at), last_at = GREATEST(known.last_at, excluded.last_at)
    WHERE excluded.first_at < known.first_at OR excluded.last_at > known.last_at
"""


def meet(brand_id: int, times: Mapping[int, tuple[datetime, datetime]]) -> None:
    """Notes that these contacts spoke with the brand: {contact id: (first, last)}."""
    if not times:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            _MEET,
            [
                brand_id,
                list(times),
                [first for first, _ in times.values()],
                [last for _, last in times.values()],
            ],
        )
