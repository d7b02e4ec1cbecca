"""A network that does what a test tells it, and remembers what it was asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, ClassVar

from channels_ingest.networks.base import (
    Account,
    Action,
    Author,
    Field,
    Network,
    NetworkError,
    Outgoing,
    Page,
    Sent,
    Situation,
    Stream,
    Supports,
    Trouble,
    Verdict,
    Visibility,
)


class FakeNetwork(Network):
    """`script` holds what each call answers in turn: a Sent, an error to raise, or a callable."""

    key: ClassVar[str] = "fake"
    name: ClassVar[str] = "Fake"
    badge: ClassVar[str] = "F"
    supports: ClassVar[Supports] = Supports(public_reply=True, private_message=True, public_limit=280)
    streams: ClassVar[tuple[Stream, ...]] = (Stream("mentions", Visibility.PUBLIC, timedelta(minutes=1)),)
    fields: ClassVar[tuple[Field, ...]] = ()

    def __init__(self) -> None:
        super().__init__(Account("9001", "trailhead", {}))
        self.sent: list[Outgoing] = []
        self.read: list[Outgoing] = []
        self.script: list[Any] = []
        self.readings: list[Any] = []
        self.pages: list[Page | NetworkError] = []
        self.verdicts: dict[Action, Verdict] = {}

    def identify(self) -> Author:
        return Author("9001", handle="trailhead")

    def pull(self, stream: str, cursor: Mapping[str, Any]) -> Iterator[Page]:
        for page in self.pages:
            if isinstance(page, NetworkError):
                raise page
            yield page

    def verdict(self, action: Action, situation: Situation) -> Verdict:
        return self.verdicts.get(action, Verdict(True))

    def send(self, out: Outgoing) -> Sent:
        self.sent.append(out)
        answer = self.script.pop(0) if self.script else Sent(f"sent-{len(self.sent)}")
        if isinstance(answer, Exception):
            raise answer
        return answer(out) if callable(answer) else answer

    def find_sent(self, out: Outgoing) -> Sent | None:
        self.read.append(out)
        answer = self.readings.pop(0) if self.readings else None
        if isinstance(answer, Exception):
            raise answer
        return answer


def trouble(kind: Trouble = Trouble.TEMPORARY, words: str = "no", **more: Any) -> NetworkError:
    return NetworkError(words, kind, **more)
