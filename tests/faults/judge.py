"""The judge: compares the networks' ledgers, the agents' ledger and the database, and knows no code of the product.

Nothing here imports the product. What a table is called is the only thing it takes from it.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.request import urlopen

import psycopg2

NETWORKS = {"twitter": "x", "facebook": "facebook"}
CANARY = re.compile(r"⟦[^⟧]+⟧")
Row = tuple[Any, ...]


@dataclass(slots=True)
class Said:
    """One thing as its network knows it, all edits taken together."""

    network: str
    id: str
    author: str
    text: str
    created: int
    mono: float
    parent: str | None = None
    page: str | None = None
    via: str = ""
    recipient: str | None = None  # of a private message
    deleted: bool = False
    versions: list[str] = field(default_factory=list)

    @property
    def canaries(self) -> list[str]:
        return CANARY.findall(self.text)


@dataclass(frozen=True, slots=True)
class Account:
    """A channel as the judge sees it."""

    channel_id: int
    network: str
    external_id: str
    handle: str

    def __str__(self) -> str:
        return f"channel {self.channel_id} (@{self.handle} on {self.network})"


@dataclass(frozen=True, slots=True)
class Stored:
    """A row of the database."""

    external_id: str
    text: str
    removed: bool
    parent: str | None


@dataclass(slots=True)
class Pressed:
    """One reply as its agent knows it: the key, and the words with their canary."""

    key: str
    canary: str
    acknowledged: bool = True  # the agent was told that it was taken


@dataclass(slots=True)
class Ledger:
    """What the networks accepted, read from the sandbox's journal."""

    said: dict[tuple[str, str], Said] = field(default_factory=dict)
    handles: dict[tuple[str, str], str] = field(default_factory=dict)
    hidden_authors: set[tuple[str, str]] = field(default_factory=set)
    lines: int = 0

    def find(self, network: str, any_id: str) -> Said | None:
        """The thing of that id; an edit's id finds the first version's."""
        return self.said.get((network, any_id))

    def things(self) -> Iterator[Said]:
        seen: set[int] = set()
        for one in self.said.values():
            if id(one) not in seen:
                seen.add(id(one))
                yield one

    def read(self, line: dict[str, Any]) -> None:
        """Takes in one journal line."""
        self.lines += 1
        match line["kind"]:
            case "member.created":
                member = line["member"]
                self.handles[member["network"], member["id"]] = member["username"].lower()
            case "member.changed":
                self._changed(line)
            case "post.created":
                self._posted(line, line["item"])
            case "message.sent":
                message = line["message"]
                self.said[message["network"], message["id"]] = Said(
                    message["network"],
                    message["id"],
                    message["sender"],
                    message["text"],
                    message["created"],
                    line["mono"],
                    via=message.get("via", line["by"]),
                    recipient=message["recipient"],
                )
            case "post.edited":
                self.said[line["network"], line["id"]].text = line["text"]
            case "post.deleted":
                self.said[line["network"], line["id"]].deleted = True

    def _posted(self, line: dict[str, Any], item: dict[str, Any]) -> None:
        network, first = item["network"], (item.get("history") or [item["id"]])[0]
        known = self.said.get((network, first))
        if known is not None:
            known.text = item["text"]
            known.versions.append(item["id"])
            self.said[network, item["id"]] = known
            return
        made = Said(
            network,
            item["id"],
            item["author"],
            item["text"],
            item["created"],
            line["mono"],
            parent=item.get("parent"),
            page=item.get("page"),
            via=item.get("via", line["by"]),
            versions=[item["id"]],
        )
        self.said[network, item["id"]] = made

    def _changed(self, line: dict[str, Any]) -> None:
        key = (line["network"], line["id"])
        for name in ("protected", "suspended"):
            if line["changes"].get(name) is True:
                self.hidden_authors.add(key)
            elif line["changes"].get(name) is False:
                self.hidden_authors.discard(key)

    def gone(self, one: Said) -> bool:
        """Whether its content may no longer be kept."""
        return one.deleted or (one.network, one.author) in self.hidden_authors


@dataclass(slots=True)
class Judgement:
    """Violations by invariant, and what was looked at."""

    violations: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    counts: Counter[str] = field(default_factory=Counter)

    def accuse(self, invariant: str, words: str) -> None:
        self.violations[invariant].append(words)

    @property
    def clean(self) -> bool:
        return not any(self.violations.values())

    @property
    def broken(self) -> set[str]:
        """The invariants that were violated."""
        return {name for name, words in self.violations.items() if words}

    def clean_of(self, *invariants: str) -> bool:
        """Whether none of these was violated."""
        return not any(self.violations.get(name) for name in invariants)

    def __str__(self) -> str:
        lines = [f"{name}: {words}" for name, all_words in sorted(self.violations.items()) for words in all_words[:12]]
        return "\n".join([f"looked at {dict(self.counts)}", *lines])


class Judge:
    """Compares when asked; holds one connection to the database and remembers how far it has read the journal."""

    def __init__(self, dsn: str, sandbox_url: str) -> None:
        self.dsn = dsn
        self.sandbox_url = sandbox_url
        self.ledger = Ledger()
        self.connection: Any = None

    def rows(self, query: str, *given: Any) -> list[Row]:
        """What a query finds. Raises psycopg2.Error."""
        kept = self.connection is not None
        try:
            return self._ask(query, given)
        except (psycopg2.OperationalError, psycopg2.InterfaceError):
            self.connection = None
            if not kept:
                raise
            return self._ask(query, given)  # the server was restarted since

    def _ask(self, query: str, given: tuple[Any, ...]) -> list[Row]:
        if self.connection is None:
            self.connection = psycopg2.connect(self.dsn, connect_timeout=5)
        with self.connection, self.connection.cursor() as cursor:
            cursor.execute(query, given)
            found: list[Row] = cursor.fetchall()
        return found

    def lines(self, kind: str, after: int = 0) -> Iterator[dict[str, Any]]:
        """The lines of one of the sandbox's ledgers."""
        while True:
            with urlopen(f"{self.sandbox_url}/control/ledger?kind={kind}&after={after}") as answer:
                page = json.loads(answer.read())
            yield from page["lines"]
            if not page["lines"]:
                return
            after = page["lines"][-1]["n"]

    def read_on(self) -> None:
        """Takes in what the networks accepted since."""
        for line in self.lines("accepted", self.ledger.lines):
            self.ledger.read(line)

    # -- the judgement ------------------------------------------------------------------------------------------------

    def judge(
        self, pressed: Iterable[Pressed] = (), *, channels: Iterable[int] = (), complete: bool = True
    ) -> Judgement:
        """All invariants. `complete` also asks that everything that concerns a channel has come in by now."""
        self.read_on()
        found = Judgement()
        wanted = set(channels)
        for account in self._accounts():
            if not wanted or account.channel_id in wanted:
                self._judge_channel(found, account, complete)
        for one in pressed:
            self._judge_reply(found, one)
        self._judge_webhooks(found)
        self._judge_people(found)
        self._judge_standstill(found)
        return found

    def _accounts(self) -> list[Account]:
        rows = self.rows(
            "SELECT id, network, external_id, handle FROM channels_ingest_channel WHERE state <> 'history' ORDER BY id"
        )
        return [
            Account(pk, NETWORKS[network], external_id, handle.lower()) for pk, network, external_id, handle in rows
        ]

    def _judge_channel(self, found: Judgement, account: Account, complete: bool) -> None:
        """I1 (each once, nothing invented), I7 (parents and last words as the network has them), deletions."""
        rows = [
            Stored(*row)
            for row in self.rows(
                """SELECT i.external_id, i.text, i.removed_at IS NOT NULL, p.external_id
                FROM conversations_interaction i LEFT JOIN conversations_interaction p ON p.id = i.parent_id
                WHERE i.channel_id = %s AND i.external_id IS NOT NULL AND i.direction <> 'note'""",
                account.channel_id,
            )
        ]
        stored: Counter[str] = Counter()
        marks: Counter[str] = Counter()
        ids = {row.external_id for row in rows}
        for row in rows:
            said = self.ledger.find(account.network, row.external_id)
            if said is None:
                found.accuse("I1", f"{account} holds {row.external_id}, which the network never had")
                continue
            stored[said.id] += 1
            marks.update(set(CANARY.findall(row.text)))
            self._judge_words(found, account, said, row)
            self._judge_place(found, account, said, row, ids)
        for name, counted in (("item", stored), ("canary", marks)):
            for one, count in counted.items():
                if count > 1:
                    found.accuse("I1", f"{account} holds the {name} {one} {count} times")
        found.counts["stored"] += len(rows)
        if complete:
            expected = {one.id for one in self.ledger.things() if self.concerns(one, account)}
            found.counts["served"] += len(expected)
            aside = self._set_aside(account)
            for missing in sorted(expected - set(stored)):
                if any(one in aside for one in (missing, *self.ledger.said[account.network, missing].versions)):
                    found.counts["set aside"] += 1
                    continue
                found.accuse("I1", f"{account} lacks {missing}: {self.ledger.said[account.network, missing].text!r}")

    def _set_aside(self, account: Account) -> str:
        """What the product shows as set aside for this channel, as one text: visible, so not lost."""
        rows = self.rows(
            "SELECT raw::text || reason FROM channels_ingest_setaside WHERE channel_id = %s AND raw IS NOT NULL",
            account.channel_id,
        )
        return "\n".join(row[0] for row in rows)

    def _judge_words(self, found: Judgement, account: Account, said: Said, row: Stored) -> None:
        if self.ledger.gone(said):
            if row.text:
                found.accuse("I10", f"{account} still holds the words of {said.id}, which is gone: {row.text!r}")
        elif row.removed:
            found.accuse("I10", f"{account} emptied {said.id}, which is still there")
        elif set(CANARY.findall(row.text)) != set(said.canaries):
            found.accuse("I7", f"{account} holds {row.text!r} for {said.id}, which says {said.text!r}")

    def _judge_place(self, found: Judgement, account: Account, said: Said, row: Stored, ids: set[str]) -> None:
        above = self.ledger.find(said.network, said.parent) if said.parent and said.recipient is None else None
        if above is not None and above.id in ids and row.parent != above.id:
            found.accuse("I7", f"{account} hangs {said.id} below {row.parent}, not below {above.id}")

    def concerns(self, one: Said, account: Account) -> bool:
        """Whether a channel must hold it: said by us, to us or about us."""
        if one.network != account.network or self.ledger.gone(one):
            return False
        if one.recipient is not None:
            return account.external_id in (one.author, one.recipient)
        if account.network == "facebook":
            return one.page == account.external_id
        named = re.search(rf"(?<![\w@])@{re.escape(account.handle)}(?!\w)", one.text.lower()) is not None
        return one.author == account.external_id or named

    def _judge_reply(self, found: Judgement, one: Pressed) -> None:
        """I2: accepted exactly once and known by its true id, or visibly failed and never accepted."""
        found.counts["replies"] += 1
        accepted = [said for said in self.ledger.things() if one.canary in said.text and said.via == "api"]
        rows = self.rows(
            """SELECT d.state, i.external_id FROM conversations_delivery d
            JOIN conversations_interaction i ON i.id = d.interaction_id WHERE d.key = %s""",
            one.key,
        )
        if len(accepted) > 1:
            found.accuse("I2", f"reply {one.canary} was sent {len(accepted)} times")
        if not rows:
            if one.acknowledged:
                found.accuse("I2", f"reply {one.canary} was taken and is nowhere")
            elif accepted:
                found.accuse("I2", f"reply {one.canary} is on the network and not in the database")
            return
        (state, external_id) = rows[0]
        found.counts[state] += 1
        if state in ("sent", "verified"):
            if not accepted:
                found.accuse("I2", f"reply {one.canary} is shown as {state} and was never accepted")
            elif external_id not in (accepted[0].id, *accepted[0].versions):
                found.accuse("I2", f"reply {one.canary} is known as {external_id} and really is {accepted[0].id}")
        elif state in ("failed", "cancelled"):
            if accepted:
                found.accuse("I3", f"reply {one.canary} is shown as {state} and is on the network")
        else:
            found.accuse("I8", f"reply {one.canary} is still {state}")

    def _judge_people(self, found: Judgement) -> None:
        """I4: everybody is on exactly one timeline, and all that is said stands on its speaker's."""
        for words, query in (
            (
                "{} identities have no contact or several",
                """SELECT count(*) FROM (
                    SELECT i.id FROM contacts_identity i
                    LEFT JOIN contacts_identitylink l ON l.identity_id = i.id AND l.ended_at IS NULL
                    WHERE NOT i.ours GROUP BY i.id HAVING count(l.id) <> 1
                ) odd""",
            ),
            (
                "{} identities belong to a contact that was merged away",
                """SELECT count(*) FROM contacts_identitylink l JOIN contacts_contact c ON c.id = l.contact_id
                WHERE l.ended_at IS NULL AND c.merged_into_id IS NOT NULL""",
            ),
            (
                "{} threads stand under another contact than their customer's",
                """SELECT count(*) FROM conversations_thread t
                JOIN contacts_identitylink l ON l.identity_id = t.identity_id AND l.ended_at IS NULL
                WHERE t.contact_id <> l.contact_id""",
            ),
            (
                "{} interactions stand on another timeline than their thread's",
                """SELECT count(*) FROM conversations_interaction i JOIN conversations_thread t ON t.id = i.thread_id
                WHERE i.contact_id IS DISTINCT FROM t.contact_id""",
            ),
        ):
            ((count,),) = self.rows(query)
            if count:
                found.accuse("I4", words.format(count))

    def _judge_webhooks(self, found: Judgement) -> None:
        """I6: what was answered 200 is in the database."""
        digests = {line["digest"] for line in self.lines("webhooks") if line.get("status") == 200 and "digest" in line}
        kept = {digest for (digest,) in self.rows("SELECT digest FROM channels_ingest_webhookevent")}
        foreign = set(self.foreign_digests)
        found.counts["webhooks answered"] += len(digests - foreign)
        for count, digest in self.rows(
            "SELECT count(*), digest FROM channels_ingest_webhookevent GROUP BY app_id, digest HAVING count(*) > 1"
        ):
            found.accuse("I6", f"the webhook {digest[:12]} is kept {count} times")
        for digest in sorted(digests - kept - foreign):
            found.accuse("I6", f"a webhook {digest[:12]} was answered 200 and is nowhere")

    foreign_digests: frozenset[str] = frozenset()  # bodies that somebody else than the product answered

    def _judge_standstill(self, found: Judgement) -> None:
        """I8: nothing is stuck on the way."""
        for state, count in self.rows(
            """SELECT state, count(*) FROM conversations_delivery
            WHERE state IN ('sending', 'unknown', 'queued') GROUP BY state"""
        ):
            found.accuse("I8", f"{count} replies are {state}")
        for (count,) in self.rows("SELECT count(*) FROM channels_ingest_webhookevent WHERE state = 'received'"):
            if count:
                found.accuse("I8", f"{count} webhooks wait")

    def waiting(self) -> list[str]:
        """What is on its way or has not come in yet, in a few words each."""
        self.read_on()
        found = Judgement()
        self._judge_standstill(found)
        for account in self._accounts():
            self._judge_channel(found, account, complete=True)
        return [*found.violations["I8"], *(words.split(":", 1)[0] for words in found.violations["I1"][:3])]

    def quiet(self) -> bool:
        """Whether nothing is on its way."""
        found = Judgement()
        self._judge_standstill(found)
        return found.clean
