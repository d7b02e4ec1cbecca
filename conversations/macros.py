"""Macros: a text with variables and safe fall-backs, and the steps that go with it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.audit import audit
from accounts.models import User
from contacts.models import Tag
from conversations import actions
from conversations.actions import NotPossible
from conversations.models import Macro, Thread, ThreadEvent

_VARIABLE = re.compile(r"\{([^{}|]*)(?:\|([^{}|]*))?\}")
VARIABLES = ("first name", "name", "handle", "agent", "brand", "channel")


def check(text: str) -> None:
    """Raises NotPossible for a variable there is not, or one that may be empty and has no fall-back."""
    for match in _VARIABLE.finditer(text):
        name = match[1].strip().lower()
        if name not in VARIABLES:
            raise NotPossible(
                _("There is no variable “%(name)s”. Use one of: %(all)s.")
                % {"name": match[1], "all": ", ".join(VARIABLES)}
            )
        if name in ("first name", "name") and match[2] is None:
            raise NotPossible(
                _("Say what stands there for a customer without a name: {%(name)s|there}.") % {"name": name}
            )


def values_for(thread: Thread, user: User) -> dict[str, str]:
    """What the variables stand for on this thread; empty where nothing is known."""
    name = thread.contact.name or thread.identity.name
    return {
        "first name": name.split()[0] if name.split() else "",
        "name": name,
        "handle": f"@{thread.identity.handle}" if thread.identity.handle else "",
        "agent": user.name.split()[0] if user.name.split() else "",
        "brand": thread.brand.name,
        "channel": thread.channel.name or thread.channel.handle,
    }


def render(text: str, values: Mapping[str, str]) -> str:
    """The text with its variables filled in, or their fall-backs. An unknown variable stays as it was written."""

    def fill(match: re.Match[str]) -> str:
        name = match[1].strip().lower()
        return (values[name] or (match[2] or "").strip()) if name in values else match[0]

    return _VARIABLE.sub(fill, text)


def write(macro: Macro, *, by: User) -> None:
    """Makes the macro or changes it."""
    with transaction.atomic():
        macro.save()
        audit(by=by, verb="write macro", on=macro, brand=macro.brand_id, name=macro.name)


def delete(macro: Macro, *, by: User) -> None:
    with transaction.atomic():
        audit(by=by, verb="delete macro", on=macro, brand=macro.brand_id, name=macro.name)
        macro.delete()


def usable_by(user: User, thread: Thread, words: str = "") -> QuerySet[Macro]:
    """The macros this colleague may use on this thread: shared or their own, of its brand or of all; those in the
    thread's language first. `words` narrows by name or text."""
    macros = Macro.objects.filter(purpose="").filter(
        Q(owner=None) | Q(owner=user), Q(brand=None) | Q(brand=thread.brand_id)
    )
    for word in words.replace("\x00", "").split()[:5]:
        macros = macros.filter(Q(name__icontains=word) | Q(text__icontains=word))
    if thread.language:
        macros = macros.filter(Q(language="") | Q(language=thread.language))
    return macros.order_by("-language", "name", "id")


def take_steps(macro: Macro, thread: Thread, *, by: User) -> list[str]:
    """Does what the macro says besides its text; returns what was done. All or nothing. Raises NotPossible."""
    done: list[str] = []
    steps = macro.steps
    with transaction.atomic():
        if names := steps.get("tags"):
            tag_thread(thread, names=names, by=by)
            done.append(_("tagged %(tags)s") % {"tags": ", ".join(names)})
        if steps.get("assign") == "me":
            actions.assign(thread, to=by, by=by)
            done.append(_("assigned to you"))
        if hours := steps.get("snooze_hours"):
            actions.snooze(thread, until=timezone.now() + timedelta(hours=hours), by=by)
            done.append(_("snoozed"))
        if steps.get("close"):
            actions.close(thread, by=by)
            done.append(_("closed"))
    return done


def told(macro: Macro) -> list[str]:
    """The macro's steps in words, for whoever is about to use it."""
    steps = macro.steps
    words = [_("tags %(tags)s") % {"tags": ", ".join(steps["tags"])}] if steps.get("tags") else []
    if steps.get("assign") == "me":
        words.append(_("assigns to you"))
    if hours := steps.get("snooze_hours"):
        words.append(_("snoozes for %(hours)d h") % {"hours": hours})
    if steps.get("close"):
        words.append(_("closes"))
    return words


def tag_thread(thread: Thread, *, names: list[str], by: User) -> None:
    """Adds tags by name, making those there are not yet; history tells of those that were not on already. Raises
    NotPossible for an empty or overlong name."""
    cleaned = list(dict.fromkeys(" ".join(name.split()).lower() for name in names))
    if any(not name or len(name) > 50 for name in cleaned):
        raise NotPossible(_("A tag has between 1 and 50 letters."))
    with transaction.atomic():
        Tag.objects.bulk_create([Tag(name=name) for name in cleaned], ignore_conflicts=True)
        on_already = set(thread.tags.filter(name__in=cleaned).values_list("name", flat=True))
        new = [name for name in cleaned if name not in on_already]
        if new:
            thread.tags.add(*Tag.objects.filter(name__in=new))
            actions.note_event(thread, ThreadEvent.Verb.TAGGED, by, tags=new)


def untag_thread(thread: Thread, *, name: str, by: User) -> None:
    """Takes a tag off, where it is on."""
    with transaction.atomic():
        tag = thread.tags.filter(name=name.replace("\x00", "")).first()
        if tag is not None:
            thread.tags.remove(tag)
            actions.note_event(thread, ThreadEvent.Verb.UNTAGGED, by, tags=[tag.name])
