"""Whether the database refused because of others: a deadlock it broke, a change that met another."""

from __future__ import annotations

from django.db import OperationalError

TRANSACTION_ROLLBACK = "40"  # the class of PostgreSQL's codes: 40001 serialization failure, 40P01 deadlock


def is_conflict(error: OperationalError) -> bool:
    """True where the same, tried again, may succeed."""
    return str(getattr(error.__cause__, "pgcode", "")).startswith(TRANSACTION_ROLLBACK)
