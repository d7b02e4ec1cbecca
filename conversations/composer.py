"""What the composer of a thread shows: the ways to answer, what was typed, and why it was not sent."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from accounts.choosing import tidied
from accounts.ids import id_of
from accounts.models import User
from channels_ingest.networks.base import Action, Pictures, Verdict
from conversations import attachments, drafts, macros
from conversations.allowed import Possibilities, Possibility, possibilities
from conversations.audience import Audience, audience_of
from conversations.belongings import NOT_ASKED, Belongings
from conversations.forms import LANES, NOTE, Whom
from conversations.lint import seal
from conversations.proofread import proofread
from conversations.reply import AlreadyAnswered, ItemChanged, SomethingNewer

if TYPE_CHECKING:
    from conversations.actions import NotPossible
    from conversations.lint import Finding
    from conversations.models import Attachment, Draft, Interaction, Thread
    from conversations.promises import Promised

AROUND = 24  # letters beside a finding
MARKED = 80


@dataclass(frozen=True, slots=True)
class Lane:
    """One way to answer. `reason` says why not where it is not allowed, or what to mind where it is."""

    key: str
    label: str
    allowed: bool
    reason: str = ""
    until: datetime | None = None
    limit: int | None = None
    opens_private: bool = False  # the first private word after a public item
    answers: Interaction | None = None
    pictures: Pictures | None = None  # what the network takes


@dataclass(slots=True)
class Composer:
    """`key` stays the same until the answer is written: Send pressed twice is one answer."""

    lanes: list[Lane]
    chosen: str
    audience: Audience
    private: Verdict  # whether the customer can be reached in private
    begun: Sequence[Draft] = ()  # by colleagues
    text: str = ""
    drafts: Mapping[str, str] = field(default_factory=dict)  # what was begun in the other lanes
    key: str = field(default_factory=lambda: str(uuid.uuid4()))
    seen: int | None = None
    problem: str = ""
    newer: Sequence[Interaction] = ()
    changed: ItemChanged | None = None
    notice: str = ""
    findings: Sequence[Found] = ()
    sealed: bool = False  # its writer said of these very words that they go out all the same
    promise: Asked | None = None
    macro: str = ""  # id of the macro whose steps go with this answer
    steps: Sequence[str] = ()
    pictures: Sequence[Attachment] = ()  # begun, and not sent yet

    @classmethod
    def fresh(cls, thread: Thread, by: User, lane: str = "", has: Belongings = NOT_ASKED) -> Composer:
        """With this colleague's draft, on the lane asked for, or begun, or where the customer spoke last."""
        possible = possibilities(thread)
        lanes = _lanes(possible)
        on_thread = drafts.begun_on(thread) if has.drafts else []
        begun = {draft.lane: draft.text for draft in on_thread if draft.user_id == by.pk}
        usual = _first_choice(thread, lanes)
        may = {one.key for one in lanes if one.allowed}
        pictured = has.pictures and attachments.taken_by(thread.channel)
        chosen = next((key for key in (lane, *((usual,) if usual in begun else begun)) if key in may), usual)
        return cls(
            lanes=lanes,
            chosen=chosen,
            audience=audience_of(thread),
            private=possible.message.verdict,
            begun=[draft for draft in on_thread if draft.user_id != by.pk],
            text=begun.pop(chosen, ""),
            drafts=begun,
            pictures=list(attachments.begun(thread, by)) if pictured else (),
        )

    @classmethod
    def again(
        cls,
        thread: Thread,
        by: User,
        given: Mapping[str, Any],
        *,
        problem: str = "",
        refused: NotPossible | None = None,
        fresh_key: bool = False,
    ) -> Composer:
        """With what was typed, and why it was not sent. What is newer has been shown then, so that the next Send does
        not ask again for it."""
        composer = cls.fresh(thread, by, str(given.get("lane", "")))
        composer.text = str(given.get("text", ""))
        if any(lane.key == given.get("lane") for lane in composer.lanes):
            composer.chosen = str(given["lane"])
        if not fresh_key:
            composer.key = _uuid(given.get("key")) or composer.key
        composer.problem = problem or str(refused or "")
        composer.newer = _newer(refused)
        composer.changed = refused if isinstance(refused, ItemChanged) else None
        inbound = (item.pk for item in composer.newer if item.is_inbound)
        composer.seen = max(inbound, default=id_of(given.get("seen")))
        composer.take_macro(thread, by, id_of(given.get("macro")))
        composer.proofread(thread, by, given)
        return composer

    def take_macro(self, thread: Thread, by: User, pk: int | None) -> None:
        macro = macros.usable_by(by, thread).filter(pk=pk).first() if pk else None
        if macro is not None:
            self.macro, self.steps = str(macro.pk), macros.told(macro)

    def proofread(self, thread: Thread, by: User, given: Mapping[str, Any]) -> None:
        """Marks what there is to say about the text."""
        proof = proofread(thread, self.text, lane=self.chosen, by=by)
        self.findings = found_in(self.text, proof.findings)
        self.sealed = given.get("override") == self.seal
        if proof.promise is not None:
            self.promise = Asked.of(proof.promise, given, thread.brand_id)

    @property
    def picture_types(self) -> str:
        """What a file field accepts; empty where no way of answering takes pictures."""
        ways = [lane.pictures for lane in self.lanes if lane.pictures is not None]
        return ",".join(dict.fromkeys(one for way in ways for one in way.types))

    @property
    def pictures_described(self) -> bool:
        """Whether a way of answering takes a description for those who do not see the picture."""
        return any(lane.pictures.described for lane in self.lanes if lane.pictures is not None)

    @property
    def pictures_alone(self) -> bool:
        """Whether a way of answering takes a picture without words."""
        return any(lane.pictures.alone for lane in self.lanes if lane.pictures is not None)

    @property
    def seal(self) -> str:
        return seal(self.text)

    @property
    def blocked(self) -> bool:
        return any(found.blocking for found in self.findings)

    @property
    def ask_again(self) -> bool:
        """Whether the next Send has to say that it is meant all the same."""
        return bool(self.newer or self.changed)

    @property
    def lane(self) -> Lane:
        return next(lane for lane in self.lanes if lane.key == self.chosen)


@dataclass(frozen=True, slots=True)
class Found:
    """A finding as it is shown: the words around it, and itself marked."""

    kind: str
    start: int
    end: int
    before: str
    marked: str
    after: str
    words: str
    blocking: bool


def found_in(text: str, findings: Sequence[Finding]) -> list[Found]:
    return [
        Found(
            kind=one.kind.value,
            start=one.start,
            end=one.end,
            before=("…" if one.start > AROUND else "") + text[max(one.start - AROUND, 0) : one.start],
            marked=text[one.start : one.end][:MARKED],
            after=text[one.end : one.end + AROUND] + ("…" if one.end + AROUND < len(text) else ""),
            words=one.words,
            blocking=one.blocking,
        )
        for one in findings
    ]


@dataclass(frozen=True, slots=True)
class Asked:
    """The promise that its writer is asked to confirm; `due` is in the writer's time zone, as an input shows it."""

    words: str
    day: date  # as the words were understood, whatever its writer chose instead
    due: str
    among: Whom  # who can own it: of a crowd those whose names hold what was searched for
    find: str = ""
    owner: User | None = None  # whom its writer chose; else it is the writer
    kept: bool = True  # ticked

    @classmethod
    def of(cls, promised: Promised, given: Mapping[str, Any], brand_id: int) -> Asked:
        """With what its writer said of this very promise already."""
        understood = timezone.localtime(promised.due_at)
        due = understood.strftime("%Y-%m-%dT%H:%M")
        if given.get("promise_words") != promised.words:
            return cls(promised.words, understood.date(), due, Whom([brand_id]))
        find = tidied(str(given.get("find", "")))
        return cls(
            promised.words,
            understood.date(),
            due=str(given.get("promise_due") or due),
            among=Whom([brand_id], find),
            find=find,
            owner=User.objects.serving([brand_id]).filter(pk=id_of(given.get("promise_owner")) or 0).first(),
            kept=bool(given.get("promise")),
        )


def _newer(refused: NotPossible | None) -> Sequence[Interaction]:
    match refused:
        case SomethingNewer():
            return refused.items
        case AlreadyAnswered():
            return [refused.answer]
    return ()


def _lanes(possible: Possibilities) -> list[Lane]:
    found = {Action.REPLY.value: _lane_of(possible.reply), Action.MESSAGE.value: _lane_of(possible.message)}
    return [found.get(key) or Lane(key, str(label), True) for key, label in LANES]


def _lane_of(possible: Possibility) -> Lane:
    verdict = possible.verdict
    return Lane(
        key=possible.action.value,
        label=str(dict(LANES)[possible.action.value]),
        allowed=verdict.allowed,
        reason=verdict.reason,
        until=verdict.until,
        limit=possible.limit,
        opens_private=possible.private_reply,
        answers=possible.item,
        pictures=attachments.taken_on(possible),
    )


def _first_choice(thread: Thread, lanes: Sequence[Lane]) -> str:
    """Where the customer spoke last, if we may answer there; else the first open lane."""
    answerable = [lane for lane in lanes if lane.allowed and lane.key != NOTE and not lane.opens_private]
    newest = max(
        answerable, key=lambda lane: lane.answers.posted_at if lane.answers else thread.created_at, default=None
    )
    return newest.key if newest else next(lane.key for lane in lanes if lane.allowed)


def _uuid(value: Any) -> str:
    try:
        return str(uuid.UUID(str(value)))
    except ValueError:
        return ""
