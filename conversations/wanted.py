"""Which list somebody wants to see: its view or question, its order, and where in it they are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from urllib.parse import urlencode

from django.utils import timezone
from django.utils.translation import gettext_lazy

from accounts.ids import id_of
from channels_ingest.networks import networks
from conversations.query import Filter, Query, parse

QUERY_LENGTH = 300
VIEWS = {
    "mine": gettext_lazy("Mine"),
    "unassigned": gettext_lazy("Unassigned"),
    "mentions": gettext_lazy("Mentions"),
    "all": gettext_lazy("All"),
    "waiting": gettext_lazy("Waiting longest"),
    "promises": gettext_lazy("Promises"),
    "hanging": gettext_lazy("Left hanging in public"),
    "snoozed": gettext_lazy("Snoozed"),
    "closed": gettext_lazy("Closed"),
}
ORDERS = {
    "newest": gettext_lazy("Newest first"),
    "waiting": gettext_lazy("Waiting longest"),
    "exposure": gettext_lazy("Most exposed"),
    "due": gettext_lazy("Due first"),
    "oldest": gettext_lazy("Oldest first"),
}
# The field of each order, and whether it runs downwards. Exposure has an order of its own.
FIELDS = {
    "newest": ("last_activity_at", True),
    "waiting": ("waiting_since", False),
    "oldest": ("created_at", False),
    "due": ("due_at", False),
}
INFLUENCE = 100  # percent
_EPOCH, _MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
_CURSOR = re.compile(r"(\d{1,17})-(\d{1,18})\Z", re.ASCII)


@dataclass(frozen=True)
class Wanted:
    """Which threads somebody wants to see. Made from a query string; what is not understood is left out."""

    view: str = "mine"
    text: str = ""
    network: str = ""
    visibility: str = ""
    before: str = ""
    order: str = "newest"
    influence: int = INFLUENCE  # of reach and negativity on the order by exposure, in percent
    grouped: bool = False  # one row for all threads under one public post
    under: int | None = None  # a thread: only those that share its public post
    saved: int | None = None  # a saved view, which gives the rest

    @classmethod
    def read(cls, query: Mapping[str, str]) -> Wanted:
        view, network, visibility = query.get("view", ""), query.get("network", ""), query.get("visibility", "")
        order = query.get("order", "")
        return cls(
            view=view if view in VIEWS else "mine",
            order=order if order in ORDERS else "waiting" if view == "waiting" else "newest",
            influence=min(id_of(query.get("influence", "")) or 0, INFLUENCE) if "influence" in query else INFLUENCE,
            grouped=query.get("group", "") == "1",
            under=id_of(query.get("under", "")),
            saved=id_of(query.get("saved", "")),
            text=" ".join(query.get("q", "").replace("\x00", "").split())[:QUERY_LENGTH],
            network=network if network in networks() else "",
            visibility=visibility if visibility in ("public", "private") else "",
            before=query.get("before", ""),
        )

    @cached_property
    def fields(self) -> dict[str, str]:
        """What a query string or a form says to ask for the same list from its top."""
        asked = {
            "view": self.view,
            "q": self.text,
            "network": self.network,
            "visibility": self.visibility,
            "order": self.order if self.order != self._usual_order else "",
            "influence": str(self.influence) if self.influence != INFLUENCE else "",
            "group": "1" if self.grouped else "",
            "under": str(self.under or ""),
            "saved": str(self.saved or ""),
        }
        return {name: value for name, value in asked.items() if value}

    @cached_property
    def query(self) -> str:
        return urlencode(self.fields)

    @property
    def _usual_order(self) -> str:
        return "waiting" if self.view == "waiting" else "newest"

    @property
    def upwards(self) -> bool:
        """Whether the smallest value of the order stands first."""
        _field, down = FIELDS.get(self.order, ("", True))
        return not down

    @property
    def filtered(self) -> bool:
        return bool(self.network or self.visibility)

    @cached_property
    def asked(self) -> Query:
        """The text, taken apart, with what was chosen beside it."""
        asked = parse(self.text, now=timezone.localtime())
        return replace(asked, filters=(*asked.filters, *self.chosen)) if asked else asked

    @property
    def chosen(self) -> list[Filter]:
        """What was chosen beside the search box."""
        chosen = {"network": self.network, "is": self.visibility}
        return [Filter(key, value) for key, value in chosen.items() if value]

    @property
    def searching(self) -> bool:
        """Whether words are looked for: then the order is that of the matches."""
        return bool(self.asked.words)

    @property
    def order_label(self) -> str:
        return str(ORDERS[self.order])

    @property
    def place(self) -> str:
        """A view's key, or that of the saved view: what is current among the tabs."""
        return f"saved-{self.saved}" if self.saved else self.view


def cursor_at(place: tuple[int, datetime]) -> str:
    """Where a thread stands in a list ordered by a moment: microseconds since 1970 and its id."""
    pk, moment = place
    return f"{(moment - _EPOCH) // _MICROSECOND}-{pk}"


def read_cursor(cursor: str) -> tuple[datetime, int] | None:
    """The moment (UTC) and id that a cursor names; None for anything else."""
    match = _CURSOR.match(cursor)
    if match is None:
        return None
    try:
        return _EPOCH + int(match[1]) * _MICROSECOND, int(match[2])
    except OverflowError:
        return None
