"""The reader of Customer Support on Twitter files."""

from __future__ import annotations

import io
import itertools
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path

import pytest

from channels_ingest import twcs
from channels_ingest.twcs import BadRow, NotTwcs, Row, account_id
from tests.load.made import DAMAGED, Made

HEADER = "tweet_id,author_id,inbound,created_at,text,response_tweet_id,in_response_to_tweet_id\n"
TIME = "Tue Oct 31 22:10:47 +0000 2017"


def read(records: str, header: str = HEADER) -> list[Row | BadRow]:
    return list(twcs.rows(io.StringIO(header + records, newline="")))


def read_one(record: str) -> Row | BadRow:
    (found,) = read(record)
    return found


def good(record: str) -> Row:
    found = read_one(record)
    assert isinstance(found, Row), found
    return found


def reason(record: str) -> str:
    found = read_one(record)
    assert isinstance(found, BadRow), found
    return found.reason


def test_a_record_becomes_a_row() -> None:
    row = good(f'3,sprintcare,False,{TIME},"@115712 Hello, you","4,5",2.0\n')
    assert (row.tweet_id, row.author, row.ours, row.parent_id) == ("3", "sprintcare", True, "2")
    assert (row.text, row.responses, row.mentions) == ("@115712 Hello, you", ("4", "5"), ["115712"])
    assert row.at == datetime(2017, 10, 31, 22, 10, 47, tzinfo=UTC)


def test_columns_are_found_by_their_names() -> None:
    header = "text,inbound,tweet_id,extra,in_response_to_tweet_id,created_at,author_id\n"
    (row,) = read(f"hello,True,7,?,,{TIME},115712\n", header)
    assert isinstance(row, Row)
    assert (row.tweet_id, row.text, row.author, row.responses) == ("7", "hello", "115712", ())


def test_a_time_of_another_zone_is_read_as_utc() -> None:
    row = good("3,1,True,Tue Oct 31 23:30:00 -0230 2017,x,,\n")
    assert row.at == datetime(2017, 11, 1, 2, 0, tzinfo=UTC)


def test_people_read_the_characters_that_x_escapes() -> None:
    assert good(f"3,1,True,{TIME},I &lt;3 R&amp;D &amp;lt; ,,\n").words == "I <3 R&D &lt;"


def test_a_quoted_line_break_belongs_to_the_text() -> None:
    assert good(f'3,1,True,{TIME},"one\ntwo",,\n').text == "one\ntwo"


@pytest.mark.parametrize("broken", ["one \r\rtwo", "one\ntwo", "one\r\ntwo\n\nthree"])
def test_a_record_that_line_breaks_tore_apart_is_mended_and_reported(broken: str) -> None:
    before, torn, after = read(f"2,1,True,{TIME},a,,\n3,1,True,{TIME},{broken},4,2\n4,9,False,{TIME},b,,3\n")
    assert isinstance(before, Row)
    assert isinstance(torn, Row)
    assert isinstance(after, Row)
    assert torn.text.split() == broken.split()
    assert (torn.line, torn.responses, torn.parent_id) == (3, ("4",), "2")
    assert "post 3 was torn apart" in torn.mended


def test_lines_are_counted_as_editors_count_them() -> None:
    rows = read(f"2,1,True,{TIME},a\r\rb,,\n" + f'3,1,True,{TIME},"x\ny",,\n' + f"4,1,True,{TIME},c,,\n")
    assert [row.line for row in rows] == [2, 3, 5]


def test_half_a_record_that_nothing_completes_is_reported_and_its_neighbours_are_read() -> None:
    first, bad, last = read(f"2,1,True,{TIME},a,,\n3,1,True,{TIME},half\n4,1,True,{TIME},b,,\n")
    assert isinstance(first, Row)
    assert isinstance(last, Row)
    assert bad == BadRow(3, "5 fields instead of 7")


def test_a_quote_that_is_never_closed_costs_one_record() -> None:
    rows = "".join(f"{number},1,True,{TIME},text {number},,\n" for number in range(10, 3000))
    bad, *rest = read(f'3,1,True,{TIME},"never closed,,\n' + rows)
    assert isinstance(bad, BadRow)
    assert bad.line == 2
    assert [row.tweet_id for row in rest if isinstance(row, Row)] == [str(number) for number in range(10, 3000)]


def test_a_quote_that_the_next_record_closes_hides_neither() -> None:
    bad, fine = read(f'3,1,True,{TIME},"oops,,\n4,1,True,{TIME},"fine",,\n')
    assert isinstance(bad, BadRow)
    assert isinstance(fine, Row)
    assert (bad.line, fine.tweet_id) == (2, "4")


@pytest.mark.parametrize(
    ("record", "why"),
    [
        (f"x,1,True,{TIME},a,,\n", "tweet_id is no id"),
        (f",1,True,{TIME},a,,\n", "tweet_id is empty"),
        (f"-5,1,True,{TIME},a,,\n", "tweet_id is no id"),
        (f"9223372036854775808,1,True,{TIME},a,,\n", "tweet_id is no id"),
        (f"1.2e+18,1,True,{TIME},a,,\n", "tweet_id is no id"),
        (f"3,1,True,{TIME},a,,905237462000000001.0\n", "in_response_to_tweet_id was rounded by a spreadsheet"),
        (f"3,1,True,{TIME},a,,3.0\n", "the post answers itself"),
        (f"3,1,True,{TIME},a,4;5,\n", "response_tweet_id is no id"),
        (f"3,,True,{TIME},a,,\n", "author_id is neither a number nor a user name"),
        (f"3,a name with blanks,True,{TIME},a,,\n", "author_id is neither a number nor a user name"),
        (f"3,١١٥,True,{TIME},a,,\n", "author_id is neither a number nor a user name"),
        (f"3,1,maybe,{TIME},a,,\n", "inbound is neither True nor False"),
        ("3,1,True,2017-10-31,a,,\n", "created_at is no time"),
        ("3,1,True,Tue Feb 30 22:10:47 +0000 2017,a,,\n", "created_at is no time"),
        ("3,1,True,Tue Xyz 30 22:10:47 +0000 2017,a,,\n", "created_at is no time"),
        (f"3,1,True,{TIME},a\x00b,,\n", "the text holds a NUL character"),
        (f"3,1,True,{TIME},{'a' * 25_001},,\n", "the text is longer than 25000 characters"),
        (f"3,1,True,{TIME},\udcff,,\n", "the text is not UTF-8"),
        (f"3,1,True,{TIME},a,,,,,\n", "10 fields instead of 7"),
    ],
)
def test_what_cannot_be_used_is_said_and_why(record: str, why: str) -> None:
    assert reason(record) == why


def test_a_line_longer_than_any_record_is_given_up_and_the_next_is_read() -> None:
    found = read(f"3,1,True,{TIME},{'a' * 200_000},,\n4,1,True,{TIME},b,,\n")
    assert isinstance(found[0], BadRow)
    assert isinstance(found[-1], Row)
    assert {row.line for row in found[:-1]} == {2}


def test_blank_lines_are_no_records() -> None:
    assert len(read(f"\n3,1,True,{TIME},a,,\n\n\n,,,,,,\n4,1,True,{TIME},b,,\n")) == 3  # the empty record is reported


@pytest.mark.parametrize("start", ["", "a,b,c\n", '"' + "x" * 100_000])
def test_another_kind_of_file_is_refused(start: str) -> None:
    with pytest.raises(NotTwcs):
        list(twcs.rows(io.StringIO(start, newline="")))


def test_bytes_that_are_no_text_cost_one_record(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes(f"\ufeff{HEADER}3,1,True,{TIME},".encode() + b"\xff\xfe" + f",,\n4,1,True,{TIME},ok,,\n".encode())
    with twcs.opened(path) as file:
        bad, fine = twcs.rows(file)
    assert isinstance(bad, BadRow)
    assert isinstance(fine, Row)


def test_an_account_has_one_id_in_any_case_and_no_customers_id() -> None:
    assert account_id("115712") == "115712"
    assert account_id("SprintCare") == account_id("sprintcare") != account_id("sprintcar")
    assert 10**18 <= int(account_id("sprintcare")) < 2**63


def test_the_small_file_is_read_whole(made: Made, small: Path) -> None:
    with twcs.opened(small) as file:
        rows = [row for row in twcs.rows(file) if isinstance(row, Row)]
    assert {row.tweet_id for row in rows} == made.ids
    assert [row.tweet_id for row in rows if row.mended] == [DAMAGED]


def test_a_long_file_takes_no_more_memory_than_a_short_one() -> None:
    class Endless(io.TextIOBase):
        def __init__(self, count: int) -> None:
            self.lines = itertools.chain([HEADER], (f"{number},1,True,{TIME},text,,\n" for number in range(1, count)))

        def readline(self, size: int | None = -1, /) -> str:  # type: ignore[override]
            return next(self.lines, "")

    def peak(count: int) -> int:
        tracemalloc.start()
        try:
            for _row in twcs.rows(Endless(count)):  # type: ignore[arg-type]
                pass
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(6_000) < peak(500) + 50_000
