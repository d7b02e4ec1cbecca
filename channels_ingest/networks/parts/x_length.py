"""How X counts characters: twitter-text, configuration version 3.

Source: github.com/twitter/twitter-text, config/v3.json: weights 100 in four ranges and 200 elsewhere, scale 100, an
address counts 23 however long it is, an emoji counts 2 however many code points make it.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

LIMIT = 280
URL_WEIGHT = 23
EMOJI_WEIGHT = 2

_LIGHT = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))

# Addresses without a scheme are links too when they end in a real top-level domain. These are the usual ones; an
# address under a rarer domain is counted letter by letter.
_DOMAINS = (
    "com|org|net|edu|gov|mil|int|info|biz|name|mobi|pro|app|dev|io|co|ai|me|tv|cc|ly|gg|fm|am|xyz|online|site|shop|"
    "store|blog|news|tech|cloud|page|link|live|agency|support|help|email|social|team|today|world|life|space|club|eu|"
    "uk|us|de|fr|es|it|nl|be|ch|at|pl|pt|se|no|dk|fi|ie|cz|gr|hu|ro|ru|ua|tr|il|ae|sa|in|pk|cn|jp|kr|tw|hk|sg|my|th|"
    "vn|id|ph|au|nz|ca|mx|br|ar|cl|pe|za|ng|ke|eg|ma"
)
_PICTURE = (
    "[\u203c\u2049\u2122\u2139\u2194-\u2199\u21a9\u21aa\u231a\u231b\u2328\u23cf\u23e9-\u23f3\u23f8-\u23fa\u24c2"
    "\u25aa\u25ab\u25b6\u25c0\u25fb-\u25fe\u2600-\u27bf\u2934\u2935\u2b05-\u2b07\u2b1b\u2b1c\u2b50\u2b55\u3030\u303d"
    "\u3297\u3299\U0001f000-\U0001faff]"
)


@cache
def _addresses() -> re.Pattern[str]:
    host = r"(?:[a-z0-9](?:[a-z0-9_-]{0,62}[a-z0-9])?\.)+"
    rest = r"(?::\d{1,5})?(?:[/?#][^\s<>\"]*[^\s<>\".,:;!?()'\]}…])?/?"
    return re.compile(
        rf"(?<![@#$\w./-])(?:https?://{host}[a-z][a-z0-9-]{{1,62}}{rest}|{host}(?:{_DOMAINS})(?![\w@-]){rest})",
        re.IGNORECASE,
    )


@cache
def _emoji() -> re.Pattern[str]:
    one = f"{_PICTURE}[\ufe0e\ufe0f]?[\U0001f3fb-\U0001f3ff]?[\U000e0020-\U000e007f]*"
    return re.compile(f"[\U0001f1e6-\U0001f1ff]{{2}}|[0-9#*]\ufe0f?\u20e3|{one}(?:\u200d{one})*")


def addresses(text: str) -> list[str]:
    """The web addresses in a text, in their order."""
    return _addresses().findall(text)


def replace_addresses(text: str, by: str) -> str:
    return _addresses().sub(by, text)


def weighted_length(text: str) -> int:
    """How much of the 280 the text takes."""
    text = unicodedata.normalize("NFC", text)
    text, links = _addresses().subn("", text)
    text, pictures = _emoji().subn("", text)
    return links * URL_WEIGHT + pictures * EMOJI_WEIGHT + sum(map(_weight, text))


def _weight(character: str) -> int:
    code = ord(character)
    return 1 if any(first <= code <= last for first, last in _LIGHT) else 2
