"""What moods and priorities are called."""

from __future__ import annotations

from django.utils.translation import gettext_lazy

READINGS = {
    "negative": gettext_lazy("negative"),
    "neutral": gettext_lazy("neutral"),
    "positive": gettext_lazy("positive"),
    "normal": gettext_lazy("normal"),
    "high": gettext_lazy("urgent"),
}
