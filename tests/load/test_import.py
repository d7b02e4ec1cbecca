"""`manage.py import_posts`: history from a file."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import Brand
from channels_ingest import ingest
from channels_ingest.models import Channel
from channels_ingest.twcs import account_id
from contacts.models import Contact, Identity
from conversations import history
from conversations.models import Interaction, Thread
from tests.load.conftest import REAL
from tests.load.look import digest, look
from tests.load.made import BRANDS, DAMAGED, Made

pytestmark = pytest.mark.django_db


def run(path: Path, **options: Any) -> tuple[dict[str, Any], str]:
    """(the summary, what was told on the way)"""
    out, told = io.StringIO(), io.StringIO()
    call_command("import_posts", path, stdout=out, stderr=told, **options)
    return json.loads(out.getvalue().splitlines()[-1]), told.getvalue()


def stored_ids() -> set[str | None]:
    return set(Interaction.objects.values_list("external_id", flat=True))


def test_every_post_is_stored(small: Path, made: Made) -> None:
    summary, _ = run(small)
    assert (summary["rows"], summary["stored"], summary["already_there"]) == (len(made.rows), len(made.rows), 0)
    assert stored_ids() == made.ids


def test_the_damaged_record_is_reported_by_line_and_reason_and_stored(small: Path, made: Made) -> None:
    summary, told = run(small)
    lines = small.read_bytes().split(b"\n")
    line = next(number for number, text in enumerate(lines, 1) if f",{DAMAGED},1".encode() in text)
    assert (summary["bad"], summary["mended"]) == (1, 1)
    assert f"line {line}: post {DAMAGED} was torn apart" in told
    assert Interaction.objects.get(external_id=DAMAGED).text.endswith("Hello \n\nnobody picks up")


def test_reply_links_are_parent_links(small: Path, made: Made) -> None:
    run(small)
    assert {(child, parent) for _, child, parent in look().links} == made.links


def test_a_reply_to_a_post_outside_the_file_keeps_its_root(small: Path) -> None:
    run(small)
    roots = Interaction.objects.filter(external_id__in=("66", "67")).values_list("root_external_id", flat=True)
    assert set(roots) == {"1999"}


def test_customers_are_contacts_and_brands_are_channels(small: Path, made: Made) -> None:
    run(small)
    assert Contact.objects.count() == len(made.customers)
    assert set(Channel.objects.values_list("handle", flat=True)) == set(BRANDS)
    assert not Identity.objects.filter(ours=True, links__isnull=False).exists()


def test_an_imported_channel_holds_history_only(small: Path) -> None:
    run(small)
    assert set(Channel.objects.values_list("state", flat=True)) == {Channel.State.HISTORY}
    assert set(Thread.objects.values_list("state", flat=True)) == {Thread.State.CLOSED}


def test_a_post_that_two_accounts_see_is_one_row_for_each(small: Path) -> None:
    run(small)
    seen = Interaction.objects.filter(external_id="60").values_list("channel__handle", flat=True)
    assert sorted(seen) == ["AcmeHelps", "Nord_Air", "blueline"]


def test_a_handle_is_found_in_any_case(small: Path) -> None:
    run(small)
    assert Interaction.objects.get(external_id="69").channel.handle == "Nord_Air"


def test_each_account_is_a_brand_of_its_own_or_belongs_to_the_one_named(small: Path) -> None:
    run(small)
    assert set(Brand.objects.values_list("name", flat=True)) == set(BRANDS)


def test_new_channels_belong_to_the_brand_that_is_named(small: Path) -> None:
    run(small, brand="Everybody")
    assert list(Brand.objects.values_list("name", flat=True)) == ["Everybody"]


def test_a_second_run_changes_nothing(small: Path, made: Made) -> None:
    run(small)
    before = digest()
    summary, _ = run(small)
    assert (summary["stored"], summary["already_there"], summary["interactions"]) == (0, len(made.rows), 0)
    assert digest() == before


def test_history_of_a_connected_account_goes_to_its_channel_and_disturbs_nobody(small: Path, brand: Brand) -> None:
    connected = Channel.objects.create(
        brand=brand, network="twitter", external_id="777", handle="acmehelps", state=Channel.State.ACTIVE
    )
    run(small)
    assert connected.interactions.filter(direction="out", author__external_id="777").exists()
    assert not connected.threads.exclude(state=Thread.State.CLOSED).exists()
    connected.refresh_from_db()
    assert connected.state == Channel.State.ACTIVE
    assert not Channel.objects.filter(external_id=account_id("AcmeHelps")).exists()


def test_what_was_broken_off_is_completed_by_the_next_run(
    small: Path, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    class PowerCut(Exception):
        pass

    handed = iter((True, True, False))

    def hand_over(*args: Any, **how: Any) -> Any:
        if not next(handed):
            raise PowerCut
        return real(*args, **how)

    real = ingest.hand_over
    monkeypatch.setattr(history, "BATCH", 10)
    monkeypatch.setattr(history, "hand_over", hand_over)
    with pytest.raises(PowerCut):
        run(small)
    assert 0 < Interaction.objects.count() < len(made.rows)
    monkeypatch.setattr(history, "hand_over", real)
    summary, _ = run(small)
    assert summary["stored"] + summary["already_there"] == len(made.rows)
    assert stored_ids() == made.ids


def test_a_post_that_stands_twice_in_a_file_is_stored_once_and_reported(small: Path, made: Made) -> None:
    with small.open("a", newline="") as file:
        file.write(",".join(made.rows[2]).replace("Yours", "Again") + "\n")
    summary, told = run(small)
    assert (summary["stored"], summary["bad"]) == (len(made.rows), 2)
    assert f"post {made.rows[2][1]} stands in the file before" in told


def test_replies_in_a_circle_are_cut_loose_and_reported(tmp_path: Path) -> None:
    made = Made()
    made.say(1, "115700", "@AcmeHelps chicken", to=2)
    made.say(2, "AcmeHelps", "@115700 egg", to=1)
    summary, told = run(made.write(tmp_path / "circle.csv"))
    assert (summary["stored"], summary["mended"]) == (2, 2)
    assert "post 2 answers itself in a circle" in told


def test_only_the_first_bad_rows_are_told_one_by_one(small: Path) -> None:
    with small.open("a", newline="") as file:
        file.write("bad,bad,bad,bad,bad,bad,bad,bad\n" * 1000)
    summary, told = run(small)
    assert summary["bad"] == 1001
    assert told.count("tweet_id is no id") < 30
    assert "and 981 more damaged rows" in told


def test_a_file_of_another_kind_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(CommandError, match="is not of the format twcs: The header lacks tweet_id"):
        run(path)


def test_a_file_that_is_not_there_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read: No such file"):
        run(tmp_path / "nothing.csv")


@pytest.mark.django_db(transaction=True)
def test_a_killed_import_is_completed_by_the_next_one(tmp_path: Path) -> None:
    """With a real process and a real kill -9, as soon as it has stored something."""
    made = Made()
    for number in range(1, 2501):
        made.say(number, str(115_000 + number % 900) if number % 2 else BRANDS[0], "@AcmeHelps hello", to=None)
    path = made.write(tmp_path / "long.csv")
    place = connection.settings_dict
    user, host, name = place["USER"], place["HOST"], place["NAME"]
    password = f":{place['PASSWORD']}" if place["PASSWORD"] else ""
    port = f":{place['PORT']}" if place["PORT"] else ""
    where = f"@{host.replace('/', '%2F')}{port}" if host else "@"
    surroundings = os.environ | {"DATABASE_URL": f"postgres://{user}{password}{where}/{name}"}
    command = [sys.executable, "manage.py", "import_posts", str(path)]
    process = subprocess.Popen(command, env=surroundings, cwd=settings.BASE_DIR, stderr=subprocess.PIPE)
    try:
        while process.poll() is None and not Interaction.objects.exists():
            pass
        os.kill(process.pid, signal.SIGKILL)
    finally:
        process.communicate(timeout=30)
    assert process.returncode == -signal.SIGKILL
    assert 0 < Interaction.objects.count() < 2500
    summary, _ = run(path)
    assert summary["stored"] + summary["already_there"] == 2500
    assert Interaction.objects.count() == 2500


if REAL.exists():

    def test_the_real_conversations_are_stored_whole() -> None:
        summary, told = run(REAL)
        assert (summary["rows"], summary["stored"], summary["bad"], summary["channels"]) == (5000, 5000, 1, 76)
        assert "line 2589: post 3399 was torn apart" in told
        links = {(child, parent) for _, child, parent in look().links}
        assert (len(links), Contact.objects.count(), Identity.objects.filter(ours=True).count()) == (3688, 1443, 76)
