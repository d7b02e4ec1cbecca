"""What our mails have in common."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings


def named(kind: str, key: object) -> dict[str, str]:
    """The headers of a mail that keeps its name when it is sent again: readers then show it once."""
    return {"Message-ID": f"<{kind}-{key}@{urlsplit(settings.PUBLIC_URL).hostname or 'localhost'}>"}
