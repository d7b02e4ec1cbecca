from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from conversations.promises import find

WEDNESDAY = datetime(2026, 11, 18, 10, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("Sorry Maya! I will get back to you by Friday.", "2026-11-20 18:00"),
        ("We'll refund it tomorrow.", "2026-11-19 18:00"),
        ("I'll call you within 2 hours", "2026-11-18 13:00"),
        ("We will send a set today.", "2026-11-18 18:00"),
        ("You will hear from us next week", "2026-11-27 18:00"),
        ("We can let you know in three days", "2026-11-21 11:00"),
        ("Ich melde mich bis Donnerstag bei Ihnen.", "2026-11-19 18:00"),
        ("Wir schicken das morgen los", "2026-11-19 18:00"),
        ("We'll be in touch shortly", "2026-11-18 15:00"),
        ("I’ll check and reply on Wednesday", "2026-11-25 18:00"),
        ("I'll get back to you by tomorrow morning", "2026-11-19 12:00"),
        ("I will reply tomorrow afternoon", "2026-11-19 18:00"),
        ("We will get back to you within 24 hours", "2026-11-19 11:00"),
        ("I'll get back to you in 24h", "2026-11-19 11:00"),
        ("We'll get back to you within the next 24 hours", "2026-11-19 11:00"),
        ("We'll get back to you in the next two days", "2026-11-20 11:00"),
        ("You will have an answer by Friday", "2026-11-20 18:00"),
        ("You'll have it tomorrow", "2026-11-19 18:00"),
        ("I'll have an answer for you on Monday", "2026-11-23 18:00"),
        ("Wir melden uns nächste Woche", "2026-11-27 18:00"),
        ("Ich melde mich nächste Woche", "2026-11-27 18:00"),
        ("Wir kommen bis Freitag auf Sie zu", "2026-11-20 18:00"),
        ("Wir werden uns bis Freitag melden", "2026-11-20 18:00"),
        ("Ich werde mich morgen früh melden", "2026-11-19 12:00"),
        ("Sie hören bis morgen von uns", "2026-11-19 18:00"),
        ("Sie bekommen innerhalb von 24 Stunden eine Antwort", "2026-11-19 11:00"),
        ("Du bekommst morgen eine Antwort", "2026-11-19 18:00"),
        ("Wir melden uns in den nächsten 24 Stunden", "2026-11-19 11:00"),
        ("Ich kümmere mich bis Freitag darum", "2026-11-20 18:00"),
        ("Wir erstatten das bis Freitag", "2026-11-20 18:00"),
        ("Ich melde mich übermorgen", "2026-11-20 18:00"),
        ("I'll be back to you the day after tomorrow", "2026-11-20 18:00"),
        ("I'll call you at 3 pm", "2026-11-18 15:00"),
        ("I'll call you at 15:00", "2026-11-18 15:00"),
        ("I'll call you today at 4pm", "2026-11-18 16:00"),
        ("I'll call you tomorrow at 10:30", "2026-11-19 10:30"),
        ("I'll call you by noon", "2026-11-18 12:00"),
        ("I'll get back to you by 5pm on Friday", "2026-11-20 17:00"),
        ("We'll ship it on 24 November", "2026-11-24 18:00"),
        ("We'll ship it on November 24th", "2026-11-24 18:00"),
        ("We'll ship it by 2026-11-24", "2026-11-24 18:00"),
        ("Wir schicken es am 24.11. los", "2026-11-24 18:00"),
        ("Wir schicken es am 24. November los", "2026-11-24 18:00"),
        ("We'll get back to you next Monday", "2026-11-23 18:00"),
        ("We'll get back to you next Friday", "2026-11-27 18:00"),
        ("We'll get back to you this Friday", "2026-11-20 18:00"),
        ("We'll get back to you by Fri", "2026-11-20 18:00"),
        ("We'll get back to you by the end of the month", "2026-11-30 18:00"),
        ("We will get back to you by end of business", "2026-11-18 18:00"),
        ("We will get back to you by EOD", "2026-11-18 18:00"),
        ("We will get back to you by COB tomorrow", "2026-11-19 18:00"),
        ("We will get back to you in an hour", "2026-11-18 12:00"),
        ("We will get back to you in half an hour", "2026-11-18 11:30"),
        ("We will get back to you in a couple of days", "2026-11-20 11:00"),
        ("We will get back to you within two weeks", "2026-12-02 11:00"),
        ("We will get back to you within 2 business days", "2026-11-20 18:00"),
        ("We will get back to you within 3 working days", "2026-11-23 18:00"),
        ("We will get back to you over the weekend", "2026-11-22 18:00"),
        ("I promise a refund by Friday", "2026-11-20 18:00"),
        ("I'm getting back to you tomorrow", "2026-11-19 18:00"),
        ("Let me check and get back to you by Friday", "2026-11-20 18:00"),
        ("We're sending a new one tomorrow", "2026-11-19 18:00"),
        ("Your refund will arrive by Friday", "2026-11-20 18:00"),
        ("A colleague will call you tomorrow", "2026-11-19 18:00"),
        ("Our team will get back to you by Friday", "2026-11-20 18:00"),
        ("We'll get back to you. By Friday at the latest.", "2026-11-20 18:00"),
        ("We aim to reply by Friday", "2026-11-20 18:00"),
        ("I shall get back to you by Friday", "2026-11-20 18:00"),
        ("Back to you by Friday!", "2026-11-20 18:00"),
        ("I will personally make sure that you get your set by Friday", "2026-11-20 18:00"),
        ("I WILL GET BACK TO YOU BY FRIDAY", "2026-11-20 18:00"),
        ("I will get back\nto you by Friday", "2026-11-20 18:00"),
        ("I’ll get back to you by friday", "2026-11-20 18:00"),
        ("We will refund you in 5-7 days", "2026-11-25 11:00"),
        ("We will refund you within 48 hrs", "2026-11-20 11:00"),
        ("We'll reply in 30 min", "2026-11-18 11:30"),
        ("I'll let you know Monday", "2026-11-23 18:00"),
        ("We will get back to you asap", "2026-11-18 15:00"),
        ("We will get back to you as soon as possible", "2026-11-18 15:00"),
        ("Sorry, Maya. By Friday I will get back to you.", "2026-11-20 18:00"),
        ("Bis Freitag melde ich mich", "2026-11-20 18:00"),
        ("We'll call you on Friday evening", "2026-11-20 21:00"),
        ("Wir rufen Sie am Freitagvormittag an", "2026-11-20 12:00"),
        ("Wir melden uns bis 16 Uhr", "2026-11-18 16:00"),
        ("We'll ship it by 5/6", "2027-06-05 18:00"),
        ("We'll ship it on 5/6/2027", "2027-06-05 18:00"),
        ("We'll ship it 5/6/27.", "2027-06-05 18:00"),
        ("We'll ship it on 24/11", "2026-11-24 18:00"),
        ("We'll ship it on 11/24", "2026-11-24 18:00"),
        ("We'll ship it by 11/24/2026", "2026-11-24 18:00"),
        ("We'll ship it on Tuesday, 24/11 at 3 pm", "2026-11-24 15:00"),
        ("By 24/11 we'll ship it", "2026-11-24 18:00"),
        ("Wir melden uns am 5.6.", "2027-06-05 18:00"),
        ("Wir melden uns bis zum 5.6. bei Ihnen", "2027-06-05 18:00"),
        ("Wir melden uns bis 5/6", "2027-06-05 18:00"),
    ],
)
def test_a_promise_is_found_with_its_due_time_in_the_writers_zone(text: str, due: str) -> None:
    promise = find(text, now=WEDNESDAY, zone=BERLIN)
    assert promise is not None
    assert promise.due_at.astimezone(BERLIN).strftime("%Y-%m-%d %H:%M") == due


@pytest.mark.parametrize(
    "text",
    [
        *(
            "Sorry to hear that.",
            "Did you order on Friday?",
            "We are open tomorrow.",
            "",
            "Friday is a good day",
            "I will.",
        ),
        "By the way, I will be here.",
        "I will be honest by the way",
        "I can check by the way",
        "Can I call you on Friday?",
        "I can send it today if you like?",
        "When will you hear from them?",
        "Did we reply on Friday?",
        "We have shops open on Friday",
        "We will have a sale on Friday",
        "We have a sale next week",
        "We will be closed on Monday",
        "We will be closed today, have a good day",
        "I will check",
        "Did you get it today?",
        "We can only ship on Mondays",
        "We ship tomorrow's weather",
        "Expect rain tomorrow",
        "Have a nice weekend, we will miss you today",
        "We sent it today",
        "I have sent it today",
        "We called you yesterday, you will remember",
        "Have you had a chance to check today?",
        "If I will not hear from you by Friday",
        "We will not be able to send it today",
        "We can't send it today",
        "We won't be able to reply tomorrow",
        "I cannot check today",
        "We don't ship on Sunday",
        "Please send us the photo by Friday and we will check",
        "Could you send it by Friday?",
        "You can send it back within 30 days",
        "You can return it within 30 days",
        "You will get 10% off today",
        "Wir haben morgen geöffnet",
        "Guten Morgen, wir prüfen das",
        "Schreib uns bis Freitag",
        "Können wir dich morgen anrufen?",
        "Vielen Dank für deine Antwort von heute",
        "Good morning! I will check",
        "I hope to see you soon",
        "We look forward to hearing from you soon, we will be here",
        "We will check it, thanks for waiting since Friday",
        "We'll fix the tent you ordered on Friday",
        "We'll send it. Have a great Friday!",
        "Wir prüfen das, schönes Wochenende!",
        "We can fix the set you bought today",
        "We'll refund the one from yesterday",
        "We'll look into what happened last Friday",
        "I will check if it was sent on Monday",
        "We will ship it in 3 colours",
        "We'll send it in a box",
        "Write to me at 3 pm",
        "We'll send size 5.12.",
        "We send it within the EU",
        "I'll call you by 30 February",
        "I'll call you on 99.99.",
        "I'll call you on 99/99",
        "I'll call you on 31/2",
        "We'll send 5/6 of them",
        "We'll refund it by 5/6 of the price",
        "We'll get back to you on 5/6 stars",
        "We'll make sure it is on 24/7",
        "We'll send a new one, we are at 5/6 stars",
        "We'll ship it on 5/6/2025",
        "We'll reduce it and refund you by 5.6 %",
        "Wir schicken sie bis 5.6 kg",
    ],
)
def test_what_is_no_promise_is_left_alone(text: str) -> None:
    assert find(text, now=WEDNESDAY, zone=BERLIN) is None


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("We'll ship it by 5/6", "2027-05-06"),
        ("We'll ship it by 5/6/2027", "2027-05-06"),
        ("We'll ship it by 24/11", "2026-11-24"),
        ("Wir melden uns bis 5/6", "2027-06-05"),
    ],
)
def test_the_month_stands_first_for_who_works_in_the_united_states(text: str, due: str) -> None:
    promise = find(text, now=WEDNESDAY, zone=ZoneInfo("America/Denver"))
    assert promise is not None
    assert promise.due_at.date().isoformat() == due


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("We'll replace it by 1 March 2028.", "2028-03-01"),
        ("I will call you on 5/6/2029", "2029-06-05"),
        ("Wir erstatten es bis zum 31.12.2030", "2030-12-31"),
        ("We'll ship it by 29 February", "2028-02-29"),
    ],
)
def test_a_day_of_a_later_year_is_understood(text: str, due: str) -> None:
    promise = find(text, now=WEDNESDAY, zone=BERLIN)
    assert promise is not None
    assert promise.due_at.date().isoformat() == due


def test_a_promise_for_today_in_the_evening_is_due_soon() -> None:
    late = WEDNESDAY.replace(hour=20)
    promise = find("We'll call you today", now=late, zone=BERLIN)
    assert promise is not None
    assert promise.due_at > late


def test_a_span_of_hours_is_as_long_when_the_clocks_change() -> None:
    before = datetime(2026, 10, 24, 16, 0, tzinfo=UTC)
    promise = find("I'll get back to you within 24 hours", now=before, zone=BERLIN)
    assert promise is not None
    assert promise.due_at == before.replace(day=25)


def test_a_long_draft_is_read_in_time() -> None:
    assert find("i will " * 20_000, now=WEDNESDAY, zone=BERLIN) is None
