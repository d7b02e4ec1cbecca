"""X's way of counting characters. Figures from twitter-text's own conformance suite and its configuration v3."""

from __future__ import annotations

import pytest

from channels_ingest.networks.parts.x_length import addresses, weighted_length

LENGTHS = {
    "": 0,
    "This is a test.": 15,
    "H🐱☺👨‍👩‍👧‍👦": 7,
    "故人西辞黄鹤楼": 14,
    "test👍": 6,
    "🙋🏽👨‍🎤": 4,
    "🇺🇸🇩🇪": 4,
    "5️⃣": 2,
    "🏴󠁧󠁢󠁥󠁮󠁧󠁿": 2,
    "café": 4,
    "cafe\u0301": 4,
    "“quoted” – dash…": 17,
    "مرحبا": 5,
    "한국어": 6,
    "http://t.co": 23,
    "https://example.com/a/very/long/path/that/goes/on/and/on?with=a&query=too#and-more": 23,
    "see https://example.com.": 28,
    "(https://example.com)": 25,
    "example.com": 23,
    "www.example.co.uk/path and more": 32,
    "mail ann@example.com": 20,
    "file.py": 7,
    "a" * 280: 280,
}


@pytest.mark.parametrize("text", LENGTHS, ids=lambda text: text[:20])
def test_a_text_is_as_long_as_x_counts_it(text: str) -> None:
    assert weighted_length(text) == LENGTHS[text]


def test_the_end_of_a_sentence_is_no_part_of_an_address() -> None:
    assert addresses("see https://example.com/a, and https://example.com/b!") == [
        "https://example.com/a",
        "https://example.com/b",
    ]


def test_a_hundred_thousand_dots_are_counted_at_once() -> None:
    assert weighted_length("a." * 50_000) == 100_000
