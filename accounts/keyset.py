"""Paging by key: "older than this row" instead of "page 7", so that a list costs the same on every page."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from django.core.exceptions import SuspiciousOperation, ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Field, ForeignKey, Model, Q

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from django.db.models import QuerySet

Row = TypeVar("Row", bound=Model)
MOST_BRANCHES = 60


class BadCursor(SuspiciousOperation):
    """A page mark that we did not make. Django answers it with 400."""


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Some rows in order. `after` marks the page that follows, empty at the end."""

    rows: list[Row]
    after: str


def page(
    rows: QuerySet[Row],
    *,
    by: Sequence[str],
    after: str = "",
    size: int = 50,
    branches: Sequence[Mapping[str, Any]] = (),
) -> Page[Row]:
    """`size` rows ordered `by` these fields, all upwards or all downwards ("-at", "-id"), the last one unique.

    `after` is the mark of an earlier page. Raises BadCursor for one that was tampered with. `branches` are conditions
    that together part the rows, each of which an index answers in this order: the page is then merged from the first
    rows of each, and costs the same however many rows there are.
    """
    names = [name.lstrip("-") for name in by]
    lookup = "lt" if by[0].startswith("-") else "gt"
    ordered = rows.order_by(*by)
    if after:
        ordered = ordered.filter(_beyond(names, _read_mark(rows.model, names, after), lookup))
    if len(branches) == 1:
        ordered = ordered.filter(**branches[0])
    elif 1 < len(branches) <= MOST_BRANCHES:
        ordered = rows.filter(pk__in=_first_of_each(ordered, branches, size + 1)).order_by(*by)
    found = list(ordered[: size + 1])
    return Page(found[:size], _mark(found[size - 1], names) if len(found) > size else "")


def _first_of_each(rows: QuerySet[Row], branches: Sequence[Mapping[str, Any]], count: int) -> list[int]:
    first, *others = [rows.filter(**branch).values_list("pk", flat=True)[:count] for branch in branches]
    return list(first.union(*others, all=True))


def _beyond(names: Sequence[str], values: Sequence[Any], lookup: str) -> Q:
    """(a, b) < (x, y), spelled so that an index on (a, b) is walked from x on."""
    beyond = Q()
    for place in range(len(names)):
        same = dict(zip(names[:place], values, strict=False))
        beyond |= Q(**same, **{f"{names[place]}__{lookup}": values[place]})
    return Q(**{f"{names[0]}__{lookup}e": values[0]}) & beyond


def _mark(row: Model, names: Sequence[str]) -> str:
    values = json.dumps([getattr(row, name) for name in names], cls=_Exact, separators=(",", ":"))
    return base64.urlsafe_b64encode(values.encode()).decode().rstrip("=")


def _read_mark(model: type[Model], names: Sequence[str], mark: str) -> list[Any]:
    try:
        values = json.loads(base64.urlsafe_b64decode(mark + "=" * (-len(mark) % 4)))
        if not isinstance(values, list) or len(values) != len(names):
            raise BadCursor("not a page mark")
        return [_value(model, name, value) for name, value in zip(names, values, strict=True)]
    except (binascii.Error, ValueError, ValidationError, TypeError, OverflowError) as error:
        raise BadCursor("not a page mark") from error


def _value(model: type[Model], name: str, value: Any) -> Any:
    """The column's own type. A key is made of texts and numbers, without null characters."""
    if not isinstance(value, str | int) or (isinstance(value, str) and "\0" in value):
        raise BadCursor("not a page mark")
    field = model._meta.get_field(name.removesuffix("_id") if name.endswith("_id") else name)
    target = field.target_field if isinstance(field, ForeignKey) else field
    if not isinstance(target, Field):
        raise BadCursor("not a page mark")
    found = target.to_python(value)
    target.run_validators(found)
    return found


class _Exact(DjangoJSONEncoder):
    """Keeps the microseconds that Django's own encoder cuts off."""

    def default(self, o: Any) -> Any:
        return o.isoformat() if hasattr(o, "isoformat") else super().default(o)
