"""What colleagues write on a contact's record. Each deed and its audit line stand in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from accounts.audit import audit
from contacts.models import Contact, ContactNote, Tag

if TYPE_CHECKING:
    from collections.abc import Mapping

    from accounts.models import Brand, User


@transaction.atomic
def edit_details(*, contact: Contact, by: User, details: Mapping[str, str]) -> Contact:
    """Writes the details that changed. The audit log names them, without what they say."""
    locked = Contact.objects.select_for_update(no_key=True, of=("self",)).get(pk=contact.pk)
    changed = [name for name, value in details.items() if getattr(locked, name) != value]
    for name in changed:
        setattr(locked, name, details[name])
    if changed:
        locked.save(update_fields=changed)
        audit(by=by, verb="changed", on=locked, fields=changed)
    return locked


@transaction.atomic
def add_tag(*, contact: Contact, by: User, name: str) -> Tag:
    """Puts the tag of that name on the contact; a spelling with other capitals is the same tag."""
    tag = Tag.objects.filter(name__iexact=name).first() or Tag.objects.get_or_create(name=name)[0]
    if not contact.tags.filter(pk=tag.pk).exists():
        contact.tags.add(tag)
        audit(by=by, verb="tagged", on=contact, tag=tag.name)
    return tag


@transaction.atomic
def remove_tag(*, contact: Contact, by: User, tag: Tag) -> None:
    if contact.tags.filter(pk=tag.pk).exists():
        contact.tags.remove(tag)
        audit(by=by, verb="untagged", on=contact, tag=tag.name)


@transaction.atomic
def write_note(*, contact: Contact, by: User, brand: Brand, text: str) -> ContactNote:
    note = ContactNote.objects.create(contact=contact, brand=brand, by=by, text=text)
    audit(by=by, verb="noted", on=contact, brand=brand, note=note.pk)
    return note


@transaction.atomic
def delete_note(*, note: ContactNote, by: User) -> None:
    audit(by=by, verb="deleted note", on=note.contact, brand=note.brand_id, note=note.pk)
    note.delete()
