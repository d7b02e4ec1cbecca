"""The schema as a page for people: every operation, what it needs, takes and answers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.access import signed_in
from accounts.rest.schema import ALWAYS
from scrm.api_schema import whole_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.http import HttpRequest, HttpResponse

JSON_TYPE = "application/json"

Words = list[tuple[bool, str]]  # pieces of a text, each with whether it is code


@dataclass(frozen=True, slots=True)
class Part:
    """A parameter, or a field of a body or an answer. `ref` names the object it holds, if it holds one."""

    name: str
    place: str  # "path", "query", "header", or "" for a field
    type: str
    required: bool
    words: Words
    ref: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    status: str
    words: Words
    ref: str = ""


@dataclass(frozen=True, slots=True)
class Operation:
    id: str
    method: str
    path: str
    summary: str
    paragraphs: list[Words]
    parameters: list[Part]
    body: list[Part]
    answers: list[Answer]
    example: str


@dataclass(frozen=True, slots=True)
class Shape:
    """An object that bodies and answers are made of."""

    name: str
    words: Words
    fields: list[Part]


@signed_in
@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """The reference of the API."""
    reference = Reference(whole_schema())
    page = {
        "tags": reference.by_tag(),
        "shapes": reference.shapes(),
        "refusals": [Answer(str(status), words(text)) for status, text in ALWAYS.items()],
        "rate": settings.API_RATE,
        "address": settings.PUBLIC_URL,
        "section": "account",
    }
    return render(request, "scrm/api_docs.html", page)


class Reference:
    """Reads an OpenAPI document for people."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self.paths: dict[str, dict[str, Any]] = schema["paths"]
        self.known: dict[str, dict[str, Any]] = schema["components"]["schemas"]

    def by_tag(self) -> dict[str, list[Operation]]:
        """The operations of the API under the things they are about."""
        tags: dict[str, list[Operation]] = {}
        for path, methods in self.paths.items():
            for method, told in methods.items():
                tags.setdefault(told["tags"][0], []).append(self._operation(path, method.upper(), told))
        return tags

    def shapes(self) -> list[Shape]:
        return [
            Shape(name, words(told.get("description", "")), list(self._fields(told)))
            for name, told in self.known.items()
            if "properties" in told
        ]

    def _operation(self, path: str, method: str, told: dict[str, Any]) -> Operation:
        body = self._body(told)
        return Operation(
            id=told["operationId"],
            method=method,
            path=path,
            summary=told["summary"],
            paragraphs=[words(text) for text in told["description"].split("\n\n")],
            parameters=[self._parameter(one) for one in told.get("parameters", ())],
            body=list(self._fields(body)),
            answers=[self._answer(*one) for one in told["responses"].items() if int(one[0]) not in ALWAYS],
            example=_example(method, path, told, body),
        )

    def _parameter(self, told: dict[str, Any]) -> Part:
        return Part(
            name=told["name"],
            place=told["in"],
            type=self._type(told["schema"]),
            required=told.get("required", False),
            words=words(told.get("description", "")),
        )

    def _body(self, told: dict[str, Any]) -> dict[str, Any]:
        content = _taken(told).get(JSON_TYPE)
        return self.known[_name(content["schema"])] if content else {}

    def _fields(self, shape: dict[str, Any]) -> Iterator[Part]:
        required = shape.get("required", ())
        for name, told in shape.get("properties", {}).items():
            text = words(told.get("description", ""))
            yield Part(name, "", self._type(told), name in required, text, self._ref(told))

    def _answer(self, status: str, told: dict[str, Any]) -> Answer:
        content = told.get("content", {}).get(JSON_TYPE, {})
        return Answer(status, words(told["description"]), self._ref(content.get("schema", {})))

    def _type(self, told: dict[str, Any]) -> str:
        """A type in words: "integer or null", "list of Media", "open | closed"."""
        if "enum" in told:
            return " | ".join("null" if word is None else str(word) for word in told["enum"])
        if told.get("type") == "array":
            return f"list of {self._type(told['items'])}"
        for together in ("oneOf", "anyOf", "allOf"):
            if together in told:
                return " or ".join(self._type(one) for one in told[together])
        if "$ref" in told:
            name = _name(told)
            return name if "properties" in self.known[name] else self._type(self.known[name])
        return _plain_type(told)

    def _ref(self, told: dict[str, Any]) -> str:
        """The name of the object a schema points to, also as one of several or as the items of a list."""
        if "$ref" in told:
            name = _name(told)
            return name if "properties" in self.known[name] else ""
        inner = [told.get("items"), *told.get("oneOf", ()), *told.get("anyOf", ()), *told.get("allOf", ())]
        return next((found for one in inner if one and (found := self._ref(one))), "")


def words(text: str) -> Words:
    """A text in pieces: what stands between backticks is code."""
    return [(bool(number % 2), piece) for number, piece in enumerate(text.split("`")) if piece]


def _name(told: dict[str, Any]) -> str:
    return str(told["$ref"]).rsplit("/", 1)[1]


def _plain_type(told: dict[str, Any]) -> str:
    kind = told.get("type", "any")
    told_as = " or ".join(kind) if isinstance(kind, list) else str(kind)
    return told_as.replace("string", "moment") if told.get("format") == "date-time" else told_as


def _example(method: str, path: str, told: dict[str, Any], body: dict[str, Any]) -> str:
    """The call as one would type it."""
    verb = "" if method == "GET" else f"-X {method} "
    lines = [f'curl {verb}-H "Authorization: Bearer $TOKEN" {settings.PUBLIC_URL}{path.replace("{id}", "1")}']
    lines += [f'  -H "{one["name"]}: $(uuidgen)"' for one in told.get("parameters", ()) if one["in"] == "header"]
    if body:
        needed = body.get("required") or ["text"]
        said = {name: _sample(one) for name, one in body["properties"].items() if name in needed}
        lines += [f'  -H "Content-Type: {JSON_TYPE}"', f"  -d '{json.dumps(said)}'"]
    elif files := _taken(told):
        lines += [f'  -H "Content-Type: {next(iter(files))}"', "  --data-binary @FILE"]
    return " \\\n".join(lines)


def _taken(told: dict[str, Any]) -> dict[str, Any]:
    """The bodies that an operation takes, by media type."""
    content: dict[str, Any] = told.get("requestBody", {}).get("content", {})
    return content


def _sample(told: dict[str, Any]) -> Any:
    if told.get("format") == "date-time":
        return "2030-01-31T09:30:00Z"
    return 1 if "integer" in told.get("type", "string") else "Thank you, we are looking into it."
