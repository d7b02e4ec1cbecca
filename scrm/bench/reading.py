"""How long it takes to understand a thousand texts: language, mood and urgency, without storing them."""

from __future__ import annotations

import time
from itertools import cycle, islice
from typing import Any

from conversations.understanding import understand
from scrm.bench.summary import spread
from scrm.demo.script import SAID

TEXTS, ROUNDS = 1_000, 5


def reading() -> dict[str, Any]:
    """Seconds of computing on one core, for what the people of the demo say, over and over. The models are loaded by
    then."""
    texts = [one.text for one in islice(cycle(SAID), TEXTS)]
    understand(texts[0])
    return {
        "texts": TEXTS,
        "letters": sum(map(len, texts)),
        "cpu_s": spread([_taken(texts) for _round in range(ROUNDS)]),
    }


def _taken(texts: list[str]) -> float:
    began = time.thread_time()
    for text in texts:
        understand(text)
    return time.thread_time() - began
