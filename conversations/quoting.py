"""Quotations in answers."""

from __future__ import annotations

from conversations.models import Interaction, Thread


def quoted(thread: Thread, wanted: str, how: str = "") -> str:
    """What `?quote=<id>` puts into the composer: the words of an item of this thread, or (`how` is "link") its link."""
    item = None
    if wanted.isdecimal() and len(wanted) < 19:
        item = Interaction.objects.filter(thread=thread, pk=int(wanted), removed_at=None).first()
    if item is not None and how == "link":
        return item.permalink
    return f"“{item.text.strip()}”\n" if item is not None and item.text.strip() else ""
