"""The list of people and the record of each."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import AuditEntry, Brand, User
from accounts.roles import Role
from channels_ingest.models import Channel
from channels_ingest.networks.base import Author
from contacts.models import Contact, ContactNote, Identity, IdentityLink, Tag
from conversations.record import record
from tests.cast import JONAS, MAYA, SOFIA, make_channel, make_user, said
from tests.conftest import BrowserOf

pytestmark = pytest.mark.django_db


def contact_of(author: Author) -> Contact:
    return Contact.objects.get(links__identity__external_id=author.external_id, links__ended_at=None)


def listed(client: Client, **query: str) -> list[str]:
    return [row.contact.name for row in client.get(reverse("contacts"), query).context["page"].rows]


@pytest.fixture
def maya(channel: Channel) -> Contact:
    record(channel, [said("1", MAYA)])
    return contact_of(MAYA)


# -- the list ---------------------------------------------------------------------------------------------------------


def test_whoever_spoke_last_stands_first(channel: Channel, agent: User, browser_of: BrowserOf) -> None:
    record(channel, [said("1", MAYA), said("2", JONAS, minutes=5), said("3", SOFIA, minutes=2)])
    assert listed(browser_of(agent)) == ["Jonas Okafor", "Sofia Rossi", "Maya Keller"]


def test_people_of_other_brands_are_not_listed(
    channel: Channel, other_brand: Brand, agent: User, browser_of: BrowserOf
) -> None:
    record(make_channel(other_brand, account=Author("9002", handle="nordlicht")), [said("1", MAYA)])
    record(channel, [said("2", JONAS)])
    assert listed(browser_of(agent)) == ["Jonas Okafor"]


def test_somebody_who_spoke_with_two_brands_stands_once_at_the_latest(
    channel: Channel, other_brand: Brand, admin: User, browser_of: BrowserOf
) -> None:
    record(channel, [said("1", MAYA), said("2", JONAS, minutes=5)])
    record(make_channel(other_brand, account=Author("9002", handle="nordlicht")), [said("3", MAYA, minutes=9)])
    assert listed(browser_of(admin)) == ["Maya Keller", "Jonas Okafor"]


def test_one_brands_people_can_be_shown_alone(
    channel: Channel, other_brand: Brand, admin: User, browser_of: BrowserOf
) -> None:
    record(channel, [said("1", MAYA)])
    record(make_channel(other_brand, account=Author("9002", handle="nordlicht")), [said("2", JONAS)])
    assert listed(browser_of(admin), brand="nordlicht") == ["Jonas Okafor"]


def test_a_brand_one_does_not_serve_is_not_found(other_brand: Brand, agent: User, browser_of: BrowserOf) -> None:
    assert browser_of(agent).get(reverse("contacts"), {"brand": other_brand.slug}).status_code == 404


@pytest.mark.parametrize("words", ["okaf", "JONAS", "jokafor", "@jokafor"])
def test_people_are_found_by_name_and_by_handle(
    channel: Channel, agent: User, browser_of: BrowserOf, words: str
) -> None:
    record(channel, [said("1", MAYA), said("2", JONAS)])
    assert listed(browser_of(agent), q=words) == ["Jonas Okafor"]


@pytest.mark.parametrize("words", ["%", "_", "\\", "'; DROP TABLE", "x" * 5000, "\0"])
def test_strange_words_find_nobody_and_break_nothing(
    channel: Channel, agent: User, browser_of: BrowserOf, words: str
) -> None:
    record(channel, [said("1", MAYA)])
    assert browser_of(agent).get(reverse("contacts"), {"q": words}).status_code == 200


def test_pages_have_neither_gap_nor_twin(
    channel: Channel, agent: User, browser_of: BrowserOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("contacts.views.PEOPLE_PER_PAGE", 4)
    people = [Author(str(n), name=f"P {n}") for n in range(5000, 5011)]
    record(channel, [said(f"i{n}", person, minutes=n // 3) for n, person in enumerate(people)])
    client, seen, after = browser_of(agent), list[str](), ""
    for _ in range(3):
        page = client.get(reverse("contacts"), {"after": after}).context["page"]
        seen += [row.contact.name for row in page.rows]
        after = page.after
    assert sorted(seen) == sorted(person.name for person in people)
    assert after == ""


def test_forty_people_cost_as_many_queries_as_two(channel: Channel, agent: User, browser_of: BrowserOf) -> None:
    client = browser_of(agent)
    record(channel, [said("1", MAYA), said("2", JONAS)])
    with CaptureQueriesContext(
        connection,
    ) as few:
        client.get(reverse("contacts"))
    record(channel, [said(f"i{n}", Author(str(n), name=f"P {n}")) for n in range(5000, 5040)])
    with CaptureQueriesContext(connection) as many:
        client.get(reverse("contacts"))
    assert len(many) == len(few) <= 9


# -- the record -------------------------------------------------------------------------------------------------------


def test_the_record_shows_the_handles_and_their_proof(maya: Contact, agent: User, browser_of: BrowserOf) -> None:
    page = browser_of(agent).get(reverse("contact", args=[maya.pk])).content.decode()
    assert "mayak" in page
    assert "18,200 followers" in page
    assert "first seen" in page


@pytest.mark.parametrize("page", ["contact", "contact-details", "contact-timeline"])
def test_an_agent_of_another_brand_does_not_find_the_record(
    maya: Contact, stranger: User, browser_of: BrowserOf, page: str
) -> None:
    assert browser_of(stranger).get(reverse(page, args=[maya.pk])).status_code == 404


@pytest.mark.parametrize("deed", ["contact-tags", "contact-notes", "contact-details"])
def test_an_agent_of_another_brand_writes_nothing_on_the_record(
    maya: Contact, stranger: User, browser_of: BrowserOf, deed: str
) -> None:
    answer = browser_of(stranger).post(reverse(deed, args=[maya.pk]), {"name": "x", "text": "x"})
    assert answer.status_code == 404


def test_details_are_edited(maya: Contact, agent: User, browser_of: BrowserOf) -> None:
    details = {"name": "Maya K.", "email": "maya@example.com", "phone": "+49 30 1234"}
    browser_of(agent).post(reverse("contact-details", args=[maya.pk]), details)
    maya.refresh_from_db()
    assert (maya.name, maya.email, maya.phone) == ("Maya K.", "maya@example.com", "+49 30 1234")


def test_the_audit_log_names_the_changed_details_without_what_they_say(
    maya: Contact, agent: User, browser_of: BrowserOf
) -> None:
    browser_of(agent).post(reverse("contact-details", args=[maya.pk]), {"name": maya.name, "email": "m@example.com"})
    entry = AuditEntry.objects.get(kind="contact", verb="changed")
    assert entry.details == {"fields": ["email"]}


@pytest.mark.parametrize(
    ("field", "value"),
    [("email", "no address"), ("phone", "call me"), ("name", "x" * 201), ("language", "x" * 17), ("name", "a\0b")],
)
def test_bad_details_are_not_saved(maya: Contact, agent: User, browser_of: BrowserOf, field: str, value: str) -> None:
    answer = browser_of(agent).post(reverse("contact-details", args=[maya.pk]), {field: value})
    assert field in answer.context["form"].errors
    assert Contact.objects.get(pk=maya.pk).name == "Maya Keller"


def test_tags_are_put_on_and_taken_off(maya: Contact, agent: User, browser_of: BrowserOf) -> None:
    client = browser_of(agent)
    client.post(reverse("contact-tags", args=[maya.pk]), {"name": "  press   people "})
    tag = maya.tags.get()
    assert tag.name == "press people"
    client.post(reverse("contact-tag-remove", args=[maya.pk, tag.pk]))
    assert not maya.tags.exists()


def test_a_tag_in_other_capitals_is_the_same_tag(maya: Contact, agent: User, browser_of: BrowserOf) -> None:
    Tag.objects.create(name="VIP")
    browser_of(agent).post(reverse("contact-tags", args=[maya.pk]), {"name": "vip"})
    assert [tag.name for tag in maya.tags.all()] == ["VIP"]


@pytest.mark.parametrize("name", ["", "   ", "x" * 51, "a\0b"])
def test_a_bad_tag_is_refused_with_words(maya: Contact, agent: User, browser_of: BrowserOf, name: str) -> None:
    answer = browser_of(agent).post(reverse("contact-tags", args=[maya.pk]), {"name": name})
    assert answer.context["tag_form"].errors
    assert not Tag.objects.exists()


def test_a_note_is_read_by_the_people_of_its_brand_alone(
    maya: Contact, other_brand: Brand, agent: User, stranger: User, browser_of: BrowserOf
) -> None:
    record(make_channel(other_brand, account=Author("9002", handle="nordlicht")), [said("9", MAYA)])
    address = reverse("contact", args=[maya.pk])
    browser_of(agent).post(
        reverse("contact-notes", args=[maya.pk]), {"text": "Likes tea.", "brand": agent.brands.get().pk}
    )
    assert "Likes tea." in browser_of(agent).get(address).content.decode()
    assert "Likes tea." not in browser_of(stranger).get(address).content.decode()


@pytest.mark.parametrize("text", ["", "   ", "x" * 5001, "a\0b"])
def test_a_bad_note_is_refused_with_words(
    maya: Contact, brand: Brand, agent: User, browser_of: BrowserOf, text: str
) -> None:
    answer = browser_of(agent).post(reverse("contact-notes", args=[maya.pk]), {"text": text, "brand": brand.pk})
    assert "text" in answer.context["note_form"].errors
    assert not ContactNote.objects.exists()


def test_a_note_is_not_written_for_a_brand_one_does_not_serve(
    maya: Contact, other_brand: Brand, agent: User, browser_of: BrowserOf
) -> None:
    answer = browser_of(agent).post(reverse("contact-notes", args=[maya.pk]), {"text": "x", "brand": other_brand.pk})
    assert "brand" in answer.context["note_form"].errors


def test_only_its_writer_deletes_a_note(
    maya: Contact, brand: Brand, agent: User, colleague: User, browser_of: BrowserOf
) -> None:
    note = ContactNote.objects.create(contact=maya, brand=brand, by=agent, text="x")
    address = reverse("contact-note-delete", args=[maya.pk, note.pk])
    assert browser_of(colleague).post(address).status_code == 404
    browser_of(agent).post(address)
    assert not ContactNote.objects.exists()


def test_what_people_call_themselves_is_shown_as_text(channel: Channel, agent: User, browser_of: BrowserOf) -> None:
    evil = Author("66", handle="<b>x", name="<script>alert(1)</script>")
    record(channel, [said("1", evil, "<img src=x onerror=alert(1)>")])
    client, contact = browser_of(agent), contact_of(evil)
    pages = [reverse("contacts"), *(reverse(name, args=[contact.pk]) for name in ("contact", "contact-timeline"))]
    for page in pages:
        words = client.get(page).content.decode()
        assert "<script>alert" not in words
        assert "<img src=x" not in words


# -- merging ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def jonas(channel: Channel) -> Contact:
    record(channel, [said("2", JONAS, minutes=1)])
    return contact_of(JONAS)


def test_a_manager_finds_compares_and_merges(
    maya: Contact, jonas: Contact, manager: User, browser_of: BrowserOf
) -> None:
    client = browser_of(manager)
    found = client.get(reverse("contact-merge-search", args=[maya.pk]), {"q": "jon"}).context["candidates"]
    assert list(found) == [jonas]
    both = client.get(reverse("contact-merge", args=[maya.pk, jonas.pk])).content.decode()
    assert "Maya Keller" in both
    assert "Jonas Okafor" in both
    client.post(reverse("contact-merge", args=[maya.pk, jonas.pk]), {"note": "They told us by phone."})
    assert contact_of(JONAS) == maya


def test_a_merge_needs_a_reason(maya: Contact, jonas: Contact, manager: User, browser_of: BrowserOf) -> None:
    answer = browser_of(manager).post(reverse("contact-merge", args=[maya.pk, jonas.pk]), {"note": " "})
    assert "note" in answer.context["form"].errors
    assert contact_of(JONAS) == jonas


def test_a_contact_with_itself_is_refused_with_words(maya: Contact, manager: User, browser_of: BrowserOf) -> None:
    answer = browser_of(manager).post(reverse("contact-merge", args=[maya.pk, maya.pk]), {"note": "x"})
    assert answer.context["form"].non_field_errors()


def test_an_agent_does_not_merge(maya: Contact, jonas: Contact, agent: User, browser_of: BrowserOf) -> None:
    answer = browser_of(agent).post(reverse("contact-merge", args=[maya.pk, jonas.pk]), {"note": "x"})
    assert answer.status_code == 403


def test_nobody_is_merged_with_somebody_one_cannot_see(
    maya: Contact, other_brand: Brand, manager: User, browser_of: BrowserOf
) -> None:
    record(make_channel(other_brand, account=Author("9002", handle="nordlicht")), [said("5", SOFIA)])
    address = reverse("contact-merge", args=[maya.pk, contact_of(SOFIA).pk])
    assert browser_of(manager).post(address, {"note": "x"}).status_code == 404


def test_the_old_address_leads_to_the_kept_contact_and_back_after_the_undo(
    maya: Contact, jonas: Contact, manager: User, browser_of: BrowserOf
) -> None:
    client = browser_of(manager)
    client.post(reverse("contact-merge", args=[maya.pk, jonas.pk]), {"note": "x"})
    old = reverse("contact", args=[jonas.pk])
    assert client.get(old).headers["Location"] == reverse("contact", args=[maya.pk])
    merge = maya.merges.get()
    client.post(reverse("contact-merge-undo", args=[maya.pk, merge.pk]))
    assert client.get(old).status_code == 200


def test_the_old_address_tells_a_stranger_nothing(
    maya: Contact, jonas: Contact, manager: User, stranger: User, browser_of: BrowserOf
) -> None:
    browser_of(manager).post(reverse("contact-merge", args=[maya.pk, jonas.pk]), {"note": "x"})
    assert browser_of(stranger).get(reverse("contact", args=[jonas.pk])).status_code == 404


# -- what the database itself refuses ---------------------------------------------------------------------------------


def test_a_handle_exists_once_in_its_network(maya: Contact) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Identity.objects.create(network="twitter", external_id=MAYA.external_id)


def test_a_handle_belongs_to_one_contact_at_a_time(maya: Contact) -> None:
    link = IdentityLink.objects.get(contact=maya)
    with pytest.raises(IntegrityError), transaction.atomic():
        IdentityLink.objects.create(identity=link.identity, contact=Contact.objects.create(), proof="judgement")


def test_a_user_of_no_brand_sees_nobody(maya: Contact, browser_of: BrowserOf) -> None:
    assert listed(browser_of(make_user(Role.AGENT))) == []
