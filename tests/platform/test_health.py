"""The health address tells machines, and only them, how we are."""

import pytest
from django.db import OperationalError, connection
from django.middleware.locale import LocaleMiddleware
from django.template import loader
from django.test import Client
from django.utils import translation


@pytest.mark.django_db
def test_a_stranger_learns_that_all_is_well(client: Client) -> None:
    answer = client.get("/health/")
    assert (answer.status_code, answer.content) == (200, b"Well.\n")


@pytest.mark.django_db
def test_a_database_that_does_not_answer_is_a_503(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise OperationalError("could not connect to a server with a password")

    monkeypatch.setattr(connection, "cursor", fail)
    answer = client.get("/health/")
    assert (answer.status_code, answer.content) == (503, b"The database does not answer.\n")


@pytest.mark.django_db
def test_it_is_read_only(client: Client) -> None:
    assert client.post("/health/").status_code == 405


@pytest.mark.parametrize(("address", "words"), [("/sign-in/", b"<h1>The database"), ("/api/v1/x", b'"unavailable"')])
def test_without_the_database_people_and_programs_are_told_to_come_again(
    client: Client, monkeypatch: pytest.MonkeyPatch, address: str, words: bytes
) -> None:
    def fail(*_: object) -> None:
        raise OperationalError("sorry, too many clients already")

    monkeypatch.setattr(LocaleMiddleware, "process_request", fail)
    client.raise_request_exception = False
    answer = client.get(address)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert words in answer.content


def test_the_page_of_a_failure_says_its_language() -> None:
    with translation.override("de"):
        page = loader.get_template("500.html").render()
    assert '<html lang="de"' in page
    assert "Zum Posteingang" in page
