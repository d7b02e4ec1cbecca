"""Bodies: JSON of a bounded size, and pictures."""

from __future__ import annotations

from io import BytesIO
from typing import IO, TYPE_CHECKING, Any

from django.core.files.uploadedfile import InMemoryUploadedFile
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser, DataAndFiles, JSONParser

from accounts.rest.errors import TooLarge
from accounts.uploads import LARGEST

if TYPE_CHECKING:
    from collections.abc import Mapping

LARGEST_BODY = 256 * 1024  # bytes


class BoundedJSONParser(JSONParser):
    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Raises TooLarge, ParseError."""
        body = stream.read(LARGEST_BODY + 1)
        if len(body) > LARGEST_BODY:
            raise TooLarge
        try:
            return super().parse(BytesIO(body), media_type, parser_context)
        except RecursionError as error:
            raise ParseError("The body is nested too deeply.") from error


class PictureParser(BaseParser):
    """The body as the file `file`: whoever takes it looks what it is."""

    media_type = "image/*"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> DataAndFiles[Any, Any]:
        """Raises TooLarge."""
        body = stream.read(LARGEST + 1)
        if len(body) > LARGEST:
            raise TooLarge
        given = InMemoryUploadedFile(BytesIO(body), None, None, media_type, len(body), None)
        return DataAndFiles({}, {"file": given})
