"""The reference page of the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.test import Client

from scrm.api_docs import Reference, words
from scrm.api_schema import whole_schema

if TYPE_CHECKING:
    from accounts.models import User

DOCS = "/api/v1/docs/"


@pytest.fixture
def page(agent: User) -> str:
    client = Client()
    client.force_login(agent)
    return client.get(DOCS).content.decode()


def test_a_stranger_is_sent_to_sign_in(db: None) -> None:
    assert Client().get(DOCS).status_code == 302


def test_every_operation_and_every_object_stands_on_the_page(page: str) -> None:
    reference = Reference(whole_schema())
    ids = [operation.id for operations in reference.by_tag().values() for operation in operations]
    anchors = [*ids, *(f"object-{shape.name}" for shape in reference.shapes())]
    assert "reply_to_thread" in ids
    assert "object-Interaction" in anchors
    assert [anchor for anchor in anchors if f'id="{anchor}"' not in page] == []


def test_every_link_within_the_page_leads_somewhere(page: str) -> None:
    targets = {piece.split('"')[0] for piece in page.split('href="#')[1:]}
    assert [target for target in targets if f'id="{target}"' not in page] == []


def test_the_page_needs_no_inline_script_or_style(page: str) -> None:
    assert "<script>" not in page
    assert "<style" not in page
    assert "style=" not in page


def test_an_example_names_the_header_and_the_fields_that_are_required(page: str) -> None:
    assert "-H &quot;Idempotency-Key: $(uuidgen)&quot;" in page
    assert "/api/v1/threads/1/reply/" in page


def test_what_stands_between_backticks_is_code() -> None:
    assert words("Follow `next` on.") == [(False, "Follow "), (True, "next"), (False, " on.")]
