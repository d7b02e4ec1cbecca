"""Choosing among more than a page can hold: a select or boxes while there are few, a search field beyond.

The search field is a plain text field that takes an exact name; with scripts it proposes what matches the text typed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from django import forms
from django.db.models import Model, QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from accounts.ids import id_of

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.utils.safestring import SafeString

MOST_LISTED = 50  # choices of one select, or boxes
MOST_PROPOSED = 20

Row = TypeVar("Row", bound=Model)


def is_crowd(rows: QuerySet[Any]) -> bool:
    """Whether these are more than a select holds. One query that looks no further."""
    return len(rows.order_by().values_list("pk", flat=True)[: MOST_LISTED + 1]) > MOST_LISTED


def words_typed(request: HttpRequest, name: str = "q") -> str:
    """What is searched for by this part of the address, or by the field that htmx says it asks for."""
    field = request.headers.get("HX-Trigger-Name", "")
    return tidied(request.GET.get(name) or request.GET.get(field, ""))


def tidied(typed: str) -> str:
    """Words to look for, as somebody typed them: not too many, and with one space between two."""
    return " ".join(typed.replace("\0", "").split())[:100]


class Proposing(forms.TextInput):
    """A text field that proposes. `route` names the address that knows what; `query` is added to it."""

    def __init__(self, route: str, query: str = "", attrs: Mapping[str, Any] | None = None) -> None:
        super().__init__({"autocomplete": "off", **(attrs or {})})
        self.route, self.query = route, query

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        known = f"{(attrs or {}).get('id') or name}_known"
        asking = {
            "list": known,
            "hx-get": reverse(self.route) + self.query,
            "hx-trigger": "input changed delay:150ms, focus once",
            "hx-target": f"#{known}",
            "hx-swap": "innerHTML",
            "hx-sync": "this:replace",
            "data-quiet": True,
        }
        field = super().render(name, value, {**(attrs or {}), **asking}, renderer)
        return format_html('{}<datalist id="{}"></datalist>', field, known)


def one_of(rows: QuerySet[Row], *, by: str, route: str, **options: Any) -> forms.ModelChoiceField[Row]:
    """A field for one of the rows: a select, or a search field that takes the value of the unique column `by`."""
    if not is_crowd(rows):
        return forms.ModelChoiceField(rows, **options)
    options.pop("empty_label", None)
    return forms.ModelChoiceField(rows, to_field_name=by, widget=Proposing(route), **options)


@dataclass(frozen=True, slots=True)
class Changes:
    """What a form changes in a crowd of chosen ones: boxes shown and ticked, and one name to add or to take away."""

    shown: list[str]
    ticked: list[str]
    add: str
    drop: str


class Boxes(forms.CheckboxSelectMultiple):
    """A box for each choice; in a crowd for the first of those chosen, with two search fields for all others."""

    crowd: Crowd | None = None

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        ticked = super().value_from_datadict(data, files, name)
        if self.crowd is None:
            return ticked
        return Changes(
            shown=data.getlist(f"{name}-shown"),
            ticked=ticked,
            add=data.get(f"{name}-add", "").strip(),
            drop=data.get(f"{name}-drop", "").strip(),
        )

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return False

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        if self.crowd is None:
            return super().render(name, value, attrs, renderer)
        given = value if isinstance(value, Changes) else None
        first = list(self.crowd.chosen[: MOST_LISTED + 1])
        row = {"name": name, "id": (attrs or {}).get("id") or f"id_{name}"}
        rows = [(one.pk, self.crowd.label(one), not given or str(one.pk) in given.ticked) for one in first]
        proposing = Proposing(self.crowd.route, self.crowd.query, {"placeholder": _("Type a name to search")})
        fields = [
            (label, f"{row['id']}_{part}", proposing.render(f"{name}-{part}", text, {"id": f"{row['id']}_{part}"}))
            for part, label, text in (
                ("add", _("Add"), given.add if given else ""),
                ("drop", _("Take away"), given.drop if given else ""),
            )
            if part == "add" or len(first) > MOST_LISTED
        ]
        more = self.crowd.chosen.count() - MOST_LISTED if len(first) > MOST_LISTED else 0
        return render_to_string(
            "forms/_crowd.html", {**row, "rows": rows[:MOST_LISTED], "more": more, "fields": fields}
        )


@dataclass(frozen=True, slots=True)
class Crowd:
    """Who is chosen of many, how one of them is called, where proposals come from, and which rows a name means."""

    chosen: QuerySet[Any]
    label: Callable[[Any], str]
    route: str
    find: Callable[[QuerySet[Any], str], QuerySet[Any]]
    query: str = ""


class SomeOf(forms.ModelMultipleChoiceField[Row]):
    """Any number of rows. Of a crowd only what the form changes is sent, so that nobody unseen comes or goes."""

    crowd: Crowd | None = None
    widget = Boxes

    def offer(self, rows: QuerySet[Row], crowd: Crowd) -> None:
        """Offer these rows: all of them, or, in a crowd, search among them."""
        self.crowd = crowd if is_crowd(rows) else None
        if isinstance(self.widget, Boxes):
            self.widget.crowd = self.crowd
        if self.crowd is None:
            self.queryset = rows
        else:
            self._rows = rows

    def clean(self, value: Any) -> QuerySet[Row]:
        if self.crowd is None or not isinstance(value, Changes):
            return super().clean(value)
        left = {id_of(pk) for pk in value.shown if pk not in value.ticked}
        wanted = set(self.crowd.chosen.values_list("pk", flat=True)) - left
        wanted |= self._named(value.add)
        wanted -= self._named(value.drop)
        return self._rows.filter(pk__in=wanted)

    def _named(self, text: str) -> set[int]:
        if not text or self.crowd is None:
            return set()
        found = set(self.crowd.find(self._rows, text).values_list("pk", flat=True)[:2])
        if len(found) != 1:
            words = _("“%(text)s” is not known here. Choose one of the proposals.")
            raise forms.ValidationError(words, params={"text": text})
        return found
