"""What somebody uploads is held in memory and never written to a disk, which might be full, or forgotten there."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from django.core.files.uploadedfile import InMemoryUploadedFile
from django.core.files.uploadhandler import FileUploadHandler

LARGEST = 16 * 1024 * 1024  # bytes; more than any network takes. What lies beyond is counted, and not kept


class BoundedMemory(FileUploadHandler):
    """Gives a file its true size, whatever came of its bytes: whoever takes files refuses those that are too large."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self.held = BytesIO()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self.held.write(raw_data[: max(0, LARGEST - start)])

    def file_complete(self, file_size: int) -> InMemoryUploadedFile:
        self.held.seek(0)
        name, kind = self.file_name or "", self.content_type or ""
        return InMemoryUploadedFile(self.held, self.field_name, name, kind, file_size, self.charset)
