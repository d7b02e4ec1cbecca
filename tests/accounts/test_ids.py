"""Ids as requests name them."""

from __future__ import annotations

import pytest

from accounts.ids import id_of


@pytest.mark.parametrize(("text", "number"), [("7", 7), ("007", 7), ("0", 0), ("9" * 18, 10**18 - 1)])
def test_what_can_be_an_id_is_read(text: str, number: int) -> None:
    assert id_of(text) == number


@pytest.mark.parametrize("text", [None, "", "-1", "1.5", " 1", "1e3", "٣", "²", "x", "\0", "9" * 19, "9" * 5000, 7])
def test_anything_else_names_nothing(text: object) -> None:
    assert id_of(text) is None
