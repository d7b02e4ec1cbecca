"""The environment is read strictly, and every name that is read is remembered."""

import pytest

from scrm import env


@pytest.fixture(autouse=True)
def variable(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.delenv("A_NAME", raising=False)
    monkeypatch.setattr(env, "READ", {})
    return monkeypatch


def test_an_empty_variable_counts_as_absent(variable: pytest.MonkeyPatch) -> None:
    variable.setenv("A_NAME", " ")
    assert env.text("A_NAME", "default") == "default"


@pytest.mark.parametrize(("written", "meant"), [("1", True), ("Yes", True), ("off", False), ("0", False)])
def test_a_flag_is_read_in_common_spellings(variable: pytest.MonkeyPatch, written: str, meant: bool) -> None:
    variable.setenv("A_NAME", written)
    assert env.flag("A_NAME", not meant) is meant


def test_a_flag_with_another_word_is_refused(variable: pytest.MonkeyPatch) -> None:
    variable.setenv("A_NAME", "maybe")
    with pytest.raises(env.BadSetting, match="A_NAME must be 1 or 0, not 'maybe'"):
        env.flag("A_NAME")


@pytest.mark.parametrize(("written", "reason"), [("ten", "whole number"), ("0", "at least 1"), ("9", "at most 8")])
def test_a_number_out_of_its_bounds_is_refused(variable: pytest.MonkeyPatch, written: str, reason: str) -> None:
    variable.setenv("A_NAME", written)
    with pytest.raises(env.BadSetting, match=reason):
        env.number("A_NAME", 5, least=1, most=8)


def test_names_are_split_at_commas(variable: pytest.MonkeyPatch) -> None:
    variable.setenv("A_NAME", "one, two,,")
    assert env.names("A_NAME") == ["one", "two"]


def test_a_required_variable_says_its_name_and_the_hint(variable: pytest.MonkeyPatch) -> None:
    with pytest.raises(env.BadSetting, match=r"A_NAME is not set\. Make one\."):
        env.required("A_NAME", "Make one.")


def test_a_name_that_was_read_is_remembered() -> None:
    env.text("A_NAME", "default")
    assert env.READ["A_NAME"] == env.Variable("A_NAME", "text", "default")
