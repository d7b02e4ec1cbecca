"""Pictures in answers: taken in, described, sent with the answer, taken back with it.

A file is hostile until its first bytes say what it is. It is shown only to those who see its thread, as a picture and
nothing else, and leaves by the network's own module.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext as _

from channels_ingest.media import sniff
from channels_ingest.networks.base import Action, Picture, Pictures
from conversations.actions import NotPossible
from conversations.models import Attachment, Thread

if TYPE_CHECKING:
    from django.core.files.uploadedfile import UploadedFile
    from django.db.models import QuerySet

    from accounts.models import User
    from channels_ingest.models import Channel
    from conversations.allowed import Possibility
    from conversations.models import Interaction

MOST_BEGUN = 8  # of one colleague on one thread
LONGEST_ALT = 1000
KINDS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WebP", "image/gif": "GIF"}


def taken_by(channel: Channel) -> Mapping[Action, Pictures]:
    """What the channel's network takes, by the way of answering; empty where it takes none."""
    return channel.adapter.supports.media


def taken_on(possible: Possibility) -> Pictures | None:
    """What this way of answering takes now. A picture that goes alone does not open a private conversation."""
    takes = taken_by(possible.item.channel).get(possible.action) if possible.item else None
    return None if takes is not None and takes.alone and possible.private_reply else takes


def go_alone(possible: Possibility) -> bool:
    """Whether a picture is an answer of its own here, without words."""
    takes = taken_on(possible)
    return takes is not None and takes.alone


def check(possible: Possibility, *, words: str, pictures: Mapping[int, str]) -> None:
    """Raises NotPossible for words or pictures that this way of answering does not take."""
    if not words and not (pictures and go_alone(possible)):
        raise NotPossible(_("An answer needs words."))
    if pictures and possible.private_reply and taken_on(possible) is None:
        raise NotPossible(_("The first private message takes words alone. Remove the picture."))


def keep(thread: Thread, *, by: User, given: UploadedFile[bytes], name: str = "", alt: str = "") -> Attachment:
    """Takes a picture in. Raises NotPossible for what no way of answering here takes."""
    ways = taken_by(thread.channel).values()
    if not ways:
        name = thread.channel.network_name
        raise NotPossible(_("Pictures cannot be sent to %(name)s from here.") % {"name": name})
    largest = max(way.largest for way in ways)
    if (given.size or 0) > largest:
        raise NotPossible(_("Too large: %(limit)d MB at most.") % {"limit": largest // (1024 * 1024)})
    content = given.read(largest + 1)
    kind = sniff(content)
    if len(content) > largest or not any(kind in way.types for way in ways):
        kinds = ", ".join(dict.fromkeys(KINDS[one] for way in ways for one in way.types))
        raise NotPossible(_("This is no picture that can be sent: %(kinds)s.") % {"kinds": kinds})
    name = (name or given.name or "").replace("\x00", "")[-120:] or KINDS[kind]
    with transaction.atomic():
        Thread.objects.select_for_update(no_key=True).get(pk=thread.pk)  # who counts waits for who puts in
        if begun(thread, by).count() >= MOST_BEGUN:
            raise NotPossible(_("No more pictures: remove one first."))
        return Attachment.objects.create(
            thread=thread, by=by, name=name, content_type=kind, size=len(content), content=content, alt=_described(alt)
        )


def begun(thread: Thread, by: User) -> QuerySet[Attachment]:
    """What this colleague has put in here and not sent, oldest first, without the bytes."""
    return Attachment.objects.filter(thread=thread, by=by, interaction=None).order_by("id").defer("content")


def describe(thread: Thread, *, by: User, words: Mapping[int, str]) -> None:
    """Keeps what was typed as descriptions, by id."""
    for one in begun(thread, by).filter(pk__in=words):
        alt = _described(words[one.pk])
        Attachment.objects.filter(pk=one.pk, interaction=None).exclude(alt=alt).update(alt=alt)


def described(thread: Thread, *, by: User, ids: Collection[int]) -> dict[int, str]:
    """These pictures with the descriptions they have; none for one that is not (any more) a begun one of theirs."""
    known = dict(begun(thread, by).filter(pk__in=ids).values_list("pk", "alt"))
    return {pk: known.get(pk, "") for pk in ids}


def _described(words: str) -> str:
    return " ".join(words.replace("\x00", "").split())[:LONGEST_ALT]


def drop(thread: Thread, *, by: User, pk: int) -> None:
    begun(thread, by).filter(pk=pk).delete()


def say_with(said: Interaction, *, by: User, action: Action, wanted: Mapping[int, str]) -> None:
    """Puts pictures (id: description) into an answer; in the caller's transaction. Raises NotPossible."""
    if not wanted or said.thread is None:
        return
    takes = taken_by(said.channel).get(action)
    if takes is None:
        raise NotPossible(_("This way of answering takes no pictures. Remove them."))
    describe(said.thread, by=by, words=wanted)
    rows = list(begun(said.thread, by).filter(pk__in=wanted).select_for_update(no_key=True))
    if len(rows) != len(wanted):
        raise NotPossible(_("A picture is not there any more. Look again before you send."))
    if len(rows) > takes.most:
        raise NotPossible(_("Too many pictures: %(most)d at most.") % {"most": takes.most})
    wrong = [one.name for one in rows if one.content_type not in takes.types or one.size > takes.largest]
    if wrong:
        raise NotPossible(_("This picture cannot be sent this way: %(names)s.") % {"names": ", ".join(wrong)})
    Attachment.objects.filter(pk__in=wanted).update(interaction=said)
    said.media = [{"kind": "image", "url": "", "alt": one.alt, "preview_url": "", "attachment": one.pk} for one in rows]
    said.save(update_fields=("media",))


def release(interaction_id: int) -> None:
    """The answer was taken back: its pictures are begun ones again."""
    Attachment.objects.filter(interaction=interaction_id).update(interaction=None)


def to_send(said: Interaction) -> tuple[Picture, ...]:
    rows = said.attachments.order_by("pk") if said.media else ()
    return tuple(Picture(bytes(one.content), one.content_type, one.alt) for one in rows)
