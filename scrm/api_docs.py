"""The schema as a page for people: every operation, what it needs, takes and answers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.access import signed_in
from scrm.api_schema import whole_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.http import HttpRequest, HttpResponse

JSON_TYPE = "application/json"


@dataclass(frozen=True, slots=True)
class Part:
    """A parameter, or a field of a body or an answer. `ref` names the object it holds, if it holds one."""

    name: str
    place: str  # "path", "query", "header", or "" for a field
    type: str
    required: bool
    text: str
    ref: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    status: str
    text: str
    ref: str


@dataclass(frozen=True, slots=True)
class Operation:
    id: str
    method: str
    path: str
    summary: str
    text: str
    parameters: tuple[Part, ...]
    body: tuple[Part, ...]
    answers: tuple[Answer, ...]
    example: str


@dataclass(frozen=True, slots=True)
class Shape:
    """An object that bodies and answers are made of."""

    name: str
    text: str
    fields: tuple[Part, ...]


@signed_in
@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """The reference of the API."""
    schema = whole_schema()
    page = {
        "tags": by_tag(schema),
        "shapes": shapes(schema),
        "rate": settings.API_RATE,
        "address": settings.PUBLIC_URL,
        "section": "account",
    }
    return render(request, "scrm/api_docs.html", page)


def by_tag(schema: dict[str, Any]) -> dict[str, list[Operation]]:
    """The operations of the API under the things they are about."""
    tags: dict[str, list[Operation]] = {}
    for path, methods in schema["paths"].items():
        for method, told in methods.items():
            tags.setdefault(told["tags"][0], []).append(_operation(schema, path, method, told))
    return dict(sorted(tags.items()))


def shapes(schema: dict[str, Any]) -> list[Shape]:
    known = schema["components"]["schemas"].items()
    return [
        Shape(name, told.get("description", ""), tuple(_fields(told))) for name, told in known if "properties" in told
    ]


def _operation(schema: dict[str, Any], path: str, method: str, told: dict[str, Any]) -> Operation:
    body = _body(schema, told)
    return Operation(
        id=told["operationId"],
        method=method.upper(),
        path=path,
        summary=told["summary"],
        text=told.get("description", ""),
        parameters=tuple(_parameter(one) for one in told.get("parameters", ())),
        body=tuple(_fields(body)),
        answers=tuple(_answer(status, one) for status, one in told["responses"].items()),
        example=_example(method.upper(), path, told, body),
    )


def _parameter(told: dict[str, Any]) -> Part:
    return Part(
        name=told["name"],
        place=told["in"],
        type=_type(told["schema"]),
        required=told.get("required", False),
        text=told.get("description", ""),
    )


def _body(schema: dict[str, Any], told: dict[str, Any]) -> dict[str, Any]:
    content = told.get("requestBody", {}).get("content", {}).get(JSON_TYPE)
    return dict(schema["components"]["schemas"][_ref(content["schema"])]) if content else {}


def _fields(shape: dict[str, Any]) -> Iterator[Part]:
    required = shape.get("required", ())
    for name, told in shape.get("properties", {}).items():
        yield Part(name, "", _type(told), name in required, told.get("description", ""), _ref(told))


def _answer(status: str, told: dict[str, Any]) -> Answer:
    content = told.get("content", {}).get(JSON_TYPE, {})
    return Answer(status, told.get("description", ""), _ref(content.get("schema", {})))


def _type(told: dict[str, Any]) -> str:
    """A type in words: "integer or null", "list of Media", "open | closed"."""
    if "enum" in told:
        return " | ".join("null" if word is None else str(word) for word in told["enum"])
    if told.get("type") == "array":
        return f"list of {_type(told['items'])}"
    for together in ("oneOf", "anyOf", "allOf"):
        if together in told:
            return " or ".join(_type(one) for one in told[together])
    if "$ref" in told:
        return _ref(told)
    kind = told.get("type", "any")
    words = " or ".join(kind) if isinstance(kind, list) else str(kind)
    return f"{words} ({told['format']})" if "format" in told else words


def _ref(told: dict[str, Any]) -> str:
    """The name of the object a schema points to, also as one of several or as the items of a list."""
    if "$ref" in told:
        return str(told["$ref"]).rsplit("/", 1)[1]
    inner = [told.get("items", {}), *told.get("oneOf", ()), *told.get("anyOf", ()), *told.get("allOf", ())]
    return next((found for one in inner if one and (found := _ref(one))), "")


def _example(method: str, path: str, told: dict[str, Any], body: dict[str, Any]) -> str:
    """The call as one would type it."""
    lines = [f'curl -H "Authorization: Bearer $TOKEN" {settings.PUBLIC_URL}{path.replace("{id}", "1")}']
    if method != "GET":
        lines[0] = lines[0].replace("curl ", f"curl -X {method} ")
    lines += [f'  -H "{one["name"]}: $(uuidgen)"' for one in told.get("parameters", ()) if one["in"] == "header"]
    if body:
        said = {name: _sample(one) for name, one in body["properties"].items() if name in body.get("required", ())}
        lines += [f'  -H "Content-Type: {JSON_TYPE}"', f"  -d '{json.dumps(said)}'"]
    return " \\\n".join(lines)


def _sample(told: dict[str, Any]) -> Any:
    if told.get("format") == "date-time":
        return "2030-01-31T09:30:00Z"
    kinds = told.get("type", "string")
    return 1 if "integer" in kinds else "Thank you, we are looking into it."
