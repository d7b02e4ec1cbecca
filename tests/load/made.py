"""A small file in the shape of Customer Support on Twitter, made by hand: with all that such files do to a reader."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

HEADER = ["", "tweet_id", "author_id", "inbound", "created_at", "text", "response_tweet_id", "in_response_to_tweet_id"]
START = datetime(2017, 10, 31, 18, 0, tzinfo=UTC)
BRANDS = ("AcmeHelps", "Nord_Air", "blueline")
DAMAGED = "44"  # the post whose record an unquoted line break tears apart


@dataclass
class Made:
    """Rows of a file, and what a reader must make of them."""

    rows: list[list[str]] = field(default_factory=list)

    def say(self, tweet_id: int, author: str, text: str, to: int | None = None, minutes: int | None = None) -> int:
        at = START + timedelta(minutes=minutes if minutes is not None else tweet_id)
        written = at.strftime("%a %b %d %H:%M:%S +0000 %Y")
        inbound = str(author not in BRANDS)
        row = [str(len(self.rows)), str(tweet_id), author, inbound, written, text, "", f"{to}.0" if to else ""]
        self.rows.append(row)
        return tweet_id

    @property
    def ids(self) -> set[str]:
        return {row[1] for row in self.rows}

    @property
    def links(self) -> set[tuple[str, str]]:
        """(reply, what it answers) where both are in the file."""
        found = {(row[1], row[7].removesuffix(".0")) for row in self.rows if row[7]}
        return {(child, parent) for child, parent in found if parent in self.ids}

    @property
    def customers(self) -> set[str]:
        return {row[2] for row in self.rows} - set(BRANDS)

    def text(self) -> str:
        """The file, with one record torn apart as real files have it."""
        file = io.StringIO()
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADER)
        for row in self.rows:
            if row[1] == DAMAGED:
                file.write(",".join(row) + "\n")  # not quoted
            else:
                writer.writerow(row)
        return file.getvalue()

    def write(self, path: Path) -> Path:
        path.write_text(self.text(), newline="")
        return path


def conversations() -> Made:
    """Sixty posts: twelve plain matters, and those that are not plain."""
    made = Made()
    for number in range(12):
        _matter(made, first=1 + number * 4, customer=str(115700 + number), brand=BRANDS[number % 3])
    # two brands under one root, a customer who names both, peers who answer each other
    made.say(60, "115700", "Great service @AcmeHelps &amp; @Nord_Air &lt;3", minutes=60)
    made.say(61, "blueline", "@115700 and what about us?", to=60)
    made.say(62, "Nord_Air", "@115700 @blueline next time!", to=60)
    made.say(63, "115820", "@115700 lucky you", to=60)
    made.say(64, "115700", "@115820 it was a good day 🎉", to=63)
    made.say(65, "blueline", "@115700 (1/2) we are glad", to=61)
    # what the file does not hold: the post that is answered
    made.say(66, "AcmeHelps", "@115999 Please send us a message.", to=1999)
    made.say(67, "115821", "@AcmeHelps I did, twice,\nand nobody answers", to=66)
    # a brand that speaks to nobody in particular, and somebody who speaks of a brand to nobody it knows
    made.say(68, "Nord_Air", "Snow in Oslo: please check your flight.")
    made.say(69, "115822", 'Café "Nord" beats @nord_air any day 😁')
    made.say(70, "115823", "مرحبا @blueline متى يصل الطلب؟")
    made.say(71, "blueline", "@115823 غدا", to=70)
    return made


def _matter(made: Made, *, first: int, customer: str, brand: str) -> None:
    """A complaint, an answer, a question, an end. The ids do not grow with time, as in the real file."""
    root, answer, question, end = first + 3, first + 1, first, first + 2
    begins = first * 10
    whom = f"@{brand}" if first % 3 else "@115714"  # some speak to an account that the file made anonymous
    torn = "Hello \r\rnobody picks up" if str(root) == DAMAGED else "nobody picks up the phone, again"
    made.say(question, customer, f"@{brand} which number, please?", to=answer, minutes=begins + 2)
    made.say(answer, brand, f"@{customer} We are sorry. Please give us your number.", to=root, minutes=begins + 1)
    made.say(end, brand, f"@{customer} Yours.", to=question, minutes=begins + 3)
    made.say(root, customer, f"{whom} {torn}", minutes=begins)
