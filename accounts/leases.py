"""Rows that one worker at a time takes up: held until a moment on the database's clock, and free again after it."""

from __future__ import annotations

from django.db.models import Q
from django.db.models.functions import Now


def free() -> Q:
    """Those in nobody's hands, by their `lease_until`."""
    return Q(lease_until=None) | Q(lease_until__lte=Now())
