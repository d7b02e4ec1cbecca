"""Parts of a page that are drawn once: they depend on the values they are given, and on nothing else."""

from __future__ import annotations

import pytest
from django.template import Context, Template
from django.utils import translation

from accounts.models import User
from scrm.templatetags.shell import kept


def links(section: str, *permissions: str) -> str:
    return kept("_shell/links.html", section=section, may=dict.fromkeys(permissions, True))


def test_a_part_is_drawn_anew_for_other_permissions() -> None:
    assert ('href="/channels/"' in links("", "channels"), 'href="/channels/"' in links("", "read")) == (True, False)


def test_a_part_is_drawn_anew_for_another_page() -> None:
    assert links("inbox", "read") != links("contacts", "read")


def test_a_part_is_drawn_once() -> None:
    assert links("inbox", "read") is links("inbox", "read")


def test_a_part_is_kept_for_each_language() -> None:
    with translation.override("de"):
        german = kept("_shell/words.html")
    assert german is not kept("_shell/words.html")


def test_a_part_sees_nothing_of_the_page_around_it() -> None:
    page = Template('{% load shell %}{% kept "_shell/links.html" section=section %}')
    drawn = page.render(Context({"section": "inbox", "may": {"read": True}}))
    assert "<a " not in drawn


def test_nothing_of_a_person_can_be_kept() -> None:
    with pytest.raises(TypeError):
        kept("_shell/links.html", may=User(email="maya@example.com"))  # type: ignore[arg-type]
