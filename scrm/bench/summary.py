"""How a handful of figures are told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def spread(figures: Sequence[float], digits: int = 3) -> dict[str, Any]:
    """Median, 95th percentile and largest; None of each where there are no figures."""
    ordered = sorted(figures)
    return {
        name: round(ordered[min(len(ordered) - 1, int(len(ordered) * part))], digits) if ordered else None
        for name, part in (("p50", 0.5), ("p95", 0.95), ("max", 1.0))
    }
