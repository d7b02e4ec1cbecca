"""Pages by keyset: a page begins where the last one ended, whatever was added or removed meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from django.core import signing
from django.db.models import Model, Q
from rest_framework import serializers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from django.db.models import QuerySet

Row = TypeVar("Row", bound=Model)
MOST_BRANCHES = 60


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """The rows of a page; `next_cursor` leads to the page after it and is empty on the last."""

    rows: list[Row]
    next_cursor: str


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
        """At most `limit` rows behind the cursor ("" begins). Raises ValidationError for a cursor that is not ours.

        `branches` are conditions that together part the rows, each of which an index answers in this order: the page
        is then merged from the first rows of each, and costs the same however many rows there are.
        """
        wanted = self._behind(rows.order_by(*self._order()), cursor)
        if 1 < len(branches) <= MOST_BRANCHES:
            wanted = rows.filter(pk__in=_first_of_each(wanted, branches, limit + 1)).order_by(*self._order())
        elif len(branches) == 1:
            wanted = wanted.filter(**branches[0])
        found = list(wanted[: limit + 1])
        page = found[:limit]
        return Page(page, self._cursor(page[-1]) if len(found) > limit else "")

    def _order(self) -> tuple[str, ...]:
        return (f"-{self.by}", "-id") if self.by else ("-id",)

    def _behind(self, rows: QuerySet[Row], cursor: str) -> QuerySet[Row]:
        if not cursor:
            return rows
        moment, last_id = self._place(cursor)
        if moment is None:
            return rows.filter(id__lt=last_id)
        beyond = Q(**{f"{self.by}__lt": moment}) | Q(id__lt=last_id)
        return rows.filter(beyond, **{f"{self.by}__lte": moment})

    def _cursor(self, row: Row) -> str:
        moment = getattr(row, self.by).isoformat() if self.by else None
        return signing.dumps([moment, row.pk], salt=self._salt)

    def _place(self, cursor: str) -> tuple[datetime | None, int]:
        try:
            moment, last_id = signing.loads(cursor, salt=self._salt)
        except signing.BadSignature as error:
            raise serializers.ValidationError({"cursor": ["This cursor is not one of this list."]}) from error
        return datetime.fromisoformat(moment) if moment else None, last_id

    @property
    def _salt(self) -> str:
        return f"keyset.{self.name}.{self.by}"


def _first_of_each(rows: QuerySet[Row], branches: Sequence[Mapping[str, Any]], count: int) -> list[int]:
    first, *others = [rows.filter(**branch).values_list("pk", flat=True)[:count] for branch in branches]
    return list(first.union(*others, all=True))


class PageSerializer(serializers.Serializer[Any]):
    """Base of the schemas of pages: `results` is added for each list."""

    next = serializers.URLField(allow_null=True, help_text="Where the next page is; null on the last.")
