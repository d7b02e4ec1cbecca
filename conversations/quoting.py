"""Quotations in answers."""

from __future__ import annotations

from accounts.ids import id_of
from conversations.models import Interaction, Thread


def quoted(thread: Thread, wanted: str, how: str = "") -> str:
    """What `?quote=<id>` puts into the composer: the words of an item of this thread, or (`how` is "link") its link."""
    pk = id_of(wanted)
    item = Interaction.objects.filter(thread=thread, pk=pk, removed_at=None).first() if pk is not None else None
    if item is not None and how == "link":
        return item.permalink
    return f"“{item.text.strip()}”\n" if item is not None and item.text.strip() else ""
