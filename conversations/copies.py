"""Takes the words of removed items out of the places they were copied to: drafts, notes, answers, macros, articles."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from django.db.models import F, QuerySet, TextField, Value
from django.db.models.functions import Cast, Replace
from django.utils import timezone
from django.utils.translation import gettext as _

from conversations.models import Approval, Article, Draft, Interaction, Macro, SearchEntry

SHORTEST = 12  # characters; shorter words ("thanks") say nothing of anybody, and stand everywhere
INSTEAD = "[…]"
_NAMES = re.compile(r"^(?:@\w+\s+)+")


def forget(keys: Collection[int], threads: Collection[int], texts: Collection[str]) -> None:
    """Blanks copies of these texts of the items `keys`: colleagues quote within the thread; articles name their source.

    Quoted words that stand in an answer of ours on the network stay there until somebody deletes that answer.
    """
    _empty_articles(keys)
    for text in sorted({piece for whole in texts for piece in _pieces(whole)}, key=len, reverse=True):
        _blank(Draft.objects.filter(thread_id__in=threads), text)
        _blank(Approval.objects.filter(delivery__thread_id__in=threads), text)
        _blank(Macro.objects.all(), text)
        said = Interaction.objects.filter(thread_id__in=threads).exclude(pk__in=keys)
        quoting = list(said.filter(text__contains=text).values_list("pk", flat=True))
        SearchEntry.objects.filter(pk__in=quoting).delete()
        _blank(Interaction.objects.filter(pk__in=quoting), text, indexed=False)


def _pieces(text: str) -> set[str]:
    """The text as it may be quoted: whole or line by line, with or without the names it begins with."""
    found = {text.strip(), *(line.strip() for line in text.splitlines())}
    found |= {_NAMES.sub("", piece) for piece in found}
    return {piece for piece in found if len(piece) >= SHORTEST}


def _blank(rows: QuerySet[Any], text: str, **more: Any) -> None:
    without = Replace(Cast(F("text"), TextField()), Value(text), Value(INSTEAD))
    rows.filter(text__contains=text).update(text=without, **more)


def _empty_articles(keys: Collection[int]) -> None:
    """An article that quotes a removed answer is public no longer, and holds nothing of it."""
    Article.objects.filter(source_id__in=keys).update(
        title=_("Deleted"),
        text=_("The answer that this quoted was deleted by its author."),
        state=Article.State.WITHDRAWN,
        consent=None,
        consent_at=None,
        consent_by=None,
        changed_at=timezone.now(),
    )
