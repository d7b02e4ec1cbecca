"""X's error bodies (problem+json), in both dialects.

The post specification (v2.167) knows fewer problem types than the tweet one (v2.166); what it does not know is
answered there as its plain `Error` (code, message), with the problem's members beside them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

from aiohttp import web

Dialect = Literal["tweet", "post"]

TYPES = {"tweet": "https://api.twitter.com/2/problems/", "post": "https://api.x.com/2/problems/"}
POST_DIALECT_KNOWS = frozenset(
    {"disallowed-resource", "invalid-request", "not-authorized-for-resource", "resource-not-found"}
    | {"resource-unavailable", "not-authorized-for-field", "internal-error"}
)


class Problem(Exception):
    def __init__(
        self,
        status: int,
        title: str,
        detail: str = "",
        *,
        kind: str = "about:blank",
        headers: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(detail or title)
        self.status = status
        self.kind = kind
        self.headers = dict(headers or {})
        self.body = {"title": title, "detail": detail or title, "status": status, **extra}

    def response(self, dialect: Dialect) -> web.Response:
        body: dict[str, Any] = {**self.body, "type": type_url(self.kind, dialect)}
        if dialect == "post" and self.kind not in POST_DIALECT_KNOWS:
            body = {"code": self.status, "message": self.body["detail"], **body}
            return _answer(self.status, body, "application/json", self.headers)
        return _answer(self.status, body, "application/problem+json", self.headers)


def _answer(status: int, body: dict[str, Any], content_type: str, headers: Mapping[str, str]) -> web.Response:
    return web.Response(status=status, text=json.dumps(body), content_type=content_type, headers=headers)


def type_url(kind: str, dialect: Dialect) -> str:
    return kind if kind == "about:blank" else TYPES[dialect] + kind


def invalid(parameter: str, value: str, message: str) -> Problem:
    """400 for one bad parameter."""
    return Problem(
        400,
        "Invalid Request",
        "One or more parameters to your request was invalid.",
        kind="invalid-request",
        errors=[{"parameters": {parameter: [value]}, "message": message}],
    )


def unauthorized() -> Problem:
    return Problem(401, "Unauthorized", "Unauthorized")


def forbidden(detail: str) -> Problem:
    return Problem(403, "Forbidden", detail)


def not_found(parameter: str, value: str, resource: str, dialect: Dialect) -> dict[str, Any]:
    """An entry of `errors` for something that does not exist (any more)."""
    return {
        "value": value,
        "detail": f"Could not find {resource} with {parameter}: [{value}].",
        "title": "Not Found Error",
        "resource_type": resource,
        "parameter": parameter,
        "resource_id": value,
        "type": type_url("resource-not-found", dialect),
    }


def not_authorized(
    parameter: str, value: str, resource: str, dialect: Dialect, section: str = "data"
) -> dict[str, Any]:
    """An entry of `errors` for a protected author's post."""
    return {
        "value": value,
        "detail": f"Sorry, you are not authorized to see the {resource} with {parameter}: [{value}].",
        "title": "Authorization Error",
        "section": section,
        "resource_type": resource,
        "parameter": parameter,
        "resource_id": value,
        "type": type_url("not-authorized-for-resource", dialect),
    }
