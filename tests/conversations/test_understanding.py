from __future__ import annotations

import time

import pytest
from django.utils import translation

from accounts.models import User
from channels_ingest.models import Channel
from channels_ingest.networks.base import Removal
from conversations.actions import NotPossible
from conversations.facts import _understood
from conversations.models import Interaction, Reading, Thread
from conversations.readings import correct, understand_due
from conversations.record import record
from conversations.understanding import understand, urgency
from conversations.words import REASONS, told
from tests.cast import MAYA, TRAILHEAD, said

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("@trailhead Where is my order? It should have come last week.", "en"),
        ("Wo bleibt meine Bestellung? Ich warte seit drei Wochen.", "de"),
        ("Où est ma commande ? J'attends depuis trois semaines.", "fr"),
        ("ok", "unknown"),
        ("", "unknown"),
        ("@trailhead https://example.com/abc", "unknown"),
    ],
)
def test_the_language_is_told_or_left_open(text: str, language: str) -> None:
    assert understand(text)["language"][0].value == language


def test_mood_is_a_guess_in_english_and_unknown_elsewhere() -> None:
    angry = understand("This is the worst service, I am so angry and disappointed.")["mood"][0]
    assert (angry.value, angry.tentative) == ("negative", True)
    assert "worst" in angry.why
    assert understand("Das ist der schlechteste Service, ich bin sehr wütend.")["mood"][0].value == "unknown"


@pytest.mark.parametrize(
    ("text", "urgency", "why"),
    [
        ("My stove is on fire, what do I do", "high", "danger"),
        ("This is urgent, I need it today", "high", "says it is urgent, a date that is near"),
        ("Which size is right for me?", "normal", ""),
    ],
)
def test_urgency_names_the_rules_that_spoke(text: str, urgency: str, why: str) -> None:
    value = understand(text)["urgency"][0]
    assert (value.value, value.why) == (urgency, why)


def test_hostile_texts_are_read_without_harm() -> None:
    for text in ("\u202e" * 500, "a" * 100_000, "💥" * 3000, "\ud83d", "<script>" * 200):
        assert set(understand(text)) == {"language", "mood", "urgency"}


def test_what_came_in_is_read_after_the_commit_and_told_to_the_thread(channel: Channel) -> None:
    record(channel, [said("1", text="I am so angry, this tent is terrible and I need help today, urgent!")])
    record(channel, [said("2", TRAILHEAD, "Sorry!", parent=said("1"), minutes=1)])
    assert understand_due() == 1
    assert understand_due() == 0
    thread = Thread.objects.get()
    assert (thread.language, thread.mood, thread.urgency) == ("en", "negative", "high")
    assert Reading.objects.get().sources["mood"].startswith("vaderSentiment")


def test_an_edited_text_is_read_again(channel: Channel) -> None:
    record(channel, [said("1", text="I love this tent, great work and wonderful people!")])
    understand_due()
    record(channel, [said("1", text="I hate this tent, terrible work and awful people!", version=2)])
    understand_due()
    assert Reading.objects.get().mood == "negative"


@pytest.mark.parametrize("value", ["unsure", "unknown", ""])
def test_what_is_not_known_is_said_beside_what_it_is_of(channel: Channel, agent: User, value: str) -> None:
    record(channel, [said("1", MAYA, "ok")])
    understand_due()
    Reading.objects.update(language=value)
    language = _understood(Thread.objects.get())[0]
    assert (language.shown, language.vague) == (value or "unknown", True)


def test_every_reason_of_a_rule_is_told_in_the_language_of_the_page() -> None:
    assert {name for name, _weight, _pattern in urgency._RULES} <= REASONS.keys()
    with translation.override("de"):
        assert [told(why) for why in ("danger, asked before", "one model says de, the other en")] == [
            "Gefahr, schon einmal gefragt",
            "das eine Modell sagt Deutsch, das andere Englisch",
        ]
        assert (told("score -0.51: worst, angry"), told(""), told("<b>")) == ("Wert -0.51: worst, angry", "", "<b>")


def test_a_correction_is_never_overwritten(channel: Channel, agent: User) -> None:
    record(channel, [said("1", MAYA, "Oh great, another broken zip. Wonderful.")])
    understand_due()
    correct(Interaction.objects.get(), kind="mood", value="negative", by=agent)
    Reading.objects.update(version=0)
    assert understand_due() == 1
    reading = Reading.objects.get()
    assert (reading.mood, reading.sources["mood"]) == ("negative", "Ana")
    assert Thread.objects.get().mood == "negative"


def test_a_correction_takes_only_values_there_are(channel: Channel, agent: User) -> None:
    record(channel, [said("1")])
    with pytest.raises(NotPossible):
        correct(Interaction.objects.get(), kind="mood", value="purple", by=agent)
    with pytest.raises(NotPossible):
        correct(Interaction.objects.get(), kind="text", value="x", by=agent)


def test_readings_of_an_older_version_are_read_again(channel: Channel) -> None:
    record(channel, [said("1")])
    understand_due()
    Reading.objects.update(version=0, mood="")
    assert understand_due() == 1
    assert Reading.objects.get().mood != ""


def test_the_reading_of_a_removed_item_goes_with_it(channel: Channel) -> None:
    record(channel, [said("1")])
    understand_due()
    record(channel, [Removal("1")])
    assert not Reading.objects.exists()
    assert understand_due() == 0


def test_a_thousand_texts_take_less_than_two_seconds_of_one_core() -> None:
    understand("Where is my order?")  # loads the models
    began = time.process_time()
    for number in range(1000):
        understand(f"@trailhead order {number} came without stakes, the worst service ever! #camping")
    assert time.process_time() - began < 2
