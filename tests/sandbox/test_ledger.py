from dataclasses import asdict
from pathlib import Path

from channels_ingest.sandbox.ledger import STRIDE, Ledger
from channels_ingest.sandbox.things import Item
from channels_ingest.sandbox.world import World


def test_lines_are_numbered_and_read_again(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "one.jsonl")
    for number in range(3):
        ledger.append({"said": number})
    assert [(line["n"], line["said"]) for line in ledger.read(after=1)] == [(2, 1), (3, 2)]
    ledger.close()


def test_reading_starts_anywhere_in_a_long_ledger(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "one.jsonl")
    ledger.extend({"said": number} for number in range(STRIDE * 3))
    found = [line["n"] for line in ledger.read(after=STRIDE * 2 + 5, limit=2)]
    ledger.close()
    assert found == [STRIDE * 2 + 6, STRIDE * 2 + 7]


def test_a_torn_last_line_is_cut_off_and_counting_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "one.jsonl"
    ledger = Ledger(path)
    ledger.append({"said": "whole"})
    ledger.close()
    with path.open("a") as file:
        file.write('{"n": 2, "said": "tor')
    again = Ledger(path)
    again.append({"said": "next"})
    assert [(line["n"], line["said"]) for line in again.read()] == [(1, "whole"), (2, "next")]
    again.close()


def test_loaded_posts_that_answer_each_other_in_a_circle_are_walked_once(tmp_path: Path) -> None:
    world = World(tmp_path)
    for number, parent in (("1", "3"), ("2", "1"), ("3", "2")):
        item = Item("x", number, "7", "Round and round.", 1, parent=parent, via="load")
        world.record("post.created", by="load", item=asdict(item))
    assert [one.id for one in world.below("x", "1")] == ["2", "3"]
    world.journal.close()
