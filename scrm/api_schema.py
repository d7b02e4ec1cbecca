"""The schema of the whole API, drawn once in a process: it does not change while that runs."""

from __future__ import annotations

from copy import deepcopy
from functools import cache
from typing import Any

from drf_spectacular.generators import SchemaGenerator


class OnceGenerated(SchemaGenerator):
    def get_schema(self, request: Any = None, public: bool = False) -> dict[str, Any]:
        return deepcopy(whole_schema())


@cache
def whole_schema() -> dict[str, Any]:
    """The OpenAPI document. Not to be changed by who reads it."""
    schema: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return schema
