"""The catalogues of the languages that the product speaks: whole, safe to fill in, and compiled."""

from __future__ import annotations

import re
from gettext import GNUTranslations
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from babel.messages.pofile import read_po
from django.conf import settings

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog

LANGUAGES = [code for code, _name in settings.LANGUAGES if code != settings.LANGUAGE_CODE]
PLACES = re.compile(r"%\(\w+\)[sd]|%[sd]|\{[^}|]*|</?\w+")  # what is filled in, and tags


def catalogue(language: str, ending: str) -> Path:
    return Path(settings.BASE_DIR) / "locale" / language / "LC_MESSAGES" / f"django.{ending}"


@pytest.fixture(params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def written(language: str) -> Catalog:
    with catalogue(language, "po").open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def forms(told: object) -> tuple[str, ...]:
    return (told,) if isinstance(told, str) else tuple(str(form) for form in told) if isinstance(told, tuple) else ()


def test_every_message_is_translated_and_looked_at(written: Catalog) -> None:
    assert [one.id for one in written if one.id and (not all(forms(one.string)) or one.fuzzy)] == []


def test_nothing_that_is_filled_in_is_lost(written: Catalog) -> None:
    def places(text: str) -> list[str]:
        return sorted(PLACES.findall(text))

    changed = [
        one.id
        for one in written
        if one.id
        and any(places(form) not in [places(source) for source in forms(one.id)] for form in forms(one.string))
    ]
    assert changed == []


def test_what_is_compiled_is_what_is_written(written: Catalog, language: str) -> None:
    with catalogue(language, "mo").open("rb") as file:
        compiled = GNUTranslations(file)
    stale = [one.id for one in written if isinstance(one.id, str) and one.id and not one.context
             and compiled.gettext(one.id) != one.string]  # fmt: skip
    assert stale == []
