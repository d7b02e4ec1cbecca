"""How X counts a text, and where mentions, hashtags and links stand in it."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

LIMIT = 280
URL = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]]", re.IGNORECASE)
MENTION = re.compile(r"(?<![\w@])@([A-Za-z0-9_]{1,15})\b")
HASHTAG = re.compile(r"(?<![\w&#])#(\w*[^\W\d]\w*)")
LINK_LENGTH = 23  # every link counts as a t.co link

# https://docs.x.com/fundamentals/counting-characters: these ranges weigh 1, all else 2, an emoji sequence 2.
LIGHT = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))
EMOJI = re.compile(
    "(?:[\U0001f1e6-\U0001f1ff]{2}"
    "|[#*0-9]\ufe0f?\u20e3"
    "|[\u00a9\u00ae\u203c-\u3299\U0001f000-\U0001faff]\ufe0f?[\U0001f3fb-\U0001f3ff]?"
    "(?:\u200d[\u2600-\u27bf\U0001f000-\U0001faff]\ufe0f?[\U0001f3fb-\U0001f3ff]?)*)"
)


def weighted_length(text: str) -> int:
    """The length of a post as X counts it (limit 280)."""
    normal = unicodedata.normalize("NFC", text)
    links = len(URL.findall(normal)) * LINK_LENGTH
    rest = URL.sub("", normal)
    total = 0
    position = 0
    for match in EMOJI.finditer(rest):
        total += _plain_length(rest[position : match.start()])
        total += 2 if _is_emoji(match.group()) else _plain_length(match.group())
        position = match.end()
    return links + total + _plain_length(rest[position:])


def _is_emoji(found: str) -> bool:
    return len(found) > 1 or ord(found) >= 0x1F000 or unicodedata.category(found) == "So"


def _plain_length(text: str) -> int:
    return sum(1 if any(low <= ord(char) <= high for low, high in LIGHT) else 2 for char in text)


def entities(text: str, ids: dict[str, str]) -> dict[str, Any]:
    """X's `entities` of a text. `ids` are user ids by lower-case user name."""
    mentions = [
        {"start": found.start(), "end": found.end(), "username": found[1]}
        | ({"id": ids[found[1].lower()]} if found[1].lower() in ids else {})
        for found in MENTION.finditer(text)
    ]
    hashtags = [{"start": found.start(), "end": found.end(), "tag": found[1]} for found in HASHTAG.finditer(text)]
    urls = [
        {
            "start": found.start(),
            "end": found.end(),
            "url": found[0],
            "expanded_url": found[0],
            "display_url": found[0].split("//", 1)[1][:30],
        }
        for found in URL.finditer(text)
    ]
    found_all = {"mentions": mentions, "hashtags": hashtags, "urls": urls}
    return {name: values for name, values in found_all.items() if values}


def links(text: str) -> bool:
    return URL.search(text) is not None
