"""The languages people write in, by the names their readers know."""

from __future__ import annotations

from django.conf import settings
from django.conf.locale import LANG_INFO
from django.utils.translation import get_language_info


def language_name(code: str) -> str:
    """The name of a language in the reader's own; its code where there is no name."""
    return str(get_language_info(code)["name_translated"]).capitalize() if code in LANG_INFO else code


def heard() -> list[tuple[str, str]]:
    """Code and name of every language that this install tells apart."""
    return [(code, language_name(code)) for code in settings.LANGUAGES_HEARD]
