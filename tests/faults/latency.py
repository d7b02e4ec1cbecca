"""I12, poison does not slow its neighbours: the p95 of the time from served to stored is at most twice the calm one."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import quantiles

from tests.faults.judge import NETWORKS, Judge, Judgement

MOST = 2.0  # times the calm one
UNNOTICED = 0.25  # seconds: nobody waits for less, and a busy machine takes as much by itself
FEWEST = 15  # items on either side; fewer say nothing


def judge_neighbours(found: Judgement, calm: Sequence[float], beside_poison: Sequence[float]) -> None:
    """Both in seconds, one for each item."""
    if min(len(calm), len(beside_poison)) < FEWEST:
        found.accuse("I12", f"{len(calm)} items were stored in calm and {len(beside_poison)} beside poison")
        return
    usual, slow = p95(calm), p95(beside_poison)
    found.counts["calm p95 (ms)"], found.counts["p95 beside poison (ms)"] = round(usual * 1000), round(slow * 1000)
    if slow > MOST * max(usual, UNNOTICED):
        found.accuse("I12", f"beside poison an item took {slow:.2f} s (p95), in calm {usual:.2f} s")


def p95(seconds: Sequence[float]) -> float:
    return quantiles(seconds, n=20)[-1]


def stored_after(judge: Judge, channel: int, since: float) -> list[float]:
    """How long after a moment (seconds since 1970) each item of a channel was stored."""
    query = "SELECT extract(epoch FROM received_at) FROM conversations_interaction WHERE channel_id = %s"
    return [float(at) - since for (at,) in judge.rows(query, channel)]


def waits(judge: Judge, since: float, until: float) -> list[float]:
    """For each inbound item that was said between two moments: from the network's ledger to our row, in seconds."""
    judge.read_on()
    query = """SELECT c.network, i.external_id, extract(epoch FROM i.received_at) FROM conversations_interaction i
        JOIN channels_ingest_channel c ON c.id = i.channel_id WHERE i.direction = 'in' AND i.external_id IS NOT NULL"""
    said = [(judge.ledger.find(NETWORKS[network], pk), float(at)) for network, pk, at in judge.rows(query)]
    return [at - one.created / 1000 for one, at in said if one is not None and since <= one.created / 1000 < until]
