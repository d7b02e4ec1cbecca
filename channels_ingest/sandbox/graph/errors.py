"""Graph's error bodies. https://developers.facebook.com/docs/graph-api/guides/error-handling"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from typing import Any

from aiohttp import web


class GraphError(Exception):
    def __init__(
        self,
        message: str,
        code: int,
        subcode: int | None = None,
        *,
        kind: str = "OAuthException",
        status: int = 400,
        transient: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.subcode = subcode
        self.kind = kind
        self.status = status
        self.transient = transient
        self.headers = dict(headers or {})

    def response(self) -> web.Response:
        error: dict[str, Any] = {"message": self.message, "type": self.kind, "code": self.code}
        if self.subcode is not None:
            error["error_subcode"] = self.subcode
        error["is_transient"] = self.transient
        error["fbtrace_id"] = "A" + secrets.token_urlsafe(16)
        body = json.dumps({"error": error})
        return web.Response(status=self.status, text=body, content_type="application/json", headers=self.headers)


TOKEN_WORDS = {
    458: "Error validating access token: The user has not authorized application.",
    460: "Error validating access token: The session has been invalidated because the user changed their password or "
    "Facebook has changed the session for security reasons.",
    463: "Error validating access token: Session has expired.",
    467: "Error validating access token: The session is invalid because the user logged out.",
}


def dead_token(subcode: int | None) -> GraphError:
    words = TOKEN_WORDS.get(subcode or 0, "Invalid OAuth access token - Cannot parse access token")
    return GraphError(words, 190, subcode, status=401 if subcode is None else 400)


def throttled(code: int) -> GraphError:
    words = {
        4: "(#4) Application request limit reached",
        17: "(#17) User request limit reached",
        32: "(#32) Page request limit reached",
        613: "(#613) Calls to this api have exceeded the rate limit.",
    }
    return GraphError(words.get(code, f"(#{code}) There have been too many calls"), code, transient=True)


def gone(object_id: str) -> GraphError:
    return GraphError(
        f"Unsupported get request. Object with ID '{object_id}' does not exist, cannot be loaded due to missing "
        "permissions, or does not support this operation.",
        100,
        33,
        kind="GraphMethodException",
    )


def bad_parameter(message: str) -> GraphError:
    return GraphError(f"(#100) {message}", 100)


def no_permission(scope: str) -> GraphError:
    return GraphError(f"(#200) Requires {scope} permission to manage the object", 200)
