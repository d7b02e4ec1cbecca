"""Drawings come from the one sprite: no sign of a font stands in for them, and none is missing."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

from django.conf import settings

BASE = Path(settings.BASE_DIR)
PUNCTUATION = set("·…“”—–’×")  # of sentences and sums


def pages() -> list[Path]:
    return [*(BASE / "templates").rglob("*.*"), *(BASE / "static").rglob("*.js"), *(BASE / "static").rglob("*.css")]


def test_no_sign_of_a_font_is_used_as_an_icon() -> None:
    signs = {
        (path.name, sign)
        for path in pages()
        for sign in set(path.read_text()) - PUNCTUATION
        if not sign.isascii() and not unicodedata.category(sign).startswith("L")
    }
    assert signs == set()


def test_every_icon_that_is_named_is_drawn() -> None:
    drawn = set(re.findall(r'<symbol id="([\w-]+)"', (BASE / "static/img/icons.svg").read_text()))
    named = {
        name
        for path in (BASE / "templates").rglob("*.*")
        for name in re.findall(r"""icon(?: |\()["']([\w-]+)["']|icons\.svg["'][^#]*#([\w-]+)""", path.read_text())
        for name in name
        if name
    }
    assert named - drawn == set()
