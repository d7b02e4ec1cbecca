"""Every error of the API has one shape: `{"error": {"code", "message", "fields"?}}`."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404
from rest_framework import exceptions, serializers
from rest_framework.response import Response

from accounts.rest.fields import Told

if TYPE_CHECKING:
    from collections.abc import Mapping

logger = logging.getLogger(__name__)


class Conflict(exceptions.APIException):
    """What was asked does not fit what happened meanwhile."""

    status_code = 409
    default_code = "conflict"
    default_detail = "This does not fit the present state."


class Unprocessable(exceptions.APIException):
    """What was asked is well formed and still cannot be done."""

    status_code = 422
    default_code = "unprocessable"
    default_detail = "This cannot be done."


class TooLarge(exceptions.APIException):
    status_code = 413
    default_code = "too_large"
    default_detail = "The body is too large."


class Unavailable(exceptions.APIException):
    status_code = 503
    default_code = "unavailable"
    default_detail = "The database does not answer. Try again in some seconds."
    wait = 5


class ProblemSerializer(Told[Any]):
    code = serializers.CharField(help_text="A stable word for programs.")
    message = serializers.CharField(help_text="A sentence for people.")
    fields_ = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()),
        required=False,
        help_text="What is wrong with which field of the request.",
    )


class ErrorSerializer(serializers.Serializer[Any]):
    error = ProblemSerializer()


def problem(code: str, message: str, fields: Mapping[str, list[str]] | None = None) -> dict[str, Any]:
    """The body of an error."""
    told: dict[str, Any] = {"code": code, "message": message}
    if fields:
        told["fields"] = fields
    return {"error": told}


def answer_error(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """Django REST framework's exception handler. None lets an unexpected error travel on to the server's log."""
    known = _known(error)
    if known is None:
        return None
    return Response(_body(known), status=known.status_code, headers=_headers(known))


def _known(error: Exception) -> exceptions.APIException | None:
    if isinstance(error, exceptions.APIException):
        return error
    if isinstance(error, Http404):
        return exceptions.NotFound()
    if isinstance(error, PermissionDenied):
        return exceptions.PermissionDenied()
    if isinstance(error, SuspiciousOperation):
        return exceptions.ParseError("The request cannot be read.")
    if isinstance(error, OperationalError | InterfaceError):
        logger.error("The database did not answer a request of the API", exc_info=error)
        return Unavailable()
    return None


def _body(error: exceptions.APIException) -> dict[str, Any]:
    if isinstance(error, exceptions.ValidationError):
        return problem("invalid", "The request is not valid.", _flat(error.detail))
    return problem(str(error.get_codes()), str(error.detail))


def _headers(error: exceptions.APIException) -> dict[str, str]:
    headers = {}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = str(challenge)
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(int(wait))
    return headers


def _flat(detail: Any, name: str = "") -> dict[str, list[str]]:
    """The messages by the dotted name of their field."""
    if isinstance(detail, dict):
        pairs = [(f"{name}.{key}" if name else str(key), value) for key, value in detail.items()]
        return {flat: told for key, value in pairs for flat, told in _flat(value, key).items()}
    return {name or "request": [str(told) for told in (detail if isinstance(detail, list) else [detail])]}
