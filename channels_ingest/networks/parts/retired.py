"""Stands in for a network that this install no longer has: its old threads still open, and nothing can be done."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from django.utils.translation import gettext as _

from channels_ingest.networks.base import (
    JSON,
    Action,
    Author,
    Field,
    Network,
    NetworkError,
    Page,
    Situation,
    Stream,
    Supports,
    Trouble,
    Verdict,
)


class Retired(Network):
    key: ClassVar[str] = ""
    name: ClassVar[str] = "—"
    badge: ClassVar[str] = "—"
    supports: ClassVar[Supports] = Supports(read_back=False)
    streams: ClassVar[tuple[Stream, ...]] = ()
    fields: ClassVar[tuple[Field, ...]] = ()

    def identify(self) -> Author:
        raise NetworkError(_("This network is no longer supported."), Trouble.PERMANENT)

    def pull(self, stream: str, cursor: Mapping[str, JSON]) -> Iterator[Page]:
        return iter(())

    def verdict(self, action: Action, situation: Situation) -> Verdict:
        return Verdict(False, _("This network is no longer supported."))
