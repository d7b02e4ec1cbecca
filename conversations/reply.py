"""Writes an answer: an interaction and its delivery row in one transaction. A worker sends it afterwards."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.audit import audit
from accounts.failpoints import failpoint
from accounts.models import User
from accounts.roles import Permission
from channels_ingest import speaking, wake
from channels_ingest.networks.base import Action, Visibility
from contacts.locks import keep_people
from contacts.models import Identity
from conversations import actions, approval, attachments, lint, live, promises, summaries
from conversations.actions import KeyUsed, NotPossible
from conversations.allowed import Possibility, possibilities
from conversations.lint import Finding
from conversations.models import Delivery, Interaction, Lane, Thread
from conversations.record import PRIVATE_LANE


class SomethingNewer(NotPossible):
    """The customer wrote again since the composer was opened; `items` are the new ones."""

    def __init__(self, items: list[Interaction]) -> None:
        super().__init__(_("Something newer has arrived. Read it, then send again if your answer still fits."))
        self.items = items


class AlreadyAnswered(NotPossible):
    """A colleague answered the same item; `answer` is what was written."""

    def __init__(self, answer: Interaction) -> None:
        super().__init__(_("%(name)s has already answered this.") % {"name": answer.sent_by or _("A colleague")})
        self.answer = answer


class Personal(NotPossible):
    """The draft says in public what is personal; `findings` say what and where."""

    def __init__(self, findings: list[Finding]) -> None:
        what = ", ".join(dict.fromkeys(finding.words for finding in findings))
        super().__init__(_("This would be public: %(what)s. Take it out or write in private.") % {"what": what})
        self.findings = findings


class ItemChanged(NotPossible):
    """The item that is being answered was edited or deleted meanwhile: `before` is what its writer read, `now` what
    stands there (empty when it is gone)."""

    def __init__(self, before: str, item: Interaction) -> None:
        gone = item.removed_at is not None
        words = _("What you are answering was deleted.") if gone else _("What you are answering was edited.")
        super().__init__(words + " " + _("Send again if your answer still fits."))
        self.before, self.now, self.item = before, "" if gone else item.text, item


@dataclass(frozen=True, slots=True)
class Read:
    """The item an answer is for, as its writer read it."""

    item: int
    version: int
    text: str


@dataclass(frozen=True, slots=True)
class Vow:
    """A promise its writer confirmed: `due_at` is aware."""

    words: str
    due_at: datetime
    owner: User


def reply(
    thread: Thread,
    *,
    by: User,
    text: str,
    action: Action,
    key: uuid.UUID,
    seen: int | None = None,
    confirmed: bool = False,
    override: bool = False,
    vow: Vow | None = None,
    read: Read | None = None,
    pictures: Mapping[int, str] | None = None,
    purpose: str = "",
) -> Interaction:
    """Queues an answer. The same key gives the same answer back, however often it comes.

    `seen` is the id of the newest inbound interaction its writer saw; `confirmed` sends although something newer
    arrived, a colleague answered, or the item was not any more what its writer `read`; `override` sends what the
    privacy check holds back, where the role may (it is logged). `vow` writes the promise in the answer down;
    `pictures` are the ids of attachments its writer began, with their descriptions; where the network takes a picture
    only alone, each becomes an answer of its own, which leaves after what stands before it. `purpose` is what
    the product proposed its draft for: a hand-over line is no closing word.
    Raises NotPossible (or one of its kinds above) and writes nothing then.
    """
    words = text.replace("\x00", "").strip()
    shown = pictures or {}
    known = _by_key(key, thread, words, action, by, pictures=shown)
    if known is not None:
        return known
    if read is not None and not confirmed:
        _ask_if_changed(thread, read)
    possible = possibilities(thread).of(action)
    _check(possible, words, shown)
    overridden = _check_privacy(possible, words, by, override=override)
    try:
        with transaction.atomic():
            said = _write(
                thread, possible, by=by, words=words, key=key, seen=seen, confirmed=confirmed, purpose=purpose
            )
            _show(said, possible, by=by, key=key, pictures=shown)
            if overridden:
                audit(by=by, verb="send personal", on=said, brand=thread.brand_id, kinds=overridden)
            if vow is not None:
                promises.make(said, words=vow.words, due_at=vow.due_at, owner=vow.owner, by=by)
            failpoint("reply.writing")
    except IntegrityError:
        # the same key, or another answer to the same item, was written in the same moment
        known = _by_key(key, thread, words, action, by, pictures=shown)
        if known is None:
            raise AlreadyAnswered(_answer_to(possible)) from None
        return known
    failpoint("reply.written")
    return said


def _by_key(
    key: uuid.UUID, thread: Thread, words: str, action: Action, by: User, *, pictures: Collection[int]
) -> Interaction | None:
    delivery = Delivery.objects.select_related("interaction", "approval").filter(key=key).first()
    if delivery is None:
        return None
    asked = getattr(delivery, "approval", None)  # whoever approved it may have changed the words
    text = asked.text if asked else delivery.interaction.text
    before = (delivery.thread_id, delivery.action, text, delivery.interaction.sent_by_id)
    if before != (thread.pk, action.value, words, by.pk):
        raise KeyUsed(_("This was sent before with other words."))
    if delivery.interaction.removed_at is None and _shown_by(key) != set(pictures):
        raise KeyUsed(_("This was sent before with other pictures."))
    return delivery.interaction


def _shown_by(key: uuid.UUID) -> set[int]:
    """The ids of the pictures of the answer of this key, and of those that became answers of their own."""
    keys = [key, *(_own_key(key, number) for number in range(attachments.MOST_BEGUN))]
    said = Interaction.objects.filter(delivery__key__in=keys).values_list("media", flat=True)
    return {one["attachment"] for media in said for one in media if "attachment" in one}


def _show(said: Interaction, possible: Possibility, *, by: User, key: uuid.UUID, pictures: Mapping[int, str]) -> None:
    """Puts pictures into `said`, or, where each goes alone, into answers of their own after its words; in the
    transaction that writes `said`. These leave one after the other: none before it is settled what became of the one
    before, so that each is found again by itself."""
    alone = attachments.go_alone(possible)
    parts = [{pk: pictures[pk]} for pk in sorted(pictures)] if alone else [pictures]
    for number, part in enumerate(parts):
        apart = alone and (said.text or number)
        shows = _apart(said, possible, by=by, key=_own_key(key, number)) if apart else said
        attachments.say_with(shows, by=by, action=possible.action, wanted=part)


def _own_key(key: uuid.UUID, number: int) -> uuid.UUID:
    """The key of an answer that a picture makes by itself: the same for the same answer."""
    return uuid.uuid5(key, f"picture {number}")


def _apart(said: Interaction, possible: Possibility, *, by: User, key: uuid.UUID) -> Interaction:
    """An answer without words after `said`."""
    if said.thread is None:
        return said
    purpose = said.delivery.purpose
    return _write(said.thread, possible, by=by, words="", key=key, seen=None, confirmed=True, purpose=purpose)


def _check(possible: Possibility, words: str, pictures: Mapping[int, str]) -> None:
    if not possible.verdict.allowed or possible.item is None:
        raise NotPossible(possible.verdict.reason)
    attachments.check(possible, words=words, pictures=pictures)
    length = speaking.speak_for(possible.item.channel).length(words)
    if possible.limit is not None and length > possible.limit:
        raise NotPossible(
            _("Too long by %(count)d: the network takes %(limit)d.")
            % {"count": length - possible.limit, "limit": possible.limit}
        )


def _check_privacy(possible: Possibility, words: str, by: User, *, override: bool) -> list[str]:
    """The kinds of personal data that go out all the same, knowingly. Raises Personal."""
    findings = lint.personal(words) if possible.action == Action.REPLY else []
    if findings and not (override and by.may(Permission.OVERRIDE)):
        raise Personal(findings)
    return sorted({finding.kind.value for finding in findings})


def _write(
    thread: Thread,
    possible: Possibility,
    *,
    by: User,
    words: str,
    key: uuid.UUID,
    seen: int | None,
    confirmed: bool,
    purpose: str,
) -> Interaction:
    keep_people()
    locked = _lock(thread)
    item = _still_there(possible, locked)
    if not confirmed:
        _ask_if_newer(locked, seen)
    second = _ask_if_answered(item, by, confirmed)
    said = _say(locked, item, possible, by=by, words=words)
    delivery = _queue(locked, said, item, possible, by=by, key=key, second=second, purpose=purpose)
    if said.is_private:
        _private_lane(locked, said)
    actions.settle_mentions(locked, by=by)
    if delivery.state == Delivery.State.HELD:
        approval.ask(delivery, by=by)
    summaries.refresh([locked.pk])
    live.announce(locked.brand_id, [locked.pk])
    transaction.on_commit(lambda: wake.up("conversations.tasks.send_due"))
    return said


def _lock(thread: Thread) -> Thread:
    threads = Thread.objects.select_for_update(no_key=True, of=("self",)).select_related("identity", "brand")
    return threads.get(pk=thread.pk)


def _still_there(possible: Possibility, thread: Thread) -> Interaction:
    """The item that is answered. Raises NotPossible where it does not stand in the thread (any more)."""
    if possible.item is None:
        raise NotPossible(possible.verdict.reason)
    if not thread.interactions.filter(pk=possible.item.pk).exists():
        raise NotPossible(_("What you answer went to another thread meanwhile."))
    return possible.item


def _say(thread: Thread, item: Interaction, possible: Possibility, *, by: User, words: str) -> Interaction:
    private = possible.action == Action.MESSAGE
    below = not private or possible.private_reply
    return Interaction.objects.create(
        channel_id=item.channel_id,
        kind="message" if private else "comment" if item.kind == "comment" else "reply",
        direction=Interaction.Direction.OUT,
        visibility=Visibility.PRIVATE if private else Visibility.PUBLIC,
        author=_our_identity(item),
        sent_by=by,
        thread=thread,
        contact_id=thread.contact_id,
        parent=item if below else None,
        parent_external_id=(item.external_id or "") if below else "",
        root_external_id="" if private else item.root_external_id,
        text=words,
        posted_at=timezone.now(),
    )


def _queue(
    thread: Thread,
    said: Interaction,
    item: Interaction,
    possible: Possibility,
    *,
    by: User,
    key: uuid.UUID,
    second: bool,
    purpose: str,
) -> Delivery:
    """Public words leave after the time in which they can be taken back, or once somebody approved them."""
    held = approval.is_needed(by, possible.action)
    wait = 0 if said.is_private else thread.brand.undo_seconds
    return Delivery.objects.create(
        key=key,
        state=Delivery.State.HELD if held else Delivery.State.QUEUED,
        interaction=said,
        channel_id=item.channel_id,
        thread=thread,
        answers=item,
        second=second,
        action=possible.action,
        private_reply=possible.private_reply,
        purpose="" if said.is_private else purpose,
        recipient_external_id=item.author.external_id if item.author else "",
        not_before=Now() + timedelta(seconds=wait),
    )


def _ask_if_newer(thread: Thread, seen: int | None) -> None:
    if seen is None:
        return
    anchor = thread.interactions.filter(pk=seen).values_list("received_at", flat=True).first()
    newer = thread.interactions.filter(direction=Interaction.Direction.IN, removed_at=None).exclude(pk=seen)
    items = list(newer.filter(received_at__gt=anchor).order_by("posted_at", "id")[:5]) if anchor else []
    if items:
        raise SomethingNewer(items)


def _ask_if_changed(thread: Thread, read: Read) -> None:
    item = thread.interactions.filter(pk=read.item).first()
    if item is None:
        return
    edited = item.version != read.version and item.text.split() != read.text.split()
    if edited or item.removed_at is not None:
        raise ItemChanged(read.text, item)


def _ask_if_answered(item: Interaction, by: User, confirmed: bool) -> bool:
    """Whether this is a second answer to the item, knowingly written. Raises AlreadyAnswered."""
    answer = _living_answers(item).select_related("interaction__sent_by").first()
    if answer is None:
        return False
    if answer.interaction.sent_by_id != by.pk and not confirmed:
        raise AlreadyAnswered(answer.interaction)
    return True


def _living_answers(item: Interaction) -> QuerySet[Delivery]:
    return Delivery.objects.filter(answers=item).exclude(state__in=(Delivery.State.FAILED, Delivery.State.CANCELLED))


def _answer_to(possible: Possibility) -> Interaction:
    if possible.item is None:
        raise NotPossible(possible.verdict.reason)
    return _living_answers(possible.item).select_related("interaction__sent_by").latest("id").interaction


def _our_identity(item: Interaction) -> Identity:
    channel = item.channel
    identity, _new = Identity.objects.get_or_create(
        network=channel.network,
        external_id=channel.external_id,
        defaults={"handle": channel.handle, "name": channel.name, "avatar_url": channel.avatar_url, "ours": True},
    )
    return identity


def _private_lane(thread: Thread, said: Interaction) -> None:
    """What this person writes in private from now on belongs to this thread."""
    Lane.objects.update_or_create(
        channel_id=said.channel_id,
        root_external_id=PRIVATE_LANE,
        identity_id=thread.identity_id,
        defaults={"thread": thread, "visibility": Visibility.PRIVATE},
    )
