"""How often a stored webhook is tried: what is wrong with the body counts, what others did to the database does not."""

from __future__ import annotations

import json

import pytest
from django.db import Error, connection

from channels_ingest.models import App, Channel, WebhookEvent
from channels_ingest.webhooks import process_due

pytestmark = pytest.mark.django_db

DEADLOCK, CHECK = "40P01", "23514"


@pytest.fixture
def event(channel: Channel) -> WebhookEvent:
    app = App.objects.create(network=channel.network, key="k")
    body = json.dumps({"for_user_id": channel.external_id}).encode()
    return WebhookEvent.objects.create(app=app, digest="d", body=body)


def refuse(code: str) -> None:
    """From now on the database refuses to mark an event as stored, with this code."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            f" RAISE EXCEPTION 'refused' USING ERRCODE = '{code}'; END $$"
        )
        cursor.execute(
            "CREATE TRIGGER refuse BEFORE UPDATE ON channels_ingest_webhookevent FOR EACH ROW"
            " WHEN (NEW.state = 'stored') EXECUTE FUNCTION refuse()"
        )


def test_a_deadlock_is_no_try_of_the_body(event: WebhookEvent) -> None:
    refuse(DEADLOCK)
    process_due()
    event.refresh_from_db()
    assert (event.state, event.tries) == (WebhookEvent.State.RECEIVED, 0)


def test_any_other_refusal_is_one(event: WebhookEvent) -> None:
    refuse(CHECK)
    with pytest.raises(Error):
        process_due()
    event.refresh_from_db()
    assert (event.state, event.tries) == (WebhookEvent.State.RECEIVED, 1)
