"""The same conversations by both ways, through the X sandbox and from the file, become the same things."""

from __future__ import annotations

import io
import json
from collections import defaultdict
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from channels_ingest.models import Channel, PulledPage, SetAside, StreamCursor
from channels_ingest.pull import pull_channel
from conversations.models import Interaction
from tests.load.conftest import REAL
from tests.load.look import digest, forget, look
from tests.load.made import BRANDS, Made
from tests.networks.sandbox import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


def load(path: Path, sandbox: Sandbox, **options: object) -> dict[str, int]:
    out = io.StringIO()
    call_command("sandbox_load", path, sandbox=sandbox.base_url, stdout=out, stderr=io.StringIO(), **options)
    summary: dict[str, int] = json.loads(out.getvalue().splitlines()[-1])
    return summary


def pull_everything() -> None:
    for channel_id in Channel.objects.values_list("pk", flat=True):
        pull_channel(channel_id, everything=True)


def served(sandbox: Sandbox) -> dict[str, set[str]]:
    """The ids of the posts that the network handed to each account."""
    found = defaultdict(set)
    after = 0
    while lines := sandbox.control("GET", f"ledger?kind=served&after={after}")["lines"]:
        after = lines[-1]["n"]
        for line in lines:
            found[line["to"].removeprefix("user:")].update(line["ids"])
    return dict(found)


def check_both_ways(path: Path, sandbox: Sandbox) -> None:
    call_command("import_posts", path, stdout=io.StringIO(), stderr=io.StringIO())
    imported = look()
    forget()
    load(path, sandbox, connect=True, brand="Everybody")
    pull_everything()
    pulled = look()
    assert not Channel.objects.exclude(last_error="").exists()
    assert not SetAside.objects.exists()
    _every_served_post_is_stored_once(sandbox, pulled.stored)
    assert pulled.links == imported.links
    assert pulled.people == imported.people
    assert all(len(handles) == 1 for handles in pulled.people)
    assert pulled.ours == imported.ours
    assert pulled.said == imported.said
    assert pulled.threads == imported.threads
    _a_second_full_pull_changes_nothing()


def _every_served_post_is_stored_once(sandbox: Sandbox, stored: dict[str, list[str]]) -> None:
    handed = served(sandbox)
    assert {account: set(ids) for account, ids in stored.items()} == handed
    assert all(len(ids) == len(set(ids)) for ids in stored.values())


def _a_second_full_pull_changes_nothing() -> None:
    before, pages = digest(), PulledPage.objects.count()
    StreamCursor.objects.update(cursor={})
    pull_everything()
    assert PulledPage.objects.count() > pages
    assert digest() == before


def test_a_small_file_by_both_ways(small: Path, sandbox: Sandbox) -> None:
    check_both_ways(small, sandbox)


def test_a_file_is_loaded_once_however_often(small: Path, sandbox: Sandbox, made: Made) -> None:
    first, second = load(small, sandbox), load(small, sandbox)
    assert (first["posts"], first["bad"], first["mended"]) == (len(made.rows), 1, 1)
    assert (second["posts"], second["already_there"]) == (0, len(made.rows))


def test_every_brand_account_is_connected(small: Path, sandbox: Sandbox) -> None:
    assert load(small, sandbox, connect=True)["channels"] == len(BRANDS)
    assert set(Channel.objects.values_list("handle", "state")) == {(name, Channel.State.ACTIVE) for name in BRANDS}


def test_imported_history_becomes_the_connected_channel(small: Path, sandbox: Sandbox) -> None:
    call_command("import_posts", small, stdout=io.StringIO(), stderr=io.StringIO())
    rows = Interaction.objects.count()
    load(small, sandbox, connect=True)
    pull_everything()
    assert Channel.objects.filter(state=Channel.State.ACTIVE).count() == len(BRANDS)
    assert Interaction.objects.count() == rows


def test_a_replay_says_everything_again_now(small: Path, sandbox: Sandbox, made: Made) -> None:
    summary = load(small, sandbox, connect=True, replay=1_000_000.0)
    pull_everything()
    assert summary["posts"] == len(made.rows)
    answers = {row.text for row in Interaction.objects.filter(parent__isnull=False)}
    assert any("Please give us your number" in text for text in answers)
    assert not {row.external_id for row in Interaction.objects.all()} & made.ids


def test_a_sandbox_that_is_not_there_is_said_in_one_line(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("channels_ingest.management.commands.sandbox_load.SANDBOX_SECONDS", 0.0)
    with pytest.raises(CommandError, match="does not answer"):
        call_command("sandbox_load", small, sandbox="http://127.0.0.1:9", stderr=io.StringIO())


if REAL.exists():

    def test_the_real_conversations_by_both_ways(sandbox: Sandbox) -> None:
        check_both_ways(REAL, sandbox)
        assert (len(look().people), len(look().ours)) == (1443, 76)
        assert len({(child, parent) for _, child, parent in look().links}) == 3688
