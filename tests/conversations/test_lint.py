from __future__ import annotations

import pytest

from conversations.lint import Kind, personal, wrong_name

HELD_BACK = {
    Kind.EMAIL: [
        "Write to maya@keller.example please",
        "it is maya.keller+tent@mail.keller.co.uk",
        "maya (at) keller.example",
        "maya [at] keller (dot) com",
        "reach me: MAYA@KELLER.COM!",
        "maya at keller dot com",
        "<maya_k@keller.io>",
    ],
    Kind.PHONE: [
        "call +49 89 1234567",
        "call 0049 (0)89 123 45 67",
        "my number is 555-123-4567",
        "(555) 123-4567 works",
        "0171/2345678",
        "+1.202.555.0143",
        "07700 900123",
    ],
    Kind.ORDER: [
        "your order number is 40412-A7",
        "Order #40877 has shipped",
        "booking reference XK4T99",
        "Bestellnummer 99887766",
        "Kundennummer: 445566",
        "#A1B2C3D4",
        "tracking no. 1Z999AA10123456784",
    ],
    Kind.CARD: [
        "4111 1111 1111 1111",
        "card 4111-1111-1111-1111",
        "5555555555554444",
        "378282246310005",
        "6011 1111 1111 1117",
        "paid with 3530 1113 3330 0000",
    ],
    Kind.ADDRESS: [
        "send it to 12 Market Street",
        "221b Baker Street, London",
        "Lindenstraße 14, 80331 München",
        "Hauptstr. 5",
        "we have 1600 Pennsylvania Avenue",
        "SW1A 1AA is right?",
        "80331 München",
    ],
    Kind.IBAN: [
        "DE89 3704 0044 0532 0130 00",
        "GB29NWBK60161331926819",
        "to FR14 2004 1010 0505 0001 3M02 606",
        "AT611904300234573201",
        "NL91 ABNA 0417 1643 00",
        "CH93 0076 2011 6238 5295 7",
    ],
}


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in HELD_BACK.items() for text in texts])
def test_what_is_personal_is_held_back(kind: Kind, text: str) -> None:
    findings = personal(text)
    assert kind in {finding.kind for finding in findings}
    assert all(finding.blocking and text[finding.start : finding.end] for finding in findings)


@pytest.mark.parametrize(
    "text",
    [
        "Sorry Maya, a set can be at your door tomorrow.",
        "We are open 9:00-17:30, Monday to Friday.",
        "The Ridge 2 costs 349.00 and weighs 2100 g.",
        "It ships on 2026-11-24 or 24.11.2026.",
        "Call our free line 1-800-555-0199.",
        "Thanks @mayak, see https://trailhead.example/help/12345",
        "In 2025 we sold 1,200,000 tents.",
        "Please send us your order number in a private message.",
        "#TrailheadOutdoors is the best",
        "There are 3 ways to pitch it.",
    ],
)
def test_ordinary_answers_pass(text: str) -> None:
    assert personal(text) == []


def test_hostile_drafts_are_read_in_time() -> None:
    assert personal("1 " * 20_000) is not None
    assert personal("a@" * 20_000) is not None
    assert personal("+" * 40_000) == []


def test_a_greeting_with_another_name_is_pointed_out() -> None:
    finding = wrong_name("Hi Jonas, a set is on its way.", ["Maya Keller", "mayak"])
    assert finding is not None
    assert not finding.blocking


@pytest.mark.parametrize("text", ["Hi Maya,", "Hello there!", "@mayak Sorry Maya", "Thanks for waiting", "Dear mayak"])
def test_a_fitting_greeting_passes(text: str) -> None:
    assert wrong_name(text, ["Maya Keller", "mayak"]) is None
