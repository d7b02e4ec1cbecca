"""What moods and priorities are called, and why they were understood so."""

from __future__ import annotations

import re

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from conversations.languages import language_name

READINGS = {
    "negative": gettext_lazy("negative"),
    "neutral": gettext_lazy("neutral"),
    "positive": gettext_lazy("positive"),
    "normal": gettext_lazy("normal"),
    "high": gettext_lazy("urgent"),
    "unsure": gettext_lazy("unsure"),
    "unknown": gettext_lazy("unknown"),
}
# what the readers of `conversations.understanding` give as their reasons
REASONS = {
    "too few words": gettext_lazy("too few words"),
    "two models agree": gettext_lazy("two models agree"),
    "only English can be read so far": gettext_lazy("only English can be read so far"),
    "danger": gettext_lazy("danger"),
    "stranded": gettext_lazy("stranded"),
    "says it is urgent": gettext_lazy("says it is urgent"),
    "a date that is near": gettext_lazy("a date that is near"),
    "asked before": gettext_lazy("asked before"),
    "about to leave": gettext_lazy("about to leave"),
    "shouting": gettext_lazy("shouting"),
}
_TWO = re.compile(r"one model says (\w+), the other (\w+)\Z")
_SCORE = re.compile(r"score ([+-][\d.]+)(.*)", re.DOTALL)


def told(why: str) -> str:
    """A reason as it is kept, in the language of the page; one that has no words there as it is."""
    if match := _TWO.match(why):
        one, other = (language_name(code) for code in match.groups())
        return _("one model says %(one)s, the other %(other)s") % {"one": one, "other": other}
    if match := _SCORE.match(why):
        return _("score %(score)s") % {"score": match[1]} + match[2]
    return ", ".join(str(REASONS.get(part, part)) for part in why.split(", "))
