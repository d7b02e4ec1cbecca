"""The OpenAPI schema, drawn from what each address declares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from accounts.rest.errors import ErrorSerializer
from accounts.rest.fields import LARGEST_ID
from accounts.rest.keyset import PageSerializer

if TYPE_CHECKING:
    from accounts.rest.views import Endpoint

ALWAYS = {
    400: "A parameter, a header or the body is not valid.",
    401: "No token, or one that is unknown or revoked.",
    403: "The role of the token's user may not do this.",
    405: "The address does not know this method.",
    406: "Only JSON can be answered.",
    429: "Too many requests with this token; `Retry-After` says in how many seconds to come again.",
    503: "The database does not answer; `Retry-After` says in how many seconds to come again.",
}
WITH_RECORD = {404: "There is no such record, or none that you may see."}
WITH_BODY = {413: "The body is too large.", 415: "The body is not JSON."}
RECORD_ID = OpenApiParameter(
    "id",
    {"type": "integer", "format": "int64", "minimum": 1, "maximum": LARGEST_ID},
    OpenApiParameter.PATH,
    description="Number of the record.",
)
RETRY_AFTER = OpenApiParameter(
    "Retry-After", int, OpenApiParameter.HEADER, response=[429, 503], description="Seconds to wait."
)


class ApiSchema(AutoSchema):
    """Reads an `Endpoint`: what it needs, takes, answers and refuses."""

    @property
    def endpoint(self) -> Endpoint:
        return cast("Endpoint", self.view)

    def get_operation_id(self) -> str:
        return self.endpoint.operation

    def get_tags(self) -> list[str]:
        return [self.endpoint.tag]

    def get_summary(self) -> str:
        return (self.endpoint.__doc__ or "").strip().split("\n")[0]

    def get_description(self, path: str = "", method: str = "") -> str:
        told = " ".join(line.strip() for line in (self.endpoint.__doc__ or "").strip().split("\n")[1:]).strip()
        return f"{told}\n\nNeeds the permission `{self.endpoint.needs.value}`.".strip()

    def get_override_parameters(self) -> list[Any]:
        record = [RECORD_ID] if "{id}" in self.path else []
        query = [self.endpoint.query_class()] if self.endpoint.query_class().fields else []
        return [*record, *query, *self.endpoint.headers_taken, RETRY_AFTER]

    def get_request_serializer(self) -> Any:
        if self.endpoint.upload_types:
            return dict.fromkeys(self.endpoint.upload_types, OpenApiTypes.BINARY)
        return self.endpoint.body_class

    def get_response_serializers(self) -> Any:
        answer = answered(self.endpoint)
        told = {status: OpenApiResponse(answer, text) for status, text in self.endpoint.answers.items()}
        return told | {status: OpenApiResponse(ErrorSerializer, text) for status, text in self._refusals().items()}

    def _refusals(self) -> dict[int, str]:
        known = ALWAYS | (WITH_RECORD if "{id}" in self.path else {}) | (WITH_BODY if self.endpoint.body_class else {})
        return dict(sorted((known | self.endpoint.refusals).items()))


def answered(endpoint: Endpoint) -> Any:
    """The serializer of an answer; for a list, that of its pages."""
    row = endpoint.answer_class
    if not endpoint.paged:
        return row
    name = row.__name__.removesuffix("Serializer") + "PageSerializer"
    return type(name, (PageSerializer,), {"results": row(many=True), "__doc__": None})


class TokenScheme(OpenApiAuthenticationExtension):
    """How a token is shown, and which permission of the role matrix each operation needs."""

    target_class = "accounts.rest.token.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "An API token of a user, who may do by it what the user's role may do.",
        }

    def get_security_requirement(self, auto_schema: AutoSchema) -> dict[str, list[Any]]:
        return {self.name: [cast("ApiSchema", auto_schema).endpoint.needs.value]}


def refuse_unknown_fields(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Says of every body that it takes no fields but its own."""
    for path in result["paths"].values():
        for operation in path.values():
            for content in operation.get("requestBody", {}).get("content", {}).values():
                if "$ref" in content["schema"]:
                    name = content["schema"]["$ref"].rsplit("/", 1)[1]
                    result["components"]["schemas"][name]["additionalProperties"] = False
    return result
