"""Two contacts become one, and two again, with everything they said."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.models import AuditEntry, Brand, User
from channels_ingest.models import Channel
from channels_ingest.networks.base import Author
from contacts.merge import MergeRefused, merge_contacts, unmerge
from contacts.models import Acquaintance, Contact, ContactNote, IdentityLink, Merge, Tag
from conversations.actions import write_note
from conversations.models import Interaction, Thread
from conversations.record import record
from tests.cast import JONAS, MAYA, SOFIA, make_channel, said

MAYA_AT_WORK = Author("2001", handle="maya_at_work", name="M. Keller")


def contact_of(author: Author) -> Contact:
    return Contact.objects.get(links__identity__external_id=author.external_id, links__ended_at=None)


def timeline(contact: Contact) -> list[str | None]:
    return list(
        Interaction.objects.filter(contact=contact).order_by("-posted_at", "-id").values_list("external_id", flat=True)
    )


def picture() -> dict[str, Any]:
    """All that says who is who, in a shape that can be compared."""
    return {
        "contacts": list(Contact.objects.order_by("pk").values()),
        "tags": sorted(Contact.tags.through.objects.values_list("contact", "tag")),
        "notes": sorted(ContactNote.objects.values_list("pk", "contact")),
        "links": sorted(IdentityLink.objects.filter(ended_at=None).values_list("identity", "contact", "proof", "note")),
        "threads": sorted(Thread.objects.values_list("pk", "contact")),
        "interactions": sorted(Interaction.objects.values_list("pk", "thread", "contact")),
        "acquaintances": sorted(Acquaintance.objects.values_list("contact", "brand", "first_at", "last_at")),
    }


@pytest.mark.django_db
class TestMerging:
    @pytest.fixture(autouse=True)
    def they_spoke(self, channel: Channel) -> None:
        record(channel, [said("1", MAYA), said("2", MAYA_AT_WORK, minutes=5), said("3", JONAS, minutes=9)])

    def test_the_kept_contact_has_all_identities_and_all_that_was_said(self, manager: User) -> None:
        kept = contact_of(MAYA)
        merge_contacts(keep=kept, drop=contact_of(MAYA_AT_WORK), by=manager)
        assert timeline(kept) == ["2", "1"]
        assert contact_of(MAYA_AT_WORK) == kept

    def test_threads_follow(self, manager: User) -> None:
        kept = contact_of(MAYA)
        merge_contacts(keep=kept, drop=contact_of(MAYA_AT_WORK), by=manager)
        assert Thread.objects.filter(contact=kept).count() == 2

    def test_what_comes_afterwards_stands_on_the_kept_contact(self, channel: Channel, manager: User) -> None:
        kept = contact_of(MAYA)
        merge_contacts(keep=kept, drop=contact_of(MAYA_AT_WORK), by=manager)
        record(channel, [said("4", MAYA_AT_WORK, minutes=20)])
        assert timeline(kept)[0] == "4"

    def test_the_dropped_contact_stays_as_a_tombstone(self, manager: User) -> None:
        kept, dropped = contact_of(MAYA), contact_of(MAYA_AT_WORK)
        merge_contacts(keep=kept, drop=dropped, by=manager)
        dropped.refresh_from_db()
        assert dropped.merged_into == kept
        assert not Contact.objects.visible_to(manager).filter(pk=dropped.pk).exists()

    def test_empty_details_are_filled_and_others_stay(self, manager: User) -> None:
        kept, dropped = contact_of(MAYA), contact_of(MAYA_AT_WORK)
        Contact.objects.filter(pk=dropped.pk).update(email="maya@example.com", name="Somebody Else")
        merge_contacts(keep=kept, drop=dropped, by=manager)
        kept.refresh_from_db()
        assert (kept.name, kept.email) == ("Maya Keller", "maya@example.com")

    def test_tags_and_notes_come_along(self, brand: Brand, manager: User) -> None:
        kept, dropped = contact_of(MAYA), contact_of(MAYA_AT_WORK)
        dropped.tags.add(Tag.objects.create(name="press"))
        note = ContactNote.objects.create(contact=dropped, brand=brand, text="Prefers e-mail.")
        merge_contacts(keep=kept, drop=dropped, by=manager)
        assert [tag.name for tag in kept.tags.all()] == ["press"]
        assert list(kept.notes.all()) == [note]

    def test_the_old_links_are_ended_and_not_changed(self, manager: User) -> None:
        dropped = contact_of(MAYA_AT_WORK)
        merge_contacts(keep=contact_of(MAYA), drop=dropped, by=manager, note="She said so.")
        ended = IdentityLink.objects.get(contact=dropped)
        assert (ended.proof, ended.ended_by) == (IdentityLink.Proof.FIRST_SEEN, manager)
        assert ended.ended_at is not None

    def test_each_deed_leaves_a_line_in_the_audit_log(self, manager: User) -> None:
        merge = merge_contacts(keep=contact_of(MAYA), drop=contact_of(MAYA_AT_WORK), by=manager)
        unmerge(merge=merge, by=manager)
        verbs = AuditEntry.objects.filter(kind="contact").order_by("pk").values_list("verb", flat=True)
        assert list(verbs) == ["merged", "unmerged"]

    def test_a_contact_is_not_merged_with_itself(self, manager: User) -> None:
        maya = contact_of(MAYA)
        with pytest.raises(MergeRefused):
            merge_contacts(keep=maya, drop=maya, by=manager)

    def test_a_merged_contact_is_not_merged_again(self, manager: User) -> None:
        maya, at_work, jonas = contact_of(MAYA), contact_of(MAYA_AT_WORK), contact_of(JONAS)
        merge_contacts(keep=maya, drop=at_work, by=manager)
        with pytest.raises(MergeRefused):
            merge_contacts(keep=at_work, drop=jonas, by=manager)
        with pytest.raises(MergeRefused):
            merge_contacts(keep=jonas, drop=at_work, by=manager)

    def test_the_database_itself_refuses_a_contact_merged_into_itself(self) -> None:
        maya = contact_of(MAYA)
        with pytest.raises(IntegrityError), transaction.atomic():
            Contact.objects.filter(pk=maya.pk).update(merged_into=maya)

    def test_undoing_restores_both_exactly(self, brand: Brand, channel: Channel, manager: User) -> None:
        kept, dropped = contact_of(MAYA), contact_of(MAYA_AT_WORK)
        kept.tags.add(Tag.objects.create(name="vip"))
        dropped.tags.add(Tag.objects.get(name="vip"), Tag.objects.create(name="press"))
        Contact.objects.filter(pk=dropped.pk).update(email="maya@example.com")
        ContactNote.objects.create(contact=dropped, brand=brand, text="Prefers e-mail.")
        before = picture()
        unmerge(merge=merge_contacts(keep=kept, drop=dropped, by=manager), by=manager)
        assert picture() == before

    def test_what_was_said_meanwhile_goes_to_whoever_said_it(self, channel: Channel, manager: User) -> None:
        kept, dropped = contact_of(MAYA), contact_of(MAYA_AT_WORK)
        merge = merge_contacts(keep=kept, drop=dropped, by=manager)
        record(channel, [said("4", MAYA, minutes=20), said("5", MAYA_AT_WORK, minutes=21)])
        record(channel, [said("6", MAYA_AT_WORK, minutes=22, parent="5")])
        unmerge(merge=merge, by=manager)
        assert timeline(kept) == ["4", "1"]
        assert timeline(dropped) == ["6", "5", "2"]

    def test_a_detail_changed_since_the_merge_stays_as_it_was_changed(self, manager: User) -> None:
        kept, dropped = contact_of(MAYA), contact_of(MAYA_AT_WORK)
        Contact.objects.filter(pk=dropped.pk).update(email="maya@example.com")
        merge = merge_contacts(keep=kept, drop=dropped, by=manager)
        Contact.objects.filter(pk=kept.pk).update(email="maya@work.example")
        unmerge(merge=merge, by=manager)
        kept.refresh_from_db()
        assert kept.email == "maya@work.example"

    def test_a_merge_is_undone_once(self, manager: User) -> None:
        merge = merge_contacts(keep=contact_of(MAYA), drop=contact_of(MAYA_AT_WORK), by=manager)
        unmerge(merge=merge, by=manager)
        with pytest.raises(MergeRefused):
            unmerge(merge=merge, by=manager)

    def test_merges_on_top_are_undone_first(self, manager: User) -> None:
        maya, at_work, jonas = contact_of(MAYA), contact_of(MAYA_AT_WORK), contact_of(JONAS)
        before = picture()
        first = merge_contacts(keep=maya, drop=at_work, by=manager)
        second = merge_contacts(keep=jonas, drop=maya, by=manager)
        with pytest.raises(MergeRefused):
            unmerge(merge=first, by=manager)
        unmerge(merge=second, by=manager)
        unmerge(merge=first, by=manager)
        assert picture() == before

    def test_a_note_on_a_thread_stands_with_the_person_of_today(self, manager: User) -> None:
        thread = Thread.objects.get(contact=contact_of(MAYA_AT_WORK))
        merge_contacts(keep=contact_of(MAYA), drop=contact_of(MAYA_AT_WORK), by=manager)
        assert write_note(thread, by=manager, text="Called back.").contact == contact_of(MAYA)

    @pytest.mark.parametrize("seed", range(6))
    def test_whatever_is_merged_undone_and_said_in_whatever_order_each_handle_keeps_its_words(
        self, channel: Channel, manager: User, seed: int
    ) -> None:
        chance, authors = random.Random(seed), [MAYA, MAYA_AT_WORK, JONAS, SOFIA]
        record(channel, [said("s0", SOFIA)])
        homes = {author.external_id: contact_of(author) for author in authors}
        for step in range(25):
            undoable = Merge.objects.filter(undone_at=None, kept__merged_into=None)
            keep, drop = chance.sample(authors, 2)
            match chance.choice(("merge", "undo", "speak")):
                case "merge" if contact_of(keep) != contact_of(drop):
                    merge_contacts(keep=contact_of(keep), drop=contact_of(drop), by=manager)
                case "undo" if undoable.exists():
                    unmerge(merge=chance.choice(list(undoable)), by=manager)
                case _:
                    record(channel, [said(f"s{step + 1}", keep, minutes=step)])
            assert_everything_is_with_its_handle()
        while merge := Merge.objects.filter(undone_at=None, kept__merged_into=None).first():
            unmerge(merge=merge, by=manager)
        assert {author.external_id: contact_of(author) for author in authors} == homes
        assert_everything_is_with_its_handle()


def assert_everything_is_with_its_handle() -> None:
    owner = dict(IdentityLink.objects.filter(ended_at=None).values_list("identity", "contact"))
    threads = list(Thread.objects.values_list("identity", "contact"))
    spoken = list(Interaction.objects.exclude(thread=None).values_list("thread__identity", "contact"))
    assert all(owner[identity] == contact for identity, contact in threads + spoken)
    met = set(Acquaintance.objects.values_list("contact", flat=True))
    assert met == {contact for _, contact in spoken}


@pytest.mark.django_db(transaction=True)
def test_posts_that_arrive_while_two_are_merged_and_parted_are_neither_lost_nor_misplaced(
    brand: Brand, manager: User
) -> None:
    channels = [make_channel(brand), make_channel(brand, account=Author("9002", handle="trailhead2"))]
    record(channels[0], [said("a", MAYA), said("b", MAYA_AT_WORK)])
    kept, dropped = contact_of(MAYA), contact_of(MAYA_AT_WORK)

    def speak(channel: Channel, name: str) -> None:
        try:
            for turn in range(40):
                batch = [
                    said(f"{name}{turn}m", MAYA, minutes=turn),
                    said(f"{name}{turn}w", MAYA_AT_WORK, minutes=turn),
                    said(f"{name}{turn}r", MAYA_AT_WORK, minutes=turn, parent="b"),
                ]
                record(channel, batch)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        speakers = [pool.submit(speak, channel, f"c{n}-") for n, channel in enumerate(channels)]
        merges = 0
        while merges < 3 or not all(speaker.done() for speaker in speakers):
            unmerge(merge=merge_contacts(keep=kept, drop=dropped, by=manager), by=manager)
            merges += 1
    assert [speaker.result() for speaker in speakers] == [None, None]
    assert Interaction.objects.count() == 2 + 2 * 40 * 3
    assert_everything_is_with_its_handle()
    assert len(timeline(kept)) == 1 + 2 * 40
