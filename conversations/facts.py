"""What stands below the head of a thread: who hears it, what was understood, its tags, promises and begun answers."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from contacts.models import Tag
from conversations import promises
from conversations.audience import Audience
from conversations.belongings import NOT_ASKED, Belongings
from conversations.languages import heard, language_name
from conversations.models import Interaction, Promise, Reading, Thread
from conversations.readings import CHOICES
from conversations.words import READINGS, told

UNKNOWN = ("unknown", "unsure")


@dataclass(frozen=True, slots=True)
class Understood:
    """One value that was read from the newest inbound item, and where it comes from."""

    kind: str
    label: str
    value: str
    shown: str
    why: str
    source: str
    tentative: bool  # a model's guess
    vague: bool  # says nothing without its label
    choices: list[tuple[str, str]]
    item: int


@dataclass(frozen=True, slots=True)
class Facts:
    audience: Audience
    understood: list[Understood]
    tags: list[Tag]
    promises: list[Promise]


def facts_of(thread: Thread, audience: Audience, has: Belongings = NOT_ASKED) -> Facts:
    """Three queries at most."""
    return Facts(
        audience=audience,
        understood=_understood(thread),
        tags=list(thread.tags.order_by("name")) if has.tags else [],
        promises=promises.open_on(thread) if has.promises else [],
    )


def _understood(thread: Thread) -> list[Understood]:
    readings = Reading.objects.filter(
        interaction__thread=thread, interaction__direction=Interaction.Direction.IN, interaction__removed_at=None
    )
    reading = readings.order_by("-interaction__posted_at", "-interaction_id").first()
    if reading is None:
        return []
    values = (("language", reading.language), ("mood", reading.mood), ("urgency", reading.urgency))
    return [_one(reading, kind, value) for kind, value in values]


def _one(reading: Reading, kind: str, value: str) -> Understood:
    words, value = {key: str(name) for key, name in READINGS.items()}, value or "unknown"
    return Understood(
        kind=kind,
        label=_labels()[kind],
        value=value,
        shown=words.get(value) or language_name(value),
        why=told(reading.why.get(kind, "")),
        source=reading.sources.get(kind, ""),
        tentative=kind == "mood" and kind not in reading.corrections and value not in UNKNOWN,
        vague=value in (*UNKNOWN, "neutral", "normal"),
        choices=[(one, words.get(one, one)) for one in CHOICES[kind]] if kind in CHOICES else heard(),
        item=reading.pk,
    )


def _labels() -> dict[str, str]:
    return {"language": _("Language"), "mood": _("Mood"), "urgency": _("Urgency")}
