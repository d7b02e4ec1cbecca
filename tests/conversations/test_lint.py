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


# as people write them on purpose, by mistake, and in other scripts
ODDLY_WRITTEN = {
    Kind.EMAIL: [
        "name (at) example dot com",
        "name(at)example(dot)com",
        "name [at] example [dot] com",
        "name {at} example {dot} com",
        "name AT example DOT com",
        "name @ example . com",
        "name@example .com",
        "name (at) example.com",
        "name ät example punkt de",
        "name(a)example.com",
        "n.a.m.e@example.com",
        "name\uff20example.com",
        "name\ufe6bexample.com",
        "ma\u200bya@exam\u200bple.com",
        "maya@keller.example.",
        "\u043c\u0430\u0440\u0438\u044f@\u043f\u043e\u0447\u0442\u0430.\u0440\u0444",
        "müller@straße.de",
        "mailto:maya@keller.example",
        "name AT example.com",
        "name-at-example-dot-com",
        "maya @keller.com",
        "maya@ keller.com",
    ],
    Kind.PHONE: [
        "call me at 0 1 7 1 2 3 4 5 6 7 8",
        "+49 89 1234567",
        "+49\u00a089\u00a01234567",
        "+49\u2009171\u200912345678",
        "+49\u2013171\u20131234567",
        "\u0660\u0661\u0667\u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668",
        "\uff10\uff11\uff17\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18",
        "\U0001d7ce\U0001d7cf\U0001d7d5\U0001d7cf\U0001d7d0\U0001d7d1\U0001d7d2\U0001d7d3\U0001d7d4\U0001d7d5\U0001d7d6",
        "call +1 (202) 555-0143",
        "202.555.0143",
        "2025550143",
        "020 7946 0958",
        "Tel.:0171/2345678",
        "phone:01712345678",
        "01 23 45 67 89",
        "0123/45 67 89",
        "+1_202_555_0143",
        "+1\u2022202\u2022555\u20220143",
        "1-800-555-019 ext 5, mine: 0171 234 56 78",
    ],
    Kind.CARD: [
        "4111 1111 1111 1111",
        "4111\u00a01111\u00a01111\u00a01111",
        "4111\u20091111\u20091111\u20091111",
        "4111.1111.1111.1111",
        "4111  1111  1111  1111",
        "4111 - 1111 - 1111 - 1111",
        "4111\u20131111\u20131111\u20131111",
        "4111/1111/1111/1111",
        "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
        "41 11 11 11 11 11 11 11",
        "4111\n1111\n1111\n1111",
        "\uff14\uff11\uff11\uff11 \uff11\uff11\uff11\uff11 \uff11\uff11\uff11\uff11 \uff11\uff11\uff11\uff11",
        "\u0664\u0661\u0661\u0661 \u0661\u0661\u0661\u0661 \u0661\u0661\u0661\u0661 \u0661\u0661\u0661\u0661",
        "4111\u200b1111\u200b1111\u200b1111",
        "4111_1111_1111_1111",
        "card:4111111111111111",
        "x4111111111111111",
        "4111111111111111.",
        "3782 822463 10005",
        "4111,1111,1111,1111",
        "ending: 4111*1111*1111*1111",
    ],
    Kind.ORDER: [
        "order number is 40412-A7",
        "order no 40877",
        "Order #40877",
        "your order 40877",
        "ordernumber 40877",
        "order number: TH 40412",
        "order-40877",
        "order number 404 12 7",
        "Bestellung Nr. 99887",
        "Bestellnummer: 99887766",
        "Ihre Bestellnummer lautet 99887766",
        "Auftragsnummer 4711-22",
        "Rechnung 2025-0042",
        "Rechnungsnummer RE-2025-0042",
        "RMA 40877",
        "case number 123456",
        "case id 40877",
        "parcel number 00340434161094042557",
        "Sendungsnummer 00340434161094042557",
        "numéro de commande 40877",
        "commande n° 40877",
        "número de pedido 40877",
        "order \u211640877",
        "order number \uff14\uff10\uff18\uff17\uff17",
        "customer id 40877",
        "Kundennr. 445566",
        "Kd.-Nr. 445566",
        "#40877",
    ],
    Kind.ADDRESS: [
        "12 Market Street",
        "12 market st",
        "at 12 Market St.",
        "Lindenstraße 14",
        "lindenstraße 14",
        "LINDENSTRASSE 14",
        "Linden Str. 14",
        "Am Markt 3, 80331 München",
        "80331 München",
        "D-80331 München",
        "80331 MÜNCHEN",
        "10 Downing Street, London",
        "221B Baker St",
        "SW1A 1AA",
        "sw1a 1aa",
        "Apt 4, 350 5th Ave, New York, NY 10118",
        "350 Fifth Avenue",
        "PO Box 123",
        "Postfach 12 34",
        "10 rue de Rivoli, 75001 Paris",
        "12, rue de la Paix",
        "Calle Mayor 5, 28013 Madrid",
        "Beverly Hills, CA 90210",
        "An der Alten Brücke 12, 10115 Berlin",
        "Berliner Platz 4",
        "Karl-Marx-Allee 12",
    ],
    Kind.IBAN: [
        "DE89 3704 0044 0532 0130 00",
        "de89370400440532013000",
        "DE89\u00a03704\u00a00044\u00a00532\u00a00130\u00a000",
        "DE89-3704-0044-0532-0130-00",
        "IBAN:DE89370400440532013000",
    ],
}

# what looks a little like it
ORDINARY = [
    "The Ridge 2 costs 349.00 and weighs 2100 g.",
    "Call our free line 1-800-555-0199.",
    "Call our free line 0800 555 0199.",
    "Call +1 800 555 0199",
    "In 2025 we sold 1.200.000 tents",
    "It costs 1 299 000 kr",
    "It ships 24.11.2026 14:30",
    "from 2026-11-24 to 2026-11-28",
    "10/12/2026 - 12/12/2026",
    "Mon-Fri 09:00 - 17:30",
    "2026-11-18T10:00:00Z",
    "We were founded in 1999 and 2000 people work here",
    "We shipped order 2 of 3",
    "We put 15 people on the way",
    "it is 5 days on the road",
    "The trail is 100 Miles Long Way",
    "in 2024 Black Friday Close",
    "80000 Kunden sind zufrieden",
    "10000 Meter hoch",
    "We sold 12000 Zelte",
    "See #2024 results",
    "#BlackFriday2025",
    "#Top10",
    "order by 2pm",
    "ticket prices from 2025",
    "ticket price 1500 euro",
    "your account has been updated 24/7",
    "in order to get 10% off use CODE2025",
    "Reference 2025 catalogue",
    "look at https://trailhead.example/order/40877",
    "www.trailhead.example/help/0171-2345678",
    "meet us at example.com",
    "meet us at the shop dot it",
    "find it at trailhead.com",
    "look at trailhead.com/help",
    "more at dot com domains",
    "version 1.2.3.4.5",
    "192.168.100.200",
    "ISBN 978-3-16-148410-0",
    "We look at 10.000 to 20.000 orders",
    "the score was 10-12 12-10 11-9",
    "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14",
    "Model XR-2000 Pro",
    "EAN 4006381333931",
    "Follow @trailhead on twitter.com",
    "ask @mayak.keller",
    "Size 10 12 14 16 18 20 available",
    "We open 10 to 12 and 14 to 18",
    "2025 2026 2027",
    "on the 24th in 5 way steps",
    "That is 2 Way Street",
    "3 Easy Way",
    "The 2 Person Tent Place",
    "DE2025 Super Sale Days",
    "Our FAQ answers 1000 questions in 10 languages",
    "your order is on its way, 2026 is our year",
    "the order from 2025-10-12",
    "order of 12.10.2025",
    "Order before 15:30",
    "Order today, 20000 in stock",
    "Ring 1",
    "Der Weg 2025",
    "Mein Weg 2025 war lang",
    "we ship in 24-48 hours",
    "bis 2025/2026",
    "2025-2026",
    "We are a 10 minute drive away",
    "It is 30 minutes drive.",
    "a 2 lane road",
    "We have 12 months return policy",
    "Your customer account has 3 new messages",
    "Return 2 items",
    "Ticket 12 of 300",
    "Your case is important, 100 %",
    "Reference is 2100 g",
    "account 24/7 on 12.12.2026",
    "a 4 season tent",
    "Model 40877 is out",
    "Order 3 for 2",
    "order 100 now",
    "Size 36 38 40 42 44 46 48",
    "call us 9:00-17:30",
    "Call us Mon-Fri 9-17",
    "ruf uns 8-18 Uhr an",
    "Read page 12, 13, 14, 15",
    "version 10.2.1-2025",
    "member since 2019",
    "Members get 1000 points",
    "Returns within 100 days",
    "contract 12 months 2026",
    "We raised 12 345 678 for it",
    "100% of 1000 people",
    "Ride 80 km/h on road 66",
    "Zeltplatz 2025",
    "Wir haben 80331 Gäste",
    "4.5/5 of 1234 reviews",
    "7-day 24-hour",
    "10.00-18.00",
    "1.234,56 €",
    "1,234.56",
    "€ 1234.56",
    "+10 +20 +30",
    "Tents: 199.00/249.00/299.00",
    "2026-12-24T18:00",
    "It is 20:00:00",
    "Kd. 3",
    "no. 1 in 2026",
    "the 1000000th visitor",
    "order number 1",
    "Our number 1 tent 2026",
    "3 for 2, 4 for 3",
    "May 12 2026 10 30",
    "12/24/2026 10:30",
    "12.12.2026-24.12.2026",
    "12.12.-24.12.2026",
    "24/12/26",
    "Case closed",
    "case 2026",
    "RMA policy 2026",
    "code SUMMER2026 in your account",
    "account SUMMER2026",
    "order SUMMER20",
    "tracking is 100% free",
    "customers 10000",
    "your order (2 tents)",
    "a 9 to 5 close",
    "bis 10.000 mm Wassersäule",
    "Wassersäule 10000 mm",
    "Wir haben 10000 Meter",
    "1000 Berlin",
    "Berlin 2026",
]


ALL_HELD_BACK = [(kind, text) for each in (HELD_BACK, ODDLY_WRITTEN) for kind, texts in each.items() for text in texts]


@pytest.mark.parametrize(("kind", "text"), ALL_HELD_BACK)
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
        *ORDINARY,
    ],
)
def test_ordinary_answers_pass(text: str) -> None:
    assert personal(text) == []


def test_a_finding_names_the_letters_as_they_were_written() -> None:
    text = "\u200bHello \u200bm\u200baya@keller.example, \U0001d7ce\U0001d7cf\U0001d7d5\U0001d7cf-2345678!"
    assert [text[one.start : one.end] for one in personal(text)] == [
        "m\u200baya@keller.example",
        "\U0001d7ce\U0001d7cf\U0001d7d5\U0001d7cf-2345678",
    ]


def test_a_card_number_is_found_behind_another_number() -> None:
    (finding,) = personal("For 12 4111 1111 1111 1111 we need")
    assert (finding.kind, finding.start, finding.end) == (Kind.CARD, 7, 26)


def test_a_bank_account_ends_where_its_check_digits_are_right() -> None:
    text = "to de89 3704 0044 0532 0130 00 please send it"
    (finding,) = personal(text)
    assert text[finding.start : finding.end] == "de89 3704 0044 0532 0130 00"


def test_hostile_drafts_are_read_in_time() -> None:
    assert personal("1 " * 20_000) is not None
    assert personal("a@" * 20_000) is not None
    assert personal("+" * 40_000) == []
    assert personal("a." * 20_000) == []
    assert personal("4 " * 20_000) is not None


def test_a_greeting_with_another_name_is_pointed_out() -> None:
    finding = wrong_name("Hi Jonas, a set is on its way.", ["Maya Keller", "mayak"])
    assert finding is not None
    assert not finding.blocking


@pytest.mark.parametrize(
    "text",
    ["Hallo Łukasz", "Good morning Jonas", "Dear Mr. Keller-Smith", "Sehr geehrte Frau Dr. Öztürk", "Guten Tag Émile!"],
)
def test_a_wrong_name_is_found_behind_any_greeting_and_title(text: str) -> None:
    assert wrong_name(text, ["Maya Kowalski", "mayak"]) is not None


@pytest.mark.parametrize(
    "text",
    [
        *("Hi Maya,", "Hello there!", "@mayak Sorry Maya", "Thanks for waiting", "Dear mayak"),
        *("Dear Ms. Keller", "Hallo Frau Keller", "Hi Guys", "Dear Customer", "Lieber Kunde", "Hi mäya", "Sorry, wir"),
    ],
)
def test_a_fitting_greeting_passes(text: str) -> None:
    assert wrong_name(text, ["Maya Keller", "mayak"]) is None
