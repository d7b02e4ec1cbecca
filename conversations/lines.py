"""The lines of the list, ready to be shown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zlib import crc32

from django.utils import timezone
from django.utils.translation import gettext

from accounts.models import User, initials
from channels_ingest.networks import networks
from conversations import exposure
from conversations.listed import Listed
from conversations.listed import listed as listed_of
from conversations.models import Interaction, Thread
from conversations.wanted import cursor_at

MOST_OTHERS = 999  # threads under one post that are counted
SNIPPET_LENGTH = 160
WAITING_LONG = timedelta(hours=1)
WAITING_TOO_LONG = timedelta(hours=24)


@dataclass(slots=True)
class Row:
    """One line of the list, ready to be shown."""

    thread: Listed
    name: str
    initials: str
    badge: str
    network: str
    snippet: str
    speaker: str
    waiting: str  # "", "short", "long" or "late"
    version: int
    order: str  # its cursor: where it stands in the list
    passage: list[tuple[str, bool]] = field(default_factory=list)  # what a search found: is each piece of text a hit?
    factors: exposure.Factors | None = None  # what makes its place in the order of exposure
    due: datetime | None = None  # the first promise that falls due, in the order of these
    others: int = 0  # how many more threads of this list stand under the same post, counted to a bound

    @property
    def unread(self) -> bool:
        return self.thread.unread

    @property
    def others_shown(self) -> str:
        return f"{self.others}+" if self.others >= MOST_OTHERS else str(self.others)

    @property
    def trouble(self) -> str:
        """State of a reply that did not leave: "", "failed" or "unknown"."""
        return self.thread.trouble


def rows(ids: Iterable[int], user: User) -> list[Row]:
    """The threads as lines of the list, in the order of the ids. One query, however many there are."""
    now, speakers = timezone.now(), Speakers(user)
    threads = listed_of(list(ids), user, letters=2 * SNIPPET_LENGTH)
    return [_row(thread, speakers, now) for thread in threads]


def _row(thread: Listed, speakers: Speakers, now: datetime) -> Row:
    adapter = networks().get(thread.network)
    waiting = _waiting(thread, now)
    name = thread.contact_name or thread.identity_name or thread.identity_handle
    shown = name or thread.identity_external_id
    version = (
        thread.last_activity_at, thread.assignee_id, thread.team_id, thread.state, thread.snoozed_until, thread.unread,
        waiting, thread.trouble, shown, thread.latest_id, thread.latest_version, thread.latest_removed_at,
        *thread.tags,
    )  # fmt: skip
    return Row(
        thread=thread,
        name=shown,
        initials=initials(name),
        badge=adapter.badge if adapter else "?",
        network=adapter.name if adapter else thread.network,
        snippet=_snippet(thread),
        speaker=speakers.of(thread.latest_direction, thread.latest_sent_by_id),
        waiting=waiting,
        order=cursor_at((thread.pk, thread.last_activity_at)),
        version=crc32(repr(version).encode()),
    )


def _snippet(thread: Listed) -> str:
    if thread.latest_removed_at:
        return gettext("This was deleted.")
    words = " ".join((thread.latest_words or "").split())
    if not words and thread.latest_has_media:
        return gettext("(without words)")
    return words[:SNIPPET_LENGTH]


class Speakers:
    """Who said what a line shows, as one user reads it in their language."""

    def __init__(self, user: User) -> None:
        self._user, self._you, self._we = user.pk, gettext("You"), gettext("We")

    def of(self, direction: str | None, sent_by_id: int | None) -> str:
        """Empty for the customer."""
        if direction != Interaction.Direction.OUT:
            return ""
        return self._you if sent_by_id == self._user else self._we


def _waiting(thread: Listed, now: datetime) -> str:
    if thread.waiting_since is None or thread.state == Thread.State.CLOSED:
        return ""
    waited = now - thread.waiting_since
    return "late" if waited >= WAITING_TOO_LONG else "long" if waited >= WAITING_LONG else "short"
