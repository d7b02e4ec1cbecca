"""How urgent a text is: plain rules, each with a name that is shown. Made for English and German."""

from __future__ import annotations

import re

from conversations.understanding.base import Value

HIGH, NORMAL = "high", "normal"

_DANGER = (
    r"\b(fire|smoke|burn(t|ed|ing)|injur\w+|bleed\w*|electric shock|allergic|explod\w+|unsafe"
    r"|gefahr\w*|verletz\w+|brennt|rauch)\b"
)
_STRANDED = r"\b(stranded|locked out|stuck (at|in|on)|no (power|heating|water)|gestrandet|ausgesperrt)\b"
_URGENT = r"\b(urgent\w*|asap|emergency|immediately|right now|dringend|sofort|notfall|eilt)\b"
_NEAR = r"\b(today|tonight|tomorrow|this (morning|afternoon|evening)|heute|morgen|in an hour)\b"
_AGAIN = (
    r"\b((second|third|fourth|2nd|3rd|\dth) (time|e-?mail|message|call)|still (no|not|waiting)|again and again"
    r"|days? (now )?without|schon wieder|immer noch)\b"
)
_LEAVING = r"\b(cancel\w*|switch(ing)? to|never again|refund|lawyer|legal action|sue|kündig\w+|anwalt)\b"
_SHOUTING = r"!{3,}|\b[A-Z]{4,}(?:\s+[A-Z]{3,}){2,}"

_RULES: tuple[tuple[str, int, re.Pattern[str]], ...] = (
    ("danger", 3, re.compile(_DANGER, re.IGNORECASE)),
    ("stranded", 2, re.compile(_STRANDED, re.IGNORECASE)),
    ("says it is urgent", 2, re.compile(_URGENT, re.IGNORECASE)),
    ("a date that is near", 1, re.compile(_NEAR, re.IGNORECASE)),
    ("asked before", 1, re.compile(_AGAIN, re.IGNORECASE)),
    ("about to leave", 1, re.compile(_LEAVING, re.IGNORECASE)),
    ("shouting", 1, re.compile(_SHOUTING)),
)
ENOUGH = 2


class UrgencyReader:
    kind = "urgency"
    source = "rules 1"

    def read(self, text: str, language: str = "") -> Value:
        hits = [(name, weight) for name, weight, pattern in _RULES if pattern.search(text[:5000])]
        urgent = sum(weight for _, weight in hits) >= ENOUGH
        return Value(HIGH if urgent else NORMAL, why=", ".join(name for name, _ in hits))
