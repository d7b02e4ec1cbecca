"""What the demo's colleagues did: answers, notes, assignments, tags. All through the same actions as the pages."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from accounts.models import Team, User
from channels_ingest.networks.base import Action
from contacts.merge import merge_contacts
from contacts.models import Contact, ContactNote, Identity, IdentityLink, Tag
from conversations import actions
from conversations.deliver import send_due
from conversations.models import Interaction, Thread
from conversations.reply import reply
from scrm.demo import desk
from scrm.demo.cast import CUSTOMERS
from scrm.demo.script import SAID
from scrm.demo.stage import Stage

KEYS = uuid.UUID("6f0a2a0e-3d1c-4c52-9d4b-2f6a5b1f0c11")  # the answers' keys follow from it: sent once, however often


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer written in the product, in the thread that holds the post `to`."""

    to: str
    by: str
    text: str
    private: bool = False


ANSWERS = (
    Answer("boots", "ben", "Gus, three pairs is three too many, and the hotline is on us as well. A pair from another "
           "batch goes out today, you need not return the old ones. I will call you when it ships. Ben"),
    Answer("letter", "ben", "Bonjour Claire, quelle semaine ! Les tirettes renforcées existent bien : quatre partent "
           "aujourd'hui, elles se clipsent sans outil et tiennent avec des gants. Gardez vos sacs. Bonne montagne, Ben"),
    Answer("stakes", "ana", "Hello Maya, Ana here. Which order is it, and may we send the stakes to the address we have in "
           "Innsbruck?", private=True),
    Answer("akira-1", "ana", "田中様、アルパイン40の背面長はM/Lで50cm、L/XLで56cmです。182cmの方にはL/XLをおすすめします。",
           private=True),
    Answer("red", "ana", "We will know on Thursday, Jonas, and so will your friend. 😄"),
    Answer("moka-2", "lena", "Could not have said it better than Rosa. Enjoy your cup! ☕"),
    Answer("advent-3", "lena", "Dieses Jahr leider nicht, Tim. Der entkoffeinierte Hafen schmeckt mit etwas "
           "Orangenschale aber ganz ähnlich."),
)  # fmt: skip
ASSIGNED = {
    "boots": "ben", "letter": "ben", "stakes": "ana", "akira-1": "ana", "red": "ana", "noura": "ana",
    "grinder": "lena", "billed": "lena", "moka": "lena", "advent-3": "lena",
}  # fmt: skip
TO_TEAMS = {"stove": "Gear experts"}
NOTES = (
    ("boots", "mira", "Batch GR-2209 again. Quality wants photos of the soles; offer an exchange without return."),
    (
        "stove",
        "mira",
        "@Gear experts, Walt's advice is dangerous. We must answer in public before the evening, Sofia already warned.",
    ),
    (
        "stakes",
        "ana",
        "@Mira Novak, warehouse has twelve sets left. A courier leaves at 18:40: may I send one for free?",
    ),
    ("billed", "lena", "Payment provider confirms the double charge for 11 customers. Rosa is one of them."),
)
SNOOZED = (("red", "ana", 3),)  # days
CLOSED = (("vest", "ana"), ("tents-3", "ana"), ("billed", "lena"))
READ = (("stakes", "ana"), ("boots", "ana"), ("grinder", "lena"))
DETAILS = {
    "mayak": {"email": "maya.keller@example.com", "location": "Innsbruck", "organisation": "Alpine school Nordkette"},
    "beanqueen": {"email": "rosa@lindqvist.example", "location": "Malmö"},
    "grumpygus": {"phone": "+44 20 7946 0018", "location": "Leeds"},
    "tim_becker": {"location": "Kiel", "language": "de"},
    "claire_d": {"location": "Chambéry", "language": "fr"},
}
# Who was found to be one person, and how: the X account's contact is kept, the one of the Facebook account goes into it.
MERGED = (("mayak", "mira", "Told us in a direct message that both accounts are hers."),)
CONTACT_NOTES = (
    ("mayak", "ana", "Leads ski tours and writes about gear. Prefers direct messages, answers late in the evening."),
    ("grumpygus", "ben", "Only ever by name, never \"dear customer\". Was a loyal buyer until 2024."),
)  # fmt: skip


class Office:
    """The demo's colleagues at work on what `stage` brought in. Every step may be repeated."""

    def __init__(self, stage: Stage, colleagues: Iterable[User]) -> None:
        self.stage = stage
        self.people = {user.email.split("@")[0]: user for user in colleagues}
        self.said = {said.key: said for said in SAID}
        self.left_out: list[str] = []

    def work(self) -> None:
        self._know_people()
        for key, who in ASSIGNED.items():
            actions.assign(self._thread(key), to=self.people[who], by=self.people["mira"])
        for key, name in TO_TEAMS.items():
            actions.assign(self._thread(key), to=self._team(key, name), by=self.people["mira"])
        for key, who, text in NOTES:
            self._note(key, who, text)
        if self.stage.answers:
            self._answer()
        desk.lay_out(self.people, self._thread, self._item)
        desk.promise({answer.to: _key(answer) for answer in ANSWERS}, self.people)
        for key, who, days in SNOOZED:
            actions.snooze(self._thread(key), until=timezone.now() + timedelta(days=days), by=self.people[who])
        for key, who in CLOSED:
            actions.close(self._thread(key), by=self.people[who])
        for key, who in READ:
            actions.mark_seen(self._thread(key), by=self.people[who])

    def _item(self, key: str) -> Interaction:
        channel = self.stage.channel(self.said[key])
        items = Interaction.objects.select_related("thread", "channel", "author")
        return items.get(channel=channel, external_id=self.stage.ids[key])

    def _thread(self, key: str) -> Thread:
        thread = self._item(key).thread
        if thread is None:
            raise LookupError(f"{key} stands in no thread")
        return thread

    def _team(self, key: str, name: str) -> Team:
        return Team.objects.get(brand=self._thread(key).brand_id, name=name)

    def _note(self, key: str, who: str, text: str) -> None:
        thread = self._thread(key)
        if not thread.interactions.filter(text=text).exists():
            actions.write_note(thread, by=self.people[who], text=text)

    def _answer(self) -> None:
        for answer in ANSWERS:
            action = Action.MESSAGE if answer.private else Action.REPLY
            by, key = self.people[answer.by], _key(answer)
            try:
                reply(self._thread(answer.to), by=by, text=answer.text, action=action, key=key)
            except actions.NotPossible as reason:
                self.left_out.append(f"{answer.to}: {reason}")
        while send_due():
            pass
        self.stage.go_on()

    def _know_people(self) -> None:
        for customer in CUSTOMERS:
            for contact in _contacts(customer.handle):
                contact.tags.add(*(Tag.objects.get_or_create(name=name)[0] for name in customer.tags))
                Contact.objects.filter(pk=contact.pk).update(**DETAILS.get(customer.handle, {}))
        for handle, who, reason in MERGED:
            self._merge(_contacts(handle), self.people[who], reason)
        for handle, who, text in CONTACT_NOTES:
            for contact in _contacts(handle)[:1]:
                ContactNote.objects.get_or_create(contact=contact, text=text, defaults={"by": self.people[who]})

    def _merge(self, contacts: list[Contact], by: User, reason: str) -> None:
        for other in contacts[1:]:
            merge_contacts(keep=contacts[0], drop=other, by=by, proof=IdentityLink.Proof.CLAIMED, note=reason)


def _key(answer: Answer) -> uuid.UUID:
    return uuid.uuid5(KEYS, answer.to)


def _contacts(handle: str) -> list[Contact]:
    """The contacts behind the person's accounts, the one of the X account first."""
    accounts = Identity.objects.filter(Q(handle=handle) | Q(name=_name(handle)), ours=False)
    links = IdentityLink.objects.filter(identity__in=accounts, ended_at=None).select_related("contact")
    found = {link.contact_id: link.contact for link in links.order_by("-identity__network")}
    return list(found.values())


def _name(handle: str) -> str:
    return next(customer.name for customer in CUSTOMERS if customer.handle == handle)
