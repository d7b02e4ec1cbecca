"""What is done to one record: the shape of such an address, and how a refusal is told."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rest_framework.response import Response

from accounts.rest.errors import Unprocessable
from accounts.rest.fields import Strict
from accounts.rest.views import Kind
from accounts.roles import Permission
from conversations.actions import KeyUsed, NotPossible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rest_framework.request import Request

CANNOT = {422: "It is well formed and still cannot be done; the message says why."}


@contextmanager
def possible() -> Iterator[None]:
    """Tells programs why something cannot be done. Raises Unprocessable for KeyUsed and NotPossible."""
    try:
        yield
    except KeyUsed as error:
        raise Unprocessable(str(error), "key_used") from error
    except NotPossible as error:
        raise Unprocessable(str(error), "not_possible") from error


class NoBody(Strict):
    """Nothing to say."""


class Deed(Kind):
    """Base of what is done to one record: answers with it as it is then."""

    needs = Permission.REPLY
    refusals = CANNOT

    def post(self, request: Request, id: int) -> Response:
        record = self.record(id)
        with possible():
            self.act(record, self.body())
        return Response(self.told(id))

    def act(self, record: Any, asked: dict[str, Any]) -> None:
        """Raises NotPossible."""
        raise NotImplementedError

    def told(self, id: int) -> Any:
        return self.answer_class(self.record(id)).data
