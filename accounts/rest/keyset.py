"""Pages by keyset: a page begins where the last one ended, whatever was added or removed meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.core import signing
from rest_framework import serializers

from accounts import keyset

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from django.db.models import QuerySet

    from accounts.keyset import Page, Row


@dataclass(frozen=True, slots=True)
class Keyset:
    """An order of rows, newest first: by a moment (`by`, a field that is never null) and then by id, or by id alone.

    `name` keeps the cursors of one list out of another.
    """

    name: str
    by: str = ""

    def page(
        self, rows: QuerySet[Row], *, cursor: str, limit: int, branches: Sequence[Mapping[str, Any]] = ()
    ) -> Page[Row]:
        """At most `limit` rows behind the cursor ("" begins); `after` is the next one's. `branches` as in
        `accounts.keyset.page`. Raises ValidationError for a cursor that is not ours."""
        order = (f"-{self.by}", "-id") if self.by else ("-id",)
        found = keyset.page(rows, by=order, after=self._mark(cursor), size=limit, branches=branches)
        return keyset.Page(found.rows, found.after and signing.dumps(found.after, salt=self._salt))

    def _mark(self, cursor: str) -> str:
        try:
            return str(signing.loads(cursor, salt=self._salt)) if cursor else ""
        except signing.BadSignature as error:
            raise serializers.ValidationError({"cursor": ["This cursor is not one of this list."]}) from error

    @property
    def _salt(self) -> str:
        return f"keyset.{self.name}.{self.by}"


class PageSerializer(serializers.Serializer[Any]):
    """Base of the schemas of pages: `results` is added for each list."""

    next = serializers.URLField(allow_null=True, help_text="Where the next page is; null on the last.")
