from pathlib import Path

from channels_ingest.sandbox.ledger import STRIDE, Ledger


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
