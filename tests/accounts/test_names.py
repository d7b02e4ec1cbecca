"""Names that somebody gave themselves, in sentences without markup."""

from __future__ import annotations

import pytest

from accounts.names import LONGEST, in_a_sentence


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Maya Keller", "Maya Keller"),
        ("Maya\r\n\r\nhttps://evil.example\u2028", "Maya https://evil.example"),
        ("نورة", "\u2068نورة\u2069"),
        ("\u202egro.live\u202c", "gro.live"),
        ("\u2067\u200fMaya\u2069\u2069", "Maya"),
        ("👩\u200d🚒 <b>", "👩\u200d🚒 <b>"),
        ("\x00\x1b[31m", "[31m"),
    ],
)
def test_a_name_stays_on_its_line_and_turns_nothing_but_itself(name: str, shown: str) -> None:
    assert in_a_sentence(name) == shown


def test_a_name_without_end_is_cut() -> None:
    assert in_a_sentence("a" * 200) == "a" * (LONGEST - 1) + "…"
