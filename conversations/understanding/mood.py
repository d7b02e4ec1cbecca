"""The mood of a text: VADER's word list, for English only. Always tentative: on real tweets it is a rough guess."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from conversations.understanding.base import UNKNOWN, Value, words_of

NEGATIVE, NEUTRAL, POSITIVE = "negative", "neutral", "positive"
THRESHOLD = 0.05  # of the compound score, as VADER's authors set it


class MoodReader:
    kind = "mood"
    source = "vaderSentiment 3.3.2"

    @cached_property
    def _model(self) -> Any:
        from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer  # noqa: PLC0415 (workers only)

        return SentimentIntensityAnalyzer()

    def read(self, text: str, language: str = "") -> Value:
        if language != "en":
            return Value(UNKNOWN, why="only English can be read so far")
        words = words_of(text)
        score = self._model.polarity_scores(words)["compound"]
        mood = POSITIVE if score >= THRESHOLD else NEGATIVE if score <= -THRESHOLD else NEUTRAL
        return Value(mood, why=self._why(words, score), tentative=True)

    def _why(self, words: str, score: float) -> str:
        """The words that weigh most."""
        lexicon = self._model.lexicon
        weights = {
            word: lexicon[word] for raw in words.lower().split() if (word := raw.strip(".,!?;:'\"()")) in lexicon
        }
        top = sorted(weights, key=lambda word: -abs(weights[word]))[:3]
        return f"score {score:+.2f}" + (": " + ", ".join(top) if top else "")
