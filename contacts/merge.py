"""Makes two contacts one, and undoes it exactly. Nothing is deleted: links end, and a tombstone points on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.audit import audit
from accounts.failpoints import failpoint
from contacts.locks import move_people
from contacts.models import Contact, ContactNote, IdentityLink, Merge
from contacts.signals import identities_moved

if TYPE_CHECKING:
    from accounts.models import User

FILLED = ("name", "email", "phone", "organisation", "location", "language")


class MergeRefused(Exception):
    """The two cannot be made one (or apart again); the message says why."""


@transaction.atomic
def merge_contacts(
    *,
    keep: Contact,
    drop: Contact,
    by: User | None,
    proof: str = IdentityLink.Proof.JUDGEMENT,
    note: str = "",
) -> Merge:
    """`drop` becomes part of `keep`: its identities, notes, tags and all it said. Empty details are filled from it.

    Raises MergeRefused for a contact with itself, or where one was merged before.
    """
    move_people()
    kept, dropped = _lock(keep, drop)
    failpoint("merge.locked")
    merge = Merge.objects.create(kept=kept, dropped=dropped, proof=proof, note=note, by=by)
    moved = _move_links(dropped, kept, merge=merge, by=by, proof=proof, note=note)
    merge.journal = {"links": moved, "filled": _fill(kept, dropped), **_move_belongings(dropped, kept)}
    merge.save(update_fields=["journal"])
    dropped.merged_into = kept
    dropped.save(update_fields=["merged_into"])
    identities_moved.send(sender=Merge, identity_ids=[link["identity"] for link in moved], old=dropped, new=kept)
    audit(by=by, verb="merged", on=kept, dropped=dropped.pk, proof=proof, identities=len(moved))
    _pass("merge")
    return merge


def _pass(what: str) -> None:
    """Marks both sides of the commit."""
    failpoint(f"{what}.writing")
    transaction.on_commit(lambda: failpoint(f"{what}.written"))


def _lock(keep: Contact, drop: Contact) -> tuple[Contact, Contact]:
    if keep.pk == drop.pk:
        raise MergeRefused(_("A contact cannot be merged with itself."))
    locked = Contact.objects.select_for_update(no_key=True, of=("self",)).order_by("pk").in_bulk([keep.pk, drop.pk])
    if len(locked) < 2 or any(contact.merged_into_id for contact in locked.values()):
        raise MergeRefused(_("One of the two was merged meanwhile. Look again."))
    return locked[keep.pk], locked[drop.pk]


def _move_links(
    old: Contact, new: Contact, *, merge: Merge, by: User | None, proof: str, note: str
) -> list[dict[str, Any]]:
    """Ends the old contact's open links and opens new ones; tells what they were."""
    now = timezone.now()
    open_links = list(old.links.select_for_update(no_key=True).filter(ended_at=None).order_by("pk"))
    IdentityLink.objects.filter(pk__in=[link.pk for link in open_links]).update(ended_at=now, ended_by=by)
    IdentityLink.objects.bulk_create(
        [
            IdentityLink(
                identity_id=link.identity_id,
                contact=new,
                proof=proof,
                note=note,
                linked_at=now,
                linked_by=by,
                merge=merge,
            )
            for link in open_links
        ]
    )
    return [{"identity": link.identity_id, "proof": link.proof, "note": link.note} for link in open_links]


def _fill(kept: Contact, dropped: Contact) -> dict[str, str]:
    """Takes over the details that the kept contact lacks; tells which."""
    filled = {name: getattr(dropped, name) for name in FILLED if getattr(dropped, name) and not getattr(kept, name)}
    for name, value in filled.items():
        setattr(kept, name, value)
    kept.save(update_fields=list(filled))
    return filled


def _move_belongings(dropped: Contact, kept: Contact) -> dict[str, list[int]]:
    """Notes go over, tags are added; tells which."""
    tags = set(dropped.tags.values_list("pk", flat=True)) - set(kept.tags.values_list("pk", flat=True))
    kept.tags.add(*tags)
    notes = list(dropped.notes.values_list("pk", flat=True))
    ContactNote.objects.filter(pk__in=notes).update(contact=kept)
    return {"tags": sorted(tags), "notes": notes}


# -- undo -------------------------------------------------------------------------------------------------------------


@transaction.atomic
def unmerge(*, merge: Merge, by: User | None) -> Merge:
    """Makes them two again. What was said meanwhile goes to the contact whose identity said it; details filled at the
    merge and changed since stay as they were changed.

    Raises MergeRefused where it was undone before, or where the kept contact became part of another one.
    """
    move_people()
    merge = Merge.objects.select_for_update(no_key=True).get(pk=merge.pk)
    if merge.undone_at is not None:
        raise MergeRefused(_("This merge was undone before."))
    people = (
        Contact.objects.select_for_update(no_key=True, of=("self",))
        .order_by("pk")
        .in_bulk([merge.kept_id, merge.dropped_id])
    )
    failpoint("unmerge.locked")
    kept, dropped = people[merge.kept_id], people[merge.dropped_id]
    if kept.merged_into_id:
        raise MergeRefused(_("%(name)s was merged itself since. Undo that merge first.") % {"name": kept})
    back = _move_links_back(merge, kept, dropped, by)
    _take_back(merge, kept)
    dropped.merged_into = None
    dropped.save(update_fields=["merged_into"])
    merge.undone_at, merge.undone_by = timezone.now(), by
    merge.save(update_fields=["undone_at", "undone_by"])
    identities_moved.send(sender=Merge, identity_ids=back, old=kept, new=dropped)
    audit(by=by, verb="unmerged", on=kept, restored=dropped.pk, identities=len(back))
    _pass("unmerge")
    return merge


def _move_links_back(merge: Merge, kept: Contact, dropped: Contact, by: User | None) -> list[int]:
    """The identities this merge brought, where they are still the kept contact's, with the proof they had before."""
    now = timezone.now()
    before = {link["identity"]: link for link in merge.journal["links"]}
    links = IdentityLink.objects.select_for_update(no_key=True).filter(contact=kept, identity__in=before, ended_at=None)
    back = sorted(links.values_list("identity_id", flat=True))
    IdentityLink.objects.filter(contact=kept, identity__in=back, ended_at=None).update(ended_at=now, ended_by=by)
    IdentityLink.objects.bulk_create(
        [
            IdentityLink(
                identity_id=pk,
                contact=dropped,
                proof=before[pk]["proof"],
                note=before[pk]["note"],
                linked_at=now,
                linked_by=by,
                merge=merge,
            )
            for pk in back
        ]
    )
    return back


def _take_back(merge: Merge, kept: Contact) -> None:
    journal = merge.journal
    emptied = [name for name, value in journal["filled"].items() if getattr(kept, name) == value]
    for name in emptied:
        setattr(kept, name, "")
    kept.save(update_fields=emptied)
    kept.tags.remove(*journal["tags"])
    ContactNote.objects.filter(pk__in=journal["notes"], contact=kept).update(contact=merge.dropped_id)
