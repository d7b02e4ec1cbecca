"""The languages people write in, by the names their readers know."""

from __future__ import annotations

import unicodedata

from django.conf import settings
from django.conf.locale import LANG_INFO
from django.utils.translation import get_language_info
from django.utils.translation import gettext_lazy as _

OWN = {"zh": _("Chinese"), "no": _("Norwegian"), "nb": _("Norwegian Bokmål")}  # Django has no (German) word for these


def language_name(code: str) -> str:
    """The name of a language in the reader's own; its code where there is no name."""
    if code in OWN:
        return str(OWN[code])
    return str(get_language_info(code)["name_translated"]).capitalize() if code in LANG_INFO else code


def heard() -> list[tuple[str, str]]:
    """Code and name of every language that this install tells apart."""
    return [(code, language_name(code)) for code in settings.LANGUAGES_HEARD]


def others() -> list[tuple[str, str]]:
    """Code and name of every other language that somebody may read, by name."""
    codes = {code for code in LANG_INFO if "-" not in code} | set(OWN)
    named = [(code, language_name(code)) for code in codes.difference(settings.LANGUAGES_HEARD)]
    return sorted(named, key=lambda one: unicodedata.normalize("NFKD", one[1]).casefold())
