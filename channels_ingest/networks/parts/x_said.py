"""Whether a post or message on X is what we sent: X changes texts on their way (links, escapes, leading names)."""

from __future__ import annotations

import re
import unicodedata

from channels_ingest.networks.base import Action, Item, Outgoing, Post
from channels_ingest.networks.parts import x_length, x_posts

_LEADING_NAMES = re.compile(r"^(?:@\w{1,20}\s+)+")
_SHORTENED = re.compile(r"^https?://t\.co/\w+$", re.IGNORECASE)


def is_it(item: Item, out: Outgoing, our_id: str) -> bool:
    """Whether this item is what `out` became."""
    if not isinstance(item, Post) or item.author.external_id != our_id:
        return False
    if out.action == Action.REPLY and not _below(item, out):
        return False
    return same_words(item.text, out.text)


def _below(item: Post, out: Outgoing) -> bool:
    parents = {out.parent_id, str(out.facts.get("latest_id") or out.parent_id)}
    return (item.parent_id or "") in parents


def same_words(theirs: str, ours: str) -> bool:
    """Whether two texts say the same: blanks, leading names, escapes and the form of links aside. A link that X still
    shows shortened matches any link."""
    if _bare(theirs) != _bare(ours):
        return False
    links = zip(x_length.addresses(_plain(theirs)), x_length.addresses(_plain(ours)), strict=True)
    return all(_SHORTENED.match(one) or _same_link(one, two) for one, two in links)


def _plain(text: str) -> str:
    while (undone := x_posts.unescaped(text)) != text:
        text = undone
    text = " ".join(unicodedata.normalize("NFC", text).split())
    return _LEADING_NAMES.sub("", text)


def _bare(text: str) -> str:
    return x_length.replace_addresses(_plain(text), "<link>")


def _same_link(one: str, two: str) -> bool:
    return _link(one) == _link(two)


def _link(address: str) -> str:
    return re.sub(r"^https?://", "", address, flags=re.IGNORECASE).rstrip("/").lower()
