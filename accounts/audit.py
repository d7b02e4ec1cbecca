"""One line in the audit log, written in the caller's transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from accounts.models import AuditEntry, Brand, User

if TYPE_CHECKING:
    from django.db.models import Model


def audit(*, by: User | None, verb: str, on: Model, brand: Brand | int | None = None, **details: Any) -> AuditEntry:
    """`details` must be JSON and must hold neither secrets nor post texts."""
    return AuditEntry.objects.create(
        by=by,
        verb=verb,
        kind=on._meta.model_name or "",
        object_id=str(on.pk),
        brand_id=brand.pk if isinstance(brand, Brand) else brand,
        details=details,
    )
