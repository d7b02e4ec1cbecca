"""Whether a comment or message on Facebook is what we sent."""

from __future__ import annotations

import unicodedata

from channels_ingest.networks.base import Action, Outgoing, Post


def is_it(item: Post, out: Outgoing, our_id: str) -> bool:
    """Whether this item is what `out` became."""
    if item.author.external_id != our_id or not same_words(item.text, out.text):
        return False
    return out.action == Action.MESSAGE or _below(item, out)


def _below(item: Post, out: Outgoing) -> bool:
    """An answer to an answer may have been put beside what it answers: Facebook shows two levels."""
    if not out.parent_id:
        return item.parent_id is None
    nested = out.root_id not in ("", out.parent_id)
    return item.parent_id == out.parent_id or (nested and item.parent_id not in (None, out.root_id))


def same_words(one: str, two: str) -> bool:
    """Whether two texts say the same, blanks aside."""
    return _plain(one) == _plain(two)


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())
