"""I5, cursors never skip: at every moment, what was served on a stream and lies at or below its cursor is stored.

A hole that the next pull heals by its overlap is seen here all the same. No code of the product: what a cursor claims
is read from its JSON.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.faults.judge import NETWORKS, Account, Judge, Judgement, Said

ENDPOINTS = {"mentions": "mentions", "timeline": "posts", "search": "search", "dm_events": "messages"}  # of X: stream
GRAPH_ENDPOINTS = {"feed": "posts", "tagged": "posts", "comments": "comments", "messages": "messages"}

# One statement is one snapshot: cursors and rows of the same moment.
_SNAPSHOT = """
    SELECT c.id, c.network, c.external_id, c.handle,
        ARRAY(SELECT jsonb_build_array(stream, cursor) FROM channels_ingest_streamcursor s WHERE s.channel_id = c.id),
        ARRAY(SELECT external_id FROM conversations_interaction i
            WHERE i.channel_id = c.id AND external_id IS NOT NULL),
        ARRAY(SELECT external_id FROM conversations_alias a WHERE a.channel_id = c.id),
        ARRAY(SELECT external_id FROM conversations_tombstone t WHERE t.channel_id = c.id),
        ARRAY(SELECT raw::text FROM channels_ingest_setaside s WHERE s.channel_id = c.id AND raw IS NOT NULL)
    FROM channels_ingest_channel c WHERE c.state <> 'history' AND (%s OR c.id = ANY(%s))
"""


@dataclass
class Cursors:
    """Looks as often as wanted; remembers what was served so far. `looks` counts the things looked for."""

    judge: Judge
    lines: int = 0
    served: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))  # by account and endpoint
    looks: int = 0
    told: set[tuple[int, str]] = field(default_factory=set)

    def look(self, found: Judgement, channels: Iterable[int] = ()) -> None:
        """Accuses each thing that a cursor has passed and the database does not hold, once."""
        wanted = sorted(set(channels))
        self._read_served()
        rows = self.judge.rows(_SNAPSHOT, not wanted, wanted)
        self.judge.read_on()  # last: what was served is known, and what was deleted since is not asked for
        for channel_id, network, external_id, handle, cursors, *kept, aside in rows:
            account = Account(channel_id, NETWORKS[network], external_id, handle.lower())
            ids = {self._first_id(account, one) for part in kept for one in part}
            for stream, cursor in cursors:
                self._look_at(found, account, (stream, cursor), ids, "\n".join(aside))

    def _read_served(self) -> None:
        for line in self.judge.lines("served", self.lines):
            self.lines = line["n"]
            self.served[line["to"].partition(":")[2], line["endpoint"]] |= {str(one) for one in line["ids"]}

    def _first_id(self, account: Account, any_id: str) -> str:
        said = self.judge.ledger.find(account.network, any_id)
        return said.id if said else any_id

    def _look_at(
        self, found: Judgement, account: Account, standing: tuple[str, dict[str, Any]], ids: set[str], aside: str
    ) -> None:
        stream, cursor = standing
        endpoints = ENDPOINTS if account.network == "x" else GRAPH_ENDPOINTS
        for endpoint in (name for name, of in endpoints.items() if of == stream):
            for one in self.served[account.external_id, endpoint]:
                said = self.judge.ledger.find(account.network, one)
                if said is None or not self.judge.concerns(said, account) or not _passed(endpoint, cursor, one, said):
                    continue
                self.looks += 1
                if said.id not in ids and not any(name in aside for name in (one, *said.versions)):
                    self._tell(found, account, said, f"the cursor of {stream} stands at {cursor}")

    def _tell(self, found: Judgement, account: Account, said: Said, words: str) -> None:
        if (account.channel_id, said.id) not in self.told:
            self.told.add((account.channel_id, said.id))
            found.accuse("I5", f"{account} was served {said.id} and does not hold it, but {words}")


def _passed(endpoint: str, cursor: dict[str, Any], served_id: str, said: Said) -> bool:
    """Whether the cursor claims that this was handed over."""
    if said.network == "x":
        since, until, top = (str(cursor.get(name, "")) for name in ("since", "until", "top"))
        walked = until.isdecimal() and int(until) <= int(served_id) <= int(top or 0)
        return walked or (since.isdecimal() and int(served_id) <= int(since))
    # a place that moves up while one walks is missed once, so these lists are read down to where the walk before began
    stamp = cursor.get(endpoint, {}).get("since") if endpoint in ("feed", "tagged") else cursor.get("floor")
    return bool(stamp) and said.created <= datetime.fromisoformat(str(stamp)).timestamp() * 1000
