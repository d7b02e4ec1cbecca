"""The health address tells machines, and only them, how we are."""

import pytest
from django.db import OperationalError, connection
from django.test import Client


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
