import pytest

from channels_ingest.sandbox.text import entities, weighted_length


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("hello", 5),
        ("日本語", 6),
        ("😡", 2),
        ("👨‍👩‍👧", 2),
        ("see https://example.org/a/very/long/address/indeed?with=query", 27),
        ("café", 4),
    ],
)
def test_a_text_weighs_what_x_says(text: str, length: int) -> None:
    assert weighted_length(text) == length


def test_entities_say_where_names_tags_and_links_stand() -> None:
    found = entities("hi @ann #tent https://example.org", {"ann": "7"})
    assert found["mentions"] == [{"start": 3, "end": 7, "username": "ann", "id": "7"}]
    assert [one["tag"] for one in found["hashtags"]] == ["tent"]
    assert [one["start"] for one in found["urls"]] == [14]


def test_a_mail_address_mentions_nobody() -> None:
    assert "mentions" not in entities("write to ann@example.org", {})
