"""Fields that take exactly what the schema promises, and nothing that merely looks like it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from django.core.validators import RegexValidator
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

if TYPE_CHECKING:
    from collections.abc import Mapping

Row = TypeVar("Row")
LARGEST_ID = 2**63 - 1  # PostgreSQL's bigint
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


class QueryId(serializers.IntegerField):
    """The id of a record in a query string: ASCII digits alone."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=1, max_value=LARGEST_ID, **options)

    def to_internal_value(self, data: Any) -> int:
        if not re.fullmatch(r"[0-9]{1,19}", str(data), re.ASCII):
            self.fail("invalid")
        return int(data)


class BodyId(serializers.IntegerField):
    """The id of a record in a JSON body: a whole number (JSON also writes it as 5.0), not a text of digits."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=1, max_value=LARGEST_ID, **options)

    def to_internal_value(self, data: Any) -> int:
        if type(data) is not int and not (type(data) is float and data.is_integer()):
            self.fail("invalid")
        return int(data)


class QueryFlag(serializers.BooleanField):
    """`true` or `false`, and no other word for them."""

    TRUE_VALUES = {"true"}
    FALSE_VALUES = {"false"}
    NULL_VALUES: set[Any] = set()


class BodyFlag(serializers.BooleanField):
    TRUE_VALUES = {True}
    FALSE_VALUES = {False}
    NULL_VALUES: set[Any] = set()

    def to_internal_value(self, data: Any) -> bool:
        if type(data) is not bool:
            self.fail("invalid", input=type(data).__name__)
        return data


class Words(serializers.CharField):
    """Text with something to read in it; no NUL, no half characters."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.validators.append(
            RegexValidator(r"^[^\x00]*[^\s\x00][^\x00]*$", "This field may not be blank.", code="blank")
        )

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class QueryChoice(serializers.ChoiceField):
    """One word out of a list, in a query string or a body. `choices` is a list of words."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or data not in self.choices:
            self.fail("invalid_choice", input="…")
        return data


class NetworkKey(serializers.RegexField):
    """The key of a network, as channels and identities bear it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(r"^[a-z][a-z0-9_]{0,31}$", **options)


@extend_schema_field(OpenApiTypes.DATETIME)
class Instant(serializers.Field[datetime, str, str, Any]):
    """A moment as RFC 3339 writes it, with its offset; comes out aware and in UTC."""

    default_error_messages = {"invalid": "Write a moment like 2026-01-31T09:30:00Z."}

    def to_internal_value(self, data: Any) -> datetime:
        if not isinstance(data, str) or not RFC_3339.fullmatch(data):
            self._refuse()
        try:
            return datetime.fromisoformat(data.upper()).astimezone(UTC)
        except (ValueError, OverflowError):
            self._refuse()

    def to_representation(self, value: datetime) -> str:
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")

    def _refuse(self) -> NoReturn:
        self.fail("invalid")


class Told(serializers.Serializer[Row]):
    """An answer. A field whose name a serializer keeps for itself is written with an underscore behind it."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {name.removesuffix("_"): field for name, field in super().get_fields().items()}


class Strict(serializers.Serializer[Any]):
    """A serializer that takes no field it does not know."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict) and (unknown := data.keys() - self.fields.keys()):
            raise serializers.ValidationError({_shown(name): ["There is no such field."] for name in sorted(unknown)})
        return super().to_internal_value(data)


class Query(Strict):
    """The parameters of a query string: each known, each at most once."""

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """What was asked, checked. Raises ValidationError."""
        asked = cls(data=dict(parameters))
        asked.is_valid(raise_exception=True)
        return dict(asked.validated_data)


def _shown(name: str) -> str:
    """A name that came from outside, short and fit to be encoded again."""
    return name[:64].encode("utf-8", "replace").decode()
